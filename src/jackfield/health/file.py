"""Failures kept in the user's state file, shared by all processes of his.

What the file cannot take is kept in memory for as long as it cannot, and written when it can again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import RLock
from typing import TypeVar

from jackfield.errors import ConfigError, Error
from jackfield.health import ladder, rows
from jackfield.health.classify import classify
from jackfield.health.record import Place, QuotaWindow, Rest
from jackfield.health.store import Clock, MemoryHealth, news
from jackfield.health.view import NOTHING, View, scopes
from jackfield.state import is_broken, open_state, set_aside

R = TypeVar("R")
# After trouble the file is left alone for so long; whether it is still the same one is looked at so often.
PAUSE_MS = 5_000
CHECK_MS = 1_000


class FileHealth:
    """See `HealthStore`; one instance serves all threads of a process."""

    def __init__(self, path: Path, now_ms: Clock, window_ms: int) -> None:
        self.problems: list[str] = []
        self._path = path
        self._now_ms = now_ms
        self._window_ms = window_ms
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._checked_ms = 0
        self._version: int | None = None  # of the data in `_view`; `None`: it is older than our own last write
        self._view: View = NOTHING
        self._memory: MemoryHealth | None = None  # while the file is in trouble
        self._retry_ms = 0
        self._lock = RLock()

    def view(self) -> View:
        """See `HealthStore`."""
        # While another thread writes, what was known before is recent enough.
        if not self._lock.acquire(blocking=False):
            return self._view
        try:
            return self._read()
        finally:
            self._lock.release()

    def note_failure(self, provider: str, credential: str, model: str, error: Error) -> Rest | None:
        """See `HealthStore`."""
        verdict, candidate, now_ms = classify(error), (provider, credential, model), self._now_ms()
        if verdict is None and not any(rest.probe_until_ms for rest in self.view().known(*candidate)):
            return None

        def write(connection: sqlite3.Connection) -> Rest | None:
            known = rows.load_known(connection, candidate)
            new, changed = ladder.note(known, verdict, candidate, now_ms, self._window_ms)
            rows.save(connection, changed)
            stale = (rest for rest in rows.load_rests(connection) if ladder.is_stale(rest, now_ms, self._window_ms))
            rows.drop(connection, [rest.place.key for rest in stale])
            return new

        return self._write(write, lambda memory: memory.note_failure(*candidate, error))

    def note_success(self, provider: str, credential: str, model: str) -> None:
        """See `HealthStore`."""
        candidate = (provider, credential, model)
        if not any(self.view().known(*candidate)):
            return
        keys = scopes(*candidate)
        self._write(lambda connection: rows.drop(connection, keys), lambda memory: memory.note_success(*candidate))

    def claim(self, provider: str, credential: str, model: str) -> bool:
        """See `HealthStore`."""
        candidate, now_ms = (provider, credential, model), self._now_ms()

        def write(connection: sqlite3.Connection) -> bool:
            claimed = ladder.claim(rows.load_known(connection, candidate), now_ms)
            rows.save(connection, claimed or ())
            return claimed is not None

        return self._write(write, lambda memory: memory.claim(*candidate))

    def note_quotas(self, provider: str, credential: str, windows: Sequence[QuotaWindow]) -> None:
        """See `HealthStore`."""
        if quotas := news(self.view(), provider, credential, windows, self._now_ms()):
            self._write(lambda connection: rows.save(connection, (), quotas), lambda memory: memory.adopt((), quotas))

    def reset(self, place: Place | None = None) -> int:
        """See `HealthStore`."""

        def write(connection: sqlite3.Connection) -> int:
            known = rows.load_rests(connection)
            gone = [rest.place.key for rest in known if place is None or place.covers(rest.place)]
            rows.drop(connection, gone)
            return len(gone)

        return self._write(write, lambda memory: memory.reset(place)) if self.view().rests else 0

    def close(self) -> None:
        """See `HealthStore`."""
        with self._lock:
            self._drop()

    # -- reading -------------------------------------------------------------------

    def _read(self) -> View:
        if self._memory is not None and not self._is_back():
            return self._memory.view()
        try:
            if not self._is_open() and not self._path.exists():
                return self._view
            connection = self._open()
            (version,) = connection.execute("PRAGMA data_version").fetchone()
            if version != self._version:
                now_ms = self._now_ms()
                rests = (r for r in rows.load_rests(connection) if not ladder.is_stale(r, now_ms, self._window_ms))
                self._view = View(rests, rows.load_quotas(connection))
                self._version = version
        except (sqlite3.Error, OSError, ConfigError) as error:
            return self._retreat(error).view()
        return self._view

    def _is_open(self) -> bool:
        """Tell whether there is a connection, and to the file that is there: somebody may have moved it away."""
        now_ms = self._now_ms()
        if self._connection and abs(now_ms - self._checked_ms) >= CHECK_MS:
            self._checked_ms = now_ms
            if _inode(self._path) != self._inode:
                self._drop()
        return self._connection is not None

    # -- writing -------------------------------------------------------------------

    def _write(self, write: Callable[[sqlite3.Connection], R], otherwise: Callable[[MemoryHealth], R]) -> R:
        with self._lock:
            if self._memory is not None and not self._is_back():
                return otherwise(self._memory)
            try:
                return self._transact(write)
            except (sqlite3.Error, OSError, ConfigError) as error:
                return otherwise(self._retreat(error))

    def _transact(self, write: Callable[[sqlite3.Connection], R]) -> R:
        self._is_open()
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = write(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._version = None  # our own writes do not count in `data_version`
        return result

    # -- trouble -------------------------------------------------------------------

    def _retreat(self, error: Exception) -> MemoryHealth:
        """Go on in memory with what was known, and leave the file alone for a while."""
        self._drop()
        self._retry_ms = self._now_ms()
        if not is_broken(error) or not self._set_aside(error):
            self._retry_ms += PAUSE_MS
            self._complain(f"cannot use {self._path}: {_say(error)}; failures are remembered in memory only")
        if self._memory is None:
            self._memory = MemoryHealth(self._now_ms, self._window_ms)
            self._memory.adopt(self._view.rests, self._view.every_quota)
        return self._memory

    def _is_back(self) -> bool:
        """Try the file again after a pause; what memory has learnt meanwhile is written to it."""
        if self._memory is None or 0 < self._retry_ms - self._now_ms() <= PAUSE_MS:
            return False
        known = self._memory.view()
        try:
            self._transact(lambda connection: rows.merge(connection, known))
        except (sqlite3.Error, OSError, ConfigError) as error:
            self._retreat(error)
            return False
        self._memory = None
        return True

    def _complain(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    # -- the file ------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._connection = open_state(self._path, rows.SCHEMA)
            except sqlite3.Error as error:
                if not is_broken(error) or not self._set_aside(error):
                    raise
                self._connection = open_state(self._path, rows.SCHEMA)
            self._inode = _inode(self._path)
            self._checked_ms = self._now_ms()
            self._version = None
        return self._connection

    def _set_aside(self, error: Exception) -> bool:
        """Move a broken file away; tells whether a sound one can take its place."""
        try:
            aside = set_aside(self._path)
        except (sqlite3.Error, OSError, ConfigError):
            return False
        if aside:
            self._complain(f"{self._path} was unusable ({_say(error)}): kept as {aside.name}, a new one is made")
        return True

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._version = None


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _say(error: Exception) -> str:
    words = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return words.lower()
