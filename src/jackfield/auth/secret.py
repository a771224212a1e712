"""What a reference to a secret leads to: a variable, a file, a command's output, a keyring's entry.

Followed when a request leaves and nowhere earlier: whoever lists credentials looks whether a
reference can lead anywhere (`is_dead`), reads no file, runs no command, opens no keyring.
What cannot be followed is an error without the secret; it never stands for itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from jackfield.config.paths import find_home
from jackfield.credential import Secret, SecretRef
from jackfield.errors import MissingKey

LARGEST_FILE = 1 << 20  # bytes; a secret may be one field of a larger file
POINTER = "#/"  # begins a JSON pointer (RFC 6901) behind a file's name
# A word that is no path and looks like a key, in what a command complains of.
KEYLIKE = r"(?i)(?<=bearer )\S+|[\w+/=.~-]{20,}"
RUN_IT = "run the command of the reference in a terminal, and correct it"
# What commands said in this process, by command line and variables: a password manager asks once.
_said: dict[tuple[str, int], Secret] = {}


def read_ref(ref: SecretRef, environ: Mapping[str, str]) -> Secret:
    """Return the secret a reference leads to; raise `MissingKey` that says why it leads nowhere.

    A keyring without the extra `keyring` is a `ConfigError`.
    """
    match ref.source:
        case "env":
            text = environ.get(ref.id, "")
            problem = f"the variable {ref.id} is not set"
        case "file":
            text = _read_file(ref.id, environ)
            problem = f"{ref.id} is empty"
        case "exec":
            return _ask_command(ref.id, environ)
        case _:
            from jackfield.auth.keyring import read_entry  # noqa: PLC0415  an extra, and slow to import

            text = read_entry(ref) or ""
            problem = f"the keyring has no entry {ref.id!r}"
    if not text.strip():
        raise MissingKey(problem, hint=_advice(ref))
    return Secret(text.strip())


def is_dead(ref: SecretRef, environ: Mapping[str, str]) -> bool:
    """Tell whether a reference certainly leads nowhere, as far as can be seen without following it."""
    match ref.source:
        case "env":
            return not environ.get(ref.id, "").strip()
        case "file":
            return not find_file(ref.id, environ)[0].is_file()
        case _:
            return not ref.id.strip()


def describe_ref(ref: SecretRef) -> str:
    """Return a reference in words: `$NAME`, `file: ~/key`, `exec: op`, `keyring: venice:default`."""
    # The rest of a command line is the user's own, and may say more than it should.
    place = ref.id.partition(" ")[0] if ref.source == "exec" else ref.id
    return f"${place}" if ref.source == "env" else f"{ref.source}: {place}"


def is_remembered(ref: SecretRef, environ: Mapping[str, str]) -> bool:
    """Tell whether a command has been asked already, so that following its reference takes no time."""
    return ref.source == "exec" and _asked(ref.id, environ) in _said


def forget_commands(refused: Secret | None = None) -> None:
    """Have the commands asked again that gave a refused secret; without one, every command: something changed."""
    for asked in [asked for asked, said in _said.items() if refused in {None, said}]:
        _said.pop(asked, None)


# -- files -------------------------------------------------------------------------


def find_file(text: str, environ: Mapping[str, str]) -> tuple[Path, str]:
    """Return the file a reference names, `~` put in, and the JSON pointer behind it (empty: the whole file)."""
    name, mark, pointer = text.partition(POINTER)
    home = find_home(environ)
    if home and (name == "~" or name.startswith(("~/", "~\\"))):
        name = str(Path(home) / name[2:])
    return Path(name), f"/{pointer}" if mark else ""


def file_warning(path: Path, *, posix: bool = os.name == "posix") -> str:
    """Say so when others on this machine may read a secret's file; empty when they may not."""
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        return ""
    return f"{path} is open to others (mode {mode:03o}); run: chmod 600 {path}" if posix and mode & 0o077 else ""


def _read_file(text: str, environ: Mapping[str, str]) -> str:
    path, pointer = find_file(text, environ)
    try:
        # A pipe or a terminal would keep every request waiting.
        if not path.is_file():
            raise MissingKey(f"{path} is no file", hint="put the secret there, or correct the reference")
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise MissingKey(f"{path} is over {LARGEST_FILE >> 20} MB, too large for a secret")
        content = data.decode("utf-8-sig")
    except OSError as error:
        raise MissingKey(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError:
        # Not `from`: the cause carries the file's bytes.
        raise MissingKey(f"{path} is not UTF-8") from None
    return _point(content, pointer, path) if pointer else content


def _point(content: str, pointer: str, path: Path) -> str:
    import json  # noqa: PLC0415  few secrets stand in JSON

    try:
        value = json.loads(content)
        for step in pointer.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            value = value[int(name)] if isinstance(value, list) else value[name]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise MissingKey(f"{path} has nothing at {pointer}", hint="check the file and the pointer") from None
    if not isinstance(value, str):
        raise MissingKey(f"{path} has no text at {pointer}")
    return value


# -- commands ----------------------------------------------------------------------


def _ask_command(line: str, environ: Mapping[str, str]) -> Secret:
    from jackfield.auth.command import run  # noqa: PLC0415  brings subprocess and threads

    asked = _asked(line, environ)
    if (said := _said.get(asked)) is None:
        output = run(line, environ)
        if output.problem:
            raise MissingKey(f"{output.program} {output.problem}{_complaint(output.complaint)}", hint=RUN_IT)
        if not output.text.strip():
            raise MissingKey(f"{output.program} printed nothing", hint=RUN_IT)
        said = _said[asked] = Secret(output.text.strip())
    return said


def _asked(line: str, environ: Mapping[str, str]) -> tuple[str, int]:
    return line, hash(frozenset(environ.items()))


def _complaint(text: str) -> str:
    """Return the last line a command wrote on stderr, without what may be a key."""
    last = text.strip().rpartition("\n")[2].strip()[:200]
    return f": {re.sub(KEYLIKE, '****', last)}" if last else ""


def _advice(ref: SecretRef) -> str:
    match ref.source:
        case "env":
            return f"set {ref.id}"
        case "keyring":
            from jackfield.auth.keyring import service_of  # noqa: PLC0415

            return f"store it: keyring set {service_of(ref)} '{ref.id}'"
        case _:
            return ""
