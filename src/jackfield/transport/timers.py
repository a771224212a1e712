"""The four timers of an exchange as arithmetic: which one runs out next, and when. It sleeps nowhere."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from jackfield.model import Timeouts

FOREVER = float("inf")


class Timer(Struct, frozen=True):
    """A timer that is running: its name, its length, and the moment it runs out."""

    name: str
    limit_s: float
    at: float


class Timers:
    """Counts from the moment it is made; `hear` every piece of the answer, ask `due` or `next` before waiting.

    The first token is the first byte of a body, and in an event stream the first `data`
    line: headers and comments promise an answer, they are none. A limit of 0 is no limit.
    """

    def __init__(self, limits: Timeouts, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        started = clock()
        self._first_at = started + _length(limits.first_token)
        self._whole_at = started + _length(limits.total)
        self._idle_s = _length(limits.idle)
        self.answered = False  # the first token is there
        self._tail = b""

    def hear(self, chunk: bytes, *, is_events: bool) -> None:
        """Take note of a piece of the body."""
        if self.answered:
            return
        self.answered = not is_events or b"data:" in self._tail + chunk
        self._tail = (self._tail + chunk)[-4:]

    def due(self, since: float) -> float:
        """Return the moment when the first timer runs out if nothing is heard from `since` on."""
        return min(since + self._idle_s if self.answered else self._first_at, self._whole_at)

    def next(self) -> Timer:
        """Return the timer that runs out first if nothing more is heard."""
        return self.named(self.due(self._clock()))

    def connecting(self) -> Timer:
        """Return the timer that runs out first for a connection sought from now on."""
        length = _length(self._limits.connect)
        soon = Timer("connect", length, self._clock() + length)
        first = self.next()
        return soon if soon.at < first.at else first

    def named(self, due: float) -> Timer:
        """Return the timer behind a moment that `due` gave."""
        if due == self._whole_at:
            return Timer("total", _length(self._limits.total), due)
        if self.answered:
            return Timer("idle", self._idle_s, due)
        return Timer("first_token", _length(self._limits.first_token), due)


def _length(limit_s: float | None) -> float:
    return limit_s if limit_s and limit_s > 0 else FOREVER
