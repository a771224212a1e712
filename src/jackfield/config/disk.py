"""Replacing a text file in one step, and a lock between the processes that do.

A reader sees the old text or the new one, never half of either, even when the writer is
killed or the disk is full. Knows nothing of what the text means.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jackfield.errors import ConfigError

TryLock = Callable[[int], bool]  # takes an open file, tells whether it is ours now


class Locked(ConfigError):
    """Another process holds the lock, and has for as long as one could wait."""


def byte_lock(msvcrt: Any) -> TryLock:
    """Return Windows' way to lock a file, its first byte, with Python's module for it."""

    def try_lock(fd: int) -> bool:
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    return try_lock


def whole_lock(fcntl: Any) -> TryLock:
    """Return POSIX' way to lock a file, with Python's module for it."""

    def try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    return try_lock


if sys.platform == "win32":
    import msvcrt

    SYSTEM_LOCK = byte_lock(msvcrt)
else:
    import fcntl

    SYSTEM_LOCK = whole_lock(fcntl)

OWNER_ONLY = 0o600
REPLACE_TRIES = 10  # on Windows a reader's open file blocks the replacement for a moment
FIRST_WAIT_S = 0.005
LONGEST_WAIT_S = 0.1


@contextmanager
def hold_lock(path: Path, *, timeout_s: float = 15.0, try_lock: TryLock = SYSTEM_LOCK) -> Iterator[None]:
    """Hold the lock file at `path`, made when absent; threads of one process exclude each other too.

    The operating system frees it when the holder dies. Raises `ConfigError` when it cannot
    be made, `Locked` when another holder keeps it for `timeout_s` seconds.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    except OSError as error:
        raise ConfigError(f"cannot write in {path.parent}: {_reason(error)}") from error
    try:
        _wait_for(lambda: try_lock(fd), path, timeout_s)
        yield
    finally:
        os.close(fd)  # frees the lock


def save_text(path: Path, text: str) -> None:
    """Replace a file's text, readable by its owner only; the caller holds the lock. A link is followed, not replaced."""
    target = Path(os.path.realpath(path))
    temp = target.with_name(f".{target.name}.{os.urandom(6).hex()}.tmp")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Left by a writer that was killed: nobody else writes while we hold the lock.
        for stale in target.parent.glob(f".{target.name}.*.tmp"):
            stale.unlink(missing_ok=True)
        _write(temp, text.encode("utf-8"))
        replace_file(temp, target)
    except OSError as error:
        with suppress(OSError):  # where no file can be, there is none to remove
            temp.unlink()
        raise ConfigError(f"cannot write {path}: {_reason(error)}", hint="the file is as it was") from error


def _write(path: Path, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace_file(
    temp: Path,
    target: Path,
    *,
    replace: Callable[[Path, Path], object] = Path.replace,
    posix: bool = os.name == "posix",
) -> None:
    """Put one file in the place of another, in one step; waits a moment for a reader that Windows lets block it."""
    for attempt in range(1, REPLACE_TRIES + 1):
        try:
            replace(temp, target)
        except PermissionError:
            if attempt == REPLACE_TRIES:
                raise
            time.sleep(0.02)
        else:
            break
    if posix:
        # The new name is on disk only when its directory is.
        fd = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _wait_for(try_lock: Callable[[], bool], path: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    wait_s = FIRST_WAIT_S
    while not try_lock():
        if time.monotonic() >= deadline:
            raise Locked(
                f"{path} has been locked by another process for {timeout_s:g} s",
                hint="wait until it is done, or end it, and run the command again",
            )
        time.sleep(wait_s)
        wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
