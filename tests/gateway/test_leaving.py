"""Callers that leave, servers that end, streams that say nothing."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from jackfield.gateway.parts import Settings
from jackfield.gateway.rows import rows_of
from tests.gateway.serving import TOKEN, configured, provider, running
from tests.patience import PATIENCE_S, await_true, quickest_s
from tests.servers import HANG, Received, Step, chunk, head, json_reply, serve, sse_reply

WORD = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "one "}}]}
END = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
WHOLE = {"id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}


ALIVE = b": keep-alive\n\n"
AT_ONCE_S = 0.2


def connect(gateway) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(gateway.url.rpartition(":")[2])), timeout=PATIENCE_S)


def refuses(gateway) -> bool:
    try:
        connect(gateway).close()
    except ConnectionError:
        return True
    return False


def ask(gateway, *, stream: bool = True, path: str = "/v1/chat/completions") -> socket.socket:
    """Send a request and leave its answer unread."""
    body = json.dumps(
        {"model": "box/m", "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": "x"}]}
    )
    line = connect(gateway)
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {len(body)}\r\n\r\n"
    line.sendall((head + body).encode())
    return line


def read_until(line: socket.socket, words: bytes, times: int = 1) -> bytes:
    said = b""
    while said.count(words) < times:
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

            def leave_s() -> float:
                server.heard.clear()
                server.dropped.clear()
                line = ask(gateway, stream=when != "before a whole answer", path=path)
                assert server.heard.wait(PATIENCE_S)
                if amid:
                    read_until(line, b"one ")
                else:
                    time.sleep(0.05)
                left_s = time.monotonic()
                line.close()
                assert server.dropped.wait(PATIENCE_S)
                return server.dropped_at - left_s

            assert quickest_s(leave_s, AT_ONCE_S) < AT_ONCE_S
            call = gateway.last_call()
            assert call.outcome == "cancelled"
            assert [each.reason for each in call.attempts] == ["cancelled"]
            assert call.usage.input, "what was read is counted"
            assert call.usage.output if amid else True
            rows = list(rows_of(call, lambda: "1"))
            assert [(row.outcome, row.input, row.estimated) for row in rows] == [("cancelled", call.usage.input, True)]
            assert len(server.journal) == len(gateway.calls), "nobody else is asked"


def test_a_quiet_stream_shows_that_it_lives() -> None:
    first, second, third = (threading.Event() for _ in range(3))
    replies = sse_reply(first, WORD, second, END, "[DONE]"), sse_reply(third, WORD, END, "[DONE]")
    with serve(*replies) as server:
        config = configured(box=provider(f"{server.url}/v1"))
        with running(config, settings=Settings(ping_s=0.15)) as gateway:
            with ask(gateway) as line:
                assert b"one " not in read_until(line, ALIVE, times=2)
                first.set()
                _, _, after = read_until(line, b"one ").partition(b"one ")
                after += b"" if ALIVE in after else read_until(line, ALIVE)
                assert b"[DONE]" not in after
                second.set()
                read_until(line, b"[DONE]")
            with ask(gateway, path="/v1/messages") as line:
                read_until(line, b"event: ping")
                third.set()
                read_until(line, b"message_stop")


def test_a_failure_after_a_sign_of_life_is_the_wires_own_error() -> None:
    go_on, refusal = threading.Event(), json_reply({"error": {"message": "no"}}, 400)
    with (
        serve(refusal, [go_on, *refusal]) as server,  # what is refused as it stands is said anew
        running(configured(box=provider(f"{server.url}/v1")), settings=Settings(ping_s=0.1)) as gateway,
    ):
        with ask(gateway) as line:
            read_until(line, ALIVE)
            go_on.set()
            said = read_until(line, b"0\r\n\r\n")
        assert b'data: {"error":' in said
        assert b"[DONE]" not in said
        assert gateway.last_call().outcome == "invalid_request"


def test_open_requests_finish_before_the_server_ends() -> None:
    go_on = threading.Event()
    with (
        serve(sse_reply(WORD, go_on, WORD, END, "[DONE]")) as server,
        running(configured(box=provider(f"{server.url}/v1"))) as gateway,
        ask(gateway) as line,
    ):
        read_until(line, b"one ")
        gateway.server.should_exit = True
        await_true(lambda: refuses(gateway), "an end for those who come late")
        go_on.set()
        assert b"[DONE]" in read_until(line, b"0\r\n\r\n")
        assert gateway.last_call().outcome == "ok"


def test_new_parts_answer_new_requests_and_old_ones_finish() -> None:
    closed, go_on = threading.Event(), threading.Event()
    with (
        serve(sse_reply(WORD, go_on, END, "[DONE]"), json_reply(WHOLE)) as server,
        running(configured(box=provider(f"{server.url}/v1"))) as gateway,
    ):
        gateway.on_close = closed.set
        with ask(gateway) as line:
            read_until(line, b"one ")
            gateway.reload()
            body = {"model": "box/m", "messages": [{"role": "user", "content": "x"}]}
            assert gateway.post("/v1/chat/completions", body).status == 200
            assert not closed.is_set()
            go_on.set()
            assert b"[DONE]" in read_until(line, b"0\r\n\r\n")
        assert closed.wait(PATIENCE_S)


def test_a_caller_that_reads_slowly_slows_the_provider() -> None:
    piece = f"data: {json.dumps({**WORD, 'choices': [{'index': 0, 'delta': {'content': 'x' * 60_000}}]})}\n\n"
    taken: list[int] = []

    def reply(_: Received) -> Iterator[Step]:
        yield head(200, content_type="text/event-stream", transfer_encoding="chunked")
        for number in range(400):
            yield chunk(piece)
            taken.append(number)

    def is_stuck() -> bool:
        before = len(taken)
        time.sleep(0.3)
        return len(taken) == before

    with serve(reply) as server, running(configured(box=provider(f"{server.url}/v1"))) as gateway:
        line = ask(gateway)
        read_until(line, b"xxx")
        await_true(is_stuck)
        # Most of 24 MB waits at the provider; a gateway that had taken them all would have ended the call.
        assert len(taken) < 300
        assert gateway.calls == []
        line.close()
        assert server.dropped.wait(PATIENCE_S)
        assert gateway.last_call().outcome == "cancelled"
