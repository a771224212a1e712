"""Two who ask the same at once: one asks, the other waits for that answer, and no longer than for one of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from jackfield.config.gateway import CacheRules
from jackfield.gateway.cache import Cache
from jackfield.gateway.parts import Settings
from tests.gateway.serving import DEFAULTS, Answer, Running, configured, provider, running
from tests.patience import PATIENCE_S, await_true
from tests.servers import CUT, Received, Reply, Server, json_reply, serve, sse_reply

CHAT = {"model": "box/m", "messages": [{"role": "user", "content": "Hello"}], "temperature": 0}
WHOLE = {
    "id": "c", "model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
}  # fmt: skip


class Held:
    """A provider that answers when it is told to, and a gateway with a cache before it."""

    def __init__(
        self, gateway: Running, server: Server, go: threading.Event, pool: ThreadPoolExecutor, replies: list[Reply]
    ) -> None:
        self.gateway, self.server, self.go = gateway, server, go
        self.replies = replies  # before the usual one
        self._pool = pool

    def ask(self, **more: Any) -> Future[Answer]:
        body, heads = {**CHAT, **more}, more.pop("heads", {})
        body.pop("heads", None)
        return self._pool.submit(self.gateway.post, "/v1/chat/completions", body, **heads)

    def await_open(self, many: int) -> None:
        await_true(lambda: len(self.gateway.gateway.open) == many, f"{many} open requests")


@contextmanager
def holding(settings: Settings = DEFAULTS, first_s: float = 60) -> Iterator[Held]:
    go, replies = threading.Event(), list[Reply]()

    def answer(_: Received) -> Reply:
        return replies.pop(0) if replies else [go, *json_reply(WHOLE)]

    def change(parts: Any) -> None:
        parts.cache = Cache(CacheRules(enabled=True), lambda: 0.0)

    with serve(answer) as server, ThreadPoolExecutor() as pool:
        row = {"id": "m", "timeouts": {"firstToken": first_s}}
        config = configured(box=provider(f"{server.url}/v1", models=[row]))
        with running(config, change=change, settings=settings) as gateway:
            try:
                yield Held(gateway, server, go, pool, replies)
            finally:
                go.set()


def cached(*answers: Future[Answer]) -> list[str]:
    return sorted(each.result(PATIENCE_S).headers["x-jackfield-cache"] for each in answers)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_two_who_ask_the_same_at_once_are_asked_for_once(stream: bool) -> None:
    with holding() as held:
        both = [held.ask(stream=stream), held.ask()]
        held.await_open(2)
        held.go.set()
        assert cached(*both) == ["hit", "miss"]
        assert len(held.server.journal) == 1


def test_another_question_waits_for_nobody() -> None:
    with holding() as held:
        both = [held.ask(), held.ask(seed=1), held.ask(heads={"cache_control": "no-cache"})]
        await_true(lambda: len(held.server.journal) == 3, "three questions")
        held.go.set()
        assert cached(*both) == ["miss"] * 3


def test_who_waited_for_a_failure_asks_for_itself() -> None:
    with holding() as held:
        held.replies.append([held.go, *json_reply({"error": {"message": "no"}}, 400)])
        both = [held.ask(), held.ask()]
        held.await_open(2)
        held.go.set()
        assert sorted(each.result(PATIENCE_S).status for each in both) == [200, 400]
        assert len(held.server.journal) == 2


def test_nobody_waits_longer_than_for_a_first_word_of_its_own() -> None:
    word = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "one "}}]}
    with holding(first_s=0.3) as held:
        held.replies += [[*sse_reply(word)[:-1], held.go, CUT], json_reply(WHOLE)]
        first = held.ask(stream=True)
        await_true(lambda: held.server.journal, "a question")
        assert held.ask().result(PATIENCE_S).headers["x-jackfield-cache"] == "miss"
        assert not first.done()


def test_a_stream_that_waits_shows_that_it_lives() -> None:
    with holding(settings=Settings(ping_s=0.05)) as held:
        first = held.ask()
        await_true(lambda: held.server.journal, "a question")
        second = held.ask(stream=True)
        held.await_open(2)
        await_true(lambda: any(each.is_stream for each in held.gateway.gateway.open), "a stream that began")
        held.go.set()
        said = second.result(PATIENCE_S).text
        assert first.result(PATIENCE_S).status == 200
    assert said.startswith(":")
    assert json.loads(said.split("data: ")[1])["choices"][0]["delta"].get("content", "") in {"", "Hi"}
    assert said.rstrip().endswith("data: [DONE]")
