"""Laws of Anthropic's wire on random values: what it writes it reads back, and what it sends is accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent, split_events
from jackfield.message import (
    Block,
    ChatRequest,
    ChatResponse,
    Message,
    OpaqueBlock,
    ResponseFormat,
    TextBlock,
    Thinking,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    Usage,
)
from jackfield.protocols import anthropic_messages as wire
from jackfield.protocols.anthropic_messages.citations import parse_citations
from jackfield.protocols.anthropic_messages.thinking import may_think
from jackfield.protocols.signatures import mark
from tests.protocols.conformance import Heard, cut, render_stream
from tests.protocols.strategies import (
    counts,
    extras,
    images,
    names,
    objects,
    openai_replies,
    openai_requests,
    pdfs,
    schemas,
    tool_choices,
    tools,
)
from tests.protocols.strategies import words as any_words

words = any_words.filter(lambda text: bool(text.strip()))
plain = words.map(TextBlock)
arguments = objects.map(lambda value: json.encode(value).decode())
signed = st.builds(ThinkingBlock, words, words) | words.map(lambda data: ThinkingBlock("", data, redacted=True))
server_side = st.builds(lambda name, value: OpaqueBlock(wire.NAME, {**value, "type": f"x_{name}"}), names, objects)
cited = st.builds(
    lambda text, citation: TextBlock(text, None, {wire.NAME: {"citations": [citation]}}, parse_citations([citation])),
    words,
    objects,
)
calls = st.builds(ToolCall, names, names, arguments)
results = st.builds(ToolResult, names, st.lists(plain | images, max_size=2), st.booleans())


@st.composite
def messages(draw: st.DrawFn) -> list[Message]:
    """Draw turns by turns, from an empty history to some exchanges."""
    turns: list[Message] = []
    taken: set[str] = set()
    for _ in range(draw(st.integers(0, 3))):
        said: list[Block] = draw(st.lists(results, max_size=2)) or [draw(plain)]
        turns.append(Message("user", [*said, *draw(st.lists(plain | images | pdfs, max_size=2))]))
        content: list[Block] = draw(st.lists(signed | plain | cited | server_side, max_size=3))
        asked = [call for call in draw(st.lists(calls, max_size=2)) if call.id not in taken]
        asked = asked[:1] if len({call.id for call in asked}) < len(asked) else asked
        taken.update(call.id for call in asked)
        turns.append(Message("assistant", [*content, *asked] if asked else [*content, TextBlock("Done.")]))
    return turns


@st.composite
def requests(draw: st.DrawFn) -> ChatRequest:
    """Draw a request that uses the whole wire."""
    offered = draw(st.lists(tools, max_size=2))
    choice = draw(st.none() | tool_choices) if offered else None
    turns = draw(messages())
    said = ChatRequest(model="", messages=turns, tools=offered, tool_choice=choice)
    budget = draw(st.none() | st.integers(1024, 50_000)) if may_think(said, "enabled") else None
    temperature = None if budget else draw(st.none() | st.floats(0, 1))
    # Four marks at most: one on each tool and each block of the system text.
    system = draw(st.lists(st.builds(TextBlock, words, st.none() | st.just({"type": "ephemeral"})), max_size=2))
    return ChatRequest(
        model=draw(names),
        messages=[_unmarked(message) for message in turns],
        system=system,
        tools=offered,
        tool_choice=choice,
        parallel_tools=draw(st.none() | st.booleans()) if choice and choice.mode != "none" else None,
        max_tokens=draw(st.integers(0, 10**6)) + (budget + 1 if budget else 0),
        temperature=temperature,
        top_p=None if budget else draw(st.none() | st.floats(0, 1)),
        stop=draw(st.lists(words, max_size=2)),
        thinking=draw(st.none() | st.just(Thinking("off"))) if budget is None else Thinking(budget_tokens=budget),
        response_format=draw(st.none() | schemas.map(ResponseFormat)),
        stream=draw(st.booleans()),
        service_tier=draw(st.sampled_from([None, "auto", "standard_only"])),
        user=draw(st.none() | names),
        opaque=draw(extras.map(lambda fields: {wire.NAME: fields} if fields else None)),
    )


def _unmarked(value: Any) -> Any:
    fields = set(value.__struct_fields__)
    changes: dict[str, Any] = {"cache_control": None} if "cache_control" in fields else {}
    if "content" in fields:
        changes["content"] = [_unmarked(part) for part in value.content]
    return replace(value, **changes)


REASONS = [(ours, raw) for raw, ours in wire.response.STOP_REASONS.items()]


@st.composite
def replies(draw: st.DrawFn) -> ChatResponse:
    """Draw a whole reply of any blocks in any order."""
    finish, raw = draw(st.sampled_from(REASONS))
    known = st.none() | counts
    usage = Usage(draw(counts), draw(counts), draw(known), draw(known), draw(known), draw(st.none() | extras) or None)
    more = draw(extras) | draw(st.sampled_from([{}, {"stop_sequence": "END"}, {"container": {"id": "c"}}]))
    content = draw(st.lists(signed | any_words.map(TextBlock) | cited | server_side | calls, max_size=4))
    return ChatResponse(
        id=draw(names), model=draw(names), content=content, finish_reason=finish, raw_finish_reason=raw, usage=usage,
        extras=more,
    )  # fmt: skip


@given(requests())
def test_a_request_comes_back_as_it_was(request: ChatRequest) -> None:
    again = wire.parse_request(json.encode(wire.render_request(request)))
    assert again == replace(request, messages=mark(request.messages, wire.NAME))
    assert not wire.find_losses(request)


@given(replies())
def test_a_reply_comes_back_as_it_was(reply: ChatResponse) -> None:
    assert wire.parse_response(json.encode(wire.render_response(reply))) == reply


@given(replies(), st.data())
def test_a_stream_comes_back_as_it_was(reply: ChatResponse, data: st.DataObject) -> None:
    written = render_stream(wire, list(split_events(reply)))
    heard = Heard(wire, cut(written, [data.draw(st.integers(0, len(written)))]))
    assert heard.error is None
    assert heard.reply == reply


@given(replies(), st.randoms(use_true_random=False))
def test_blocks_may_interleave_in_any_way(reply: ChatResponse, random: Any) -> None:
    lanes: dict[int, list[StreamEvent]] = {}
    for event in split_events(reply):
        if isinstance(event, BlockStart | BlockDelta | BlockEnd):
            lanes.setdefault(event.index, []).append(event)
    events: list[StreamEvent] = [lane.pop(0) for lane in lanes.values()]
    while any(lanes.values()):
        events.append(random.choice([lane for lane in lanes.values() if lane]).pop(0))
    end = MessageEnd(reply.finish_reason, reply.usage, reply.raw_finish_reason)
    written = render_stream(wire, [MessageStart(reply.id, reply.model, reply.extras), *events, end])
    assert Heard(wire, [written]).reply == reply
    check_stream(written)


def check_stream(written: bytes) -> None:
    """Hold a stream to the order the API promises: one block at a time, numbered from 0."""
    is_open, count = False, 0
    events = [json.decode(line.removeprefix(b"data: ")) for line in written.splitlines() if line.startswith(b"data: ")]
    kinds = [event["type"] for event in events]
    assert (kinds[0], kinds[-2:]) == ("message_start", ["message_delta", "message_stop"])
    for event in events[1:-2]:
        assert event["index"] == count
        assert is_open != (event["type"] == "content_block_start")
        is_open = event["type"] != "content_block_stop"
        count += not is_open
    assert not is_open


# -- from another wire -------------------------------------------------------------


@given(openai_requests())
def test_a_request_of_another_wire_becomes_one_the_api_accepts(request: ChatRequest) -> None:
    body = json.decode(json.encode(wire.render_request(request)))
    assert [*problems(body)] == []
    wire.parse_request(body)


@given(openai_replies())
def test_a_reply_of_another_wire_is_written_in_order(reply: ChatResponse) -> None:
    check_stream(render_stream(wire, list(split_events(reply))))
    wire.parse_response(json.encode(wire.render_response(reply)))


FIELDS = {
    "model", "messages", "max_tokens", "system", "tools", "tool_choice", "temperature", "top_p", "stop_sequences",
    "thinking", "output_config", "stream", "top_k", "service_tier", "metadata",
}  # fmt: skip


def problems(body: dict[str, Any]) -> Iterator[str]:
    """Say what the API would answer 400 to."""
    yield from (f"unknown field {name}" for name in body.keys() - FIELDS)
    yield from (f"null {name}" for name, value in body.items() if value is None)
    if body["max_tokens"] <= body.get("thinking", {}).get("budget_tokens", -1):
        yield "max_tokens within the budget"
    if not 0 <= body.get("temperature", 0) <= 1:
        yield "temperature"
    if body.get("thinking", {}).get("type") == "enabled":
        yield from thinking_problems(body)
    if "tool_choice" in body and "tools" not in body:
        yield "tool_choice without tools"
    yield from ("blank stop sequence" for text in body.get("stop_sequences", ()) if not text.strip())
    if json.encode(body).count(b'"cache_control":{"type"') > 4:
        yield "too many cache marks"
    roles = [message["role"] for message in body["messages"]]
    yield from ("two turns of one role" for one, other in pairwise(roles) if one == other)
    yield from (problem for message in body["messages"] for problem in turn_problems(message))
    calls = [b["id"] for m in body["messages"] for b in m["content"] if b["type"] == "tool_use"]
    if len(calls) != len(set(calls)):
        yield "a tool id twice"
    if roles[-1:] == ["assistant"] and (last := body["messages"][-1]["content"][-1])["type"] == "text":
        yield from ["white space at the end"] * (last["text"] != last["text"].rstrip())


def thinking_problems(body: dict[str, Any]) -> Iterator[str]:
    if body.get("temperature", 1) != 1 or body.get("top_p", 1) < 0.95:
        yield "sampling beside thinking"
    if body.get("tool_choice", {}).get("type") in {"any", "tool"}:
        yield "a forced tool beside thinking"
    last = [message for message in body["messages"] if message["role"] == "assistant"][-1:]
    kinds = [block["type"] for message in last for block in message["content"]]
    if "tool_use" in kinds and kinds[0] not in {"thinking", "redacted_thinking"}:
        yield "a tool call without its thought"


def turn_problems(message: dict[str, Any]) -> Iterator[str]:
    kinds = [block["type"] for block in message["content"]]
    if not kinds:
        yield "an empty turn"
    if "tool_result" in kinds[len([kind for kind in kinds if kind == "tool_result"]) :]:
        yield "a tool result behind other content"
    if message["role"] == "assistant" and kinds[-1] in {"thinking", "redacted_thinking"}:
        yield "a thought at the end"
    for block in message["content"]:
        match block["type"]:
            case "text" if not block["text"].strip():
                yield "blank text"
            case "thinking" if not block["signature"]:
                yield "an unsigned thought"
            case "tool_use" if not isinstance(block["input"], dict):
                yield "input that is no object"
            case _:
                pass
        for id in (block.get("id"), block.get("tool_use_id")):  # noqa: A001
            if id is not None and not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", id):
                yield f"illegal id {id}"
