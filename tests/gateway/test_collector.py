"""A call that has ended is gone, however it ended: nothing of it waits for the collector, which stops everybody when it comes."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from jackfield.errors import Error
from jackfield.gateway.exchange import Exchange
from jackfield.gateway.express import Express
from jackfield.gateway.parts import Visit
from jackfield.gateway.passage import Passage
from jackfield.gateway.passing import Passing
from jackfield.gateway.server import BoundedProtocol
from jackfield.reply import ChatStream
from jackfield.routing.walk import Walk
from jackfield.transport.connection import Connection
from tests.gateway.serving import configured, provider, running
from tests.gateway.test_leaving import ask, read_until
from tests.gateway.test_passage import ODD, WARM, WHOLE, Caller, warmed
from tests.patience import await_true
from tests.servers import CUT, HANG, RESET, json_reply, serve, sse_reply

KINDS = (BoundedProtocol, ChatStream, Connection, Error, Exchange, Express, Passage, Passing, Visit, Walk)
HELLO = [{"role": "user", "content": "Hello"}]
ENDS = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def piece(text: str) -> dict:
    return {"id": "c", "model": "m-2026", "choices": [{"index": 0, "delta": {"content": text}}]}


def left_over() -> Counter[str]:
    return Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, KINDS))


def await_gone(before: Counter[str], servers: int = 1) -> None:
    """Return when nothing is left of what came since, but a connection to each server that is kept for the next call."""
    await_true(lambda: left_over() - before <= Counter(Connection=servers), "the end of all that a call was made of")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize(
    ("stream", "answer"),
    [
        (
            False,
            json_reply({"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}),
        ),
        (True, sse_reply(piece("Hi"), 0.02, piece(" you"), ENDS, "[DONE]")),
    ],
    ids=["whole", "streamed"],
)
@pytest.mark.usefixtures("no_collector")
def test_nothing_of_a_call_waits_for_the_collector(path, stream, answer) -> None:
    with serve(answer) as server, running(configured(box=provider(f"{server.url}/v1"))) as gateway:
        before = left_over()
        for _ in range(3):
            gateway.post(path, {"model": "box/m", "messages": HELLO, "max_tokens": 9, "stream": stream})
        await_gone(before)


PATHS = pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"], ids=["passed on", "said anew"])


@pytest.mark.parametrize("amid", [True, False], ids=["amid the words", "before the first word"])
@PATHS
@pytest.mark.usefixtures("no_collector")
def test_nothing_of_a_caller_that_leaves_waits_for_the_collector(path, amid) -> None:
    answer = sse_reply(piece("Hi"), HANG) if amid else [HANG]
    with serve(answer) as server, running(configured(box=provider(f"{server.url}/v1"))) as gateway:
        before = left_over()
        for number in range(1, 4):
            with ask(gateway, path=path) as line:
                if amid:
                    read_until(line, b"Hi")
                await_true(lambda number=number: len(server.journal) == number, "the request")
        await_gone(before)
        assert [each.outcome for each in gateway.calls] == ["cancelled"] * 3


NO = {"error": {"message": "no"}}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (json_reply(NO, 400), "invalid_request"),
        (json_reply(NO, 401), "auth"),
        (sse_reply(piece("Hi"), CUT), "stream_broken"),
        (sse_reply(piece("Hi"), RESET), "stream_broken"),
        (sse_reply(piece("Hi"), NO), "server_error"),
        (sse_reply(piece("Hi")), "stream_broken"),
    ],
    ids=["refused", "refused key", "cut", "reset", "error", "no end"],
)
@PATHS
@pytest.mark.usefixtures("no_collector")
def test_nothing_of_a_call_that_fails_waits_for_the_collector(path, answer, outcome) -> None:
    with serve(answer) as server, running(configured(box=provider(f"{server.url}/v1"))) as gateway:
        before = left_over()
        gateway.post(path, {"model": "box/m", "messages": HELLO, "max_tokens": 9, "stream": True})
        await_gone(before)
        assert gateway.last_call().outcome == outcome


@PATHS
@pytest.mark.usefixtures("no_collector")
def test_nothing_of_a_try_that_another_stands_in_for_waits_for_the_collector(path) -> None:
    body = {"model": "box/m", "messages": HELLO, "max_tokens": 9, "stream": True, "fallbacks": ["other/m"]}
    with serve(json_reply(NO, 401)) as first, serve(sse_reply(piece("Hi"), ENDS, "[DONE]")) as second:
        config = configured(box=provider(f"{first.url}/v1"), other=provider(f"{second.url}/v1"))
        with running(config) as gateway:
            before = left_over()
            gateway.post(path, body)
            await_true(lambda: len(gateway.calls) == 1 and not gateway.gateway.open, "the end of the call")
            await_gone(before, servers=2)
            assert [each.reason for each in gateway.calls[0].attempts] == ["auth", None]


@pytest.mark.usefixtures("no_collector")
def test_nothing_of_a_refused_request_waits_for_the_collector() -> None:
    with serve([HANG]) as server, running(configured(box=provider(f"{server.url}/v1"))) as gateway:
        before = left_over()
        assert gateway.ask("POST", "/v1/chat/completions", b"{").status == 400
        assert gateway.post("/v1/nothing", {}).status == 404
        await_gone(before)


@pytest.mark.usefixtures("no_collector")
def test_nothing_of_a_passage_waits_for_the_collector() -> None:
    refusal, broken = json_reply({"error": {"message": "bad"}}, 400), ODD["no JSON"]
    with warmed(json_reply(WHOLE), broken, refusal, [HANG]) as warm:
        before = left_over()
        assert [warm.caller.ask().status for _ in range(3)] == [200, 502, 400]
        caller = Caller(warm.gateway)
        caller.send()
        await_true(lambda: len(warm.server.journal) == WARM + 4, "the request")
        caller.line.close()
        await_true(lambda: len(warm.gateway.calls) == WARM + 4, "the end of the call")
        await_gone(before)


@pytest.mark.usefixtures("no_collector")
def test_nothing_of_a_connection_that_its_server_closes_waits_for_the_collector() -> None:
    with warmed([CUT], json_reply(WHOLE), [CUT], json_reply(WHOLE)) as warm:
        before = left_over()
        assert [warm.caller.ask().status for _ in range(2)] == [200, 200]
        await_true(lambda: len(warm.gateway.calls) == WARM + 2, "the end of the calls")
        await_gone(before)
