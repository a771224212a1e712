"""Failures kept in the user's state file, for all processes of this user.

A row is JSON under its key, so that a later release's further fields do no harm. A broken file
is set aside and a new one made.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from jackfield.errors import ConfigError
from jackfield.health.backend import Change, Decide, Trouble
from jackfield.health.record import Quota, Rest, parse_record, render_record
from jackfield.health.store import Clock
from jackfield.state import BUSY_TIMEOUT_S, is_broken, open_state, set_aside

R = TypeVar("R")

# The tables' names hold their version: two releases do not disturb each other.
SCHEMA = """
CREATE TABLE IF NOT EXISTS health_rest_1 (
  provider TEXT NOT NULL, credential TEXT NOT NULL, model TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (provider, credential, model)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS health_quota_1 (
  provider TEXT NOT NULL, credential TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (provider, credential, name)) WITHOUT ROWID;
"""
RESTS = "SELECT value FROM health_rest_1"
QUOTAS = "SELECT value FROM health_quota_1"
SAVE_REST = "INSERT OR REPLACE INTO health_rest_1 VALUES (?, ?, ?, ?)"
SAVE_QUOTA = "INSERT OR REPLACE INTO health_quota_1 VALUES (?, ?, ?, ?)"
DROP_REST = "DELETE FROM health_rest_1 WHERE provider = ? AND credential = ? AND model = ?"
CHECK_MS = 1_000  # how often to look whether the file is still the one that was opened


class StateFile:
    """See `Backend`. Nothing is opened or made before there is something to read or to note."""

    def __init__(self, path: Path, now_ms: Clock, *, timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._path = path
        self._now_ms = now_ms
        self._timeout_s = timeout_s  # of waiting for another process, with a request waiting for us
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._checked_ms = 0
        self._version: int | None = None  # of what was read last; `None`: it is older than our own last write

    def news(self) -> tuple[list[Rest], list[Quota]] | None:
        """See `Backend`."""
        with self._trouble():
            gone = self._drop_moved()
            if self._connection is None and not self._path.exists():
                return ([], []) if gone else None
            connection = self._open()
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if version == self._version:
                return None
            quotas = (parse_record(text, Quota) for (text,) in connection.execute(QUOTAS))
            found = _load_rests(connection), list(filter(None, quotas))
            self._version = version
            return found

    def change(self, decide: Decide[R]) -> R:
        """See `Backend`."""
        with self._transaction() as connection:
            result, change = decide(_load_rests(connection))
            _save(connection, change)
        return result

    def save_quotas(self, quotas: Iterable[Quota]) -> None:
        """See `Backend`."""
        rows = [(quota.provider, quota.credential, quota.name, render_record(quota)) for quota in quotas]
        if rows:
            with self._transaction() as connection:
                connection.executemany(SAVE_QUOTA, rows)

    def close(self) -> None:
        """See `Backend`."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._version = None

    # -- the file ------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._trouble():
            self._drop_moved()
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            self._version = None  # our own writes do not count in `data_version`

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = open_state(self._path, SCHEMA, timeout_s=self._timeout_s)
            self._inode = _inode(self._path)
            self._checked_ms = self._now_ms()
        return self._connection

    def _drop_moved(self) -> bool:
        """Close a file that somebody has moved away; tells whether that was so."""
        now_ms = self._now_ms()
        if self._connection is None or abs(now_ms - self._checked_ms) < CHECK_MS:
            return False
        self._checked_ms = now_ms
        moved = _inode(self._path) != self._inode
        if moved:
            self.close()
        return moved

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, ConfigError) as error:
            self.close()
            if is_broken(error):
                self._set_aside(error)
            raise Trouble(f"cannot use {self._path}: {_say(error)}; failures are remembered in memory only") from error

    def _set_aside(self, error: Exception) -> None:
        """Move a broken file away; the next try makes a new one."""
        try:
            aside = set_aside(self._path)
        except (sqlite3.Error, OSError, ConfigError):
            return
        kept = f"kept as {aside.name}" if aside else "somebody has replaced it"
        raise Trouble(f"{self._path} was unusable ({_say(error)}): {kept}, a new one is made", mended=True) from error


def _load_rests(connection: sqlite3.Connection) -> list[Rest]:
    return [rest for (text,) in connection.execute(RESTS) if (rest := parse_record(text, Rest))]


def _save(connection: sqlite3.Connection, change: Change) -> None:
    connection.executemany(SAVE_REST, [(*rest.place.key, render_record(rest)) for rest in change.keep])
    connection.executemany(DROP_REST, change.drop)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _say(error: Exception) -> str:
    words = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return words.lower()
