"""Signs of life on a stream that says nothing: many proxies cut a connection after a silent minute.

One timer looks after all streams: a timer for each would cost more than all else that is done here.
"""

from __future__ import annotations

import asyncio
from typing import Self

from jackfield.gateway.exchange import Exchange
from jackfield.gateway.head import Heads

LOOKS = 3  # at a stream that is quiet, within its longest silence


class Heart:
    """Looks after the streams of one set-up; none is silent for longer than it is told."""

    def __init__(self, silence_s: float) -> None:
        self._every_s = silence_s / (LOOKS + 1)  # what is written right after a look is found at the next
        self._beats: set[Beat] = set()
        self._timer: asyncio.TimerHandle | None = None

    def beat(self, exchange: Exchange, ping: bytes, head: Heads) -> Beat:
        """Return a block in which `ping` is sent whenever nothing was; `head` begins an answer that has not begun."""
        return Beat(self, exchange, ping, head)

    def add(self, beat: Beat) -> None:
        """Look after a stream."""
        self._beats.add(beat)
        if self._timer is None:
            self._wait()

    def drop(self, beat: Beat) -> None:
        """Look after it no more; the timer rings once more and sees by itself whether anybody is left."""
        self._beats.discard(beat)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every_s, self._look)

    def _look(self) -> None:
        self._timer = None
        for beat in self._beats:
            beat.look()
        if self._beats:
            self._wait()


class Beat:
    """One stream."""

    __slots__ = ("_exchange", "_head", "_heart", "_ping", "_quiet", "_task")

    def __init__(self, heart: Heart, exchange: Exchange, ping: bytes, head: Heads) -> None:
        self._heart = heart
        self._exchange = exchange
        self._ping = ping
        self._head = head
        self._quiet = 0  # looks at which nothing had been written
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._exchange.was_quiet()  # what was written until now is an earlier answer's
        self._heart.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._heart.drop(self)
        if self._task is not None:
            self._task.cancel()

    def look(self) -> None:
        """Send a sign of life if it is time."""
        self._quiet = self._quiet + 1 if self._exchange.was_quiet() else 0
        # Who reads slowly has one waiting, and is sent no other.
        if self._quiet >= LOOKS and (self._task is None or self._task.done()):
            self._quiet = 0
            self._task = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        if not self._exchange.status:
            await self._exchange.start(self._head)
        await self._exchange.write(self._ping)
