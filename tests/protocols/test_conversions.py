"""From one wire to another and back: k codecs, no pairs, and what matters survives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from jackfield.events import split_events
from jackfield.message import ChatResponse, ImageBlock, OpaqueBlock, TextBlock
from jackfield.protocols import ONE_SIDED, PACKAGES, load
from jackfield.protocols.reply_fields import OWN
from tests.protocols.conformance import Heard, render_stream

MARK = {"type": "ephemeral"}
TWO_SIDED = [name for name in PACKAGES if name not in ONE_SIDED]
CLAUDE: dict[str, Any] = {
    "model": "m",
    "max_tokens": 99,
    "system": [{"type": "text", "text": "Be brief", "cache_control": MARK}],
    "tools": [
        {"name": "weather", "description": "Say the weather", "input_schema": {"type": "object", "properties": {}}}
    ],
    "tool_choice": {"type": "any"},
    "stop_sequences": ["END"],
    "messages": [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "text", "text": "Let me see"},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rom"}},
                {"type": "tool_use", "id": "toolu_2", "name": "weather", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "mild"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": "noon"},
                {"type": "text", "text": "So?"},
            ],
        },
    ],
}


def test_a_claude_conversation_crosses_openais_wire_and_comes_back() -> None:
    claude, openai = load("anthropic-messages"), load("openai-completions")
    there = openai.render_request(claude.parse_request(CLAUDE))
    assert [m["role"] for m in there["messages"]] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert "signature" not in json.dumps(there)
    assert (there["tool_choice"], there["stop"], there["max_tokens"]) == ("required", ["END"], 99)
    back = claude.render_request(openai.parse_request(there))
    kinds = [
        [b["type"] for b in m["content"]] if isinstance(m["content"], list) else m["content"] for m in back["messages"]
    ]
    assert kinds[1] == ["text", "tool_use", "tool_use"]
    assert kinds[2] == ["tool_result", "tool_result", "text"]
    assert back["messages"][1]["content"][1] == CLAUDE["messages"][1]["content"][2]
    assert back["tool_choice"] == CLAUDE["tool_choice"]
    assert back["tools"] == CLAUDE["tools"]


def test_calls_that_interleave_on_one_wire_arrive_whole_on_another() -> None:
    def entry(index: int, arguments: str, **more: Any) -> dict[str, Any]:
        return {"index": index, **more, "function": {"arguments": arguments, **({"name": "f"} if more else {})}}

    pieces = (
        [entry(n, "", id=f"t{n}") for n in range(3)]
        + [entry(n, '{"n"') for n in range(3)]
        + [entry(n, f":{n}}}") for n in (2, 0, 1)]
    )
    chunks = [
        {"id": "1", "model": "m", "choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]} for piece in pieces
    ]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    data = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode()
    heard = Heard(load("openai-completions"), [data])
    claude = load("anthropic-messages")
    reply = Heard(claude, [render_stream(claude, heard.events)]).reply
    assert [(call.id, json.loads(call.arguments)) for call in reply.tool_calls] == [
        (f"t{n}", {"n": n}) for n in range(3)
    ]


@pytest.mark.parametrize("target", TWO_SIDED)
def test_what_only_another_wire_understands_is_left_out(target: str) -> None:
    reply = ChatResponse(
        id="1",
        model="m",
        content=[
            OpaqueBlock("telegraph", {"dot": "dash"}),
            TextBlock("Hi", opaque={"telegraph": {"x": 1}}),
            ImageBlock("image/png", "aGk="),
        ],
    )
    body = (
        json.dumps(load(target).render_response(reply))
        + render_stream(load(target), list(split_events(reply))).decode()
    )
    assert "dash" not in body
    assert "telegraph" not in body


@pytest.mark.parametrize("target", TWO_SIDED)
def test_a_wires_own_reply_fields_are_written_into_no_other_wires_reply(target: str) -> None:
    codec = load(target)
    home = next(
        (
            wire
            for wire in OWN
            if target.endswith(wire) or target.partition("-")[0] == wire.partition("-")[0] == "google"
        ),
        target,
    )
    for wire, names in OWN.items():
        reply = ChatResponse(id="1", model="m", content=[TextBlock("Hi")], extras=dict.fromkeys(names, "own"))
        start, *events, end = split_events(reply)
        late = [replace(start, extras={}), *events, replace(end, extras=reply.extras)]
        for body in (
            json.dumps(codec.render_response(reply)).encode(),
            render_stream(codec, [start, *events, end]),
            render_stream(codec, late),
        ):
            assert (b'"own"' in body) is (wire == home)
