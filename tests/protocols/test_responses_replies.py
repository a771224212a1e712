"""Whole replies of the Responses wire: items become blocks, and blocks items."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from jackfield.errors import BadReply, Error, RateLimit, ServerError
from jackfield.message import (
    ChatResponse,
    Citation,
    ImageBlock,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    TokenLogprob,
    ToolCall,
    Usage,
)
from jackfield.protocols import openai_responses as wire
from tests.protocols import responses_samples as samples
from tests.protocols.strategies import arguments, base64s, counts, json_values, names, words


def own(**fields: Any) -> dict[str, Any]:
    return {wire.NAME: fields}


def read(*output: dict[str, Any], **fields: Any) -> ChatResponse:
    return wire.parse_response({"id": "resp_1", "model": "m", "status": "completed", "output": list(output), **fields})


def said(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "id": "msg_1", "status": "completed", "content": list(parts)}


def test_items_become_blocks_in_their_order() -> None:
    reply = wire.parse_response(samples.REPLY)

    thought, text, refusal, call, custom, search, picture = reply.content
    assert thought == ThinkingBlock(
        "t", "e", redacted=False, opaque=own(item={"id": "rs_1"}, content=samples.REASONING["content"])
    )
    assert isinstance(text, TextBlock)
    assert text.citations == (Citation("https://x.test", "T", start=0, end=1), Citation(title="n"))
    assert refusal == RefusalBlock("r")
    assert call == ToolCall("i", "n", "{}", None, own(item={"id": "fc_1", "status": "completed"}))
    assert custom == ToolCall("j", "c", "x", None, own(item={"id": "ctc_1"}, type="custom"))
    assert search == OpaqueBlock(wire.NAME, samples.SEARCH)
    assert isinstance(picture, ImageBlock)
    assert (picture.media_type, picture.data) == ("image/png", "aGk=")
    assert reply.logprobs == (TokenLogprob("t", -0.5, [TokenLogprob("u", -1)]),)
    assert reply.usage == Usage(1, 2, 1, 1, 1)
    assert (reply.finish_reason, reply.raw_finish_reason) == ("tool_calls", "completed")
    assert reply.extras == {"created_at": 1}


def test_a_reply_is_written_with_the_items_it_came_of() -> None:
    written = wire.render_response(wire.parse_response(samples.REPLY))

    same = [{**item, "status": "completed"} if item["type"] != "message" else item for item in samples.REPLY["output"]]
    likely = [
        {"token": "t", "bytes": [116], "logprob": -0.5, "top_logprobs": [{"token": "u", "bytes": [117], "logprob": -1}]}
    ]
    same[1] = {**same[1], "content": [{**same[1]["content"][0], "logprobs": likely}, same[1]["content"][1]]}
    assert written["output"] == same
    assert written["usage"] == samples.USAGE


@pytest.mark.parametrize(
    ("fields", "reason", "raw"),
    [
        ({}, "stop", "completed"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            "length",
            "max_output_tokens",
        ),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter", None),
        ({"status": "incomplete"}, "length", "incomplete"),
        ({"status": "queued"}, "stop", "queued"),
        ({"status": None}, "stop", None),
    ],
)
def test_each_end_is_one_of_four_and_keeps_its_own_word(fields: Any, reason: str, raw: str | None) -> None:
    reply = read(said({"type": "output_text", "text": "Hi"}), **fields)

    assert (reply.finish_reason, reply.raw_finish_reason) == (reason, raw)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (
            {"status": "failed", "output": [], "error": {"code": "rate_limit_exceeded", "message": "slow down"}},
            RateLimit,
        ),
        ({"status": "failed", "output": [], "error": {"code": "server_error", "message": "boom"}}, ServerError),
        ({"status": "failed", "output": []}, ServerError),
        ({"status": "cancelled", "output": []}, ServerError),
        ({"error": {"message": "boom", "type": "server_error"}}, ServerError),
        ({"detail": "slow down", "code": "rate_limit"}, RateLimit),
        ({"id": "resp_1"}, BadReply),
    ],
)
def test_a_reply_that_failed_is_an_error(body: dict[str, Any], kind: type[Error]) -> None:
    with pytest.raises(Error) as failed:
        wire.parse_response(body)

    assert type(failed.value) is kind


def test_a_reply_of_another_wire_gets_ids_and_all_that_clients_expect() -> None:
    reply = ChatResponse(
        id="msg_abc",
        content=[
            ThinkingBlock("Hm.", "c2ln"),
            TextBlock("Hi"),
            ToolCall("toolu_1", "f", ""),
            OpaqueBlock("telegraph", {}),
        ],
        finish_reason="tool_calls",
        extras={"choices": [{"index": 0}]},
    )
    written = wire.render_response(reply)

    assert [item["id"] for item in written["output"]] == ["rs_msg_abc_0", "msg_msg_abc_1", "fc_msg_abc_2"]
    assert [item["status"] for item in written["output"]] == ["completed"] * 3
    assert (written["status"], written["object"], written["error"]) == ("completed", "response", None)
    assert written["output"][2]["arguments"] == "{}"
    assert "choices" not in written


def test_a_count_nobody_gave_stays_unknown() -> None:
    assert read(usage={"input_tokens": 5, "cost": 0.1}).usage == Usage(5, extras={"cost": 0.1})
    assert wire.render_response(ChatResponse())["usage"] is None


# -- a law -------------------------------------------------------------------------


def blocks_at(at: int) -> st.SearchStrategy[Any]:
    """Return the blocks an item of a reply can be."""
    item = {"id": f"item_{at}", "status": "completed"}

    def call(name: str, text: str) -> ToolCall:
        return ToolCall(f"call_{at}", name, text, None, own(item=item))

    def custom(name: str, text: str) -> ToolCall:
        return ToolCall(f"call_{at}", name, text, None, own(item=item, type="custom"))

    def thought(text: str, signature: str | None) -> ThinkingBlock:
        return ThinkingBlock(text, signature, not text, own(item=item))

    return st.one_of(
        words.map(lambda text: TextBlock(text, None, own(item=item))),
        words.map(lambda text: RefusalBlock(text, own(item=item))),
        st.builds(thought, st.just("") | words, st.none() | base64s.filter(bool)),
        st.builds(call, names, arguments),
        st.builds(custom, names, words),
        json_values.map(lambda value: OpaqueBlock(wire.NAME, {"type": "x_call", **item, "x": value})),
    )


@st.composite
def replies(draw: st.DrawFn) -> ChatResponse:
    """Draw a reply as this wire itself writes it: every item with its id and its end."""
    blocks = [draw(blocks_at(at)) for at in range(draw(st.integers(0, 4)))]
    calls = any(isinstance(block, ToolCall) for block in blocks)
    reason, raw = draw(
        st.sampled_from([("tool_calls" if calls else "stop", "completed"), ("length", "max_output_tokens")])
    )
    some = st.none() | counts
    return ChatResponse(
        id=draw(names),
        model=draw(names),
        content=blocks,
        finish_reason=reason,  # type: ignore[arg-type]  # one of the literal's words
        raw_finish_reason=raw,
        usage=Usage(draw(some), draw(some), draw(some), draw(some), draw(some)),
        extras={"created_at": draw(st.integers(1, 10**9))},
    )


@given(replies())
def test_a_reply_comes_back_as_it_was(reply: ChatResponse) -> None:
    written = wire.parse_response(json.encode(wire.render_response(reply)))
    assert written == replace(reply, usage=as_written(reply.usage))


def as_written(usage: Usage) -> Usage:
    """Return the counts a reader of this wire gets: where there are any, it always has these two."""
    if {usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning} == {None}:
        return usage
    return replace(usage, cache_read=usage.cache_read or 0, reasoning=usage.reasoning or 0)


def test_openais_two_details_are_always_there_and_the_time_is_a_number() -> None:
    written = wire.render_response(ChatResponse(usage=Usage(3, 6), extras={"created_at": "2026-11-21T06:00:00Z"}))
    used = written["usage"]
    assert (used["input_tokens_details"], used["output_tokens_details"]) == (
        {"cached_tokens": 0},
        {"reasoning_tokens": 0},
    )
    assert written["created_at"] == 0
    assert wire.render_response(ChatResponse(extras={"created": 1700000000}))["created_at"] == 1700000000


@pytest.mark.parametrize(("reason", "raw"), [("content_filter", "SAFETY"), ("length", "max_tokens")])
def test_the_word_of_another_wire_for_an_end_is_not_repeated(reason: Any, raw: str) -> None:
    written = wire.render_response(ChatResponse(finish_reason=reason, raw_finish_reason=raw))

    assert wire.parse_response(written).finish_reason == reason
    assert written["incomplete_details"]["reason"] != raw


def test_shares_of_a_count_that_have_no_bucket_stay_with_it() -> None:
    details = {"cached_tokens": 1, "audio_tokens": 2}

    assert read(usage={"input_tokens": 5, "input_tokens_details": details}).usage == Usage(
        4, cache_read=1, extras={"input_tokens_details": {"audio_tokens": 2}}
    )


def test_an_item_that_is_none_and_a_source_of_an_unknown_kind_are_passed_over() -> None:
    words = {"type": "output_text", "text": "Hi", "annotations": [{"type": "sparkle"}]}

    (text,) = read({}, said(words)).content
    assert isinstance(text, TextBlock)
    assert text.citations == ()
