"""The admin's listener: served beside the gateway, in its process, by one of several workers.

What the page has under way (a sign-in, say) lives in memory, so all its requests come to one process;
when that one ends, another takes its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from uvicorn import Server

from jackfield.config.disk import Locked, hold_lock
from jackfield.gateway.server import END_S, configure
from jackfield.transport.listen import Listener

LOCK_FILE = "admin.lock"
LOOK_S = 0.5


class _Beside(Server):
    """A server that leaves the process's signals to the one it stands beside."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve_admin(app: Any, listener: Listener, board: str = "") -> None:
    """Serve until cancelled; with a board, once no other worker does."""
    with ExitStack() as held:
        while board and not _claim(held, Path(board)):  # noqa: ASYNC110  another process has it
            await asyncio.sleep(LOOK_S)
        server = _Beside(configure(app, drain_s=END_S, lifespan="off"))
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await serving


def _claim(held: ExitStack, board: Path) -> bool:
    try:
        held.enter_context(hold_lock(board / LOCK_FILE, timeout_s=0))
    except Locked:
        return False
    return True
