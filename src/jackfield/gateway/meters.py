"""The meters of all keys, in this process. What `redis_meters.py` keeps for many processes has the same four functions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from jackfield.gateway.limits import Meter, Need, Refused, Taken
from jackfield.gateway.rules import Rules

Spent = Callable[[str], tuple[int, int]]  # of a key: nano-dollars of this day and of this month, as the ledger has them


class Meters(Protocol):
    """Counts by key."""

    async def take(self, key_id: str, rules: Rules, need: Need) -> Taken | Refused:
        """Take what a call needs, or all of nothing."""
        ...

    def take_roughly(self, key_id: str, rules: Rules, need: Need) -> Taken | None:
        """Take more than a call will need, at once, where that leaves half of every limit; else nothing."""
        ...

    def settle(self, key_id: str, rules: Rules, taken: Taken, need: Need) -> None:
        """Put what a call did take in the place of what was taken for it."""
        ...

    def leave(self, key_id: str, taken: Taken) -> None:
        """End a call."""
        ...

    async def close(self) -> None:
        """Send what waits, and let go of what is open."""
        ...


def now_ms() -> int:
    """Return the time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


class LocalMeters:
    """Counts of this process alone; they begin with what the ledger knows to be spent."""

    def __init__(self, spent: Spent = lambda _: (0, 0), now: Callable[[], int] = now_ms) -> None:
        self._meters: dict[str, Meter] = {}
        self._spent = spent
        self.now_ms = now

    def follow(self, spent: Spent) -> None:
        """Ask another ledger from now on what a new key has spent: the counts outlive a change of the config."""
        self._spent = spent

    def meter(self, key_id: str) -> Meter:
        """Return a key's meter."""
        meter = self._meters.get(key_id)
        if meter is None:
            meter = self._meters[key_id] = Meter(self.now_ms(), *self._spent(key_id))
        return meter

    def take_here(self, key_id: str, rules: Rules, need: Need) -> Taken | Refused:
        """Take what a call needs, or all of nothing."""
        return self.meter(key_id).take(rules, need, self.now_ms())

    def take_roughly(self, key_id: str, rules: Rules, need: Need) -> Taken | None:
        """Take more than a call will need, at once, where that leaves half of every limit; else nothing."""
        return self.meter(key_id).take_roughly(rules, need, self.now_ms())

    async def take(self, key_id: str, rules: Rules, need: Need) -> Taken | Refused:
        """Take what a call needs, or all of nothing."""
        return self.take_here(key_id, rules, need)

    def settle(self, key_id: str, rules: Rules, taken: Taken, need: Need) -> None:
        """Put what a call did take in the place of what was taken for it."""
        self.meter(key_id).settle(rules, taken, need)

    def leave(self, key_id: str, taken: Taken) -> None:  # noqa: ARG002  the protocol's signature
        """End a call."""
        self.meter(key_id).leave()

    async def close(self) -> None:
        """Do nothing: the counts end with the process, the money is in the ledger."""
