"""What the config was before each change, so that every change can be undone.

One file per change in `<home>/config-history`, for its owner alone: the former text of each file that the
change wrote, when, by whom, and the keys it names. It is written before the change is, so a process that is
killed in between leaves a change that did nothing. The last fifty of each config are kept.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.config.disk import save_text
from jackfield.config.paths import Paths
from jackfield.config.source import read_text, real_path
from jackfield.config.writer import WRITER
from jackfield.errors import ConfigError
from jackfield.message import JsonObject

KEPT = 50
_LARGEST = 64 << 20


class Change(Struct, frozen=True, rename="camel"):
    """One change of a config: what was before it."""

    number: int  # of this config, from 1
    at_ms: int
    by: str  # `jackfield models set`
    keys: tuple[str, ...]  # what it changed, as paths; empty: the text as a whole
    texts: Mapping[str, str]  # file → its text before; empty where there was none


def keep(paths: Paths, texts: Mapping[Path, str], keys: Iterable[str]) -> None:
    """Keep what files hold before they change; the caller holds the config's lock. Raises `ConfigError`."""
    files = _files(paths)
    number = _number(files[-1]) + 1 if files else 1
    change = Change(
        number=number,
        at_ms=time.time_ns() // 1_000_000,
        by=WRITER.get()(),
        keys=tuple(dict.fromkeys(keys)),
        texts={str(real_path(file)): text for file, text in texts.items()},
    )
    _save(_folder(paths) / f"{number:06}-{_mark(paths)}.json", change)
    for old in files[: max(0, len(files) + 1 - KEPT)]:
        old.unlink(missing_ok=True)


def load_changes(paths: Paths) -> tuple[Change, ...]:
    """Return the changes that are kept, the last one first."""
    return tuple(filter(None, map(_load, reversed(_files(paths)))))


def find_change(paths: Paths, number: int) -> Change:
    """Return a change by its number, 0 for the last one; raise `ConfigError` where it is not kept."""
    changes = load_changes(paths)
    for change in changes:
        if number in {0, change.number}:
            return change
    known = f"kept are {changes[-1].number} to {changes[0].number}" if changes else "nothing is kept yet"
    raise ConfigError(f"change {number} is not kept" if number else "there is no change to undo", hint=known)


def render_entry(change: Change) -> JsonObject:
    """Return a change as a list of them has it in JSON: without its texts."""
    return {
        "number": change.number,
        "atMs": change.at_ms,
        "by": change.by,
        "keys": list(change.keys),
        "files": list(change.texts),
    }


def texts_before(paths: Paths, number: int) -> dict[Path, str]:
    """Return what each file held before a change, of all that have changed since."""
    oldest = find_change(paths, number).number
    found: dict[Path, str] = {}
    for change in load_changes(paths):
        if change.number >= oldest:
            found |= {Path(file): text for file, text in change.texts.items()}
    return found


def blot(paths: Paths, secret: str, instead: str) -> None:
    """Take a secret out of everything that is kept; the caller holds the config's lock."""
    for file in _files(paths):
        change = _load(file)
        if change and any(secret in text for text in change.texts.values()):
            texts = {name: text.replace(secret, instead) for name, text in change.texts.items()}
            _save(file, replace(change, texts=texts))


def _folder(paths: Paths) -> Path:
    return paths.home / "config-history"  # `history` is the conversation's


def _mark(paths: Paths) -> str:
    # Several configs may share a home; each has numbers of its own.
    return hashlib.sha256(str(real_path(paths.config)).encode()).hexdigest()[:8]


def _files(paths: Paths) -> list[Path]:
    return sorted(_folder(paths).glob(f"[0-9]*-{_mark(paths)}.json"), key=_number)


def _number(file: Path) -> int:
    head = file.name.partition("-")[0]
    return int(head) if head.isdecimal() else 0


def _save(file: Path, change: Change) -> None:
    save_text(file, msgspec.json.encode(change).decode())


def _load(file: Path) -> Change | None:
    try:
        return msgspec.json.decode(read_text(file, _LARGEST) or "", type=Change)
    except (ConfigError, msgspec.DecodeError):
        return None  # not of our making
