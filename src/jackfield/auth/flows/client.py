"""As which program we sign in: the client id of a flow, from the user or the provider's own program.

No secret of anybody's stands here. Whoever has registered a client, or may use one, says so in
a variable; a provider's own program on this machine names the client it uses, and is read only
when the user agrees.
"""

from __future__ import annotations

import mmap
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from jackfield.credential import Secret
from jackfield.errors import MissingKey
from jackfield.model import Flow


class Client(Struct, frozen=True):
    """Who asks, and in words how we know."""

    id: str
    secret: Secret | None = None
    origin: str = ""

    def fields(self) -> dict[str, str]:
        """Return the form fields that name the client."""
        return {"client_id": self.id, **({"client_secret": self.secret.reveal()} if self.secret else {})}


class Trace(Struct, frozen=True):
    """How a program's files name its client; each pattern's first group is the value."""

    id: bytes
    secret: bytes = b""


# Command → what its files hold. Most are one bundled script, some a binary.
PROGRAMS: dict[str, Trace] = {
    "gemini": Trace(rb"(\d{6,}-[a-z0-9]{20,}\.apps\.googleusercontent\.com)", rb"(GOCSPX-[\w-]{20,})"),
    "qwen": Trace(rb"QWEN_OAUTH_CLIENT_ID\s*=\s*[\"']([0-9a-f]{32})[\"']"),
    "codex": Trace(rb"(app_[A-Za-z0-9]{24})(?![A-Za-z0-9])"),
    "copilot": Trace(rb"[\"'](Iv1\.[0-9a-f]{16}|Ov23[A-Za-z0-9]{16})[\"']"),
}
MOST_FILES = 20_000
SCRIPTS = frozenset({".js", ".mjs", ".cjs"})
BIG = 1_000_000  # bytes; a file without a suffix that is as big is a program


def id_variables(provider: str, flow: Flow) -> tuple[str, ...]:
    """Return the variables that may name the client, first the general one."""
    return (_general(provider, "ID"), *flow.client_id_env)


def find_client(provider: str, flow: Flow, environ: Mapping[str, str]) -> Client | None:
    """Return the client that a variable or the catalog names."""
    secret = _first(environ, (_general(provider, "SECRET"), *flow.client_secret_env))
    for name in id_variables(provider, flow):
        if text := environ.get(name, "").strip():
            return Client(text, secret, f"env: {name}")
    return Client(flow.client_id, secret, "public") if flow.client_id else None


def find_installed(flow: Flow, environ: Mapping[str, str]) -> Client | None:
    """Return the client that the provider's own program on this machine uses; reads that program's files only."""
    command = shutil.which(flow.installed, path=environ.get("PATH")) if flow.installed in PROGRAMS else None
    if command is None:
        return None
    trace, origin = PROGRAMS[flow.installed], f"the installed program {flow.installed}"
    for path in _files(Path(command).resolve()):
        if found := _search(path, trace.id):
            secret = _search(path, trace.secret) if trace.secret else ""
            return Client(found, Secret(secret) if secret else None, origin)
    return None


def missing_client(provider: str, flow: Flow) -> MissingKey:
    """Return the error for a flow without a client: what to set, what to install."""
    named = " or ".join(id_variables(provider, flow))
    secret = f" (and {' or '.join(flow.client_secret_env)})" if flow.client_secret_env else ""
    program = (
        f",\nor install {flow.installed}, the provider's own program, whose client can be used"
        if flow.installed
        else ""
    )
    return MissingKey(
        f"signing in to {provider} needs an OAuth client id, and none is known",
        hint=f"set {named}{secret} to the id of a client that you may use{program}",
    )


def _general(provider: str, what: str) -> str:
    return f"JACKFIELD_{re.sub(r'[^A-Z0-9]+', '_', provider.upper())}_OAUTH_CLIENT_{what}"


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> Secret | None:
    texts = (environ.get(name, "").strip() for name in names)
    return next((Secret(text) for text in texts if text), None)


def _files(program: Path) -> Iterator[Path]:
    """Yield the program, and the scripts and binaries of the package it belongs to."""
    yield program
    root = next((folder for folder in program.parents if (folder / "package.json").is_file()), None)
    for count, path in enumerate(root.rglob("*") if root else ()):
        if count > MOST_FILES:
            return
        if path.is_file() and (path.suffix in SCRIPTS or (not path.suffix and path.stat().st_size > BIG)):
            yield path


def _search(path: Path, pattern: bytes) -> str:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = re.search(pattern, data)
            return found[1].decode() if found else ""
    except (OSError, ValueError):  # unreadable, or empty
        return ""
