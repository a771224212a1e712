"""Callers that leave, servers that end, streams that say nothing."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from jackfield.gateway.parts import Settings
from jackfield.gateway.rows import rows_of
from tests.gateway.serving import TOKEN, configured, provider, running
from tests.servers import HANG, json_reply, serve, sse_reply, stream_reply

WORD = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "one "}}]}
END = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
WHOLE = {"id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}


def ask(gateway, *, stream: bool = True, path: str = "/v1/chat/completions") -> socket.socket:
    """Send a request and leave its answer unread."""
    body = json.dumps(
        {"model": "box/m", "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": "x"}]}
    )
    line = socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=10)
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {len(body)}\r\n\r\n"
    line.sendall((head + body).encode())
    return line


def read_until(line: socket.socket, words: bytes) -> bytes:
    said = b""
    while words not in said:
        piece = line.recv(65536)
        assert piece, said
        said += piece
    return said


@pytest.mark.parametrize("when", ["before the first word", "amid the words", "before a whole answer"])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"], ids=["passed on", "said anew"])
def test_a_caller_that_leaves_is_not_paid_for(when, path) -> None:
    amid = when == "amid the words"
    with serve(sse_reply(WORD, HANG) if amid else [HANG]) as server:
        config = configured(box=provider(f"{server.url}/v1"), other=provider(f"{server.url}/v1"))
        with running(config) as gateway:
            line = ask(gateway, stream=when != "before a whole answer", path=path)
            assert server.heard.wait(5)
            if amid:
                read_until(line, b"one ")
            else:
                time.sleep(0.05)
            left = time.monotonic()
            line.close()
            assert server.dropped.wait(2)
            assert server.dropped_at - left < 0.2
            call = gateway.last_call()
            assert call.outcome == "cancelled"
            assert [each.reason for each in call.attempts] == ["cancelled"]
            assert call.usage.input, "what was read is counted"
            assert call.usage.output if amid else True
            rows = list(rows_of(call, lambda: "1"))
            assert [(row.outcome, row.input, row.estimated) for row in rows] == [("cancelled", call.usage.input, True)]
            time.sleep(0.05)
            assert len(server.journal) == 1


def test_a_quiet_stream_shows_that_it_lives() -> None:
    with serve(sse_reply(0.5, WORD, 0.4, END, "[DONE]")) as server:
        config = configured(box=provider(f"{server.url}/v1"))
        with running(config, settings=Settings(ping_s=0.15)) as gateway:
            with ask(gateway) as line:
                said = read_until(line, b"[DONE]")
                before, _, after = said.partition(b"one ")
                assert before.count(b": keep-alive\n\n") >= 2
                assert after.count(b": keep-alive\n\n") >= 1
            with ask(gateway, path="/v1/messages") as line:
                assert b"event: ping" in read_until(line, b"message_stop")


def test_a_failure_after_a_sign_of_life_is_the_wires_own_error() -> None:
    with (
        serve([0.4, *json_reply({"error": {"message": "no"}}, 400)]) as server,
        running(configured(box=provider(f"{server.url}/v1")), settings=Settings(ping_s=0.1)) as gateway,
    ):
        with ask(gateway) as line:
            said = read_until(line, b"0\r\n\r\n")
        assert b'data: {"error":' in said
        assert b"[DONE]" not in said
        assert gateway.last_call().outcome == "invalid_request"


def test_open_requests_finish_before_the_server_ends() -> None:
    with (
        serve(sse_reply(WORD, 0.5, WORD, END, "[DONE]")) as server,
        running(configured(box=provider(f"{server.url}/v1"))) as gateway,
    ):
        with ask(gateway) as line:
            read_until(line, b"one ")
            gateway.server.should_exit = True
            assert b"[DONE]" in read_until(line, b"0\r\n\r\n")
            assert gateway.last_call().outcome == "ok"
        with pytest.raises(ConnectionError):
            ask(gateway)


def test_new_parts_answer_new_requests_and_old_ones_finish() -> None:
    with serve(sse_reply(WORD, 0.4, END, "[DONE]"), json_reply(WHOLE)) as server:
        closed = threading.Event()
        with running(configured(box=provider(f"{server.url}/v1"))) as gateway:
            gateway.on_close = closed.set
            with ask(gateway) as line:
                read_until(line, b"one ")
                gateway.reload()
                body = {"model": "box/m", "messages": [{"role": "user", "content": "x"}]}
                assert gateway.post("/v1/chat/completions", body).status == 200
                assert not closed.is_set()
                assert b"[DONE]" in read_until(line, b"0\r\n\r\n")
            assert closed.wait(3)


def test_a_caller_that_reads_slowly_slows_the_provider() -> None:
    piece = (
        "data: " + json.dumps({**WORD, "choices": [{"index": 0, "delta": {"content": "x" * 60_000}}]}) + "\n\n"
    ).encode()
    with (
        serve(stream_reply(*[piece] * 400)) as server,
        running(configured(box=provider(f"{server.url}/v1"))) as gateway,
    ):
        line = ask(gateway)
        read_until(line, b"xxx")
        time.sleep(1.0)
        # Most of 24 MB waits at the provider; a gateway that had taken them all would have ended the call.
        assert gateway.calls == []
        line.close()
        assert server.dropped.wait(3)
        assert gateway.last_call().outcome == "cancelled"
