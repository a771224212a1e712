"""A lock between processes: one file, held open while the work is done.

The operating system frees it when the holder dies, so there is no stale lock to judge.
Knows nothing of what it guards.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jackfield.errors import ConfigError

if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int) -> bool:
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


FIRST_WAIT_S = 0.005
LONGEST_WAIT_S = 0.1


@contextmanager
def hold_lock(path: Path, *, timeout_s: float = 15.0) -> Iterator[None]:
    """Hold the lock file at `path`, made when absent; threads of one process exclude each other too.

    Raises `ConfigError` when another holder keeps it for `timeout_s` seconds.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait_for(fd, path, timeout_s)
        yield
    finally:
        os.close(fd)  # frees the lock


def _wait_for(fd: int, path: Path, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    wait_s = FIRST_WAIT_S
    while not _try_lock(fd):
        if time.monotonic() >= deadline:
            raise ConfigError(
                f"{path} has been locked by another process for {timeout_s:g} s",
                hint="wait until it is done, or end it, and run the command again",
            )
        time.sleep(wait_s)
        wait_s = min(wait_s * 1.5, LONGEST_WAIT_S)
