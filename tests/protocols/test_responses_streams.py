"""Streams of the Responses wire: every event, what servers leave out, and what we write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jackfield.errors import BadReply, Error, Quota, RateLimit, StreamBroken
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent, split_events
from jackfield.message import (
    ChatResponse,
    Citation,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    TokenLogprob,
    ToolCall,
    Usage,
)
from jackfield.protocols import openai_responses as wire
from jackfield.protocols.openai_responses import codex
from tests.protocols import responses_samples as samples
from tests.protocols.conformance import Heard, cut, load_cases, render_stream
from tests.protocols.test_responses_replies import as_written, replies

BEGIN = {"type": "response.created", "response": {"id": "resp_1", "model": "m", "status": "in_progress"}}
END = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": []}}


def as_bytes(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: " + event["type"].encode() + b"\ndata: " + json.dumps(event).encode() + b"\n\n" for event in events
    )


def hear(*events: dict[str, Any]) -> Heard:
    return Heard(wire, [as_bytes(*events)])


def read(*events: dict[str, Any]) -> ChatResponse:
    heard = hear(BEGIN, *events, END)
    assert heard.error is None
    return heard.reply


def added(item: dict[str, Any], at: int | None = None) -> dict[str, Any]:
    return {"type": "response.output_item.added", "item": item, **({} if at is None else {"output_index": at})}


def done(item: dict[str, Any], at: int | None = None) -> dict[str, Any]:
    return {"type": "response.output_item.done", "item": item, **({} if at is None else {"output_index": at})}


def delta(kind: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "delta": text, **fields}


def message(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}], **fields}


# -- what is heard -----------------------------------------------------------------


def test_a_stream_says_what_its_last_event_holds_whole() -> None:
    heard = hear(*samples.STREAM)

    assert heard.error is None
    kinds = [type(event) for event in heard.events]
    assert kinds[0] is MessageStart
    assert kinds[-1] is MessageEnd
    assert kinds.count(BlockStart) == kinds.count(BlockEnd) == 7
    assert heard.reply.usage == Usage(1, 2, 1, 1, 1)
    assert heard.reply.logprobs == (TokenLogprob("t", -0.5, [TokenLogprob("u", -1)]),)


def test_a_clean_stream_and_its_whole_are_the_same_reply() -> None:
    item = {**message("Hi there", id="msg_1", status="completed")}
    thought = {**samples.REASONING, "content": []}
    whole = {**samples.REPLY, "output": [thought, item, samples.CALL, samples.SEARCH]}
    heard = hear(
        BEGIN,
        added({"type": "reasoning", "id": "rs_1", "summary": []}, 0),
        delta("reasoning_summary_text", "t", output_index=0, summary_index=0),
        done(thought, 0),
        added({**item, "content": [], "status": "in_progress"}, 1),
        delta("output_text", "Hi ", output_index=1, content_index=0),
        delta("output_text", "there", output_index=1, content_index=0),
        done(item, 1),
        added({**samples.CALL, "arguments": "", "status": "in_progress"}, 2),
        delta("function_call_arguments", "{}", output_index=2),
        done(samples.CALL, 2),
        added(samples.SEARCH, 3),
        done(samples.SEARCH, 3),
        {"type": "response.completed", "response": whole},
    )
    assert heard.reply == wire.parse_response(whole)


def test_a_thoughts_parts_are_parted_by_a_blank_line() -> None:
    said = [delta("reasoning_summary_text", text, output_index=0, summary_index=at) for at, text in enumerate("ab")]
    item = {"type": "reasoning", "summary": [{"type": "summary_text", "text": text} for text in "ab"]}

    (thought,) = read(added({"type": "reasoning", "id": "rs_1"}, 0), *said, done(item, 0)).content

    assert isinstance(thought, ThinkingBlock)
    assert thought.text == "a\n\nb"


def test_a_thought_without_words_is_its_encrypted_content() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2ln"}

    (thought,) = read(added({**item, "encrypted_content": ""}, 0), done(item, 0)).content

    assert thought == ThinkingBlock("", "c2ln", redacted=True, opaque={wire.NAME: {"item": {"id": "rs_1"}}})


def test_a_source_that_comes_by_itself_is_the_words_own() -> None:
    source = {"type": "url_citation", "url": "https://x.test", "title": "X", "start_index": 0, "end_index": 2}
    reply = read(delta("output_text", "Hi"), {"type": "response.output_text.annotation.added", "annotation": source})
    (text,) = reply.content
    assert isinstance(text, TextBlock)
    assert text.citations == (Citation("https://x.test", "X", start=0, end=2),)


# -- what servers leave out --------------------------------------------------------


def test_a_server_that_sends_pieces_alone_is_heard() -> None:
    reply = read(delta("output_text", "Hi "), delta("output_text", "there"), delta("refusal", "No.", content_index=1))

    assert [type(block) for block in reply.content] == [TextBlock, RefusalBlock]
    assert (reply.text, reply.refusal) == ("Hi there", "No.")


def test_a_server_that_sends_wholes_alone_is_heard() -> None:
    reply = read(done(samples.REASONING), done(message("Hi")), done(samples.CALL))

    assert (reply.thinking, reply.text, reply.tool_calls[0].arguments) == ("t", "Hi", "{}")


def test_a_server_that_sends_the_last_event_alone_is_heard() -> None:
    heard = hear({"type": "response.completed", "response": samples.REPLY})

    assert heard.error is None
    assert heard.reply.content == wire.parse_response(samples.REPLY).content


def test_an_item_only_the_last_event_speaks_of_is_said_and_no_other_twice() -> None:
    end = {"type": "response.completed", "response": {"output": [message("Hi"), samples.CALL]}}
    heard = hear(BEGIN, delta("output_text", "Hi", output_index=0), end)

    assert (heard.reply.text, len(heard.reply.content)) == ("Hi", 2)
    assert heard.reply.finish_reason == "tool_calls"


def test_calls_without_an_index_or_an_id_of_their_item_keep_their_arguments_apart() -> None:
    first = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": ""}
    second = {**first, "call_id": "call_2", "name": "g"}
    reply = read(
        added(first),
        delta("function_call_arguments", '{"a":', item_id="fc_x"),
        delta("function_call_arguments", "1}", item_id="fc_x"),
        done({**first, "arguments": '{"a":1}'}),
        added(second),
        delta("function_call_arguments", '{"b":2}', item_id="fc_y"),
        done({**second, "arguments": '{"b":2}'}),
    )
    assert [(call.id, call.arguments) for call in reply.tool_calls] == [("call_1", '{"a":1}'), ("call_2", '{"b":2}')]


def test_a_call_whose_name_comes_last_is_said_then() -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": '{"a":1}'}

    (heard,) = read(delta("function_call_arguments", '{"a":1}', item_id="fc_1"), done(call)).tool_calls

    assert (heard.id, heard.name, heard.arguments) == ("call_1", "f", '{"a":1}')


def test_a_call_without_arguments_or_an_id_has_some() -> None:
    (call,) = read(added({"type": "function_call", "name": "f"}, 0)).tool_calls

    assert (call.id, call.arguments) == ("call_resp_1_0", "{}")


def test_one_index_for_all_items_puts_no_words_in_the_wrong_one() -> None:
    reply = read(
        added({"type": "reasoning", "id": "rs_1"}, 0),
        delta("reasoning_text", "Hm.", output_index=0),
        added({"type": "message", "id": "msg_1"}, 0),
        delta("output_text", "Hi", output_index=0, item_id="msg_1"),
        done({"type": "reasoning", "id": "rs_1", "content": [{"type": "reasoning_text", "text": "Hm."}]}, 0),
        done(message("Hi", id="msg_1"), 0),
    )
    assert (reply.thinking, reply.text, len(reply.content)) == ("Hm.", "Hi", 2)


def test_parts_counted_across_items_are_told_by_their_order() -> None:
    reply = read(delta("output_text", "Hi", output_index=1, content_index=1), done(message("Hi"), 1))

    assert reply.text == "Hi"


def test_codex_whose_last_event_holds_no_items_is_heard_whole_and_streamed() -> None:
    data = as_bytes(BEGIN, added(message("", id="msg_1"), 0), delta("output_text", "Hi", output_index=0), END)

    assert codex.parse_response(data).text == "Hi"
    assert codex.parse_response(json.dumps(samples.REPLY)).text == "t"


def test_a_server_that_does_not_stream_is_heard() -> None:
    heard = Heard(wire, [json.dumps(samples.REPLY).encode()])

    assert heard.reply.text == "t"


# -- ends --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"type": "error", "code": "rate_limit_exceeded", "message": "slow down"}, RateLimit),
        ({"type": "error", "error": {"code": "insufficient_quota", "message": "no more"}}, Quota),
        ({"type": "response.failed", "response": {"status": "failed", "error": {"code": "insufficient_quota"}}}, Error),
        ({"type": "response.failed", "response": {}}, Error),
    ],
)
def test_an_error_in_the_stream_holds_what_was_heard(event: dict[str, Any], kind: type[Error]) -> None:
    heard = hear(BEGIN, delta("output_text", "Hi"), event)

    assert isinstance(heard.error, kind)
    assert heard.error.partial is not None
    assert (heard.error.partial.id, heard.error.partial.text) == ("resp_1", "Hi")


def test_a_stream_without_its_last_event_is_broken() -> None:
    heard = hear(BEGIN, delta("output_text", "Hi"), done(message("Hi")))

    assert isinstance(heard.error, StreamBroken)
    assert heard.error.partial is not None
    assert heard.error.partial.text == "Hi"


@pytest.mark.parametrize("data", [b"", b"data: [DONE]\n\n", b'data: {"choices": []}\n\n'])
def test_a_stream_of_something_else_is_no_reply(data: bytes) -> None:
    assert isinstance(Heard(wire, [data]).error, BadReply)


def test_an_unknown_event_is_skipped() -> None:
    assert (
        read({"type": "response.sparkle", "x": 1}, delta("output_text", "Hi"), {"type": "response.queued"}).text == "Hi"
    )


# -- what is written ---------------------------------------------------------------


def test_blocks_that_interleave_keep_their_own_items() -> None:
    renderer = wire.StreamRenderer()
    events: list[StreamEvent] = [
        MessageStart("resp_1", "m"),
        BlockStart(0, ToolCall("a", "f", "")),
        BlockStart(1, ToolCall("b", "g", "")),
        BlockDelta(1, '{"y":'),
        BlockDelta(0, '{"x":1}'),
        BlockDelta(1, "2}"),
        BlockEnd(1),
        BlockEnd(0),
        MessageEnd("tool_calls"),
    ]
    data = b"".join(renderer.feed(event) for event in events) + renderer.close()

    reply = Heard(wire, [data]).reply
    assert [(call.id, call.arguments) for call in reply.tool_calls] == [("a", '{"x":1}'), ("b", '{"y":2}')]


def test_a_block_of_another_wire_takes_no_index() -> None:
    reply = ChatResponse(id="r", content=[OpaqueBlock("telegraph", {}), TextBlock("Hi")])

    events = [
        json.loads(line[6:])
        for line in render_stream(wire, list(split_events(reply))).splitlines()
        if line.startswith(b"data: {")
    ]
    assert {event["output_index"] for event in events if "output_index" in event} == {0}


def without_ids(reply: ChatResponse) -> ChatResponse:
    """Return a reply whose words have no ids: a stream gives theirs before it hears them."""
    return replace(reply, content=[replace(b, opaque=None) if hasattr(b, "opaque") else b for b in reply.content])


@given(replies(), st.data())
def test_a_stream_comes_back_as_it_was(reply: ChatResponse, data: st.DataObject) -> None:
    written = render_stream(wire, _chopped(list(split_events(reply)), data))
    heard = Heard(wire, cut(written, [data.draw(st.integers(0, len(written)))]))
    assert heard.error is None
    assert without_ids(heard.reply) == without_ids(replace(reply, usage=as_written(reply.usage)))


def _chopped(events: Sequence[StreamEvent], data: st.DataObject) -> list[StreamEvent]:
    chopped: list[StreamEvent] = []
    for event in events:
        if isinstance(event, BlockDelta) and len(event.text) > 1:
            at = data.draw(st.integers(1, len(event.text) - 1))
            chopped += [BlockDelta(event.index, event.text[:at]), BlockDelta(event.index, event.text[at:])]
        else:
            chopped.append(event)
    return chopped


# -- oddities ----------------------------------------------------------------------


def test_an_unknown_part_is_a_block_of_this_wires_own() -> None:
    part = {"type": "output_sparkle", "x": 1}
    item = {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": ""}, part]}

    (block,) = read(done(item, 0)).content
    assert block == OpaqueBlock(wire.NAME, {"part": part})


def test_a_thought_whose_end_has_no_words_keeps_those_it_had() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2ln"}
    (thought,) = read(delta("reasoning_summary_text", "Hm.", output_index=0), done(item, 0)).content

    assert isinstance(thought, ThinkingBlock)
    assert (thought.text, thought.signature) == ("Hm.", "c2ln")


def test_a_finished_item_is_not_the_last_open_one() -> None:
    reply = read(delta("output_text", "One."), done(message("One.")), delta("output_text", "Two."))

    assert [getattr(block, "text", "") for block in reply.content] == ["One.", "Two."]


def test_empty_pieces_and_bare_errors_are_read_as_what_they_are() -> None:
    assert read(delta("output_text", "")).content == ()
    heard = Heard(wire, [as_bytes(BEGIN), b'data: {"error": {"message": "slow down", "code": "rate_limit"}}\n\n'])
    assert isinstance(heard.error, RateLimit)


def test_an_event_nested_too_deeply_ends_the_stream() -> None:
    deep = b'data: {"type": "x", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n"

    assert isinstance(Heard(wire, [as_bytes(BEGIN), deep]).error, BadReply)


def test_words_that_are_empty_still_have_their_part() -> None:
    written = render_stream(wire, list(split_events(ChatResponse(id="r", content=[TextBlock("")]))))

    assert b"response.content_part.added" in written


@pytest.mark.wire
def test_every_recorded_answer_of_chatgpts_backend_is_read_at_its_own_door(shared_wire: Path) -> None:
    cases = [case for case in load_cases(shared_wire / "openai-responses") if case.name.startswith("openai-codex/")]

    assert cases
    for case in cases:
        reply = codex.parse_response(case.body)
        assert (reply.text, len(reply.tool_calls)) == (case.expect["text"] or "", len(case.expect["tool_calls"]))
