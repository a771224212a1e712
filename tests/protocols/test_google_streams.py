"""Gemini's streams: read in every frame the API uses, written as its own clients read them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield import errors
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, split_events
from jackfield.message import (
    ChatResponse,
    Citation,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    TokenLogprob,
    ToolCall,
    Usage,
)
from jackfield.protocols import google_generative_ai as wire
from jackfield.protocols.google_generative_ai import cloud_code
from jackfield.protocols.google_generative_ai.frames import ObjectDecoder
from jackfield.protocols.sse import MAX_EVENT_BYTES
from tests.protocols.conformance import Heard, cut, render_stream


def chunk(*parts: dict[str, Any], **candidate: Any) -> dict[str, Any]:
    content = {"content": {"role": "model", "parts": list(parts)}} if parts else {}
    return {"candidates": [{**content, "index": 0, **candidate}], "responseId": "r", "modelVersion": "m"}


def as_sse(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\r\n\r\n" for each in chunks)


def as_array(*chunks: Any) -> bytes:
    return b"[" + b"\r\n,\r\n".join(json.dumps(each, indent=1).encode() for each in chunks) + b"\n]"


CHUNKS = (
    chunk({"text": "H", "thought": True}),
    chunk({"text": 'm {"\\', "thought": True}),
    chunk({"text": "Y"}) | {"usageMetadata": {"promptTokenCount": 3, "cachedContentTokenCount": 1}},
    chunk({"text": "es"}),
    chunk({"functionCall": {"name": "f", "args": {"a": "}{"}}, "thoughtSignature": "c2ln"}),
    chunk(finishReason="STOP") | {"usageMetadata": {"candidatesTokenCount": 2, "promptTokenCount": None}},
)


# -- frames ------------------------------------------------------------------------


@pytest.mark.parametrize("data", [as_sse(*CHUNKS), as_array(*CHUNKS)], ids=["sse", "array"])
def test_a_stream_says_the_same_in_either_frame_and_in_any_cut(data: bytes) -> None:
    whole = Heard(wire, [data])
    assert (whole.error, whole.reply.text, whole.reply.thinking) == (None, "Yes", 'Hm {"\\')
    assert whole.reply.tool_calls[0].arguments == '{"a":"}{"}'
    assert whole.reply.finish_reason == "tool_calls"
    assert whole.reply.usage == Usage(2, 2, 1)
    assert whole.signature() == Heard(wire, [as_sse(*CHUNKS)]).signature()
    for position in range(len(data) + 1):
        assert Heard(wire, cut(data, [position])).signature() == whole.signature(), position
    assert Heard(wire, [data[n : n + 1] for n in range(len(data))]).signature() == whole.signature()


def test_words_that_follow_each_other_are_one_block_and_go_out_as_they_come() -> None:
    parser = wire.StreamParser()
    events = [event for each in CHUNKS[2:4] for event in parser.feed(as_sse(each))]
    assert events[1:] == [BlockStart(0, TextBlock("")), BlockDelta(0, "Y"), BlockDelta(0, "es")]


def test_one_object_where_a_stream_was_asked_for_is_read() -> None:
    assert Heard(wire, [json.dumps(chunk({"text": "Yes"}, finishReason="STOP")).encode()]).reply.text == "Yes"


def test_an_array_of_boundless_events_is_refused() -> None:
    decoder = ObjectDecoder()
    decoder.feed(b'[{"a": "')
    with pytest.raises(errors.BadReply, match="over"):
        decoder.feed(b"x" * MAX_EVENT_BYTES)


# -- ends --------------------------------------------------------------------------


def test_a_stream_without_a_reason_to_end_is_broken_and_holds_what_was_heard() -> None:
    for data in (as_sse(*CHUNKS[:4]), as_array(*CHUNKS[:4])[:-1]):
        heard = Heard(wire, [data])
        assert isinstance(heard.error, errors.StreamBroken)
        assert heard.error.partial
        assert heard.error.partial.text == "Yes"


@pytest.mark.parametrize("data", [b"<html>Gone</html>", b"Hello\n\n"])
def test_a_body_that_is_no_stream_is_named(data: bytes) -> None:
    assert isinstance(Heard(wire, [data]).error, errors.BadReply)


@pytest.mark.parametrize("frame", [as_sse, as_array])
def test_an_error_in_the_stream_comes_after_the_words_before_it(frame: Any) -> None:
    heard = Heard(wire, [frame(CHUNKS[2], {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}})])
    assert isinstance(heard.error, errors.Overloaded)
    assert heard.error.partial
    assert heard.error.partial.text == "Y"
    assert BlockDelta(0, "Y") in heard.events


def test_a_blocked_prompt_ends_a_stream_well() -> None:
    reply = Heard(wire, [as_sse({"promptFeedback": {"blockReason": "OTHER"}})]).reply
    assert (reply.finish_reason, reply.raw_finish_reason) == ("content_filter", "OTHER")


def test_what_is_new_null_or_of_no_sense_is_skipped() -> None:
    odd = [
        {},
        {"candidates": None, "usageMetadata": None},
        {"newField": 1},
        chunk({"text": ""}),
        chunk({"thought": True}),
    ]
    data = as_sse(*odd, chunk({"text": "Yes"}, finishReason="STOP")) + b"data: {\r\n\r\ndata: 7\r\n\r\n"
    heard = Heard(wire, [data])
    assert (heard.error, heard.reply.text) == (None, "Yes")


def test_a_field_of_another_type_breaks_the_stream() -> None:
    assert isinstance(Heard(wire, [as_sse({"candidates": [{"content": {"parts": {}}}]})]).error, errors.BadReply)


# -- blocks ------------------------------------------------------------------------


def test_a_late_signature_hangs_on_the_block_before_it() -> None:
    data = as_sse(chunk({"text": "Yes"}), chunk({"text": "", "thoughtSignature": "c2ln"}, finishReason="STOP"))
    assert Heard(wire, [data]).reply.content == (
        TextBlock("Yes", opaque={wire.NAME: {"signedFrom": 3, "thoughtSignature": "c2ln"}}),
    )


def test_sources_that_come_at_the_end_belong_to_the_whole_text() -> None:
    segment = {"startIndex": 1, "endIndex": 3, "text": "es"}
    grounding = {
        "groundingChunks": [{"web": {"uri": "u"}}],
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0]}],
    }
    data = as_sse(
        chunk({"text": "Ye"}, groundingMetadata={}),
        chunk({"text": "s"}, finishReason="STOP", groundingMetadata=grounding),
    )
    reply = Heard(wire, [data]).reply
    assert reply.content == (TextBlock("Yes", citations=[Citation("u", start=1, end=3)]),)
    assert reply.extras == {"candidates": [{"groundingMetadata": grounding}]}


def test_other_candidates_grow_apart() -> None:
    other = {"candidates": [{"content": {"parts": [{"text": "N"}]}, "index": 1}]}
    more = {"candidates": [{"content": {"parts": [{"text": "o"}]}, "index": 1, "finishReason": "STOP"}]}
    reply = Heard(wire, [as_sse(CHUNKS[2], other, CHUNKS[3], more, chunk(finishReason="STOP"))]).reply
    assert reply.text == "Yes"
    assert reply.extras["candidates"][1] == {
        "content": {"parts": [{"text": "N"}, {"text": "o"}]}, "index": 1, "finishReason": "STOP",
    }  # fmt: skip


def test_cloud_codes_events_come_out_of_their_envelopes() -> None:
    heard = Heard(cloud_code, [as_sse(*({"response": each, "traceId": "t"} for each in CHUNKS))])
    assert heard.signature() == Heard(wire, [as_sse(*CHUNKS)]).signature()
    broken = Heard(cloud_code, [as_sse({"response": CHUNKS[0]}, {"error": {"code": 429, "message": "slow"}})])
    assert isinstance(broken.error, errors.RateLimit)


# -- written -----------------------------------------------------------------------

REPLY = ChatResponse(
    id="r",
    model="m",
    content=[
        ThinkingBlock("Hm.", "c2ln"),
        TextBlock("Köln", citations=[Citation("u", "T", start=1, end=4)]),
        ImageBlock("image/png", "aGk="),
        ToolCall("a", "f", '{"a":1}', opaque={wire.NAME: {"thoughtSignature": "c2ln"}}),
    ],
    finish_reason="tool_calls",
    usage=Usage(3, 6, 4, 1, 2),
    logprobs=[TokenLogprob("K", -0.5)],
)


def test_what_we_write_we_read() -> None:
    heard = Heard(wire, [render_stream(wire, list(split_events(REPLY)))])
    reply = heard.reply
    assert heard.error is None
    assert (reply.text, reply.thinking, reply.usage, reply.logprobs) == (
        REPLY.text,
        REPLY.thinking,
        REPLY.usage,
        REPLY.logprobs,
    )
    assert reply.tool_calls == REPLY.tool_calls
    assert reply.content[0].signature == "c2ln"  # type: ignore[union-attr]  # a thought
    assert reply.content[2] == REPLY.content[2]


def test_calls_that_interleave_are_written_whole_as_they_end() -> None:
    starts = [BlockStart(n, ToolCall(f"t{n}", "f", "")) for n in range(2)]
    deltas = [BlockDelta(n, text) for text in ('{"n"', ":1}") for n in range(2)]
    written = render_stream(
        wire, [MessageStart(), *starts, *deltas, BlockEnd(1), BlockEnd(0), MessageEnd("tool_calls")]
    )
    assert [(call.id, call.arguments) for call in Heard(wire, [written]).reply.tool_calls] == [
        ("t1", '{"n":1}'),
        ("t0", '{"n":1}'),
    ]


def test_a_broken_reply_ends_with_the_wires_error_and_no_reason() -> None:
    renderer = wire.StreamRenderer()
    data = (
        renderer.feed(MessageStart())
        + renderer.feed(BlockStart(0, TextBlock("Hel")))
        + renderer.fail(errors.Overloaded("busy"))
    )
    assert b"finishReason" not in data
    heard = Heard(wire, [data])
    assert isinstance(heard.error, errors.Overloaded)
    assert heard.error.partial
    assert heard.error.partial.text == "Hel"
