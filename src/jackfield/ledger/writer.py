"""Writes rows behind the caller's back: a bounded queue, and a thread that empties it every quarter of a second.

`note` never waits and never fails. While the database is away the rows wait; when no more fit,
they are counted and let go, and the count is written as soon as the database is back. Rows that
are older than they are to be kept are deleted on the way, a few at a time.
"""

from __future__ import annotations

import os
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread
from typing import Any

from msgspec.structs import asdict, astuple

from jackfield.errors import Error
from jackfield.ledger.database import Database, Unfit, open_database
from jackfield.ledger.row import COLUMNS, Row
from jackfield.ledger.sums import DAY_MS, sum_up

CAPACITY = 20_000  # rows that wait while the database is away: some 20 MB
BATCH = 1_000
LARGEST = 2**63 - 1
GATHER_S = 0.25
RETRY_S = 1.0
SEEN_EVERY_S = 10
PRUNE_EVERY_S = 3_600
PRUNED = 500  # rows at a time: other writers wait some milliseconds, not seconds
GONE_AFTER_S = 30  # a writer not seen for so long was killed

INSERT = (
    f"INSERT INTO attempts ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT (id) DO NOTHING"  # noqa: S608  our own names
)
JOIN = """INSERT INTO ledger_writers (id, pid, started_ms, seen_ms, dropped) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET seen_ms = excluded.seen_ms, dropped = excluded.dropped, killed = 0"""
COUNT = "UPDATE ledger_writers SET written = ? WHERE id = ?"
COUNTED = "SELECT written FROM ledger_writers WHERE id = ?"
PRUNE = "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE at_ms < ? ORDER BY at_ms LIMIT ?)"
# Who leaves in order and has lost nothing is of no interest to anybody: each `chat` would leave a row.
LEAVE = "DELETE FROM ledger_writers WHERE id = ? AND dropped = 0"
END = "UPDATE ledger_writers SET ended_ms = ? WHERE id = ?"
KILLED = "SELECT id, pid, seen_ms FROM ledger_writers WHERE ended_ms IS NULL AND killed = 0 AND seen_ms < ? AND id <> ?"
BURY = "UPDATE ledger_writers SET killed = 1 WHERE id = ? AND killed = 0 AND ended_ms IS NULL"


class Ledger:
    """A queue of rows and the thread that writes them; `close` it, or lose what waits."""

    def __init__(
        self,
        open_: Callable[[], Database],
        *,
        say: Callable[[str], None] | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        capacity: int = CAPACITY,
    ) -> None:
        self.written = 0
        self.dropped = 0  # found no room while the database was away
        self.trouble = ""  # why rows wait; empty: none does for long
        self.keep_days: int | None = None  # rows that are older go; `None`: none does
        self._open = open_
        self._say = say
        self._now_ms = now_ms
        self._capacity = capacity
        self._id = secrets.token_hex(8)
        self._started_ms = now_ms()
        self._rows: deque[Row] = deque()
        self._batch: list[Row] = []  # taken from the queue, not yet written
        self._database: Database | None = None
        self._seen_ms = 0
        self._prune_ms = 0  # when there may be something to prune
        self._wake, self._ending = Event(), Event()
        self._thread: Thread | None = None
        self._starting = Lock()

    @classmethod
    def open(cls, url: str, *, say: Callable[[str], None] | None = None) -> Ledger:
        """Return a ledger at a database's URL; it connects on its own thread, and keeps trying.

        `say` is told, on that thread, when the database goes and comes back, and of a process
        that was killed before it had written its last rows; `None`: nobody is, and the next one is told.
        """
        ledger = cls(lambda: open_database(url), say=say)
        ledger.start()
        return ledger

    @property
    def waiting(self) -> int:
        """How many rows are not written yet."""
        return len(self._rows) + len(self._batch)

    def start(self) -> None:
        """Start the thread, once."""
        with self._starting:
            if self._thread is None:
                self._thread = Thread(target=self._keep_writing, name="jackfield-ledger", daemon=True)
                self._thread.start()

    def note(self, row: Row) -> None:
        """Queue a row; costs under a microsecond, from any thread."""
        if len(self._rows) >= self._capacity:
            self.dropped += 1
            return
        self._rows.append(row)
        if not self._wake.is_set():
            self._wake.set()

    def flush(self, timeout_s: float = 5.0) -> bool:
        """Wait until nothing waits; tell whether that came true in time."""
        end = time.monotonic() + timeout_s
        while self.waiting and time.monotonic() < end:
            time.sleep(0.005)
        return not self.waiting

    def close(self, timeout_s: float = 5.0) -> int:
        """Write what waits and end; return how many rows could not be written in time."""
        self._ending.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self.waiting

    # -- on the thread -------------------------------------------------------------

    def _keep_writing(self) -> None:
        while not self._ending.is_set():
            if self._round():
                self._wake.wait(SEEN_EVERY_S)
                self._ending.wait(GATHER_S)
            else:
                self._ending.wait(RETRY_S)
        self._end()

    def _round(self) -> bool:
        """Write all that waits, and that this process is alive; tell whether the database took it."""
        self._wake.clear()
        try:
            database = self._connect()
            if self._now_ms() - self._seen_ms >= SEEN_EVERY_S * 1000:
                self._show_up(database)
            while self.waiting:
                self._write(database)
            if self.keep_days is not None and self._now_ms() >= self._prune_ms:
                self._prune(database, self.keep_days)
        except Error as error:
            self._fall_behind(error)
            return False
        if self.trouble and self._say:
            self._say(f"the ledger is written again: {self.written} rows so far, {self.dropped} found no room")
        self.trouble = ""
        return True

    def _connect(self) -> Database:
        if self._database is None:
            self._database = self._open()
            self._seen_ms = 0
        return self._database

    def _write(self, database: Database) -> None:
        # A batch that failed is written again as it was, unless it arrived after all and only the word of it was lost.
        if not self._batch:
            while self._rows and len(self._batch) < BATCH:
                # In this order: who asks meanwhile what waits finds the row twice, never nowhere.
                self._batch.append(self._rows[0])
                self._rows.popleft()
        if not (self.trouble and self._has_arrived(database)):
            try:
                self._write_rows(database, self._batch)
            except Unfit:
                self._write_rows(database, [_fit(row) for row in self._batch])
        self.written += len(self._batch)
        self._batch.clear()

    def _write_rows(self, database: Database, rows: Sequence[Row]) -> None:
        counted = COUNT, [(self.written + len(rows), self._id)]
        database.write((INSERT, [astuple(row) for row in rows]), *sum_up(rows), self._presence(), counted)

    def _has_arrived(self, database: Database) -> bool:
        return database.rows(COUNTED, self._id) == [(self.written + len(self._batch),)]

    def _presence(self) -> tuple[str, list[tuple[object, ...]]]:
        self._seen_ms = self._now_ms()
        return JOIN, [(self._id, os.getpid(), self._started_ms, self._seen_ms, self.dropped)]

    def _prune(self, database: Database, keep_days: int) -> None:
        # Once a round, so that new rows and the end of the process wait for no more than one batch.
        now_ms = self._now_ms()
        if database.write((PRUNE, [(now_ms - keep_days * DAY_MS, PRUNED)])) < PRUNED:
            self._prune_ms = now_ms + PRUNE_EVERY_S * 1000

    def _show_up(self, database: Database) -> None:
        database.write(self._presence())
        if self._say is None:
            return
        for id_, pid, seen_ms in database.rows(KILLED, self._seen_ms - GONE_AFTER_S * 1000, self._id):
            if database.write((BURY, [(id_,)])):
                self._say(
                    f"process {pid} ended without closing the ledger: rows later than {_as_time(seen_ms)} may be missing"
                )

    def _fall_behind(self, error: Error) -> None:
        if self._say and not self.trouble:
            self._say(f"{error.message}: rows wait in memory, {self._capacity} at most; calls go on")
        self.trouble = error.message
        if self._database is not None:
            self._database.close()
            self._database = None

    def _end(self) -> None:
        if self._round() and self._database is not None:
            try:
                self._database.write((LEAVE, [(self._id,)]), (END, [(self._now_ms(), self._id)]))
            except Error as error:
                self._fall_behind(error)
        if self._database is not None:
            self._database.close()


def _fit(row: Row) -> Row:
    """Return the row as every database can hold it: one that is refused would hold up all behind it."""
    return Row(**{name: _fitting(value) for name, value in asdict(row).items()})


def _fitting(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode().replace("\0", "")
        case int() if abs(value) > LARGEST:
            return LARGEST
        case _:
            return value


def _as_time(ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(ms / 1000))
