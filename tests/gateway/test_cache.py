"""Answers that are kept: given again to equal requests of the same caller, and to no other."""

from __future__ import annotations

import json

import openai
import pytest

from jackfield.config.gateway import CacheRules
from jackfield.credential import Secret
from jackfield.gateway.access import Stores
from jackfield.gateway.cache import Cache
from jackfield.gateway.keys import Key, digest
from jackfield.gateway.rows import rows_of
from jackfield.message import ChatResponse, TextBlock
from tests.gateway.serving import TOKEN, configured, provider, running
from tests.servers import json_reply, serve, sse_reply

HELLO = [{"role": "user", "content": "Hello"}]
CHAT = {"model": "box/m", "messages": HELLO, "temperature": 0}
ANN = "jf-ann-0123456789"


def whole(text: str, **more: object) -> dict[str, object]:
    return {
        "id": "c", "model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 2},
        "choices": [{"index": 0, "message": {"content": text}, "finish_reason": "stop"} | more],
    }  # fmt: skip


def said(answer) -> str:
    return answer.json()["choices"][0]["message"]["content"]


class Now:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def asked():
    """A gateway with a cache, in front of a provider that says another number every time."""
    with (
        serve(lambda received: json_reply(whole(f"answer {received.connection} {received.at}"))) as server,
        caching(f"{server.url}/v1") as gateway,
    ):
        yield gateway, server


def caching(url: str, *, now: Now | None = None, stores: Stores | None = None, models=("m", "other"), **rules):
    config = configured(box=provider(url, models=[{"id": name, "reasoning": True} for name in models]))

    def change(parts) -> None:
        parts.cache = Cache(CacheRules(enabled=True, **rules), now or Now())

    return running(config, change=change, stores=stores)


def test_an_equal_request_is_answered_from_memory(asked) -> None:
    gateway, server = asked
    first, second = gateway.post("/v1/chat/completions", CHAT), gateway.post("/v1/chat/completions", CHAT)
    assert [each.headers["x-jackfield-cache"] for each in (first, second)] == ["miss", "hit"]
    assert said(first) == said(second)
    assert second.json()["usage"] == first.json()["usage"]
    assert (len(server.journal), second.headers["x-jackfield-cost-usd"]) == (1, "0")
    call = gateway.last_call()
    assert (call.cache, call.usage.input, call.cost_usd, call.outcome) == ("hit", None, 0, "ok")
    (row,) = rows_of(call, lambda: "id")
    assert (row.source, row.served, row.cost_nanos, row.input) == ("cache", "box/m", 0, None)
    assert 'jackfield_cache_total{result="hit"} 1' in gateway.get("/metrics").text


def test_every_protocol_gets_it_whole_and_streamed(asked) -> None:
    gateway, server = asked
    text = said(gateway.post("/v1/chat/completions", CHAT))
    client = gateway.held.enter_context(openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=TOKEN, max_retries=0))
    pieces = list(client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices) == text
    assert pieces[-1].usage.completion_tokens == 2
    answer = client.responses.create(model="box/m", input="Hello", temperature=0, store=False)
    assert answer.output_text
    gemini = gateway.post(
        "/v1beta/models/box/m:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}], "generationConfig": {"temperature": 0}},
    )
    assert gemini.headers["x-jackfield-cache"] == "hit"
    assert gemini.json()["candidates"][0]["content"]["parts"][0]["text"] == text
    gateway.last_call()
    assert gateway.calls[1].is_stream
    assert len(server.journal) <= 2


def test_a_stream_is_kept_and_given_whole() -> None:
    word = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "one "}}]}
    end = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    with serve(sse_reply(word, word, end, "[DONE]")) as server, caching(f"{server.url}/v1") as gateway:
        first = gateway.post("/v1/chat/completions", {**CHAT, "stream": True})
        assert first.headers["x-jackfield-cache"] == "miss"
        again = gateway.post("/v1/chat/completions", {**CHAT, "stream": True})
        assert (again.headers["x-jackfield-cache"], again.text.count("[DONE]")) == ("hit", 1)
        assert said(gateway.post("/v1/chat/completions", CHAT)) == "one one "
        assert len(server.journal) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"model": "box/other"},
        {"messages": [{"role": "user", "content": "Hello "}]},
        {"messages": [{"role": "system", "content": "x"}, *HELLO]},
        {"temperature": 0.5}, {"top_p": 0.5}, {"seed": 1}, {"max_tokens": 9}, {"stop": ["x"]}, {"user": "ann"},
        {"reasoning_effort": "high"}, {"reasoning_effort": "low"}, {"presence_penalty": 1}, {"logprobs": True},
        {"response_format": {"type": "json_object"}}, {"tool_choice": "none"}, {"a_field_nobody_knows": 1},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]},
        {"service_tier": "flex"}, {"parallel_tool_calls": False}, {"n": 1},
    ],
    ids=lambda change: next(iter(change)) + str(next(iter(change.values())))[:12],
)  # fmt: skip
def test_what_an_answer_depends_on_makes_another_question(asked, change) -> None:
    gateway, server = asked
    gateway.post("/v1/chat/completions", CHAT)
    other = gateway.post("/v1/chat/completions", {**CHAT, **change})
    assert (other.status, other.headers["x-jackfield-cache"], len(server.journal)) == (200, "miss", 2)
    assert gateway.post("/v1/chat/completions", {**CHAT, **change}).headers["x-jackfield-cache"] == "hit"


def test_efforts_of_thought_have_answers_of_their_own(asked) -> None:
    gateway, _ = asked
    answers = {said(gateway.post("/v1/chat/completions", {**CHAT, "reasoning_effort": effort}))
               for effort in ("low", "medium", "high", "low", "medium", "high")}  # fmt: skip
    assert len(answers) == 3


@pytest.mark.parametrize("shared", [False, True])
def test_callers_share_answers_only_where_the_config_says_so(shared) -> None:
    stores = Stores(token=Secret(TOKEN), keys=(Key(id="config:ann", name="ann", digest=digest(ANN)),))
    with (
        serve(json_reply(whole("Hi"))) as server,
        caching(f"{server.url}/v1", stores=stores, shared=shared) as gateway,
    ):
        gateway.post("/v1/chat/completions", CHAT)
        other = gateway.post("/v1/chat/completions", CHAT, authorization=f"Bearer {ANN}")
        assert other.headers["x-jackfield-cache"] == ("hit" if shared else "miss")


def test_a_caller_may_have_it_otherwise(asked) -> None:
    gateway, server = asked
    first = gateway.post("/v1/chat/completions", CHAT, cache_control="no-store")
    assert "x-jackfield-cache" not in first.headers
    assert gateway.post("/v1/chat/completions", CHAT).headers["x-jackfield-cache"] == "miss"
    fresh = gateway.post("/v1/chat/completions", CHAT, cache_control="max-age=0, No-Cache")
    assert fresh.headers["x-jackfield-cache"] == "miss"
    assert len(server.journal) == 3
    # A fresh answer takes the old one's place.
    assert said(gateway.post("/v1/chat/completions", CHAT)) == said(fresh)


def test_what_is_not_a_good_answer_is_not_kept() -> None:
    cut = {"index": 0, "message": {"content": "Hal"}, "finish_reason": "length"}
    replies = [
        json_reply({"error": {"message": "no"}}, 400),
        json_reply({**whole(""), "choices": [cut]}),
        json_reply(whole("Hi")),
    ]
    with serve(*replies) as server, caching(f"{server.url}/v1") as gateway:
        answers = [gateway.post("/v1/chat/completions", CHAT) for _ in range(4)]
        assert [each.headers["x-jackfield-cache"] for each in answers] == ["miss", "miss", "miss", "hit"]
        assert len(server.journal) == 3


def test_a_stand_ins_answer_is_not_kept() -> None:
    def reply(received):
        return (
            json_reply({"error": {"message": "x"}}, 503) if received.json()["model"] == "m" else json_reply(whole("B"))
        )

    with serve(reply) as server, caching(f"{server.url}/v1") as gateway:
        body = {**CHAT, "fallbacks": ["box/other"]}
        answers = [gateway.post("/v1/chat/completions", body) for _ in range(2)]
        assert [each.headers["x-jackfield-cache"] for each in answers] == ["miss", "miss"]
        assert answers[0].json()["model"] == "box/other"


def test_only_repeatable_requests_where_the_config_wants_that() -> None:
    with serve(json_reply(whole("Hi"))) as server, caching(f"{server.url}/v1", deterministic=True) as gateway:
        loose = {**CHAT, "temperature": 0.7}
        assert "x-jackfield-cache" not in gateway.post("/v1/chat/completions", loose).headers
        assert gateway.post("/v1/chat/completions", {**loose, "seed": 3}).headers["x-jackfield-cache"] == "miss"
        assert gateway.post("/v1/chat/completions", CHAT).headers["x-jackfield-cache"] == "miss"


def test_answers_grow_old_and_room_is_bounded() -> None:
    now = Now()
    cache = Cache(CacheRules(ttl_seconds=60, max_bytes=100_000), now)
    answer = ChatResponse(content=(TextBlock("x" * 9_000),), model="a/b")
    for number in range(30):
        cache.keep(bytes([number]), answer)
        cache.find(bytes([0]))  # used all the time
    assert cache.size <= 100_000
    assert cache.find(bytes([0])) == answer
    assert cache.find(bytes([1])) is None
    assert cache.find(bytes([29])) == answer
    cache.keep(b"big", ChatResponse(content=(TextBlock("x" * 20_000),), model="a/b"))
    assert cache.find(b"big") is None
    now.seconds = 61
    assert cache.find(bytes([29])) is None
    for number in range(30):
        cache.find(bytes([number]))
    assert cache.size == 0


def test_a_key_that_may_not_ask_a_model_gets_no_kept_answer() -> None:
    from jackfield.config.gateway import Limits

    stores = Stores(
        token=Secret(TOKEN),
        keys=(Key(id="config:ann", name="ann", digest=digest(ANN), limits=Limits(models=("box/other",))),),
    )
    with serve(json_reply(whole("Hi"))) as server, caching(f"{server.url}/v1", stores=stores, shared=True) as gateway:
        gateway.post("/v1/chat/completions", CHAT)
        refused = gateway.post("/v1/chat/completions", CHAT, authorization=f"Bearer {ANN}")
        assert refused.status == 403
        assert "Hi" not in json.dumps(refused.json())


def test_marks_for_the_providers_own_cache_arrive(asked) -> None:
    gateway, server = asked
    block = {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}}
    body = {"model": "box/m", "max_tokens": 9, "system": [block], "messages": HELLO}
    assert gateway.post("/v1/messages", body).headers["x-jackfield-cache"] == "miss"
    plain = {**body, "system": [{"type": "text", "text": "long"}]}
    assert gateway.post("/v1/messages", plain).headers["x-jackfield-cache"] == "miss"
    assert len(server.journal) == 2
