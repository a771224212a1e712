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
    """Counts from the moment it is made; `hear` every piece of the answer, ask `next` before waiting.

    The first token is the first byte of a body, and in an event stream the first `data`
    line: headers and comments promise an answer, they are none. A limit of 0 is no limit.
    """

    def __init__(self, limits: Timeouts, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._started = clock()
        self._answered = False
        self._tail = b""

    def hear(self, chunk: bytes, *, is_events: bool) -> None:
        """Take note of a piece of the body."""
        if self._answered:
            return
        self._answered = not is_events or b"data:" in self._tail + chunk
        self._tail = (self._tail + chunk)[-4:]

    def next(self) -> Timer:
        """Return the timer that runs out first if nothing more is heard."""
        if self._answered:
            soon = _timer("idle", self._limits.idle, self._clock())
        else:
            soon = _timer("first_token", self._limits.first_token, self._started)
        whole = _timer("total", self._limits.total, self._started)
        return soon if soon.at < whole.at else whole


def _timer(name: str, limit_s: float | None, start: float) -> Timer:
    length = limit_s if limit_s and limit_s > 0 else FOREVER
    return Timer(name, length, start + length)
