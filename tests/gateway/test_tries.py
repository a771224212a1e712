"""What is told of tries: by the short way in the same words as by the long one, and of who answered alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.serving import configured, provider, running
from tests.plugins.folder import plugin_home, switched_on, write_code
from tests.servers import CUT, json_reply, serve, sse_reply

HELLO = [{"role": "user", "content": "Hello"}]
WHOLE = {
    "id": "c", "model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
}  # fmt: skip
WORD = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
FAILURE = {"error": {"message": "the machine is on fire", "type": "server_error"}}


@pytest.mark.parametrize("end", [CUT, FAILURE], ids=["cut", "told"])
def test_a_stream_that_breaks_on_the_short_way_is_told_of_as_on_the_long_one(end: object) -> None:
    told = []
    # Pictures are weighed, so that a body that may hold one goes the long way.
    long_way = {"metadata": {"image": "none"}}
    for more in ({}, long_way):
        with (
            serve(sse_reply(WORD, 0.05, end)) as server,
            running(configured(box=provider(f"{server.url}/v1"))) as gateway,
        ):
            gateway.post("/v1/chat/completions", {"model": "box/m", "messages": HELLO, "stream": True, **more})
            (tried,) = gateway.last_call().attempts
        told.append((tried.reason, tried.message.replace(server.url, ""), tried.status))
        assert bool(tried.api) == bool(more)  # by this the ways are told apart
    assert told[0] == told[1]


def test_losses_are_told_of_who_answered_and_of_nobody_else() -> None:
    busy = json_reply({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, 529)
    with serve(lambda _: busy) as first, serve(json_reply(WHOLE)) as second:
        lossy, good = provider(first.url, "anthropic-messages"), provider(f"{second.url}/v1")
        with running(configured(lossy=lossy, good=good)) as gateway:
            asked = {"model": "lossy/m", "messages": HELLO, "seed": 7, "fallbacks": ["good/m"]}
            answer = gateway.post("/v1/chat/completions", asked)
    assert (answer.status, answer.headers["x-jackfield-model"]) == (200, "good/m")
    assert "x-jackfield-loss" not in answer.headers


def test_a_plugin_hears_of_every_try_of_the_gateways_too(home: Path) -> None:
    log = home / "log"
    code = f"""
def on_attempt(attempt):
    with open({str(log)!r}, "a") as file:
        file.write(f"{{attempt.model}} {{attempt.reason}}\\n")
"""
    write_code(plugin_home(home), code)
    with serve(json_reply(WHOLE)) as server:
        config = configured(box=provider(f"{server.url}/v1")) | switched_on("mine")
        with running(config) as gateway:
            assert gateway.post("/v1/chat/completions", {"model": "box/m", "messages": HELLO}).status == 200
            gateway.last_call()
    assert log.read_text(encoding="utf-8") == "box/m None\n"
