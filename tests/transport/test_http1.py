"""What our own HTTP/1.1 alone has to do: keep, close, leave at once, and stand aside for the library."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from jackfield.errors import StreamBroken
from jackfield.model import Network, Timeouts
from jackfield.transport.http import Transport
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
from tests.patience import PATIENCE_S
from tests.servers import CUT, HANG, chunk, head, json_reply, serve, sse_reply, stream_reply, text_reply

PATIENT = Timeouts(total=PATIENCE_S)


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport() as opened:
        yield opened


async def read(transport: Transport, url: str, **fields: object) -> bytes:
    return await (await transport.open(HttpRequest(url=url, **fields))).read()


async def drink(reply: HttpReply, heard: bytearray) -> None:
    async for piece in reply.chunks():
        heard += piece


# -- keeping connections -----------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "is_kept"),
    [
        (text_reply("x"), True),
        (stream_reply("x"), True),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], True),
        ([b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n"], True),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", *text_reply("x")], True),
        ([b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nx"], True),
        (text_reply("x", connection="close"), False),
        ([b"HTTP/1.0 200 OK\r\ncontent-length: 1\r\n\r\nx"], False),
        ([head(302, location="/", content_length="0")], False),
    ],
)
async def test_a_connection_is_kept_where_both_sides_mean_it(
    transport: Transport, answer: list[object], is_kept: bool
) -> None:
    with serve(answer) as server:
        for _ in range(2):
            with suppress(Exception):
                await read(transport, server.url)

    assert server.connections == (1 if is_kept else 2)


@pytest.mark.parametrize("size", [1_000, 64 * 1024 + 1_000])
async def test_an_answer_that_nobody_read_gives_its_connection_back_when_it_is_whole(
    transport: Transport, size: int
) -> None:
    with serve(text_reply("x" * size)) as server:
        for _ in range(3):
            reply = await transport.open(HttpRequest(url=server.url, timeouts=PATIENT))
            await asyncio.sleep(0.05)
            await reply.close()

    # A large one may have had to wait for its reader, and is then not whole.
    assert server.connections == 1 or size > 64 * 1024


async def test_a_reply_is_read_once_and_not_after_its_connection_serves_another(transport: Transport) -> None:
    with serve(text_reply("one"), text_reply("two")) as server:
        reply = await transport.open(HttpRequest(url=server.url))
        await reply.close()
        other = await transport.open(HttpRequest(url=server.url))
        with pytest.raises(StreamBroken, match="closed on this side"):
            await reply.read()
        assert await other.read() == b"two"


async def test_a_question_for_the_head_alone_waits_for_no_body(transport: Transport) -> None:
    with serve([head(200, content_length="5")]) as server:
        for _ in range(2):
            reply = await transport.open(HttpRequest(method="HEAD", url=server.url, timeouts=PATIENT))
            assert (reply.headers["content-length"], await reply.read()) == ("5", b"")


async def test_pieces_wait_for_a_reader_who_comes_late(transport: Transport) -> None:
    with serve([head(200, transfer_encoding="chunked"), chunk("one "), 0.02, chunk("two"), CUT]) as server:
        reply = await transport.open(HttpRequest(url=server.url))
        await asyncio.sleep(0.1)
        heard = bytearray()
        with pytest.raises(StreamBroken):
            await drink(reply, heard)

    assert heard == b"one two"


# -- leaving -----------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"{}", b"x" * 20_000_000], ids=["small", "large"])
async def test_cancelling_before_the_head_closes_at_once(transport: Transport, body: bytes) -> None:
    with serve([HANG]) as server:
        task = asyncio.create_task(transport.open(HttpRequest(url=server.url, body=body)))
        await asyncio.to_thread(server.heard.wait, PATIENCE_S)
        assert await server.sees_cancelled(task)


async def test_cancelling_in_the_middle_closes_at_once(transport: Transport) -> None:
    with serve(sse_reply("one", HANG)) as server:
        task = asyncio.create_task(read(transport, server.url))
        await asyncio.to_thread(server.heard.wait, PATIENCE_S)
        await asyncio.sleep(0.02)
        assert await server.sees_cancelled(task)


async def test_leaving_while_the_server_is_made_to_wait_closes_at_once(transport: Transport) -> None:
    with serve([head(200, transfer_encoding="chunked"), *[chunk(b"x" * 60_000)] * 1000, HANG]) as server:
        reply = await transport.open(HttpRequest(url=server.url))
        await asyncio.sleep(0.05)
        await reply.close()
        assert await server.was_left()


# -- names -------------------------------------------------------------------------


async def test_a_name_with_two_addresses_is_reached_at_the_one_that_answers(transport: Transport) -> None:
    with serve(json_reply(1)) as server:
        assert await read(transport, f"http://localhost:{server.port}/") == b"1"


# -- what goes the library's way ---------------------------------------------------

LOADED = """
import asyncio, sys
from jackfield.model import Network
from jackfield.transport.http import Transport
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
async def ask():
    async with Transport() as transport:
        await (await transport.open(HttpRequest(url={url!r}, headers={headers!r}, network={network!r}))).read()
asyncio.run(ask())
print("aiohttp" in sys.modules)
"""
USER_AND_PASSWORD = "me:pw@"


@pytest.mark.parametrize(
    ("before", "headers", "is_proxied", "is_loaded"),
    [
        ("", {}, False, False),
        ("", {"expect": "100-continue"}, False, True),
        ("", {"Connection": "close"}, False, True),
        (USER_AND_PASSWORD, {}, False, True),
        ("", {}, True, True),
    ],
)
def test_only_what_needs_the_library_loads_it(
    before: str, headers: dict[str, str], is_proxied: bool, is_loaded: bool
) -> None:
    with serve(json_reply(1)) as server:
        network = Network(proxy=server.url) if is_proxied else Network()
        code = LOADED.format(url=server.url.replace("//", f"//{before}"), headers=headers, network=network)
        ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == [str(is_loaded)]
