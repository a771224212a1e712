"""How long tests wait, said once.

`LIMIT_S` is a guard against hanging: it says nothing about the code, and a machine whose cores are
busy with something else stays far below it. What a test proves of time it counts in what no other
program changes: turns of the loop, processor time, an injected clock; or it looks several times,
for a busy machine is slow now and then, and slow code always.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

LIMIT_S = 60.0
POLL_S = 0.005
TRIES = 20


def wait_until(is_so: Callable[[], object], what: str = "") -> None:
    """Return when something is so that offers nothing to wait for."""
    ends_at = time.monotonic() + LIMIT_S
    while not is_so():
        assert time.monotonic() < ends_at, what or "it did not come to that"
        time.sleep(POLL_S)


async def until(is_so: Callable[[], object], what: str = "") -> None:
    """Return when something is so, while the loop goes on."""
    ends_at = time.monotonic() + LIMIT_S
    while not is_so():
        assert time.monotonic() < ends_at, what or "it did not come to that"
        await asyncio.sleep(POLL_S)


def soonest(attempt: Callable[[], object], enough_s: float) -> float:
    """Return the seconds of the first try that takes less than enough, of the quickest where all took more."""
    took_s: list[float] = []
    while len(took_s) < TRIES and min(took_s, default=enough_s) >= enough_s:
        began = time.perf_counter()
        attempt()
        took_s.append(time.perf_counter() - began)
    return min(took_s)


async def once_of_many(attempt: Callable[[], Awaitable[bool]]) -> bool:
    """Tell whether a try succeeds that fails on a busy machine now and then."""
    for _ in range(TRIES):
        if await attempt():
            return True
    return False
