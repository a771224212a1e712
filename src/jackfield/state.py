"""One user's state between runs: the SQLite file at `<home>/state.sqlite`, shared by whoever keeps tables in it.

Opens it, sets it aside when it is broken, and says which failures of SQLite's mean what. Knows
no table: each tenant makes its own, with a version in its name, so that two releases of the
program can use one file.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

from jackfield.config.disk import OWNER_ONLY, hold_lock

NAME = "state.sqlite"
BUSY_TIMEOUT_S = 0.25
# SQLite's `application_id`; 0 is a file whose maker set none.
OURS = int.from_bytes(b"Jack")
SIDE_FILES = ("", "-wal", "-shm")
LOCK_TIMEOUT_S = 1.0
SWITCH_WAIT_S = 0.01
BROKEN = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class ForeignFile(sqlite3.DatabaseError):
    """A database of some other program's."""


def open_state(path: Path, schema: str = "", *, timeout_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
    """Open the file, made when absent and readable by its owner only; `schema` makes what is missing of a tenant's tables.

    The connection commits by itself unless told `BEGIN IMMEDIATE`, and may be used by one thread
    at a time. Raises `sqlite3.Error` or `OSError`; where `is_broken` says so, `set_aside` helps.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _make(path)
    connection = sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, schema, timeout_s)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _make(path: Path) -> None:
    # SQLite gives its side files the same mode. A file that is there is not opened: whoever closes any
    # descriptor of it loses the locks of all his connections to it (sqlite.org/howtocorrupt.html, 2.2, read 2026-11-21).
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, OWNER_ONLY))


def is_broken(error: Exception) -> bool:
    """Tell whether the file is of no use to anybody of ours: damaged, or none of ours."""
    code = getattr(error, "sqlite_errorcode", 0) or 0
    return isinstance(error, ForeignFile) or (code & 0xFF) in BROKEN


def set_aside(path: Path) -> Path | None:
    """Move a broken file out of the way, as `state.sqlite.corrupt-<n>`; `None` when it is sound after all.

    Who finds it broken at the same time as another finds the other's new one. Raises
    `ConfigError` or `OSError` when it cannot be moved.
    """
    with hold_lock(path.with_name(f"{path.name}.lock"), timeout_s=LOCK_TIMEOUT_S):
        if _is_sound(path):
            return None
        target = next(each for n in count(1) if not (each := Path(f"{path}.corrupt-{n}")).exists())
        for suffix in SIDE_FILES:
            if (old := Path(f"{path}{suffix}")).exists():
                old.replace(f"{target}{suffix}")
        return target


def _is_sound(path: Path) -> bool:
    try:
        with closing(open_state(path)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return not is_broken(error)
    return bool(verdict == "ok")


def _prepare(connection: sqlite3.Connection, schema: str, timeout_s: float) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application not in {0, OURS}:
        raise ForeignFile(f"a database of another program's (application id {application})")
    _switch_to_wal(connection, timeout_s)
    connection.execute("PRAGMA synchronous=NORMAL")
    if not application:
        connection.execute(f"PRAGMA application_id={OURS}")
    if schema:
        connection.executescript(schema)


def _switch_to_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Let readers and a writer work side by side; of several that open a new file at once, one switches it."""
    end_s = time.monotonic() + timeout_s
    while True:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode == "wal":
            return
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            # SQLite does not wait for this lock by itself.
            if time.monotonic() >= end_s:
                raise
            time.sleep(SWITCH_WAIT_S)
