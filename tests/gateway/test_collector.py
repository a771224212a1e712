"""A call that has ended well is gone: nothing of it waits for the collector, which stops everybody when it comes."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator

import pytest

from jackfield.gateway.exchange import Exchange
from jackfield.gateway.parts import Visit
from jackfield.gateway.passing import Passing
from jackfield.gateway.server import BoundedProtocol
from jackfield.reply import ChatStream
from tests.gateway.serving import configured, provider, running
from tests.patience import await_true
from tests.servers import json_reply, serve, sse_reply

KINDS = (BoundedProtocol, ChatStream, Exchange, Passing, Visit)
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
        await_true(lambda: not left_over() - before, "the end of all that a call was made of")
