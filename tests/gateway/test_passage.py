"""Calls that are passed on without a task: they come to the same as any other, whatever goes wrong."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import asdict

from jackfield.config.gateway import Limits
from jackfield.gateway.access import Stores
from jackfield.gateway.keys import Key, digest
from jackfield.gateway.prompt import _part
from jackfield.gateway.server import HEAD_S, KEEP_ALIVE_S
from tests.gateway.serving import TOKEN, Answer, Running, configured, provider, running
from tests.gateway.test_leaving import refuses
from tests.patience import PATIENCE_S, await_true
from tests.servers import CUT, HANG, RESET, Reply, Server, head, json_reply, serve, stream_reply, text_reply

CHAT = "/v1/chat/completions"
ASKED = {"model": "box/m", "messages": [{"role": "user", "content": "Hello"}], "vendor_field": {"deep": [1, None]}}
WHOLE = {
    "id": "c1", "created": 1, "model": "m-2026", "vendor": {"x": None},
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}  # fmt: skip
PRICED = [{"id": "m", "cost": {"input": 1, "output": 2}}]
TEXT = json.dumps(WHOLE)
PACKED = gzip.compress(TEXT.encode())
WARM = 3  # requests on one connection, after which their head is known


class Caller:
    """Somebody who keeps a connection, and sends head and body together."""

    def __init__(self, gateway: Running) -> None:
        self.line = socket.create_connection(address_of(gateway), timeout=PATIENCE_S)
        gateway.held.callback(self.line.close)

    def ask(self, body: object = ASKED, path: str = CHAT, **more: str) -> Answer:
        self.send(body, path, **more)
        return self.hear()

    def send(self, body: object = ASKED, path: str = CHAT, **more: str) -> None:
        self.line.sendall(request(body, path, **more))

    def hear(self) -> Answer:
        with http.client.HTTPResponse(self.line, method="POST") as reply:
            reply.begin()
            return Answer(reply.status, {name.lower(): text for name, text in reply.getheaders()}, reply.read())


def address_of(gateway: Running) -> tuple[str, int]:
    return "127.0.0.1", int(gateway.url.rpartition(":")[2])


def request(body: object = ASKED, path: str = CHAT, **more: str) -> bytes:
    data = json.dumps(body)
    said = {"host": "localhost", "authorization": f"Bearer {TOKEN}", **more, "content-length": str(len(data))}
    lines = "".join(f"{name}: {text}\r\n" for name, text in said.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n{data}".encode()


@contextmanager
def warmed(*replies: Reply, path: str = CHAT, stores: Stores | None = None, **more: Any) -> Iterator[Warm]:
    """Run a gateway that knows its caller's head, before a server that goes on with these replies."""
    first = [json_reply(WHOLE)] * WARM
    with serve(*first, *replies) as server:
        box = provider(f"{server.url}/v1", **{"models": PRICED, **more})
        with running(configured(box=box), stores=stores) as gateway:
            caller = Caller(gateway)
            for _ in range(WARM):
                assert caller.ask(path=path).status == 200
            keep_lanes(gateway)
            yield Warm(gateway, server, caller)


def keep_lanes(gateway: Running) -> None:
    """Let lanes be known for longer than their second, which is long over on a busy machine."""
    assert gateway.gateway.parts
    for entry in gateway.gateway.parts.entries._known.values():
        for lane in entry.lanes.values():
            lane.until_s += PATIENCE_S


class Warm:
    """A warm gateway, the server behind it, its caller."""

    def __init__(self, gateway: Running, server: Server, caller: Caller) -> None:
        self.gateway, self.server, self.caller = gateway, server, caller

    def await_passage(self) -> None:
        """Wait until a call is being passed on without a task."""
        await_true(lambda: self.gateway.gateway.passing, "a passage")


def test_a_request_like_one_before_needs_no_task_and_is_answered_and_told_the_same() -> None:
    go_on = threading.Event()
    with warmed([go_on, *json_reply(WHOLE)]) as warm:
        before = warm.gateway.last_call()
        warm.caller.send({**ASKED, "seed": 123456})
        warm.await_passage()
        go_on.set()
        answer = warm.caller.hear()
        assert (answer.status, answer.json()) == (200, {**WHOLE, "model": "box/m"})
        assert (answer.headers["x-jackfield-cost-usd"], answer.headers["x-jackfield-model"]) == ("0.000007", "box/m")
        assert answer.headers["content-length"] == str(len(answer.body))
        assert warm.server.journal[-1].json() == {**ASKED, "model": "m", "seed": 123456}
        assert len(warm.gateway.calls) == WARM + 1
        after = asdict(warm.gateway.last_call())
        assert after["request_id"] == answer.headers["x-request-id"] != before.request_id
        own = ("request_id", "at_ms", "ms", "attempts")
        assert {k: v for k, v in after.items() if k not in own} == {
            k: v for k, v in asdict(before).items() if k not in own
        }
        assert [each.model for each in after["attempts"]] == ["box/m"]
        assert warm.gateway.gateway.numbers()["jackfield_open_requests",] == 0


@pytest.mark.parametrize(
    ("path", "api", "body", "reply"),
    [
        ("/v1/messages", "anthropic-messages", {**ASKED, "max_tokens": 9}, {"content": [{"type": "text", "text": "Hi"}], "usage": {"input_tokens": 1, "output_tokens": 1}}),
        ("/v1beta/models/box/m:generateContent", "google-generative-ai", {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
         {"candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1}}),
    ],
)  # fmt: skip
def test_other_wires_are_passed_on_so_too(path: str, api: str, body: object, reply: object) -> None:
    go_on = threading.Event()
    with (
        serve(*[json_reply(reply)] * WARM, [go_on, *json_reply(reply)]) as server,
        running(configured(box=provider(f"{server.url}/v1", api))) as gateway,
    ):
        caller = Caller(gateway)
        told = [caller.ask(body, path).json() for _ in range(WARM)]
        keep_lanes(gateway)
        caller.send(body, path)
        await_true(lambda: gateway.gateway.passing, "a passage")
        go_on.set()
        assert caller.hear().json() == told[0]


ODD: dict[str, Reply] = {
    "in pieces": [head(content_type="application/json", content_length=str(len(TEXT))), 0.05, TEXT[:9].encode(), 0.05, TEXT[9:].encode()],
    "in chunks": stream_reply(TEXT[:9], 0.05, TEXT[9:], content_type="application/json"),
    "packed": text_reply(PACKED, content_type="application/json", content_encoding="gzip"),
    "packed badly": text_reply(b"no gzip", content_type="application/json", content_encoding="gzip"),
    "without counts": json_reply({**WHOLE, "usage": None}),
    "without an answer": json_reply({**WHOLE, "choices": []}),
    "an error that calls itself well": json_reply({"error": {"message": "no"}}),
    "no JSON": text_reply("{", content_type="application/json"),
    "nothing": text_reply("", content_type="application/json"),
    "a page": text_reply("<html>", content_type="text/html"),
    "elsewhere": text_reply("", 302, location="http://127.0.0.1/x"),
    "a refusal": json_reply({"error": {"message": "bad"}}, 400),
    "no such key": json_reply({"error": {"message": "bad sk-up-0123456789"}}, 401),
    "too busy": json_reply({"error": {"message": "busy"}}, 503),
    "cut amid the body": [head(content_type="application/json", content_length="999"), TEXT.encode(), CUT],
    "reset amid the body": [head(content_type="application/json", content_length="999"), TEXT.encode(), RESET],
    "no HTTP": [b"SSH-2.0-OpenSSH\r\n", CUT],
    "silence": [HANG],
    "silence amid the body": [head(content_type="application/json", content_length="999"), TEXT.encode(), HANG],
    "closed at its end": [*json_reply(WHOLE), CUT],
    "created": json_reply(WHOLE, 201),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_comes_to_the_same_as_for_any_other_request(name: str, caplog: pytest.LogCaptureFixture) -> None:
    how: dict[str, Any] = {"timeouts": {"firstToken": 0.3, "idle": 0.3}}
    with warmed(ODD[name], **how) as warm:
        told = warm.caller.ask()
        call = warm.gateway.last_call()
        assert len(warm.gateway.calls) == WARM + 1
        asked = len(warm.server.journal) - WARM
    # Under a name of its own: what has failed rests for a while.
    with (
        serve(ODD[name]) as server,
        running(configured(primary="bax/m", bax=provider(f"{server.url}/v1", models=PRICED, **how))) as cold,
    ):
        usual = Caller(cold).ask({**ASKED, "model": "bax/m"})
        assert (told.status, _said(told, warm.server)) == (usual.status, _said(usual, server))
        known = cold.last_call()
        assert (call.outcome, call.usage, call.cost_usd) == (known.outcome, known.usage, known.cost_usd)
        assert [each.reason for each in call.attempts] == [each.reason for each in known.attempts]
        assert asked == len(server.journal)
    assert not [each for each in caplog.records if each.name == "asyncio"]


def _said(answer: Answer, server: Server) -> str:
    return answer.text.replace(str(server.port), "PORT").replace("bax", "box")


def test_a_connection_that_was_closing_is_not_a_failure() -> None:
    with warmed([CUT], json_reply(WHOLE)) as warm:
        assert warm.caller.ask().status == 200
        assert [each.reason for each in warm.gateway.last_call().attempts] == [None]
        assert len(warm.server.journal) == WARM + 2


def test_whoever_asks_again_at_once_is_not_given_up_for_the_request_before() -> None:
    odd = stream_reply(TEXT[:9], 0.01, TEXT[9:], content_type="application/json")
    with warmed(odd) as warm:
        assert [warm.caller.ask().status for _ in range(20)] == [200] * 20


def test_a_caller_that_leaves_is_not_paid_for_and_known_to_have_left() -> None:
    with warmed([HANG]) as warm:
        warm.caller.send()
        warm.await_passage()
        warm.caller.line.close()
        assert warm.server.dropped.wait(PATIENCE_S)
        call = warm.gateway.last_call()
        assert (call.outcome, [each.reason for each in call.attempts]) == ("cancelled", ["cancelled"])
        assert call.usage.input, "what was read is counted"
        assert not warm.gateway.gateway.passing
        assert len(warm.gateway.calls) == WARM + 1


def test_a_caller_that_leaves_amid_the_answer_ends_what_waits_for_it() -> None:
    with warmed([head(content_type="application/json", content_length="999"), b"{", HANG]) as warm:
        warm.caller.send()
        await_true(lambda: any(each._task for each in tuple(warm.gateway.gateway.passing)), "a task")
        warm.caller.line.close()
        assert warm.server.dropped.wait(PATIENCE_S)
        assert warm.gateway.last_call().outcome == "cancelled"


def test_a_caller_that_leaves_in_the_moment_of_the_answer_is_told_of_once() -> None:
    with warmed([HANG]) as warm:
        warm.caller.send()
        warm.await_passage()
        (passage,) = warm.gateway.gateway.passing

        def end() -> None:
            passage._begun._connection.data_received(
                b"".join(each for each in json_reply(WHOLE) if isinstance(each, bytes))
            )
            passage.leave()

        assert warm.gateway.loop
        warm.gateway.loop.call_soon_threadsafe(end)
        assert warm.server.dropped.wait(PATIENCE_S)
        assert warm.gateway.last_call().outcome == "cancelled"
        assert Caller(warm.gateway).ask(path="/v1/nothing").status == 404
        assert warm.gateway.gateway.parts
        assert (len(warm.gateway.calls), warm.gateway.gateway.parts.open_calls) == (WARM + 1, 0)


def test_what_comes_behind_a_request_waits_for_its_answer() -> None:
    go_on = threading.Event()
    with warmed([go_on, *json_reply({**WHOLE, "id": "one"})], json_reply({**WHOLE, "id": "two"})) as warm:
        line = warm.caller.line
        warm.caller.send()
        warm.await_passage()
        line.sendall(request() + request()[:50])
        time.sleep(0.05)
        assert len(warm.server.journal) == WARM + 1
        go_on.set()
        assert warm.caller.hear().json()["id"] == "one"
        line.sendall(request()[50:])
        found = b""
        while found.count(b'"id":"two"') < 2:
            found += line.recv(65536)
        assert found.count(b"HTTP/1.1 200") == 2


def test_requests_and_calls_at_a_time_are_counted_once() -> None:
    limits = Limits(requests_per_minute=WARM + 2, concurrency=1, budget_day=Decimal(1))
    stores = Stores(keys=(Key(id="k", name="k", digest=digest(TOKEN), limits=limits),))
    with warmed(json_reply(WHOLE), stores=stores) as warm:
        assert [warm.caller.ask().status for _ in range(3)] == [200, 200, 429]
        assert len(warm.server.journal) == WARM + 2


def test_a_key_that_has_expired_is_refused() -> None:
    ends_ms = time.time_ns() // 1_000_000 + 86_400_000
    stores = Stores(keys=(Key(id="k", name="k", digest=digest(TOKEN), expires_ms=ends_ms),))
    with warmed(json_reply(WHOLE), stores=stores) as warm:
        assert warm.caller.ask().status == 200
        assert warm.gateway.gateway.parts
        warm.gateway.gateway.parts.access._now_ms = lambda: ends_ms
        assert warm.caller.ask().status == 401


def test_whoever_says_something_else_is_somebody_else() -> None:
    with warmed(json_reply(WHOLE)) as warm:
        for said in ("Bearer wrong-0123456789", "Bearer", f"Basic {TOKEN}"):
            assert warm.caller.ask(authorization=said).status == 401
        assert warm.caller.ask(path="/v1/nothing").status == 404
        assert warm.caller.ask({**ASKED, "model": "box/other"}).json()["model"] == "box/other"
        assert (
            warm.caller.ask({**ASKED, "stream": True}).headers["content-type"].startswith("application/json") is False
        )


def test_a_gateway_that_ends_refuses_calls_and_answers_those_under_way() -> None:
    go_on = threading.Event()
    with warmed([go_on, *json_reply(WHOLE)]) as warm:
        warm.caller.send()
        warm.await_passage()
        warm.gateway.gateway.drain()
        warm.gateway.server.should_exit = True
        await_true(lambda: refuses(warm.gateway), "the begin of the end")
        go_on.set()
        answer = warm.caller.hear()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
    with warmed(json_reply(WHOLE)) as warm:
        warm.gateway.gateway.drain()
        assert warm.caller.ask().status == 503


def test_a_server_that_ends_at_once_ends_its_calls_and_tells_of_them() -> None:
    with warmed([HANG]) as warm:
        warm.caller.send()
        warm.await_passage()
        (passage,) = warm.gateway.gateway.passing
        assert warm.gateway.loop
        warm.gateway.loop.call_soon_threadsafe(passage.cancel)
        with pytest.raises(ConnectionError):
            warm.caller.hear()
        assert warm.gateway.last_call().outcome == "cancelled"


def test_new_parts_answer_new_requests_and_what_is_under_way_finishes() -> None:
    go_on, closed = threading.Event(), threading.Event()
    with warmed([go_on, *json_reply(WHOLE)], json_reply(WHOLE)) as warm:
        warm.gateway.on_close = closed.set
        warm.caller.send()
        warm.await_passage()
        warm.gateway.reload()
        assert Caller(warm.gateway).ask().status == 200
        assert not closed.is_set()
        go_on.set()
        assert warm.caller.hear().status == 200
        assert closed.wait(PATIENCE_S)


@pytest.mark.parametrize(
    "more",
    [
        {"expect": "100-continue"},
        {"connection": "close"},
        {"upgrade": "h2c", "connection": "upgrade"},
        {"te": "trailers"},
        {"content-encoding": "gzip"},
        {"x-long": "a" * 5000},
    ],
)
def test_heads_that_ask_more_than_others_are_read_each_time(more: dict[str, str]) -> None:
    with serve(json_reply(WHOLE)) as server, running(configured(box=provider(f"{server.url}/v1"))) as gateway:
        caller = Caller(gateway)
        for _ in range(WARM + 1):
            with suppress(ConnectionError):
                caller.ask(**more)
        assert gateway.gateway.parts
        assert not gateway.gateway.parts.glances


def test_other_versions_and_methods_are_read_each_time() -> None:
    with serve(json_reply(WHOLE)) as server, running(configured(box=provider(f"{server.url}/v1"))) as gateway:
        for begins in (b"GET", b"HEAD"):
            with socket.create_connection(address_of(gateway), timeout=PATIENCE_S) as line:
                for _ in range(WARM):
                    line.sendall(begins + request()[4:])
                    line.recv(65536)
        with socket.create_connection(address_of(gateway), timeout=PATIENCE_S) as line:
            line.sendall(request().replace(b"HTTP/1.1", b"HTTP/1.0"))
            line.recv(65536)
        assert gateway.gateway.parts
        assert not any(b"HTTP/1.0" in said for said in gateway.gateway.parts.glances)
        assert not gateway.gateway.passing


@pytest.mark.parametrize(
    ("data", "parted"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nx: y\r\n\r\n{}", (b"POST / HTTP/1.1\r\nContent-Length: \r\nx: y", b"{}", 0)),
        (b"POST / HTTP/1.1\r\ncontent-length:2\r\n\r\n{}", (b"POST / HTTP/1.1\r\ncontent-length:", b"{}", 0)),
        (b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{", (b"POST / HTTP/1.1\r\ncontent-length: ", b"{", 1)),
        (b"POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}P", (b"POST / HTTP/1.1\r\ncontent-length: ", b"{}P", -1)),
        (b"POST / HTTP/1.1\r\ncontent-length: 2", None),
        (b"POST / HTTP/1.1\r\nx: content-length: 2\r\n\r\n{}", None),
        (b"POST / HTTP/1.1\r\ncontent-length: +2\r\n\r\n{}", None),
        (b"POST / HTTP/1.1\r\nx: y\r\n\r\ncontent-length: 2\r\n\r\n{}", None),
        (b"\r\n\r\n", None),
        (b"", None),
    ],
)  # fmt: skip
def test_a_head_is_known_by_all_but_the_length_of_its_body(data: bytes, parted: object) -> None:
    assert _part(data) == parted


def test_a_body_may_come_behind_its_head() -> None:
    go_on = threading.Event()
    with warmed([go_on, *json_reply(WHOLE)], json_reply(WHOLE)) as warm:
        data, line = request(), warm.caller.line
        for piece in (data[:-90], data[-90:-5], data[-5:]):
            line.sendall(piece)
            time.sleep(0.05)
        warm.await_passage()
        go_on.set()
        assert warm.caller.hear().status == 200
        line.sendall(data[:-5])
        time.sleep(0.05)
        line.sendall(data[-5:] + data)
        line.settimeout(PATIENCE_S)
        assert warm.caller.hear().status == 200
        assert len(warm.server.journal) >= WARM + 2


def test_a_server_that_ends_waits_for_a_body_that_has_begun() -> None:
    with warmed(json_reply(WHOLE)) as warm:
        data, line = request(), warm.caller.line
        line.sendall(data[:-5])
        time.sleep(0.3)  # until it has been read, which nothing tells
        warm.gateway.server.should_exit = True
        await_true(lambda: refuses(warm.gateway), "the begin of the end")
        line.sendall(data[-5:])
        assert warm.caller.hear().headers["connection"] == "close"


def due_in_s(gateway: Running) -> list[float]:
    """Return when connections end unless something comes."""
    assert gateway.loop
    return [each._due_s - gateway.loop.time() for each in gateway.server.server_state.connections]  # type: ignore[union-attr]


def test_a_head_behind_a_known_one_has_no_longer_than_any_other() -> None:
    with warmed(json_reply(WHOLE)) as warm:
        warm.caller.line.close()
        await_true(lambda: not due_in_s(warm.gateway), "the caller's end")
        caller = Caller(warm.gateway)
        assert caller.ask().status == 200
        await_true(lambda: due_in_s(warm.gateway)[0] > HEAD_S, "the wait for another request")
        caller.line.sendall(request()[:50])
        # Heard only when the loop comes to it.
        assert warm.gateway.get("/healthz").status == 200
        assert min(due_in_s(warm.gateway)) <= HEAD_S


@pytest.mark.parametrize("more", [b"\r\n", b"{"])
def test_nothing_keeps_a_connection_for_ever(more: bytes) -> None:
    with serve(json_reply(WHOLE)) as server, running(configured(box=provider(f"{server.url}/v1"))) as gateway:
        caller = Caller(gateway)
        data = request()
        if more == b"{":  # of a body that is not waited for
            data = request(authorization="Bearer wrong-0123456789").partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        caller.line.sendall(data)
        assert caller.hear().status == (401 if more == b"{" else 200)
        caller.line.sendall(more)
        assert gateway.get("/healthz").status == 200
        await_true(lambda: len(due_in_s(gateway)) == 1, "the other's end")
        assert due_in_s(gateway)[0] <= KEEP_ALIVE_S
