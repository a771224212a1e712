"""Kept connections: bounded, shared fairly, never leaked, closed after a while."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from jackfield.errors import ConnectError, ConnectionLost, TimeoutExpired
from jackfield.model import Timeouts
from jackfield.transport.http import Transport
from jackfield.transport.pool import PoolLimits
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
from tests.patience import PATIENCE_S, until
from tests.servers import CUT, HANG, Received, Reply, Server, free_port, json_reply, serve, sse_reply, text_reply

ONE = PoolLimits(per_place=1)


async def ask(transport: Transport, server: Server, path: str = "/", **fields: object) -> HttpReply:
    return await transport.open(HttpRequest(url=f"{server.url}{path}", body=b"{}", **fields))


async def read(transport: Transport, server: Server, path: str = "/", **fields: object) -> bytes:
    return await (await ask(transport, server, path, **fields)).read()


def slow(received: Received) -> Reply:
    return [0.02, *text_reply(received.target)]


async def test_no_more_connections_than_allowed_and_first_come_first_served() -> None:
    async with Transport(limits=PoolLimits(per_place=2)) as transport:
        with serve(slow) as server:
            tasks = []
            for number in range(12):
                tasks.append(asyncio.create_task(read(transport, server, f"/{number}")))
                await asyncio.sleep(0)
            assert await asyncio.gather(*tasks) == [b"/%d" % number for number in range(12)]

    assert server.connections == 2
    order = [int(each.target[1:]) for each in server.journal]
    assert all(abs(number - place) <= 1 for place, number in enumerate(order))


async def test_waiting_for_a_connection_ends_with_the_connect_timer() -> None:
    async with Transport(limits=ONE) as transport:
        with serve(sse_reply("one", HANG)) as server:
            held = await ask(transport, server)
            with pytest.raises(TimeoutExpired, match=r"no connection to .* within 0.15 s \(timer: connect\)"):
                await ask(transport, server, timeouts=Timeouts(connect=0.15))
            await held.close()

    assert len(server.journal) == 1


async def test_leaving_the_queue_costs_nobody_their_turn() -> None:
    async with Transport(limits=ONE) as transport:
        with serve(sse_reply("one", HANG), json_reply(2)) as server:
            held = await ask(transport, server)
            waiting = [asyncio.create_task(read(transport, server)) for _ in range(3)]
            await asyncio.sleep(0.02)
            waiting[0].cancel()
            waiting[1].cancel()
            # They are gone while the connection they waited for is still held.
            await asyncio.wait(waiting[:2])
            await held.close()
            assert await asyncio.wait_for(waiting[2], PATIENCE_S) == b"2"
            assert await read(transport, server) == b"2"

    assert server.connections == 2


@pytest.mark.parametrize("held_until_read", [True, False])
async def test_a_turn_given_to_somebody_who_leaves_in_that_moment_goes_on(held_until_read: bool) -> None:
    first = json_reply(1) if held_until_read else sse_reply("one", HANG)
    async with Transport(limits=ONE) as transport:
        with serve(first, json_reply(2)) as server:
            held = await ask(transport, server)
            leaving, staying = [asyncio.create_task(read(transport, server)) for _ in range(2)]
            await asyncio.sleep(0.02)
            if held_until_read:
                await held.read()
            else:
                await held.close()
            leaving.cancel()
            with suppress(asyncio.CancelledError):
                await leaving
            assert await asyncio.wait_for(staying, PATIENCE_S) == b"2"


async def test_a_connection_that_fails_gives_its_room_to_the_next() -> None:
    async with Transport(limits=ONE) as transport:
        with serve([0.02, CUT]) as server:
            asked = [asyncio.create_task(read(transport, server)) for _ in range(3)]
            results = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), PATIENCE_S)

    assert [type(each) for each in results] == [ConnectionLost] * 3
    assert server.connections == 3


async def test_a_place_that_cannot_be_reached_keeps_nobody_waiting() -> None:
    async with Transport(limits=ONE) as transport:
        request = HttpRequest(url=f"http://127.0.0.1:{free_port()}/", timeouts=Timeouts(connect=PATIENCE_S))
        asked = [asyncio.create_task(transport.open(request)) for _ in range(3)]
        results = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), PATIENCE_S)

    assert [type(each) for each in results] == [ConnectError] * 3


async def test_a_resting_connection_makes_room_for_another_place() -> None:
    async with Transport(limits=PoolLimits(in_all=2)) as transport:
        with serve(json_reply(1)) as one, serve(json_reply(2)) as two, serve(json_reply(3)) as three:
            for server in (one, two, three, two):
                await read(transport, server)
                await asyncio.sleep(0.001)
            await read(transport, one)

    # The one that had rested longest went first.
    assert (one.connections, two.connections, three.connections) == (2, 1, 1)


async def test_who_waits_for_room_in_all_is_served_before_a_connection_is_kept() -> None:
    async with Transport(limits=PoolLimits(in_all=1)) as transport:
        with serve(slow) as one, serve(json_reply(2)) as two:
            first = asyncio.create_task(read(transport, one))
            await asyncio.sleep(0.005)
            other = asyncio.create_task(read(transport, two))
            await asyncio.sleep(0)
            again = asyncio.create_task(read(transport, one))
            assert await asyncio.wait_for(asyncio.gather(first, other, again), PATIENCE_S) == [b"/", b"2", b"/"]

    assert (one.connections, two.connections) == (2, 1)
    assert one.journal[0].at < two.journal[0].at < one.journal[1].at


async def test_a_connection_that_rests_too_long_is_closed() -> None:
    async with Transport(limits=PoolLimits(idle_s=0.5)) as transport:
        with serve(json_reply(1)) as server:
            await read(transport, server)
            assert server.talking == 1
            await until(lambda: not server.talking, "the end of a connection at rest")
            await read(transport, server)
            await read(transport, server)

    assert [each.connection for each in server.journal] == [1, 2, 2]


async def test_a_connection_closed_at_rest_is_not_used_again() -> None:
    async with Transport() as transport:
        with serve([*json_reply(1), 0.02, CUT], json_reply(2)) as server:
            await read(transport, server)
            await until(lambda: not server.talking, "the end of a connection at rest")
            await asyncio.sleep(0.02)
            assert await read(transport, server) == b"2"

    assert [each.connection for each in server.journal] == [1, 2]


async def test_closing_the_client_tells_those_who_wait() -> None:
    transport = Transport(limits=ONE)
    with serve(sse_reply("one", HANG)) as server:
        held = await ask(transport, server)
        waiting = asyncio.create_task(read(transport, server))
        await asyncio.sleep(0.02)
        await transport.close()
        with pytest.raises(ConnectionLost, match="the client is closed"):
            await asyncio.wait_for(waiting, PATIENCE_S)
        await held.close()


async def test_a_retry_takes_a_new_connection_and_not_another_old_one() -> None:
    def answer(received: Received) -> Reply:
        return [CUT] if received.target == "/dies" and received.connection <= 4 else slow(received)

    async with Transport() as transport:
        with serve(answer) as server:
            await asyncio.gather(*(read(transport, server) for _ in range(4)))
            assert await read(transport, server, "/dies") == b"/dies"

    assert server.connections == 5
    assert sum(each.target == "/dies" for each in server.journal) == 2


async def test_a_retry_finds_room_when_all_of_it_is_taken_by_resting_connections() -> None:
    def answer(received: Received) -> Reply:
        return [CUT] if received.target == "/dies" and received.connection == 2 else slow(received)

    async with Transport(limits=PoolLimits(per_place=2)) as transport:
        with serve(answer) as server:
            await asyncio.gather(*(read(transport, server) for _ in range(2)))
            await asyncio.gather(*(read(transport, server, "/dies") for _ in range(2)))

    assert server.connections == 3
