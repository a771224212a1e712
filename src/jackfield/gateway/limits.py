"""How much of what a key may use is used: paces, calls at a time, money by day and month. Pure; the time is an argument.

A pace of N a minute is a bucket of N that fills evenly: N at once from one that rested, and over
any time no more than that and what has flowed in since. What a call is thought to take is taken
before it; `settle` puts what it did take in its place.
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from time import gmtime

from msgspec import Struct

from jackfield.gateway.rules import Rules

MINUTE_MS = 60_000
DAY_MS = 86_400_000


class Need(Struct, frozen=True):
    """What a call is thought to take."""

    tokens: int = 0
    nanos: int = 0


class Taken(Struct, frozen=True):
    """What was taken for one call, and of which day and month."""

    tokens: int
    nanos: int
    day: int
    month: int
    call: str = ""  # its name in the shared state, where it has one


class Refused(Struct, frozen=True):
    """Why a call may not begin: `calls`, `requests`, `tokens`, `day` or `month`; and how long that holds."""

    which: str
    retry_ms: int


class Meter:
    """One key's counts in one process."""

    __slots__ = ("calls", "day", "day_spent", "month", "month_spent", "requests_full_ms", "tokens_full_ms")

    def __init__(self, now_ms: int, day_spent: int = 0, month_spent: int = 0) -> None:
        self.day, self.month = periods(now_ms)
        self.day_spent, self.month_spent = day_spent, month_spent
        self.calls = 0
        self.requests_full_ms = 0.0  # when the bucket will be full again
        self.tokens_full_ms = 0.0

    def take(self, rules: Rules, need: Need, now_ms: int) -> Taken | Refused:
        """Take what a call needs, or all of nothing."""
        self.turn(now_ms)
        return self._refusal(rules, need, now_ms) or self._hold(rules, need, now_ms)

    def take_roughly(self, rules: Rules, need: Need, now_ms: int) -> Taken | None:
        """Take more than a call will need, where that leaves half of every limit; else nothing."""
        self.turn(now_ms)
        wanted = need.tokens * MINUTE_MS / rules.tokens if rules.tokens else 0
        is_far = (
            max(self.tokens_full_ms - now_ms, 0) + wanted <= MINUTE_MS / 2
            and (rules.day < 0 or 2 * (self.day_spent + need.nanos) <= rules.day)
            and (rules.month < 0 or 2 * (self.month_spent + need.nanos) <= rules.month)
            and (not rules.calls or self.calls < rules.calls)
            and (not rules.requests or self.requests_full_ms - now_ms + MINUTE_MS / rules.requests <= MINUTE_MS)
        )
        return self._hold(rules, need, now_ms) if is_far else None

    def _hold(self, rules: Rules, need: Need, now_ms: int) -> Taken:
        tokens = min(need.tokens, rules.tokens) if rules.tokens else 0
        if rules.requests:
            self.requests_full_ms = max(self.requests_full_ms, now_ms) + MINUTE_MS / rules.requests
        if tokens:
            self.tokens_full_ms = max(self.tokens_full_ms, now_ms) + tokens * MINUTE_MS / rules.tokens
        self.calls += 1
        self.day_spent += need.nanos
        self.month_spent += need.nanos
        return Taken(tokens, need.nanos, self.day, self.month)

    def settle(self, rules: Rules, taken: Taken, need: Need) -> None:
        """Put what a call did take in the place of what was taken for it; its day may be over."""
        if rules.tokens:
            self.tokens_full_ms += (need.tokens - taken.tokens) * MINUTE_MS / rules.tokens
        more = need.nanos - taken.nanos
        if taken.day == self.day:
            self.day_spent += more
        if taken.month == self.month:
            self.month_spent += more

    def leave(self) -> None:
        """End a call."""
        self.calls -= 1

    def turn(self, now_ms: int) -> None:
        """Begin a new day, and a new month, where one has begun."""
        # A clock that is set back opens no new day.
        if now_ms // DAY_MS <= self.day:
            return
        day, month = periods(now_ms)
        self.day, self.day_spent = day, 0
        if month > self.month:
            self.month, self.month_spent = month, 0

    def _refusal(self, rules: Rules, need: Need, now_ms: int) -> Refused | None:
        if rules.calls and self.calls >= rules.calls:
            return Refused("calls", 1_000)
        if rules.requests and (late := self.requests_full_ms - now_ms + MINUTE_MS / rules.requests - MINUTE_MS) > 0:
            return Refused("requests", ceil(late))
        if rules.tokens:
            wanted = min(need.tokens, rules.tokens) * MINUTE_MS / rules.tokens
            # A bucket in debt for what earlier calls really took lets even a free call wait.
            if (late := self.tokens_full_ms - now_ms + wanted - MINUTE_MS) > 0:
                return Refused("tokens", ceil(late))
        if 0 <= rules.day < self.day_spent + need.nanos:
            return Refused("day", until_day_end_ms(now_ms))
        if 0 <= rules.month < self.month_spent + need.nanos:
            return Refused("month", until_month_end_ms(now_ms))
        return None


def periods(now_ms: int) -> tuple[int, int]:
    """Return the number of the day and of the month, in UTC."""
    day = now_ms // DAY_MS
    return day, _month(day)


def until_day_end_ms(now_ms: int) -> int:
    """Return how long the day still is."""
    return DAY_MS - now_ms % DAY_MS


def until_month_end_ms(now_ms: int) -> int:
    """Return how long the month still is."""
    day, month = periods(now_ms)
    while _month(day) == month:
        day += 1
    return day * DAY_MS - now_ms


@lru_cache(maxsize=64)
def _month(day: int) -> int:
    date = gmtime(day * 86_400)
    return date.tm_year * 12 + date.tm_mon - 1
