"""How long tests wait, said once.

`PATIENCE_S` is a guard against hanging: it says nothing about the code, and a machine whose cores
are busy with something else stays far below it. What a test proves of time it counts in what no
other program changes: turns of the loop, processor time, an injected clock; or it looks several
times, for a busy machine is slow now and then, and slow code always.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE_S = 60.0
LOOK_S = 0.005
TRIES = 20


def await_true(is_so: Callable[[], object], what: str = "something") -> None:
    """Return when something is so that offers nothing to wait for."""
    ends_at = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends_at, f"{what} did not come"
        time.sleep(LOOK_S)


async def until(is_so: Callable[[], object], what: str = "something") -> None:
    """Return when something is so, while the loop goes on."""
    ends_at = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < ends_at, f"{what} did not come"
        await asyncio.sleep(LOOK_S)


def quickest_s(take_s: Callable[[], float], enough_s: float) -> float:
    """Return the least of the seconds that several tries tell; one that tells less than enough is the last."""
    told: list[float] = []
    while len(told) < TRIES and min(told, default=enough_s) >= enough_s:
        told.append(take_s())
    return min(told)


def timed_s(work: Callable[[], object]) -> float:
    """Return how many seconds something takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def once_of_many(attempt: Callable[[], Awaitable[bool]]) -> bool:
    """Tell whether a try succeeds that a busy machine may fail now and then."""
    for _ in range(TRIES):
        if await attempt():
            return True
    return False
