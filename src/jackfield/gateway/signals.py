"""What a worker does when the system signals: SIGTERM and SIGINT let open requests finish, SIGHUP reads the config again.

While requests finish the listener stays open, so that whoever asks `/readyz` hears that it is to
look elsewhere. A terminal that is closed signals SIGHUP, too: then there is nobody left to serve.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Protocol

LOOK_S = 0.05
HUP = getattr(signal, "SIGHUP", None)  # Windows has none


class Serves(Protocol):
    """What a worker serves with."""

    open: set[Any]  # what is being answered now
    is_draining: bool

    def drain(self) -> None:
        """Take no more calls."""
        ...

    async def try_reload(self) -> bool:
        """Read the config again."""
        ...


async def obey(gateway: Serves, drain_s: float) -> None:
    """Obey signals until cancelled; without a main thread there are none."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop, told = asyncio.get_running_loop(), asyncio.Queue[signal.Signals]()
    # Under a server its own handlers are there already: they end it.
    ends = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def hear(number: int, frame: Any) -> None:
        end = ends.get(signal.Signals(number))
        if gateway.is_draining and callable(end):
            end(number, frame)  # who says it twice means at once
            return
        if end is not None:
            gateway.drain()
        loop.call_soon_threadsafe(told.put_nowait, signal.Signals(number))

    for number in ends:
        signal.signal(number, hear)
    is_hangup = watch_terminal()
    if HUP is not None:
        signal.signal(HUP, hear)
    while True:
        number = await told.get()
        if number == HUP and not is_hangup():
            await gateway.try_reload()
            continue
        gateway.drain()
        await _wait_idle(gateway, drain_s)
        end = ends.get(number, ends[signal.SIGTERM])
        if callable(end):
            end(int(number) if number != HUP else int(signal.SIGTERM), None)


def watch_terminal() -> Callable[[], bool]:
    """Return what tells whether this process had a terminal that is gone now; `nohup` means that it may go."""
    ignored = HUP is not None and signal.getsignal(HUP) == signal.SIG_IGN
    had = not ignored and _has_terminal()
    return lambda: had and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY))
    except OSError:
        return False
    return True


async def _wait_idle(gateway: Serves, drain_s: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + drain_s
    while gateway.open and loop.time() < until:  # noqa: ASYNC110  happens once in a process's life
        await asyncio.sleep(LOOK_S)
