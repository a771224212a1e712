"""A JSON file that only its owner may read: load it whole, replace it in one step.

Knows nothing of what the object means. A reader sees the old file or the new one, never
half of either, even when the writer is killed.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from jackfield.errors import ConfigError
from jackfield.message import JsonObject

OWNER_ONLY = 0o600
REPLACE_TRIES = 10  # on Windows a reader's open file blocks the replacement for a moment


def load_object(path: Path) -> JsonObject:
    """Read a JSON object; a missing or empty file is an empty one. Raises `ConfigError` naming the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}", hint=_repair(path)) from error
    try:
        root = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ConfigError(f"{path}{_place(error)}: not JSON", hint=_repair(path)) from error
    if not isinstance(root, dict):
        raise ConfigError(f"{path}:1: not a JSON object", hint=_repair(path))
    return root


def save_object(path: Path, root: JsonObject) -> None:
    """Replace the file by a JSON object; the caller holds its lock. A link is followed, not replaced."""
    target = Path(os.path.realpath(path))
    # Left by a writer that was killed: nobody else writes while we hold the lock.
    for stale in target.parent.glob(f".{target.name}.*.tmp"):
        stale.unlink(missing_ok=True)
    temp = target.with_name(f".{target.name}.{os.urandom(6).hex()}.tmp")
    try:
        _write(temp, json.dumps(root, indent=2, ensure_ascii=False) + "\n")
        _replace(temp, target)
    except OSError as error:
        temp.unlink(missing_ok=True)
        raise ConfigError(f"cannot write {path}: {error.strerror or error}") from error


def _write(path: Path, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _replace(temp: Path, target: Path) -> None:
    for attempt in range(1, REPLACE_TRIES + 1):
        try:
            temp.replace(target)
        except PermissionError:
            if attempt == REPLACE_TRIES:
                raise
            time.sleep(0.02)
        else:
            break
    if os.name == "posix":
        # The new name is on disk only when its directory is.
        fd = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _place(error: ValueError) -> str:
    return f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""


def _repair(path: Path) -> str:
    return f"nothing was changed; correct the file, or move it away and sign in again: mv {path} {path}.broken"
