"""Streams on Anthropic's wire, read from servers that deviate and written for clients that do not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

import pytest

from jackfield.errors import BadReply, Overloaded, StreamBroken
from jackfield.events import (
    Accumulator,
    BlockDelta,
    BlockEnd,
    BlockStart,
    MessageEnd,
    MessageStart,
    StreamEvent,
    split_events,
)
from jackfield.message import (
    AudioBlock,
    ChatResponse,
    Citation,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    Usage,
)
from jackfield.protocols import anthropic_messages as wire
from jackfield.protocols.sse import SseDecoder, encode

START = {"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 3}}}
STOP = {"type": "message_stop"}


def opened(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": {"type": kind, **fields}}


def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def closed(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def ended(reason: str | None = "end_turn", **fields: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **fields}, "usage": {"output_tokens": 6}}


HELLO = [START, opened(0, "text", text=""), delta(0, "text_delta", text="Hello"), closed(0), ended(), STOP]


def as_bytes(events: Iterable[Any]) -> bytes:
    return b"".join(encode(json.dumps(event), event.get("type", "")) for event in events)


def hear(data: bytes, size: int | None, events: list[StreamEvent]) -> None:
    parser = wire.StreamParser()
    for at in range(0, len(data), size or len(data) or 1):
        events += parser.feed(data[at : at + (size or len(data))])
    events += parser.close()


def listen(data: bytes, size: int | None = None) -> tuple[ChatResponse, list[StreamEvent]]:
    heard, events = Accumulator(), list[StreamEvent]()
    hear(data, size, events)
    for event in events:
        heard.feed(event)
    assert heard.complete
    return heard.response(), events


def said(*events: dict[str, Any]) -> ChatResponse:
    return listen(as_bytes([START, *events]))[0]


CITED = [Citation(cited="x"), Citation(cited="y")]


def test_a_stream_adds_up_to_its_reply_however_it_is_cut() -> None:
    data = as_bytes(
        [
            START,
            {"type": "ping"},
            opened(0, "thinking", thinking="", signature=""),
            delta(0, "thinking_delta", thinking="Hm…"),
            delta(0, "signature_delta", signature="c2ln"),
            closed(0),
            opened(1, "redacted_thinking", data="ZGF0YQ=="),
            closed(1),
            opened(2, "text", text=""),
            delta(2, "text_delta", text="Grüße"),
            delta(2, "citations_delta", citation={"cited_text": "x"}),
            delta(2, "citations_delta", citation={"cited_text": "y"}),
            closed(2),
            opened(3, "server_tool_use", id="s", name="web_search", input={}),
            delta(3, "input_json_delta", partial_json='{"query"'),
            delta(3, "input_json_delta", partial_json=':"x"}'),
            closed(3),
            opened(4, "web_search_tool_result", tool_use_id="s", content=[{"title": "t"}]),
            closed(4),
            opened(5, "tool_use", id="toolu_1", name="f", input={}, caller={"type": "direct"}),
            delta(5, "input_json_delta", partial_json='{"a": '),
            delta(5, "input_json_delta", partial_json="1}"),
            closed(5),
            ended("tool_use", stop_sequence=None, container={"id": "c"}),
            STOP,
        ]
    )
    response, events = listen(data)
    name = wire.NAME
    assert response == ChatResponse(
        id="msg_1",
        model="claude",
        content=[
            ThinkingBlock("Hm…", "c2ln"),
            ThinkingBlock("", "ZGF0YQ==", redacted=True),
            TextBlock("Grüße", None, {name: {"citations": [{"cited_text": "x"}, {"cited_text": "y"}]}}, CITED),
            OpaqueBlock(name, {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}),
            OpaqueBlock(name, {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"title": "t"}]}),
            ToolCall("toolu_1", "f", '{"a": 1}', None, {name: {"caller": {"type": "direct"}}}),
        ],
        finish_reason="tool_calls",
        raw_finish_reason="tool_use",
        usage=Usage(3, 6),
        extras={"container": {"id": "c"}},
    )
    for size in (1, 2, 3, 7, 64):
        assert listen(data, size)[1] == events
    assert listen(data.replace(b"\n", b"\r\n"), 1)[1] == events


# -- servers that deviate ----------------------------------------------------------


def test_events_and_deltas_of_tomorrow_are_skipped() -> None:
    response = said(
        {"type": "of_tomorrow", "index": 9},
        opened(0, "text", text=""),
        delta(0, "of_tomorrow", text="no"),
        delta(0, "thinking_delta", thinking="no"),
        delta(0, "text_delta", text="yes"),
        delta(7, "input_json_delta", partial_json="no"),
        closed(8),
        ended(),
        STOP,
        delta(0, "text_delta", text="no"),
    )
    assert response.content == (TextBlock("yes"),)


def test_a_block_of_tomorrow_grows_field_by_field() -> None:
    response = said(
        opened(0, "compaction", content=None),
        delta(0, "compaction_delta", content="The story "),
        delta(0, "compaction_delta", content="so far", tokens=5),
        closed(0),
        ended("compaction"),
        STOP,
    )
    assert response.content == (
        OpaqueBlock(wire.NAME, {"type": "compaction", "content": "The story so far", "tokens": 5}),
    )


def test_blocks_that_nobody_closes_are_closed_at_the_end() -> None:
    response, events = listen(
        as_bytes([START, opened(0, "text", text="Hel"), delta(0, "text_delta", text="lo"), ended()])
    )
    assert response.text == "Hello"
    assert events[-2:] == [BlockEnd(0), MessageEnd("stop", Usage(3, 6), "end_turn")]


def test_a_start_that_got_lost_is_implied_by_its_delta() -> None:
    response, events = listen(
        as_bytes([delta(0, "thinking_delta", thinking="Hm"), delta(1, "text_delta", text="Yes"), ended()])
    )
    assert isinstance(events[0], MessageStart)
    assert (response.thinking, response.text) == ("Hm", "Yes")


def test_an_index_used_twice_begins_a_new_block() -> None:
    response = said(
        opened(0, "text", text="One"), opened(0, "tool_use", id="a", name="f"), closed(0), ended("tool_use"), STOP
    )
    assert response.content == (TextBlock("One"), ToolCall("a", "f", "{}"))


@pytest.mark.parametrize(
    ("start", "deltas", "arguments"),
    [
        ({}, [], "{}"),
        ({"a": 1}, [], '{"a":1}'),
        ({"a": 1}, ['{"b": 2}'], '{"b": 2}'),
        (None, ["", '{"b"', ": 2}"], '{"b": 2}'),
        ({}, [{"b": 2}], '{"b":2}'),
        ('{"a": 1}', [], '{"a": 1}'),
    ],
)
def test_arguments_may_come_with_the_start_or_after_it(start: Any, deltas: list[Any], arguments: str) -> None:
    response = said(
        opened(0, "tool_use", id="a", name="f", input=start),
        *(delta(0, "input_json_delta", partial_json=text) for text in deltas),
        closed(0),
        ended("tool_use"),
    )
    assert response.tool_calls == (ToolCall("a", "f", arguments),)


def test_calls_without_ids_get_ids_of_their_own() -> None:
    response = said(opened(0, "tool_use", name="f"), opened(1, "tool_use", name="f"), ended("tool_use"))
    ids = [call.id for call in response.tool_calls]
    assert all(ids)
    assert len(set(ids)) == 2


def test_tools_that_interleave_keep_their_arguments_apart() -> None:
    response = said(
        *(opened(n, "tool_use", id=f"t{n}", name="f", input={}) for n in range(3)),
        *(delta(n, "input_json_delta", partial_json=text) for text in ('{"n"', ":", "0}") for n in range(3)),
        *(closed(n) for n in (2, 0, 1)),
        ended("tool_use"),
    )
    assert response.tool_calls == tuple(ToolCall(f"t{n}", "f", '{"n":0}') for n in range(3))


@pytest.mark.parametrize(
    ("first", "last", "usage"),
    [
        ({"input_tokens": 3, "output_tokens": 1}, {"output_tokens": 6}, Usage(3, 6)),
        ({"input_tokens": 3, "output_tokens": 1}, None, Usage(3, 1)),
        (
            {"input_tokens": 0, "cache_read_input_tokens": 4},
            {"input_tokens": 5, "output_tokens": 6, "cache_read_input_tokens": None},
            Usage(5, 6, 4),
        ),
        (None, {"output_tokens": 0}, Usage(None, 0)),
        (None, None, Usage()),
        ("odd", [], Usage()),
    ],
)
def test_the_last_count_that_is_not_null_holds(first: Any, last: Any, usage: Usage) -> None:
    start = {"type": "message_start", "message": {"usage": first}}
    response, _ = listen(as_bytes([start, {**ended(), "usage": last}, STOP]))
    assert response.usage == usage


def test_events_that_are_no_json_are_skipped_and_counted() -> None:
    parser = wire.StreamParser()
    data = (
        as_bytes(HELLO[:3])
        + b"data: {broken\n\ndata: [1]\n\ndata: \xff\n\n"
        + as_bytes(HELLO[3:])
        + b"data: [DONE]\n\n"
    )
    events = [*parser.feed(data), *parser.close()]
    assert isinstance(events[-1], MessageEnd)
    assert parser.skipped == 3


@pytest.mark.parametrize("data", [b"<html>busy</html>", b"data: nonsense\n\n", b"data: [DONE]\n\n", b'{"id": 5'])
def test_a_body_that_is_no_stream_is_a_bad_reply(data: bytes) -> None:
    with pytest.raises(BadReply):
        listen(data)


def test_an_error_sent_as_a_plain_body_is_raised() -> None:
    with pytest.raises(Overloaded, match="busy"):
        listen(b'{"type":"error","error":{"type":"overloaded_error","message":"busy"}}')


@pytest.mark.parametrize("size", [None, 1])
@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}},
        {"error": {"message": "Overloaded: busy"}},
    ],
)
def test_an_error_in_the_stream_is_raised_with_what_was_heard(event: dict[str, Any], size: int | None) -> None:
    events: list[StreamEvent] = []
    with pytest.raises(Overloaded, match="busy") as caught:
        hear(as_bytes([*HELLO[:3], event]), size, events)
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hello"
    assert BlockDelta(0, "Hello") in events


def test_an_error_event_without_json_is_raised_too() -> None:
    with pytest.raises(Overloaded):
        listen(b"event: error\ndata: server overloaded\n\n")


@pytest.mark.parametrize("keep", range(5))
def test_a_stream_without_a_stop_reason_is_broken(keep: int) -> None:
    for data in (as_bytes(HELLO[:keep]), as_bytes([*HELLO[:keep], STOP])[: None if keep else 0]):
        with pytest.raises(StreamBroken) as caught:
            listen(data)
        assert caught.value.partial is not None
        assert caught.value.partial.text == ("Hello" if keep > 2 else "")
        assert caught.value.partial.usage.input == (3 if keep else None)


def test_a_silent_or_commenting_server_breaks_the_stream() -> None:
    for data in (b"", b": keep-alive\n\n"):
        with pytest.raises(StreamBroken):
            listen(data)


def test_decoded_events_may_be_fed_without_sse() -> None:
    parser = wire.StreamParser()
    events = [event for one in HELLO for event in parser.feed_event(one)]
    assert events == listen(as_bytes(HELLO))[1]
    assert parser.close() == []


# -- written -----------------------------------------------------------------------


def write(events: Iterable[StreamEvent]) -> list[dict[str, Any]]:
    renderer, decoder = wire.StreamRenderer(), SseDecoder()
    data = b"".join(renderer.feed(event) for event in events) + renderer.close()
    frames = [*decoder.feed(data), *decoder.close()]
    wires = [json.loads(frame.data) for frame in frames]
    assert [frame.event for frame in frames] == [event["type"] for event in wires]
    return wires


def outline(wires: list[dict[str, Any]]) -> list[tuple[str, int | None]]:
    return [(event["type"].removeprefix("content_block_"), event.get("index")) for event in wires]


def test_interleaved_blocks_come_out_one_after_the_other() -> None:
    starts = [BlockStart(n, ToolCall(f"t{n}", "f", "")) for n in range(3)]
    deltas = [BlockDelta(n, text) for text in ('{"n"', f":{0}}}") for n in range(3)]
    wires = write([MessageStart(), *starts, *deltas, *(BlockEnd(n) for n in (1, 2, 0)), MessageEnd("tool_calls")])
    assert outline(wires) == [
        ("message_start", None),
        *(pair for n in range(3) for pair in (("start", n), ("delta", n), ("delta", n), ("stop", n))),
        ("message_delta", None),
        ("message_stop", None),
    ]
    assert listen(as_bytes(wires))[0].tool_calls == tuple(ToolCall(f"t{n}", "f", '{"n":0}') for n in range(3))


def test_the_open_block_streams_while_others_wait() -> None:
    renderer = wire.StreamRenderer()
    assert renderer.feed(BlockStart(5, TextBlock("")))
    assert renderer.feed(BlockStart(2, ToolCall("a", "f", ""))) == b""
    assert renderer.feed(BlockDelta(2, "{}")) == b""
    assert renderer.feed(BlockDelta(5, "word"))
    waited = renderer.feed(BlockEnd(5))
    assert b"content_block_stop" in waited
    assert b"partial_json" in waited
    assert renderer.feed(BlockDelta(9, "to nobody")) == b""


def test_blocks_left_open_are_closed_before_the_end() -> None:
    wires = write([MessageStart(), BlockStart(0, TextBlock("Hel")), BlockStart(1, RefusalBlock("No")), MessageEnd()])
    assert outline(wires)[1:-2] == [("start", 0), ("delta", 0), ("stop", 0), ("start", 1), ("delta", 1), ("stop", 1)]


def test_signatures_and_citations_stand_before_the_end_of_their_block() -> None:
    block = ThinkingBlock("Hm.", "c2ln")
    cited = TextBlock("See", None, {wire.NAME: {"citations": [{"cited_text": "x"}]}}, [Citation(cited="x")])
    wires = write(split_events(ChatResponse(content=[block, cited])))
    kinds = [event["delta"]["type"] for event in wires if event["type"] == "content_block_delta"]
    assert kinds == ["thinking_delta", "signature_delta", "text_delta", "citations_delta"]
    assert listen(as_bytes(wires))[0].content == (block, cited)


def test_redacted_thoughts_wait_for_their_data() -> None:
    block = ThinkingBlock("", "ZGF0YQ==", redacted=True)
    wires = write(split_events(ChatResponse(content=[block, TextBlock("Yes")])))
    assert wires[1]["content_block"] == {"type": "redacted_thinking", "data": "ZGF0YQ=="}
    assert listen(as_bytes(wires))[0].content == (block, TextBlock("Yes"))


def test_blocks_without_a_place_on_this_wire_leave_no_gap() -> None:
    events = split_events(
        ChatResponse(content=[AudioBlock("audio/wav", "aGk="), OpaqueBlock("x", {}), TextBlock("Yes")])
    )
    assert outline(write(events))[1:4] == [("start", 0), ("delta", 0), ("stop", 0)]


def test_the_start_says_the_usage_known_by_then_and_the_end_the_whole() -> None:
    wires = write([MessageStart("m", "claude", {}, Usage(3)), MessageEnd("stop", Usage(3, 6, 0))])
    assert wires[0]["message"]["usage"] == {"input_tokens": 3, "output_tokens": 0}
    assert wires[0]["message"]["stop_reason"] is None
    assert wires[-2]["usage"] == {"input_tokens": 3, "output_tokens": 6, "cache_read_input_tokens": 0}


def test_a_matched_stop_sequence_is_told_at_the_end() -> None:
    response = ChatResponse(
        raw_finish_reason="stop_sequence", extras={"stop_sequence": "END", "container": {"id": "c"}}
    )
    wires = write(split_events(response))
    assert wires[0]["message"]["container"] == {"id": "c"}
    assert wires[0]["message"]["stop_sequence"] is None
    assert wires[-2]["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert listen(as_bytes(wires))[0].extras == response.extras


def test_a_stream_that_fails_ends_with_an_error_and_no_stop() -> None:
    renderer = wire.StreamRenderer()
    data = (
        renderer.feed(MessageStart())
        + renderer.feed(BlockStart(0, TextBlock("Hel")))
        + renderer.fail(Overloaded("busy"))
    )
    assert data.endswith(b"\n\n")
    assert b"message_stop" not in data
    with pytest.raises(Overloaded, match="busy") as caught:
        listen(data)
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hel"


@pytest.mark.parametrize(
    ("kind", "piece"),
    [
        ("tool_use", {"type": "input_json_delta", "partial_json": "x" * 50}),
        ("server_tool_use", {"type": "input_json_delta", "partial_json": "x" * 50}),
        ("of_tomorrow", {"type": "of_tomorrow_delta", "content": "x" * 50}),
        ("text", {"type": "citations_delta", "citation": {}}),
    ],
)
def test_a_long_block_takes_time_in_proportion_to_its_length(kind: str, piece: dict[str, Any]) -> None:
    start = as_bytes([START, opened(0, kind)])
    one = as_bytes([{"type": "content_block_delta", "index": 0, "delta": piece}])
    began = time.process_time()
    listen(start + one * 60_000 + as_bytes([ended()]))
    assert time.process_time() - began < 8  # growing by copies took half a minute
