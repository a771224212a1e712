"""A body read in the moment it comes: who made nothing of a piece is not woken for it, and misses nothing."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from jackfield.errors import BadReply, StreamBroken, TimeoutExpired
from jackfield.model import Timeouts
from jackfield.transport.connection import Connection
from jackfield.transport.http import Transport
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
from jackfield.transport.timers import Timers
from tests.patience import PATIENCE_S, once_of_many
from tests.servers import CUT, HANG, chunk, head, serve, sse_reply, stream_reply, text_reply

PAUSE_S = 0.02


@pytest.fixture(params=[True, False], ids=["http1", "library"])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    async with Transport(http1=request.param) as opened:
        yield opened


async def opened(transport: Transport, url: str, **timeouts: float) -> HttpReply:
    return await transport.open(HttpRequest(url=url, stream=True, timeouts=Timeouts(**timeouts)))


def paused(*texts: str) -> list[object]:
    """Return steps that say the texts apart from each other."""
    return [head(200, transfer_encoding="chunked"), *(step for each in texts for step in (chunk(each), PAUSE_S))]


async def test_every_piece_is_read_and_only_what_is_made_of_them_is_yielded(transport: Transport) -> None:
    pieces = {text: threading.Event() for text in ("a", "b", "c!", "d", "e!")}
    seen = []

    def read(piece: bytes) -> str:
        seen.append(text := piece.decode())
        pieces[text].set()  # and the next one is said
        return text.upper() if "!" in text else ""

    steps = [step for text, was_read in pieces.items() for step in (chunk(text), was_read)]
    with serve([head(200, transfer_encoding="chunked"), *steps, chunk("")]) as server:
        made = [each async for each in (await opened(transport, server.url)).pieces(read)]

    assert (seen, made) == ([*pieces], ["C!", "E!"])


async def test_whoever_makes_nothing_of_a_piece_sleeps_on() -> None:
    connection = Connection(lambda _: None)
    connection.connection_made(asyncio.Transport())
    connection._expecting = True
    connection.data_received(head(200, transfer_encoding="chunked"))
    seen: list[bytes] = []
    waiting = connection.wait(Timers(Timeouts(), asyncio.get_running_loop().time), seen.append)

    connection.data_received(chunk("a") + chunk("b"))
    connection.data_received(chunk("c"))

    assert (seen, waiting.done()) == ([b"ab", b"c"], False)
    connection.data_received(chunk(""))
    assert waiting.done()


async def test_what_comes_while_the_reader_is_busy_waits_in_order(transport: Transport) -> None:
    seen = bytearray()

    def read(piece: bytes) -> bytes:
        seen.extend(piece)
        return piece

    with serve([*paused(*"abcdefgh"), chunk("")]) as server:
        async for _ in (await opened(transport, server.url)).pieces(read):
            await asyncio.sleep(3 * PAUSE_S)

    assert seen == b"abcdefgh"


@pytest.mark.parametrize("at_piece", [1, 3])
async def test_what_reading_raises_is_raised_to_the_reader(transport: Transport, at_piece: int) -> None:
    seen = []

    def read(piece: bytes) -> None:
        seen.append(piece)
        if len(seen) == at_piece:
            raise BadReply("nothing to read")

    with serve([*paused(*"abcdefgh"), HANG]) as server:
        reply = await opened(transport, server.url)
        with pytest.raises(BadReply, match="nothing to read"):
            async for _ in reply.pieces(read):
                pass

    assert len(seen) == at_piece


@pytest.mark.parametrize(("ends", "idle_s"), [(HANG, 0.2), (CUT, PATIENCE_S)])
async def test_a_body_that_nobody_was_woken_for_breaks_as_any_other(
    transport: Transport, ends: object, idle_s: float
) -> None:
    with serve([*paused("a", "b"), ends]) as server:
        reply = await opened(transport, server.url, idle=idle_s)
        with pytest.raises(TimeoutExpired if ends is HANG else StreamBroken):
            async for _ in reply.pieces(lambda _: None):
                pass


async def test_idle_time_counts_from_the_last_piece_though_nobody_was_woken(transport: Transport) -> None:
    async def is_heard_to_its_end() -> bool:
        heard = bytearray()
        reply = await opened(transport, server.url, idle=0.6, first_token=PATIENCE_S)
        with pytest.raises(TimeoutExpired, match="timer: idle"):
            async for _ in reply.pieces(heard.extend):
                pass
        return b"the end" in heard

    with serve(sse_reply(*["one", 0.1] * 7, "the end", HANG)) as server:
        assert await once_of_many(is_heard_to_its_end)


async def test_the_whole_time_ends_a_body_that_nobody_was_woken_for(transport: Transport) -> None:
    with serve([*paused(*"abcdefghijklmnopqrst" * 3), chunk("")]) as server:
        reply = await opened(transport, server.url, total=0.7)
        with pytest.raises(TimeoutExpired, match="timer: total"):
            async for _ in reply.pieces(lambda _: None):
                pass


@pytest.mark.parametrize("body", [text_reply("x" * 100_000), stream_reply("x" * 100_000)])
async def test_a_long_piece_is_read_as_it_is(transport: Transport, body: list[object]) -> None:
    seen = bytearray()
    with serve(body) as server:
        async for _ in (await opened(transport, server.url)).pieces(seen.extend):
            pass

    assert seen == b"x" * 100_000


async def test_a_packed_body_is_unpacked_first(transport: Transport) -> None:
    read: Callable[[bytes], str] = bytes.decode
    with serve(text_reply(gzip.compress(b"packed", mtime=0), content_encoding="gzip")) as server:
        made = [each async for each in (await opened(transport, server.url)).pieces(read)]

    assert made == ["packed"]


async def test_a_connection_whose_body_was_read_unwoken_is_used_again(transport: Transport) -> None:
    with serve([*paused("a", "b"), chunk("")]) as server:
        for _ in range(3):
            async for _ in (await opened(transport, server.url)).pieces(lambda _: None):
                pass

    assert server.connections == 1
