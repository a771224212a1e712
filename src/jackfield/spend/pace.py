"""How quickly to ask: one line per credential and model, so that a server's limit is met before it refuses.

Off unless the config says `pace`. With numbers a minute never holds more than it says, wherever
one begins to count it. With `auto` the server's own headers say how much is left and when it is
all back; until the first reply nothing is known, and nobody waits. Pure: the caller waits, and
gives the time in seconds of any one clock.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from jackfield.config.spend import Pace
from jackfield.errors import Paced

if TYPE_CHECKING:
    from jackfield.providers.quota import Window

Key = tuple[str, str, str]  # provider, credential, model
MINUTE_S = 60.0
LATE_S = 1.0  # a request may reach its server so much later than one that left after it
GRAIN_S = 1.0  # requests within it are remembered as one
LINES = 512  # of credentials and models; the one not asked for longest is forgotten
# Counter of a provider's → whether it counts tokens; the others are not ours to foresee.
COUNTERS = {"requests": False, "tokens": True, "input-tokens": True}


class Gauge(Protocol):
    """What is left of one allowance; times never run backwards."""

    def earliest(self, amount: float, now: float) -> float:
        """Return when so much may be taken, not before those that are in line already."""
        ...

    def take(self, amount: float, at: float) -> None:
        """Take it, at a time that `earliest` gave."""
        ...


class Slot(Struct):
    """What was taken within a moment."""

    first: float
    last: float
    amount: float


class Minute:
    """At most so much in any minute."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._slots: deque[Slot] = deque()

    def earliest(self, amount: float, now: float) -> float:
        """Return when so much may be taken; more than a whole minute's waits for an empty minute."""
        at = max(now, self._slots[-1].last) if self._slots else now
        room = self._limit - min(amount, self._limit) - sum(slot.amount for slot in self._slots)
        for slot in self._slots:
            if room >= 0:
                break
            at, room = max(at, slot.last + MINUTE_S + LATE_S), room + slot.amount
        return at

    def take(self, amount: float, at: float) -> None:
        """Take it, at a time that `earliest` gave."""
        while self._slots and self._slots[0].last + MINUTE_S + LATE_S <= at:
            self._slots.popleft()
        last = self._slots[-1] if self._slots else None
        if last and at - last.first < GRAIN_S:
            last.last, last.amount = at, last.amount + min(amount, self._limit)
        else:
            self._slots.append(Slot(at, at, min(amount, self._limit)))


class Meter:
    """What a server says is left, which comes back steadily: its `reset` is when all of it is there again.

    So say platform.openai.com/docs/guides/rate-limits and docs.anthropic.com/en/api/rate-limits,
    read 2026-11-21. A server that gives all back at once refuses sometimes, and health knows what to do.
    """

    def __init__(self, limit: float, left: float) -> None:
        self._limit = limit
        self._left = left
        self._rate = limit / MINUTE_S
        self._at = -math.inf  # when `left` was or will be so

    def earliest(self, amount: float, now: float) -> float:
        """Return when so much is there; more than ever is waits until all is."""
        at = max(now, self._at)
        lacking = min(amount, self._limit) - self._left_at(at)
        return at + lacking / self._rate if lacking > 0 and self._rate > 0 else at

    def take(self, amount: float, at: float) -> None:
        """Take it, at a time that `earliest` gave."""
        self._left, self._at = self._left_at(at) - amount, at

    def feed(self, window: Window, now: float) -> None:
        """Take over what a reply tells; calls under way, which it may not know of, stay taken."""
        at, told = max(now, self._at), float(window.remaining or 0)
        self._limit = max(window.limit or 0, told) or self._limit
        if window.resets_in_s and self._limit > told:
            self._rate = (self._limit - told) / window.resets_in_s
        self._left, self._at = min(self._left_at(at), told + self._rate * (at - now)), at

    def _left_at(self, at: float) -> float:
        return self._left if math.isinf(self._at) else min(self._limit, self._left + self._rate * (at - self._at))


class Pacer:
    """The lines of one process, for the providers whose config says `pace`."""

    def __init__(self, paces: Mapping[str, Pace]) -> None:
        self._paces = paces
        self._lines: OrderedDict[Key, dict[str, Gauge]] = OrderedDict()

    def is_paced(self, provider: str) -> bool:
        """Tell whether calls to a provider wait for their turn."""
        return provider in self._paces

    def wait_s(self, key: Key, tokens: int, now_s: float) -> float:
        """Return how long a call would have to wait for its turn; takes no turn."""
        line = self._line(key)
        return (
            max((gauge.earliest(_amount(name, tokens), now_s) for name, gauge in line.items()), default=now_s) - now_s
        )

    def take(self, key: Key, tokens: int, now_s: float, most_s: float = math.inf) -> float:
        """Take the next turn and return how long to wait for it; raise `Paced` when that is more than `most_s`."""
        wait_s = self.wait_s(key, tokens, now_s)
        if wait_s > most_s:
            raise Paced(
                f"{key[0]}/{key[2]} is not asked: its pace has no turn for {wait_s:.0f} s, and {most_s:.0f} s are left",
                hint=f"see models.providers.{key[0]}.pace",
                retry_after_s=wait_s,
            )
        for name, gauge in self._line(key).items():
            gauge.take(_amount(name, tokens), now_s + wait_s)
        return wait_s

    def feed(self, key: Key, windows: Iterable[Window], now_s: float) -> None:
        """Learn from a reply's headers (`providers.quota.parse_quota`); only `auto` listens."""
        pace = self._paces.get(key[0])
        if pace is None or not pace.auto:
            return
        line = self._line(key)
        for window in windows:
            if window.name in COUNTERS and window.remaining is not None:
                meter = line.setdefault(window.name, Meter(window.limit or window.remaining, window.remaining))
                if isinstance(meter, Meter):
                    meter.feed(window, now_s)

    def _line(self, key: Key) -> dict[str, Gauge]:
        pace = self._paces.get(key[0])
        if pace is None:
            return {}
        if key not in self._lines:
            said = {"requests": pace.requests_per_minute, "tokens": pace.tokens_per_minute}
            self._lines[key] = {name: Minute(limit) for name, limit in said.items() if limit}
            if len(self._lines) > LINES:
                self._lines.popitem(last=False)
        self._lines.move_to_end(key)
        return self._lines[key]


def _amount(counter: str, tokens: int) -> int:
    return tokens if COUNTERS[counter] else 1
