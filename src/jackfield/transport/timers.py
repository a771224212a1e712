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
        self._clock = clock
        started = clock()
        self._first = _timer("first_token", limits.first_token, started)
        self._whole = _timer("total", limits.total, started)
        self._idle_s = _length(limits.idle)
        self._connect_s = _length(limits.connect)
        self._answered = False
        self._tail = b""

    def hear(self, chunk: bytes, *, is_events: bool) -> None:
        """Take note of a piece of the body."""
        if self._answered:
            return
        self._answered = not is_events or b"data:" in self._tail + chunk
        self._tail = (self._tail + chunk)[-4:]

    def due(self) -> float:
        """Return the moment when the first timer runs out if nothing more is heard: `next` without its name."""
        soon = self._clock() + self._idle_s if self._answered else self._first.at
        return min(soon, self._whole.at)

    def next(self) -> Timer:
        """Return the timer that runs out first if nothing more is heard."""
        soon = self._first
        if self._answered:
            soon = Timer("idle", self._idle_s, self._clock() + self._idle_s)
        return soon if soon.at < self._whole.at else self._whole

    def connecting(self) -> Timer:
        """Return the timer that runs out first for a connection sought from now on."""
        soon = Timer("connect", self._connect_s, self._clock() + self._connect_s)
        first = self.next()
        return soon if soon.at < first.at else first

    def ran_out(self, due: float) -> Timer:
        """Return the timer that made an earlier `due`."""
        if due == self._whole.at:
            return self._whole
        return Timer("idle", self._idle_s, due) if self._answered else self._first


def _timer(name: str, limit_s: float | None, start: float) -> Timer:
    return Timer(name, _length(limit_s), start + _length(limit_s))


def _length(limit_s: float | None) -> float:
    return limit_s if limit_s and limit_s > 0 else FOREVER
