"""Python's own loop with a clock that a test may put forward: a timer of a minute takes no minute."""

from __future__ import annotations

import asyncio


class LateLoop(asyncio.SelectorEventLoop):
    """A loop in which it may be later than it is."""

    ahead_s = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_s


def put_forward(seconds: float) -> None:
    """Let so much time have passed for all timers of the running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LateLoop)
    loop.ahead_s += seconds
