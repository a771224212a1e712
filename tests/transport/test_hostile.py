"""Our own HTTP/1.1 against servers that mean harm: bounded time, bounded memory, nothing mixed up."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import time
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from jackfield.errors import BadReply, ConnectionLost, Error, StreamBroken, TimeoutExpired
from jackfield.model import Timeouts
from jackfield.transport.http import Transport
from jackfield.transport.request import HttpRequest
from tests.patience import PATIENCE_S
from tests.servers import CUT, HANG, RESET, Received, Reply, chunk, head, json_reply, serve, text_reply
from tests.transport.raw import listen, read_head

MB = 1024 * 1024
SOON = Timeouts(first_token=PATIENCE_S, idle=PATIENCE_S, total=2 * PATIENCE_S)


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    async with Transport() as opened:
        yield opened


async def fail(transport: Transport, url: str, limits: Timeouts = SOON) -> Error:
    with pytest.raises(Error) as caught:
        await (await transport.open(HttpRequest(url=url, body=b"{}", timeouts=limits))).read()
    return caught.value


@dataclass
class Peak:
    bytes: int = 0


@contextmanager
def memory() -> Iterator[Peak]:
    peak = Peak()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    yield peak
    peak.bytes = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()


# -- heads -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"HTTP/1.1 200 OK\r\nx: ", b"a" * 65536),
        (b"HTTP/1.1 200 OK\r\n", b"x: 1\r\n" * 10000),
        (b"HTTP/1.1 200 ", b"OK" * 32768),
        (b"HTTP/1.1 200 OK\r\n" + b"a" * 65536, b"a" * 65536),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000),
        (b"", b"\r\n" * 32768),
        (bytes(range(256)), b"\0" * 65536),
    ],
    ids=["a header", "headers", "a reason", "a name", "announcements", "empty lines", "binary"],
)
async def test_a_head_without_end_is_cut_off_early(transport: Transport, start: bytes, more: bytes) -> None:
    with memory() as peak, serve([start, *[more] * 16_000]) as server:
        assert type(await fail(transport, server.url)) is BadReply
        assert await server.saw_drop()

    assert peak.bytes < 8 * MB


async def test_an_answer_that_changes_the_protocol_is_none(transport: Transport) -> None:
    switch = b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"
    with serve([switch, HANG]) as server:
        assert type(await fail(transport, server.url)) is BadReply
        assert await server.saw_drop()


@pytest.mark.parametrize("more", [b"x: " + b"1" * 1000 + b"\r\n", b"a" * 65536], ids=["trailers", "an extension"])
async def test_what_is_no_body_does_not_go_on_for_ever(transport: Transport, more: bytes) -> None:
    framing = b"0\r\n" if more.startswith(b"x:") else b"3;"
    with memory() as peak, serve([head(200, transfer_encoding="chunked") + framing, *[more] * 16_000]) as server:
        assert type(await fail(transport, server.url)) is StreamBroken
        assert await server.saw_drop()

    assert peak.bytes < 8 * MB


@pytest.mark.parametrize(
    "whole", [b"HTTP/1.1 200 OK\r\n" + b"x: 1\r\n" * 20, head(200, content_length="99") + b"a" * 99]
)
async def test_a_byte_now_and_then_holds_nobody_beyond_the_timers(transport: Transport, whole: bytes) -> None:
    drops = [step for byte in whole for step in (bytes([byte]), 0.02)]
    with serve(drops) as server:
        error = await fail(transport, server.url, Timeouts(first_token=0.5, idle=5, total=0.7))
        # The caller has left before all of it was sent.
        assert await server.saw_drop()

    assert type(error) is TimeoutExpired


# -- bodies ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frames",
    [
        b"fffffffffffffffff\r\nabc",
        b"-1\r\nabc",
        b"xyz\r\nabc",
        b"3\r\nabcd\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"\r\n\r\n",
        b"0x3\r\nabc",
    ],
)
async def test_chunks_that_are_none_break_the_stream(transport: Transport, frames: bytes) -> None:
    with serve([head(200, transfer_encoding="chunked"), 0.02, frames, HANG]) as server:
        error = await fail(transport, server.url)
        assert await server.saw_drop()

    assert type(error) is StreamBroken
    assert "it is no HTTP" in error.message


@pytest.mark.parametrize("is_chunked", [True, False])
async def test_an_answer_cut_at_any_byte_is_never_taken_for_whole(transport: Transport, is_chunked: bool) -> None:
    chunked = head(200, transfer_encoding="chunked") + chunk("one ") + chunk("two") + chunk("")
    whole = chunked if is_chunked else text_reply("one two")[0]
    assert isinstance(whole, bytes)
    head_ends = whole.index(b"\r\n\r\n") + 4

    def cut(received: Received) -> Reply:
        return [whole[: int(received.target[1:])], CUT]

    with serve(cut) as server:
        for at in range(len(whole)):
            error = await fail(transport, f"{server.url}/{at}")
            assert type(error) is (ConnectionLost if at < head_ends else StreamBroken), whole[:at]
        reply = await transport.open(HttpRequest(url=f"{server.url}/{len(whole)}"))
        assert await reply.read() == b"one two"


async def test_a_large_answer_passes_in_little_memory(transport: Transport) -> None:
    size = 0
    with memory() as peak, serve([head(200, content_length=str(20 * MB)), *[b"x" * 65536] * 320]) as server:
        reply = await transport.open(HttpRequest(url=server.url))
        async for piece in reply.chunks():
            size += len(piece)

    assert size == 20 * MB
    assert peak.bytes < 3 * MB


async def test_a_slow_reader_makes_the_server_wait(transport: Transport) -> None:
    sent = Counter[str]()

    def pour(plug: socket.socket) -> None:
        read_head(plug)
        plug.sendall(head(200, content_length=str(100 * MB)))
        for _ in range(1600):
            plug.sendall(b"x" * 65536)
            sent["bytes"] += 65536

    size = 0
    with memory() as peak, listen(pour) as url:
        reply = await transport.open(HttpRequest(url=url))
        await asyncio.sleep(0.3)
        before = -1
        while before != sent["bytes"]:
            before = sent["bytes"]
            await asyncio.sleep(0.3)
        # What the kernel holds on both sides is not ours.
        assert before < 20 * MB
        async for piece in reply.chunks():
            size += len(piece)

    assert size == 100 * MB
    assert peak.bytes < 3 * MB


# -- requests ----------------------------------------------------------------------


async def test_a_large_request_goes_out_in_little_memory_beyond_itself(transport: Transport) -> None:
    heard = Counter[str]()

    def swallow(plug: socket.socket) -> None:
        heard["bytes"] += len(read_head(plug).partition(b"\r\n\r\n")[2])
        while heard["bytes"] < 20 * MB:
            heard["bytes"] += len(plug.recv(65536))
        plug.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    body = b"x" * (20 * MB)
    with memory() as peak, listen(swallow) as url:
        reply = await transport.open(HttpRequest(url=url, body=body))
        assert await reply.read() == b"ok"

    assert heard["bytes"] == 20 * MB
    assert peak.bytes < 3 * MB


async def test_an_answer_that_comes_before_the_request_is_read_is_heard(transport: Transport) -> None:
    def refuse(plug: socket.socket) -> None:
        plug.recv(1000)
        plug.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge")
        over.wait(2 * PATIENCE_S)

    body, over = b"x" * (20 * MB), threading.Event()
    with memory() as peak, listen(refuse) as url:
        reply = await transport.open(HttpRequest(url=url, body=body, timeouts=SOON))
        assert (reply.status, await reply.read_refusal()) == (413, b"large")
        over.set()

    assert peak.bytes < 3 * MB


async def test_a_request_that_was_left_half_sent_is_followed_by_no_other(transport: Transport) -> None:
    callers = Counter[str]()

    def refuse_the_first(plug: socket.socket) -> None:
        callers["all"] += 1
        if callers["all"] > 1:
            read_head(plug)
            plug.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            return
        plug.recv(1000)
        plug.sendall(b"HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge")
        time.sleep(0.1)
        while plug.recv(MB):
            pass

    with listen(refuse_the_first) as url:
        reply = await transport.open(HttpRequest(url=url, body=b"x" * (20 * MB), timeouts=SOON))
        await asyncio.sleep(0.5)
        assert await reply.read_refusal() == b"large"
        other = await transport.open(HttpRequest(url=url, timeouts=SOON))
        assert await other.read() == b"ok"

    assert callers["all"] == 2


async def test_a_server_that_reads_nothing_ends_with_the_timer(transport: Transport) -> None:
    over = threading.Event()
    with listen(lambda _: over.wait(PATIENCE_S)) as url:
        request = HttpRequest(url=url, body=b"x" * (20 * MB), timeouts=Timeouts(first_token=0.3))
        with pytest.raises(TimeoutExpired, match="firstToken"):
            await transport.open(request)
        over.set()


async def test_a_server_that_hangs_up_on_half_a_request_is_noticed_at_once(transport: Transport) -> None:
    def half_close(plug: socket.socket) -> None:
        plug.recv(1000)
        plug.shutdown(socket.SHUT_WR)
        over.wait(2 * PATIENCE_S)

    over = threading.Event()
    with listen(half_close) as url:
        with pytest.raises(ConnectionLost):
            await transport.open(HttpRequest(url=url, body=b"x" * (20 * MB), timeouts=SOON))
        over.set()


# -- kept connections --------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        b"garbage",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"x",
    ],
)
@pytest.mark.parametrize("pause", [0.0, 0.03])
async def test_nobody_gets_what_came_after_anothers_answer(transport: Transport, more: bytes, pause: float) -> None:
    good = text_reply("good")
    with serve([good[0] + more] if not pause else [*good, pause, more, HANG], json_reply("next")) as server:
        assert await (await transport.open(HttpRequest(url=server.url))).read() == b"good"
        await asyncio.sleep(pause * 3)
        assert await (await transport.open(HttpRequest(url=server.url))).read() == b'"next"'

    if more != b"\r\n\r\n" or pause:
        assert [each.connection for each in server.journal] == [1, 2]


@pytest.mark.parametrize("seed", range(2))
async def test_of_a_thousand_requests_on_dying_connections_none_is_lost_or_mixed_up(
    transport: Transport, seed: int
) -> None:
    dice = random.Random(seed)
    used: set[int] = set()
    cut_unheard: Counter[str] = Counter()

    def answer(received: Received) -> Reply:
        is_first, luck = received.connection not in used, dice.random()
        used.add(received.connection)
        good = text_reply(received.target)
        if luck < 0.05:
            return [*good, dice.choice([0.0, 0.002]), dice.choice([CUT, RESET])]  # dies at rest, perhaps unseen
        if luck < 0.10:
            return [text_reply(received.target, connection="close")[0], CUT]
        if luck < 0.15 and not is_first:
            cut_unheard[received.target] += 1
            return [dice.choice([CUT, RESET])]
        return good

    async def ask(numbers: Iterator[int]) -> None:
        for number in numbers:
            reply = await transport.open(HttpRequest(url=f"{server.url}/{number}", body=b"{}", timeouts=SOON))
            assert await reply.read() == f"/{number}".encode()

    with serve(answer) as server:
        numbers = iter(range(1000))
        await asyncio.gather(*(ask(numbers) for _ in range(16)))

    heard = Counter(each.target for each in server.journal)
    assert len(heard) == 1000
    # Heard twice is what a kept connection lost before any answer, and that once.
    assert {target: times for target, times in heard.items() if times > 1} == dict.fromkeys(cut_unheard, 2)
    assert len(cut_unheard) > 10
