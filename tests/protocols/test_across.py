"""From one wire to another: what both can say arrives, in the order the other promises."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from jackfield.errors import Error
from jackfield.message import ChatRequest, ChatResponse, DocumentBlock, TextBlock, ThinkingBlock, ToolCall, ToolResult
from jackfield.protocols import ONE_SIDED, PACKAGES, load
from jackfield.protocols import anthropic_messages as anthropic
from jackfield.protocols import openai_completions as openai
from jackfield.protocols.base import NATIVE, Protocol
from jackfield.protocols.features import FEATURES, every_block, fates, find_features
from jackfield.protocols.spare import spare
from jackfield.protocols.sse import encode
from tests.protocols.conformance import Heard, load_cases, read_case, render_stream, sse_bytes
from tests.protocols.meaning import gist
from tests.protocols.test_recordings import WIRES

TWO_SIDED = [name for name in PACKAGES if name not in ONE_SIDED]
THINKING = {"thinking.effort", "thinking.budget"}
# Every folder of recorded chats, on every other wire.
REPLIES = [(folder, source, target) for folder, source in WIRES.items() for target in TWO_SIDED if target != source]
REQUESTS = [(folder, source, target) for folder, source in WIRES.items() for target in PACKAGES if target != source]


@pytest.mark.wire
@pytest.mark.parametrize(("folder", "source", "target"), REPLIES)
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
    assert count > 5


def _loose(said: dict[str, Any]) -> dict[str, Any]:
    # A stream carries arguments as text, cut or not.
    calls = [
        (name, value if isinstance(value, str) else value.get("arguments", value)) for name, value in said["calls"]
    ]
    return {**said, "calls": calls}


@pytest.mark.wire
@pytest.mark.parametrize(("folder", "source", "target"), REQUESTS)
def test_every_recorded_request_can_be_asked_on_the_other_wire_with_no_loss_but_the_named(
    folder: str, source: str, target: str, shared_wire: Path
) -> None:
    ours, theirs, count = load(source), load(target), 0
    wrong = []
    for case in load_cases(shared_wire / folder):
        if case.request is None:
            continue
        try:
            read = ours.parse_request({"model": "m", **case.request})
        except Error:
            continue
        if not read.messages:  # one that stands at the server alone
            continue
        request = replace(read, model=read.model or "m")  # some wires name it in the URL
        again = theirs.parse_request(json.dumps(theirs.render_request(request)))
        if unread := _letters(request, TextBlock) - _letters(again, TextBlock, ThinkingBlock):
            wrong.append(f"{case.name}: letters lost: {unread}")
        count += 1
        # What hung on something that is left out goes with it.
        left = spare(request, theirs.NAME, theirs.LIMITS, NATIVE)
        if unnamed := _features(left, target) - _lost(theirs, request) - _features(again, target):
            wrong.append(f"{case.name}: lost and not named: {unnamed}")
    assert not wrong, "\n".join(wrong)
    assert count > 15


def _features(request: ChatRequest, api: str) -> set[str]:
    """Return the features a request uses and its reader would miss; what is the default anyway counts for none."""
    names = {name.partition(" (")[0] for name in find_features(request, api)}
    choice = request.tool_choice.mode if request.tool_choice else "auto"
    defaults = {
        "tool_choice": choice == "auto",
        "parallel_tools": request.parallel_tools is True,
        "tools.strict": not any(tool.strict for tool in request.tools),
        # Words in a file may go as words.
        "document": all(block.media_type.startswith("text/") for block in _documents(request)),
    }
    names -= {name for name, is_default in defaults.items() if is_default}
    if choice == "none":  # as good as no tools
        names -= {"tools", "tool_choice", "parallel_tools", "tools.strict"}
    names |= THINKING if _thinks(request) else set()
    return {name for name in names if not FEATURES[name].is_quiet}


def _thinks(request: ChatRequest) -> bool:
    # One may also say no more than that it be shown, in words of one wire.
    held = request.thinking
    return held is not None and (held.effort is not None or held.budget_tokens is not None)


def _documents(request: ChatRequest) -> list[DocumentBlock]:
    return [block for block in every_block(request) if isinstance(block, DocumentBlock)]


def _lost(protocol: Protocol, request: ChatRequest) -> set[str]:
    """Return the features that the table or a rule names; a rule may mean a family of them."""
    named = {loss.partition(": ")[0] for loss in protocol.find_losses(request)}
    named |= fates(request, protocol.NAME, protocol.LIMITS, NATIVE).keys()
    lost = {name for name in FEATURES if any(name.startswith(known.partition(" (")[0]) for known in named)}
    return lost | (THINKING if lost & THINKING else set())


def _letters(request: ChatRequest, *kinds: type[TextBlock | ThinkingBlock]) -> Counter[str]:
    """Count the letters of all text the model reads or wrote; a wire may join it, move it, or add a word."""
    blocks = [block for message in request.messages for block in message.content]
    inner = [part for block in blocks for part in (block.content if isinstance(block, ToolResult) else [block])]
    # Where a wire takes no words beside calls, they are the thought that led to them.
    said = [block.text for block in (*request.system, *inner) if isinstance(block, kinds)]
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
