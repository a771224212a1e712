"""The transport against real servers that misbehave in every way a server can."""

from __future__ import annotations

import asyncio
import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from jackfield.credential import Secret
from jackfield.errors import BadReply, ConnectError, ConnectionLost, Error, Offline, StreamBroken, TimeoutExpired
from jackfield.model import Network, Timeouts
from jackfield.transport.http import Transport
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
from tests.late import put_forward
from tests.patience import PATIENCE_S
from tests.servers import (
    CUT,
    HANG,
    RESET,
    chunk,
    free_port,
    head,
    json_reply,
    serve,
    sse_reply,
    stream_reply,
    text_reply,
)


@pytest.fixture(params=[True, False], ids=["http1", "library"])
async def transport(request: pytest.FixtureRequest) -> AsyncIterator[Transport]:
    async with Transport(http1=request.param) as opened:
        yield opened


def ask(url: str, **fields: object) -> HttpRequest:
    return HttpRequest(url=f"{url}/v1/chat", body=b'{"a": 1}', settings="models.providers.venice", **fields)


async def fail(transport: Transport, request: HttpRequest) -> Error:
    """Return the error that opening or reading ends in."""
    with pytest.raises(Error) as caught:
        await (await transport.open(request)).read()
    return caught.value


async def drink(reply: HttpReply, heard: bytearray) -> None:
    """Read to the end, keeping what came before an error."""
    async for piece in reply.chunks():
        heard += piece


async def hear(
    pieces: AsyncIterator[bytes], words: bytes, *, after_s: float = 0, then: threading.Event | None = None
) -> bytes:
    """Read on until the words are there; while that is waited for, let time pass, and let the server go on."""

    async def read() -> bytes:
        heard = b""
        while words not in heard:
            heard += await anext(pieces)
        return heard

    async with asyncio.timeout(PATIENCE_S + after_s):
        reading = asyncio.ensure_future(read())
        if after_s or then:
            await asyncio.sleep(0.01)
        put_forward(after_s)
        if then:
            then.set()
        return await reading


# -- what is sent and heard --------------------------------------------------------


async def test_a_request_arrives_as_it_is_and_secrets_only_at_the_socket(transport: Transport) -> None:
    with serve(json_reply({"ok": True}, x_request_id="r1", **{"X-Mixed": "Yes"})) as server:
        request = HttpRequest(
            url=f"{server.url}/v1/a%2Fb%7E?api-version=1&key=abc",
            headers={"authorization": Secret("Bearer sk-1234567890"), "x-title": "t"},
            body=b"{}",
        )
        reply = await transport.open(request)
        body = await reply.read()

    heard = server.journal[0]
    assert (heard.method, heard.target, heard.body) == ("POST", "/v1/a%2Fb%7E?api-version=1&key=abc", b"{}")
    assert (heard.headers["authorization"], heard.headers["x-title"]) == ("Bearer sk-1234567890", "t")
    assert (reply.status, reply.headers["x-request-id"], reply.headers["x-mixed"], body) == (
        200,
        "r1",
        "Yes",
        b'{"ok": true}',
    )
    assert "sk-1234" not in repr(request)
    assert reply.url == f"{server.url}/v1/a%2Fb%7E?api-version=1&key=****"


async def test_chunks_come_when_they_are_sent(transport: Transport) -> None:
    heard = threading.Event()
    with serve(sse_reply("one", heard, "two")) as server:
        pieces = (await transport.open(ask(server.url, stream=True))).chunks()
        first = await hear(pieces, b"one\n\n")
        heard.set()
        rest = await hear(pieces, b"two\n\n")

    assert (first, rest) == (b"data: one\n\n", b"data: two\n\n")


async def test_connections_are_kept_and_shared(transport: Transport) -> None:
    with serve(json_reply(1)) as server:
        for _ in range(3):
            await (await transport.open(ask(server.url))).read()

    assert [each.connection for each in server.journal] == [1, 1, 1]


async def test_a_refusal_is_a_reply_not_an_error(transport: Transport) -> None:
    with serve(json_reply({"error": "slow down"}, 429, retry_after="2")) as server:
        reply = await transport.open(ask(server.url))
        body = await reply.read_refusal()

    assert (reply.status, reply.headers["retry-after"], body) == (429, "2", b'{"error": "slow down"}')


async def test_a_refusal_whose_body_breaks_is_read_as_far_as_it_comes(transport: Transport) -> None:
    with serve(
        [head(500, content_length="99") + b"half", RESET],
        [head(500, content_length="9000000") + b"x" * 2_000_000, HANG],
    ) as server:
        assert await (await transport.open(ask(server.url))).read_refusal() in {b"half", b""}
        # It says no more: who waited for the rest would wait for ever.
        assert len(await (await transport.open(ask(server.url))).read_refusal()) == 1024 * 1024


async def test_cookies_are_not_kept(transport: Transport) -> None:
    with serve(json_reply(1, set_cookie="session=abc; Path=/")) as server:
        for _ in range(2):
            await (await transport.open(ask(server.url))).read()

    assert "cookie" not in server.journal[1].headers


async def test_nothing_of_the_process_environment_is_used(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with serve(json_reply(1)) as server:
        assert await (await transport.open(ask(server.url))).read() == b"1"


async def test_long_headers_and_ipv6_addresses_are_fine(transport: Transport) -> None:
    with serve(json_reply(1, content_security_policy="x" * 30_000), host="::1") as server:
        assert await (await transport.open(ask(server.url))).read() == b"1"


async def test_a_compressed_answer_is_unpacked(transport: Transport) -> None:
    packed = gzip.compress(b'{"ok": true}')
    with serve(text_reply(packed, content_type="application/json", content_encoding="gzip")) as server:
        assert await (await transport.open(ask(server.url))).read() == b'{"ok": true}'


async def test_a_decompression_bomb_is_cut_off(transport: Transport) -> None:
    packed = gzip.compress(bytes(20_000_000))
    with serve(text_reply(packed, content_encoding="gzip")) as server:
        reply = await transport.open(ask(server.url))
        with pytest.raises(BadReply, match="is over 1000000 bytes"):
            await reply.read(1_000_000)


async def test_an_endless_body_is_cut_off_and_its_connection_closed(transport: Transport) -> None:
    with serve([head(200, transfer_encoding="chunked"), *[chunk(b"x" * 60_000)] * 200, HANG]) as server:
        reply = await transport.open(ask(server.url))
        with pytest.raises(BadReply, match="is over 100000 bytes"):
            await reply.read(100_000)
        assert await server.saw_drop()


async def test_what_a_reader_does_not_want_is_not_unpacked(transport: Transport) -> None:
    packed = gzip.compress(bytes(60_000_000))
    tracemalloc.start()
    with serve(text_reply(packed, content_encoding="gzip")) as server:
        reply = await transport.open(ask(server.url))
        async for _ in reply.chunks():
            break
        await reply.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 10_000_000


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("deflate", zlib.compress(b"one two")),
        ("deflate", zlib.compress(b"one two", wbits=-15)),
        ("GZIP", gzip.compress(b"one ", mtime=0) + gzip.compress(b"two", mtime=0)),
        ("identity", b"one two"),
    ],
)
async def test_every_way_to_compress_is_unpacked(transport: Transport, encoding: str, packed: bytes) -> None:
    with serve(text_reply(packed, content_encoding=encoding)) as server:
        reply = await transport.open(ask(server.url))
        assert await reply.read() == b"one two"
    assert server.journal[0].headers["accept-encoding"] == "gzip, deflate"


async def test_a_proxy_that_wants_a_password_says_so_on_plain_http_too(transport: Transport) -> None:
    with serve(text_reply("who are you", 407)) as proxy:
        sent = HttpRequest(url="http://far.invalid/", network=Network(proxy=proxy.url))
        with pytest.raises(ConnectError, match="the proxy refused with HTTP 407"):
            await transport.open(sent)


async def test_a_body_that_is_not_compressed_as_it_says_is_a_bad_reply(transport: Transport) -> None:
    with serve(text_reply("plain", content_encoding="gzip")) as server:
        assert type(await fail(transport, ask(server.url))) is BadReply


# -- redirects ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_by_name_and_nothing_is_sent_there(transport: Transport, status: int) -> None:
    with serve(json_reply("stolen")) as other, serve() as server:
        target = f"http://me:pw@127.0.0.1:{other.port}/x?token=t1"
        server.replies = ([head(status, location=target, content_length="0")],)
        error = await fail(transport, ask(server.url, headers={"authorization": Secret("Bearer k")}))

    assert type(error) is BadReply
    assert error.status == status
    assert f"{server.url}/v1/chat redirects to {other.url}/x?token=****" in error.message
    assert "models.providers.venice.baseUrl" in error.hint
    assert not other.journal


# -- the way there -----------------------------------------------------------------


async def test_a_refused_connection_says_so(transport: Transport) -> None:
    error = await fail(transport, ask(f"http://127.0.0.1:{free_port()}"))

    assert type(error) is ConnectError
    assert "connection refused" in error.message
    assert "cannot reach http://127.0.0.1:" in error.message
    assert error.hint == "is the server running?"


@pytest.mark.parametrize("name", ["api.nowhere.invalid", f"{'a' * 70}.invalid", "a..b.invalid"])
async def test_an_unknown_name_says_so(transport: Transport, name: str) -> None:
    error = await fail(transport, ask(f"https://{name}"))

    assert type(error) is ConnectError
    assert name[:60] in error.message
    assert "models.providers.venice.baseUrl" in error.hint


async def test_a_key_with_a_line_break_is_not_sent_and_not_shown(transport: Transport) -> None:
    with serve(json_reply(1)) as server:
        request = ask(server.url, headers={"authorization": Secret("Bearer sk-12345\r\nx-evil: 1")})
        error = await fail(transport, request)

    assert type(error) is ConnectError
    assert "sk-12345" not in repr(error) + error.hint
    assert error.__cause__ is None
    assert not server.journal


async def test_a_connection_closed_before_any_answer_says_so_and_is_not_retried(transport: Transport) -> None:
    with serve([CUT], [RESET]) as server:
        for _ in range(2):
            error = await fail(transport, ask(server.url))
            assert type(error) is ConnectionLost
            assert "lost before any answer" in error.message

    assert len(server.journal) == 2


async def test_a_get_is_not_retried_behind_our_back(transport: Transport) -> None:
    with serve([CUT]) as server:
        await fail(transport, HttpRequest(method="GET", url=server.url))

    assert len(server.journal) == 1


async def test_something_that_is_not_http_says_so(transport: Transport) -> None:
    with serve([b"SSH-2.0-OpenSSH_9.6\r\n", CUT]) as server:
        error = await fail(transport, ask(server.url, headers={"authorization": Secret("Bearer sk-1234567890")}))

    assert type(error) is BadReply
    assert "not HTTP" in error.message
    # The library's own error shows the headers it sent; no chain may lead to it.
    assert error.__cause__ is None
    assert error.__context__ is None


# -- kept-alive connections that go away -------------------------------------------


@pytest.mark.parametrize("act", [CUT, RESET])
async def test_a_reused_connection_that_closes_unheard_is_replaced_once(transport: Transport, act: object) -> None:
    with serve(json_reply(1), [act], json_reply(2)) as server:
        await (await transport.open(ask(server.url))).read()
        assert await (await transport.open(ask(server.url))).read() == b"2"

    assert [each.connection for each in server.journal] == [1, 1, 2]
    assert server.journal[2].body == b'{"a": 1}'


async def test_a_second_loss_in_a_row_is_the_callers(transport: Transport) -> None:
    with serve(json_reply(1), [CUT]) as server:
        await (await transport.open(ask(server.url))).read()
        assert type(await fail(transport, ask(server.url))) is ConnectionLost

    assert len(server.journal) == 3


async def test_a_reused_connection_that_has_begun_to_answer_is_not_replaced(transport: Transport) -> None:
    with serve(json_reply(1), [b"HTTP/1.1 200 OK\r\ncontent-", CUT], json_reply(2)) as server:
        await (await transport.open(ask(server.url))).read()
        assert type(await fail(transport, ask(server.url))) is ConnectionLost

    assert len(server.journal) == 2


# -- broken in the middle ----------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (sse_reply("one", CUT), "closed by the other side"),
        (sse_reply("one", 0.02, RESET), "reset by the other side"),
        ([head(200, content_length="100") + b"data: x", CUT], "closed by the other side"),
    ],
)
async def test_a_body_that_breaks_off_is_a_broken_stream(transport: Transport, steps: list[object], why: str) -> None:
    with serve(steps) as server:
        reply = await transport.open(ask(server.url))
        heard = bytearray()
        with pytest.raises(StreamBroken, match=why) as caught:
            await drink(reply, heard)

    assert heard.startswith(b"data: ")
    assert f"{server.url}/v1/chat" in caught.value.message


# -- timers ------------------------------------------------------------------------


async def test_silence_after_the_request_ends_with_the_first_token_timer(transport: Transport) -> None:
    with serve([HANG]) as server:
        error = await fail(transport, ask(server.url, timeouts=Timeouts(first_token=0.15)))
        assert await server.saw_drop()

    assert type(error) is TimeoutExpired
    assert error.message == f"no first token from {server.url}/v1/chat within 0.15 s (timer: firstToken)"
    assert error.hint == "to wait longer, raise models.providers.venice.timeouts.firstToken"


@pytest.mark.parametrize("promise", [(), (b": keep-alive\n\n", 0.05, b": keep-alive\n\n"), (b"event: ping\n",)])
async def test_headers_and_comments_are_no_first_token(transport: Transport, promise: tuple[object, ...]) -> None:
    with serve(sse_reply(*promise, HANG)) as server:
        error = await fail(transport, ask(server.url, timeouts=Timeouts(first_token=0.2, idle=PATIENCE_S)))

    assert "(timer: firstToken)" in error.message


async def test_outside_an_event_stream_the_first_byte_counts(transport: Transport) -> None:
    rest = threading.Event()
    with serve(stream_reply("{", rest, "}", content_type="application/json")) as server:
        pieces = (await transport.open(ask(server.url, timeouts=Timeouts(first_token=20, idle=40)))).chunks()
        assert await hear(pieces, b"{") == b"{"
        assert await hear(pieces, b"}", after_s=30, then=rest) == b"}"


async def test_a_data_line_cut_in_two_is_a_first_token(transport: Transport) -> None:
    second, third = threading.Event(), threading.Event()
    with serve(stream_reply(b": wait\n\nda", second, b"ta: x\n\n", third, b"data: y\n\n")) as server:
        pieces = (await transport.open(ask(server.url, timeouts=Timeouts(first_token=20, idle=40)))).chunks()
        await hear(pieces, b"da")
        await hear(pieces, b"ta: x\n\n", then=second)
        assert (await hear(pieces, b"y\n\n", after_s=30, then=third)).endswith(b"data: y\n\n")


async def test_a_pause_between_pieces_ends_with_the_idle_timer(transport: Transport) -> None:
    steps = [threading.Event() for _ in range(3)]
    with serve(sse_reply("one", steps[0], b":\n\n", steps[1], b":\n\n", steps[2], "two", HANG)) as server:
        reply = await transport.open(ask(server.url, timeouts=Timeouts(idle=20)))
        pieces = reply.chunks()
        await hear(pieces, b"one\n\n")
        for step, words in zip(steps, (b":\n\n", b":\n\n", b"two\n\n"), strict=True):
            await hear(pieces, words, after_s=15, then=step)
        with pytest.raises(TimeoutExpired, match=r"nothing more from .* within 20 s \(timer: idle\)"):
            await hear(pieces, b"more", after_s=25)
        assert await server.saw_drop()


async def test_a_slow_reader_is_no_idle_server(transport: Transport) -> None:
    with serve(sse_reply("one", 0.02, "two", 0.02, "three")) as server:
        reply = await transport.open(ask(server.url, timeouts=Timeouts(first_token=20, idle=20)))
        heard = b""
        async for piece in reply.chunks():
            heard += piece
            put_forward(25)
            await asyncio.sleep(0.05)

    assert heard.count(b"data:") == 3


async def test_a_limit_of_nothing_is_no_limit(transport: Transport) -> None:
    with serve(sse_reply(0.1, "x")) as server:
        reply = await transport.open(ask(server.url, timeouts=Timeouts(connect=0, first_token=0, idle=0, total=0)))
        assert await reply.read() == b"data: x\n\n"


async def test_the_whole_has_a_limit_however_lively_it_is(transport: Transport) -> None:
    with serve(sse_reply(*["x", 0.03] * 50)) as server:
        error = await fail(transport, ask(server.url, timeouts=Timeouts(total=0.3)))

    assert "no complete answer" in error.message
    assert "(timer: total)" in error.message
    assert error.hint.endswith("models.providers.venice.timeouts.total")


async def test_a_server_that_does_not_shake_hands_ends_with_the_connect_timer(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        error = await fail(transport, ask(url, timeouts=Timeouts(connect=0.2)))

    assert error.message == f"no connection to {url}/v1/chat within 0.2 s (timer: connect)"


# -- leaving -----------------------------------------------------------------------


async def test_cancelling_before_the_headers_closes_the_connection_at_once(transport: Transport) -> None:
    with serve([HANG]) as server:
        task = asyncio.create_task(transport.open(ask(server.url)))
        await asyncio.to_thread(server.heard.wait, PATIENCE_S)
        assert await server.sees_cancelled(task)


async def test_cancelling_while_reading_closes_the_connection_at_once(transport: Transport) -> None:
    with serve(sse_reply("one", HANG)) as server:
        task = asyncio.create_task(drink(await transport.open(ask(server.url)), bytearray()))
        await asyncio.sleep(0.05)
        assert await server.sees_cancelled(task)


async def test_closing_a_reply_early_closes_its_connection_at_once(transport: Transport) -> None:
    with serve(sse_reply("one", HANG)) as server:
        reply = await transport.open(ask(server.url))
        await anext(reply.chunks())
        await reply.close()
        assert await server.was_left()


async def test_closing_the_transport_breaks_what_is_open() -> None:
    transport = Transport()
    with serve(sse_reply("one", HANG)) as server:
        reply = await transport.open(ask(server.url))
        await transport.close()
        assert await server.saw_drop()
        with pytest.raises(StreamBroken):
            await reply.read()
    await transport.close()


# -- offline -----------------------------------------------------------------------


async def test_offline_calls_this_machine_only() -> None:
    async with Transport(offline=True) as transport:
        with serve(json_reply(1)) as server:
            assert await (await transport.open(ask(server.url))).read() == b"1"
        error = await fail(transport, ask("https://api.venice.example"))

    assert type(error) is Offline
    assert "--offline" in error.message
    assert "api.venice.example" in error.message
