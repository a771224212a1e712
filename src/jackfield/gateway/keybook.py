"""The keys a gateway knows just now: those of the config, and those made, re-read when one is made or revoked.

A thread of its own asks the database twice a second whether there was a change. While the
database is away the keys last read still hold; keys never read are answered with "not now".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from threading import Event, Thread

from msgspec import Struct

from jackfield.errors import Error
from jackfield.gateway.keys import Key, keys_version, list_keys
from jackfield.gateway.limits import DAY_MS, periods
from jackfield.gateway.meters import now_ms
from jackfield.ledger.database import Database

EVERY_S = 0.5
FIRST_S = 2.0  # the longest a start waits for the first reading
SPENT = "SELECT key_id, sum(cost_nanos) FROM attempts WHERE at_ms >= ? AND cost_nanos > 0 GROUP BY key_id"
DAYS_BACK = 31


class Known(Struct, frozen=True):
    """What was read of the database at one time."""

    version: int = -1
    keys: tuple[Key, ...] = ()
    day_spent: dict[str, int] = {}
    month_spent: dict[str, int] = {}


class KeyBook:
    """Keys by their digest; looking one up costs a hash and a dictionary's read."""

    def __init__(
        self,
        fixed: Sequence[Key] = (),
        open_: Callable[[], Database] | None = None,
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.trouble = ""  # why changes to the keys are not seen; empty: they are
        self._fixed = tuple(fixed)
        self._open = open_
        self._say = say
        self._known = Known()
        self._by_digest = {bytes.fromhex(key.digest): key for key in self._fixed}
        self._database: Database | None = None
        self._ending, self._read = Event(), Event()
        self._thread: Thread | None = None

    @property
    def version(self) -> int:
        """A number that is another one when any key is."""
        return self._known.version

    @property
    def is_read(self) -> bool:
        """Tell whether all keys are known: there is no database, or it was read."""
        return self._open is None or self._known.version >= 0

    def start(self) -> None:
        """Begin to follow the database, on a thread of its own."""
        if self._open is not None and self._thread is None:
            self._thread = Thread(target=self._follow, name="jackfield-keys", daemon=True)
            self._thread.start()

    def wait(self, timeout_s: float = FIRST_S) -> bool:
        """Wait for the first reading; tell whether it came."""
        return self._open is None or self._read.wait(timeout_s)

    def find(self, token: str) -> Key | None:
        """Return the key with this secret, whatever its state.

        The dictionary is asked for a digest, which nobody can steer towards another's: the time it
        takes tells nothing about the secret. The comparison behind it takes the same time always.
        """
        given = hashlib.sha256(token.encode(errors="surrogateescape")).digest()
        key = self._by_digest.get(given)
        return key if key is not None and hmac.compare_digest(key.digest, given.hex()) else None

    def spent(self, key_id: str) -> tuple[int, int]:
        """Return what the ledger had for a key when it was last read: nano-dollars of the day and of the month."""
        return self._known.day_spent.get(key_id, 0), self._known.month_spent.get(key_id, 0)

    def close(self) -> None:
        """Stop following."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(EVERY_S * 4)

    # -- on the thread -------------------------------------------------------------

    def _follow(self) -> None:
        while not self._ending.is_set():
            self._look()
            self._ending.wait(EVERY_S)
        if self._database is not None:
            self._database.close()

    def _look(self) -> None:
        try:
            if self._database is None and self._open is not None:
                self._database = self._open()
            if self._database is not None and keys_version(self._database) != self._known.version:
                self._learn(self._database)
        except Error as error:
            if not self.trouble:
                self._say(f"{error.message}: keys stay as they were last read")
            self.trouble = error.message
            if self._database is not None:
                self._database.close()
                self._database = None
            return
        self.trouble = ""

    def _learn(self, database: Database) -> None:
        # The version first: a change in between is then read again, never missed.
        version, today = keys_version(database), periods(now_ms())[0]
        keys = list_keys(database)
        month_start = _month_start(today)
        # PostgreSQL's sums of whole numbers are none in Python, and the shared state takes nothing else.
        sums = (database.rows(SPENT, day * DAY_MS) for day in (today, month_start))
        spent = [{key_id: int(nanos) for key_id, nanos in rows} for rows in sums]
        # The version last: whoever goes by it finds the keys that are its.
        self._by_digest = {bytes.fromhex(key.digest): key for key in (*keys, *self._fixed)}
        self._known = Known(version, keys, *spent)
        self._read.set()


def _month_start(today: int) -> int:
    month = periods(today * DAY_MS)[1]
    return next(day for day in range(today - DAYS_BACK, today + 1) if periods(day * DAY_MS)[1] == month)
