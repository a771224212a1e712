"""Signs of life on a stream that says nothing: many proxies cut a connection after a silent minute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from jackfield.gateway.exchange import Exchange

LOOKS = 3  # at a stream, within its longest silence: a look costs nothing, a timer for every piece would


@contextmanager
def beating(exchange: Exchange, ping: bytes, start: Callable[[], Awaitable[None]], silence_s: float) -> Iterator[None]:
    """Send `ping` whenever nothing was written for so long; `start` begins the answer where nothing has been said."""
    beat = _Beat(exchange, ping, start, silence_s / LOOKS)
    try:
        yield
    finally:
        beat.stop()


class _Beat:
    def __init__(self, exchange: Exchange, ping: bytes, start: Callable[[], Awaitable[None]], every_s: float) -> None:
        self._exchange = exchange
        self._ping = ping
        self._start = start
        self._every_s = every_s
        self._quiet = 0  # looks at which nothing had been written
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(every_s, self._look)

    def stop(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _look(self) -> None:
        self._quiet = self._quiet + 1 if self._exchange.is_quiet else 0
        self._exchange.is_quiet = True
        if self._quiet >= LOOKS:
            self._quiet = 0
            self._task = self._loop.create_task(self._beat())
        self._timer = self._loop.call_later(self._every_s, self._look)

    async def _beat(self) -> None:
        if not self._exchange.status:
            await self._start()
        await self._exchange.write(self._ping)
