"""Variables: dotenv files, the config's `env` block, and `${NAME}` in its texts.

Nearer sources win: the process, `./.env`, `<home>/.env`, the `env` block. Nothing here
changes the process's own environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from jackfield.config.schema import Environ

# A repository's own .env must not redirect the user's keys to another server.
UNTRUSTED = r"(?:OPENCLAW_|JACKFIELD_).*|.*_(?:BASE_URL|ENDPOINT|API_HOST)"
VARIABLE = re.compile(r"(\$?)\$\{([A-Z_][A-Z0-9_]*)(?::-([^}]*))?\}")
# Compiled when there is a dotenv file: most starts see none.
_LINE = r"""^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*=[ \t]*
    (?: '([^']*)' | "((?:[^"\\]|\\[\s\S])*)" | ([^\r\n]*?) )
    [ \t]*(?:(?<=[\s'"=])\#[^\r\n]*)?\r?$"""
_ESCAPE = r"\\([\s\S])"
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
# What says where a config's files may lie is not for the config to say.
_OUTER = frozenset({"OPENCLAW_INCLUDE_ROOTS", "OPENCLAW_CONFIG_READONLY"})
MAX_DOTENV_BYTES = 1 << 20


class Filled(Struct, frozen=True):
    """A text after its variables were put in; `missing` names those without a value."""

    text: str
    missing: tuple[str, ...] = ()


def parse_dotenv(text: str) -> dict[str, str]:
    """Return the variables of a dotenv text: `export`, quotes and comments are known, `$` means itself."""
    found: dict[str, str] = {}
    for name, single, double, bare in re.findall(_LINE, text.removeprefix("\ufeff"), re.MULTILINE | re.VERBOSE):
        found[name] = single or re.sub(_ESCAPE, lambda match: _ESCAPED.get(match[1], match[1]), double) or bare
    return found


def load_environ(environ: Mapping[str, str], home_file: Path, cwd: Path) -> tuple[Environ, list[str]]:
    """Return the process's variables completed from `./.env` and the home's, and warnings."""
    result, warnings = Environ(environ), list[str]()
    near = cwd / ".env"
    for file in dict.fromkeys((near, home_file)):
        try:
            found = parse_dotenv(_read(file))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            warnings.append(f"{file} is ignored: {_reason(error)}")
            continue
        refused = sorted(name for name in found if file != home_file and re.fullmatch(UNTRUSTED, name))
        if refused:
            warnings.append(f"{file}: {', '.join(refused)} ignored; set it in the environment or in {home_file}")
        for name in found.keys() - set(refused):
            result.setdefault(name, found[name])
    return result, warnings


def add_block(environ: Environ, block: Mapping[str, str]) -> None:
    """Complete the variables from the config's `env` block; it fills what is missing or blank."""
    for name, value in block.items():
        if name not in _OUTER and value.strip() and not environ.get(name, "").strip():
            environ[name] = value


def fill(text: str, environ: Mapping[str, str]) -> Filled:
    """Put variables into a text, once: what they hold is not looked at again.

    `${NAME}` and `${NAME:-default}` are filled, `$${NAME}` means the text `${NAME}`;
    everything else stays as it is. An empty variable counts as missing.
    """
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        escaped, name, default = match.groups()
        if escaped:
            return match[0][1:]
        found = environ.get(name, "")
        if found.strip():
            return found
        if default is None:
            missing.append(name)
        return default or ""

    return Filled(VARIABLE.sub(value, text), tuple(dict.fromkeys(missing)))


def _read(file: Path) -> str:
    with file.open("rb") as stream:
        data = stream.read(MAX_DOTENV_BYTES + 1)
    if len(data) > MAX_DOTENV_BYTES:
        raise OSError(f"larger than {MAX_DOTENV_BYTES >> 20} MB")
    return data.decode("utf-8")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or str(error)
