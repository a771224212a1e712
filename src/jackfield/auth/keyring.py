"""The operating system's keyring: texts by name, under one service.

Written through the package `keyring` (an extra), imported when an entry is touched. A text too
long for one entry is kept in parts: Windows takes 2,560 bytes, which are 1,280 characters there
(CRED_MAX_CREDENTIAL_BLOB_SIZE in wincred.h, learn.microsoft.com, read 2026-11-21).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from jackfield.credential import SecretRef
from jackfield.errors import ConfigError

SERVICES = {"default": "jackfield"}  # a reference's provider → the service; others go by their own name
LONGEST_ENTRY = 1_200  # characters
HEAD = "jackfield-parts"  # begins an entry whose text is in others: `jackfield-parts:<digest>:<how many>`


def read_entry(ref: SecretRef) -> str | None:
    """Return an entry's text, `None` when there is none or not all of it; raises `ConfigError` when the keyring cannot be asked."""
    service = service_of(ref)
    with _opened() as backend:
        text: str | None = backend.get_password(service, ref.id)
        names = _parts(ref.id, text)
        if not names:
            return text
        parts = [backend.get_password(service, name) for name in names]
    return None if None in parts else "".join(part for part in parts if part)


def save_entry(ref: SecretRef, text: str) -> None:
    """Write an entry. A reader sees the old text or the new one: the parts of the new come first, those of the old go last."""
    service = service_of(ref)
    with _opened() as backend:
        old = _parts(ref.id, backend.get_password(service, ref.id))
        head = text if len(text) <= LONGEST_ENTRY and not text.startswith(HEAD) else _head(text)
        new = _parts(ref.id, head)
        for at, name in enumerate(new):
            backend.set_password(service, name, text[at * LONGEST_ENTRY : (at + 1) * LONGEST_ENTRY])
        backend.set_password(service, ref.id, head)
        for name in old:
            if name not in new and backend.get_password(service, name) is not None:
                backend.delete_password(service, name)


def delete_entry(ref: SecretRef) -> None:
    """Remove an entry with its parts; one that is not there is removed already."""
    service = service_of(ref)
    with _opened() as backend:
        text = backend.get_password(service, ref.id)
        for name in (*_parts(ref.id, text), *([ref.id] if text is not None else [])):
            if backend.get_password(service, name) is not None:
                backend.delete_password(service, name)


def check_keyring() -> None:
    """Raise `ConfigError` when there is no keyring to write to."""
    with _opened() as backend:
        if getattr(backend.get_keyring(), "priority", 1) <= 0:
            raise ConfigError("this machine has no keyring that can be used", hint=_HINT)


def service_of(ref: SecretRef) -> str:
    """Return the service a reference's entry stands under: ours, or the one it names."""
    return SERVICES.get(ref.provider, ref.provider)


_HINT = 'unlock or start it (Secret Service, KWallet, Keychain), or keep secrets in the file: jackfield config set auth.store "file"'


@contextmanager
def _opened() -> Iterator[ModuleType]:
    try:
        import keyring  # noqa: PLC0415  an extra
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("secrets in the keyring need an extra", hint="pip install 'jackfield[keyring]'") from error
    try:
        yield keyring
    except KeyringError as error:
        reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
        raise ConfigError(f"the keyring cannot be used: {reason}", hint=_HINT) from error


def _head(text: str) -> str:
    # A name of their own for each text's parts: a writer that dies halfway leaves the old text whole.
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{HEAD}:{digest}:{-(-len(text) // LONGEST_ENTRY)}"


def _parts(name: str, head: str | None) -> list[str]:
    """Return the names of the entries that hold an entry's text; empty when it holds its text itself."""
    mark, _, rest = (head or "").partition(":")
    digest, _, count = rest.partition(":")
    if mark != HEAD or not count.isdecimal():
        return []
    return [f"{name} #{digest}.{at}" for at in range(int(count))]
