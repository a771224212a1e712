"""From one wire to another: what both can say arrives, in the order the other promises."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jackfield.errors import Error
from jackfield.message import ChatRequest, ChatResponse, TextBlock, ThinkingBlock, ToolCall, ToolResult
from jackfield.protocols import anthropic_messages as anthropic
from jackfield.protocols import load
from jackfield.protocols import openai_completions as openai
from jackfield.protocols.sse import encode
from tests.protocols.conformance import Heard, load_cases, read_case, render_stream, sse_bytes

PAIRS = [
    ("anthropic-messages", "anthropic-messages", "openai-completions"),
    ("openai-completions", "openai-completions", "anthropic-messages"),
    ("mistral", "openai-completions", "anthropic-messages"),
]


def gist(reply: ChatResponse) -> dict[str, Any]:
    """Return what every wire can say of a reply: Anthropic's shows a refusal as text and arguments as objects."""
    calls = [(call.name, _value(call.arguments)) for call in reply.tool_calls]
    said = (reply.text + reply.refusal, reply.thinking, reply.finish_reason)
    return {"calls": calls, "said": said, "output": reply.usage.output or 0}


def _value(arguments: str) -> Any:
    try:
        value = json.loads(arguments or "{}") or {}
    except ValueError:
        return {"arguments": arguments}
    return value if isinstance(value, dict) else {"arguments": arguments}


@pytest.mark.wire
@pytest.mark.parametrize(("folder", "source", "target"), PAIRS)
def test_every_recorded_reply_says_the_same_on_the_other_wire(
    folder: str, source: str, target: str, shared_wire: Path
) -> None:
    ours, theirs, count = load(source), load(target), 0
    for case in load_cases(shared_wire / folder):
        reply = read_case(ours, case)
        if isinstance(reply, Error):
            continue
        whole = theirs.parse_response(json.dumps(theirs.render_response(reply)))
        assert gist(whole) == gist(reply), case.name
        count += 1
        if case.framing != "json":
            streamed = Heard(theirs, [render_stream(theirs, Heard(ours, [sse_bytes(case)]).events)])
            assert streamed.error is None, case.name
            assert _loose(gist(streamed.reply)) == _loose(gist(reply)), case.name
    assert count > 30


def _loose(said: dict[str, Any]) -> dict[str, Any]:
    # A stream carries arguments as text, cut or not.
    calls = [
        (name, value if isinstance(value, str) else value.get("arguments", value)) for name, value in said["calls"]
    ]
    return {**said, "calls": calls}


@pytest.mark.wire
@pytest.mark.parametrize(("folder", "source", "target"), PAIRS)
def test_every_recorded_request_can_be_asked_on_the_other_wire(
    folder: str, source: str, target: str, shared_wire: Path
) -> None:
    ours, theirs = load(source), load(target)
    for case in load_cases(shared_wire / folder):
        if case.request is None:
            continue
        try:
            request = ours.parse_request({"model": "m", **case.request})
        except Error:
            continue
        again = theirs.parse_request(json.dumps(theirs.render_request(request)))
        assert not _letters(request) - _letters(again), case.name


def _letters(request: ChatRequest) -> Counter[str]:
    """Count the letters of all text the model reads or wrote; a wire may join it, move it, or add a word."""
    blocks = [block for message in request.messages for block in message.content]
    inner = [part for block in blocks for part in (block.content if isinstance(block, ToolResult) else [block])]
    said = [block.text for block in (*request.system, *inner) if isinstance(block, TextBlock)]
    return Counter("".join("".join(said).split()))


# -- three tools at once -----------------------------------------------------------


def test_tools_that_interleave_on_one_wire_come_in_turn_on_the_other() -> None:
    def chunk(calls: list[dict[str, Any]], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": {"tool_calls": calls}, "finish_reason": reason}
        return encode(json.dumps({"id": "c", "model": "m", "choices": [choice]}))

    begin = [
        {"index": n, "id": f"t{n}", "type": "function", "function": {"name": "f", "arguments": ""}} for n in range(3)
    ]
    parts = [chunk([{"index": n, "function": {"arguments": text}}]) for text in ('{"n"', ":", "1}") for n in (2, 0, 1)]
    data = b"".join([chunk(begin), *parts, chunk([], "tool_calls"), b"data: [DONE]\n\n"])
    written = render_stream(anthropic, Heard(openai, [data]).events)
    events = [json.loads(line[6:]) for line in written.splitlines() if line.startswith(b"data: ")]
    order = [(event["type"].removeprefix("content_block_"), event["index"]) for event in events if "index" in event]
    deltas = [index for kind, index in order if kind == "delta"]
    assert [pair for pair in order if pair[0] != "delta"] == [(kind, n) for n in range(3) for kind in ("start", "stop")]
    assert deltas == sorted(deltas)
    assert Heard(anthropic, [written]).reply.tool_calls == tuple(ToolCall(f"t{n}", "f", '{"n":1}') for n in range(3))


def test_tools_that_interleave_on_anthropics_wire_keep_their_indexes_on_the_other() -> None:
    def event(kind: str, index: int, **fields: Any) -> bytes:
        return encode(json.dumps({"type": f"content_block_{kind}", "index": index, **fields}))

    begin = [
        event("start", n, content_block={"type": "tool_use", "id": f"t{n}", "name": "f", "input": {}}) for n in range(3)
    ]
    parts = [
        event("delta", n, delta={"type": "input_json_delta", "partial_json": text})
        for text in ('{"n"', ":", "1}")
        for n in (2, 0, 1)
    ]
    stop = encode(json.dumps({"type": "message_delta", "delta": {"stop_reason": "tool_use"}}))
    data = b"".join([*begin, *parts, *(event("stop", n) for n in range(3)), stop])
    written = render_stream(openai, Heard(anthropic, [data]).events)
    chunks = [json.loads(line[6:]) for line in written.splitlines() if line.startswith(b"data: {")]
    deltas = [call for c in chunks for choice in c["choices"] for call in choice["delta"].get("tool_calls", ())]
    assert {call["index"] for call in deltas} == {0, 1, 2}
    assert [call["id"] for call in deltas if call.get("id")] == ["t0", "t1", "t2"]
    for n in range(3):
        text = "".join(call["function"].get("arguments", "") for call in deltas if call["index"] == n)
        assert json.loads(text) == {"n": 1}


# -- thoughts ----------------------------------------------------------------------


def test_a_long_turn_of_thoughts_and_tools_returns_byte_for_byte_through_the_other_wire() -> None:
    content = [
        block
        for n in range(8)
        for block in (
            ThinkingBlock(f"Thought {n}", f"c2ln{n}==") if n % 4 else ThinkingBlock("", f"ZGF0YQ{n}==", redacted=True),
            ToolCall(f"toolu_{n}", "f", '{"n":1}'),
        )
    ]
    shown = openai.render_response(ChatResponse(content=content, finish_reason="tool_calls"))["choices"][0]["message"]
    answers = [{"role": "tool", "tool_call_id": f"toolu_{n}", "content": "ok"} for n in range(8)]
    body = {"model": "m", "messages": [{"role": "user", "content": "Go"}, shown, *answers]}
    sent = anthropic.render_request(openai.parse_request(json.dumps(body)))["messages"][1]["content"]
    want = anthropic.render_response(ChatResponse(content=content))["content"]
    for kinds in ({"thinking", "redacted_thinking"}, {"tool_use"}):
        assert [block for block in sent if block["type"] in kinds] == [
            block for block in want if block["type"] in kinds
        ]


def test_thoughts_whose_signature_got_lost_on_the_way_are_left_out_whole() -> None:
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Yes", "reasoning_content": "Hm."},
            {"role": "user", "content": "Why?"},
        ],
    }
    sent = anthropic.render_request(openai.parse_request(json.dumps(body)))
    assert sent["messages"][1]["content"] == [{"type": "text", "text": "Yes"}]
