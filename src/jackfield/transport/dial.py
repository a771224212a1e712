"""From a place to an open connection: the name looked up, an address that answers, TLS.

A name with several addresses is tried at all of them, each a moment after the one before,
so that a dead one costs a quarter of a second and no timeout (RFC 8305).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from ssl import SSLContext
from typing import Any

from jackfield.transport.connection import Connection
from jackfield.transport.head import Place

NAMES_S = 10.0  # how long a looked-up name is believed
STAGGER_S = 0.25

Address = tuple[socket.AddressFamily, Any]  # and what `connect` takes


LookUp = Callable[[str, int], Coroutine[Any, Any, list[Address]]]


async def ask_system(host: str, port: int) -> list[Address]:
    """Return a name's addresses as this machine knows them, one family after the other in turn."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [(socket.AddressFamily(family), where) for family, _, _, _, where in found]
    first = [each for each in addresses if each[0] == addresses[0][0]]
    others = [each for each in addresses if each[0] != addresses[0][0]]
    return [each for each in chain(*zip_longest(first, others)) if each]


class Names:
    """Looks names up, each once for all who ask at the same time."""

    def __init__(self, ask: LookUp = ask_system) -> None:
        self._ask = ask
        self._asked: dict[tuple[str, int], tuple[float, asyncio.Task[list[Address]]]] = {}

    async def look_up(self, host: str, port: int) -> Sequence[Address]:
        """Return a host's addresses in the order to try them; raise `OSError` or `UnicodeError`."""
        if address := _as_address(host, port):
            return [address]
        now = asyncio.get_running_loop().time()
        self._asked = {key: asked for key, asked in self._asked.items() if asked[0] > now}
        if (host, port) not in self._asked:
            task = asyncio.create_task(self._ask(host, port))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # perhaps nobody asks any more
            self._asked[host, port] = (now + NAMES_S, task)
        asking = self._asked[host, port][1]
        try:
            # Whoever leaves does not take the answer from the others.
            return await asyncio.shield(asking)
        except (OSError, UnicodeError):
            self._asked.pop((host, port), None)
            raise


async def dial(
    place: Place, names: Names, context: SSLContext | None, note_end: Callable[[Connection], None]
) -> Connection:
    """Return an open connection, encrypted with a context; raise `OSError` or `UnicodeError`."""
    plug = await race(await names.look_up(place.host, place.port))
    # From here on the socket is the loop's, which closes it also when nothing comes of it.
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(note_end),
        sock=plug,
        ssl=context,
        server_hostname=place.host.rstrip(".") if context else None,
    )
    return connection


async def race(addresses: Sequence[Address]) -> socket.socket:
    """Return a socket to the first address that answers; every other one is closed."""
    if len(addresses) == 1:
        return await _connect(addresses[0])
    running: set[asyncio.Task[socket.socket]] = set()
    failures: list[BaseException] = []
    waiting = list(reversed(addresses))
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.create_task(_connect(waiting.pop())))
            done, running = await asyncio.wait(
                running, timeout=STAGGER_S if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            if won := [each for each in done if not each.exception()]:
                running |= set(won[1:])
                return won[0].result()
            failures += filter(None, (each.exception() for each in done))
    finally:
        for each in running:
            _drop(each)
    # A refusal says more than a way that does not exist on this machine.
    raise next((each for each in failures if isinstance(each, ConnectionRefusedError)), failures[0])


def _drop(task: asyncio.Task[socket.socket]) -> None:
    def close(done: asyncio.Task[socket.socket]) -> None:
        if not done.cancelled() and not done.exception():
            done.result().close()

    task.cancel()
    task.add_done_callback(close)


async def _connect(address: Address) -> socket.socket:
    family, where = address
    plug = socket.socket(family, socket.SOCK_STREAM)
    try:
        plug.setblocking(False)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(plug, where)
    except BaseException:
        plug.close()
        raise
    return plug


def _as_address(host: str, port: int) -> Address | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return family, (host, port)
    return None
