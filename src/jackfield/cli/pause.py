"""A wait that a person is told of: a provider asks for patience, or a pace has no turn yet."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from jackfield.cli import ui
from jackfield.client import REAL
from jackfield.routing.walk import Pulse

TELL_S = 1.0  # a shorter wait is no news


def telling() -> Pulse:
    """Return the real clock; its longer waits are told on stderr."""
    return replace(REAL, sleep=_wait)


async def _wait(seconds: float) -> None:
    if seconds >= TELL_S:
        ui.note(f"asking again in {seconds:.0f} s (Ctrl-C stops)")
    await asyncio.sleep(seconds)
