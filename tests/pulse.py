"""A clock that moves when somebody sleeps: waits are recorded and take no time."""

from __future__ import annotations

import asyncio
import time

from jackfield.routing.walk import Pulse


class Day:
    """Time of a test: real time, and what was slept on top of it; `still` stops the real part."""

    def __init__(self, *, still: bool = False) -> None:
        self._still = still
        self._began = 1_000_000.0 if still else 0.0
        self.slept: list[float] = []
        self.passed_s = 0.0

    def now_s(self) -> float:
        return self._began + self.passed_s if self._still else time.monotonic() + self.passed_s

    def now_ms(self) -> int:
        return round((self._began if self._still else time.time()) * 1000 + self.passed_s * 1000)

    async def sleep(self, seconds: float) -> None:
        assert 0 <= seconds < 1e6
        self.slept.append(seconds)
        self.passed_s += seconds
        await asyncio.sleep(0)

    @property
    def pulse(self) -> Pulse:
        return Pulse(self.now_s, self.sleep, lambda: 0.0, self.now_ms)
