"""From names to connections: looked up once, tried at every address, nothing left open."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jackfield.transport.dial import Address, Names, race
from tests.patience import PATIENCE_S, once_of_many, until
from tests.servers import free_port

V4 = socket.AF_INET


@contextmanager
def deaf() -> Iterator[Address]:
    """Yield an address that never answers: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for plug in waiting:
            plug.setblocking(False)
            plug.connect_ex(listener.getsockname())
        yield V4, listener.getsockname()
        for plug in waiting:
            plug.close()


async def test_a_dead_address_costs_a_moment() -> None:
    with deaf() as dead, socket.create_server(("127.0.0.1", 0)) as alive:
        started = time.monotonic()
        async with asyncio.timeout(PATIENCE_S):
            plug = await race([dead, (V4, alive.getsockname())])
        took = time.monotonic() - started
        assert plug.getpeername() == alive.getsockname()
        plug.close()

    # The system itself gives an address up after two minutes.
    assert took > 0.2


async def test_a_refused_address_costs_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as alive:

        async def is_quick() -> bool:
            started = time.monotonic()
            plug = await race([(V4, ("127.0.0.1", free_port())), (V4, alive.getsockname())])
            took = time.monotonic() - started
            assert plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            plug.close()
            return took < 0.2

        assert await once_of_many(is_quick)


async def test_when_no_address_answers_the_refusal_is_told() -> None:
    with pytest.raises(ConnectionRefusedError):
        await race([(V4, ("127.0.0.1", free_port())) for _ in range(3)])


async def test_leaving_a_race_closes_its_sockets() -> None:
    with deaf() as dead:
        task = asyncio.create_task(race([dead, dead]))
        await asyncio.sleep(0.4)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()}, "the end of all attempts")


async def test_a_name_is_looked_up_once_for_all_who_ask() -> None:
    asked: list[str] = []

    async def ask(host: str, port: int) -> list[Address]:
        asked.append(host)
        await asyncio.sleep(0.02)
        return [(V4, ("127.0.0.1", port))]

    names = Names(ask)
    tasks = [asyncio.create_task(names.look_up("box", 80)) for _ in range(5)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.wait(tasks)
    assert [each.result() for each in tasks[1:]] == [[(V4, ("127.0.0.1", 80))]] * 4
    assert asked == ["box"]

    await names.look_up("box", 80)
    await names.look_up("127.0.0.1", 80)
    await names.look_up("::1", 80)
    assert asked == ["box"]


async def test_a_name_that_was_unknown_is_asked_for_again() -> None:
    asked: list[str] = []

    async def ask(host: str, port: int) -> list[Address]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    names = Names(ask)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await names.look_up("box", 80)
    assert asked == ["box", "box"]
