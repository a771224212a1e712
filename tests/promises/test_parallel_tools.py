"""Three tools asked for at once, their arguments mixed: each arrives whole, on whichever wire the caller listens."""

from __future__ import annotations

import json
from collections import Counter
from itertools import product

import pytest

from jackfield import protocols
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import TextBlock, ToolCall, Usage

TWO_SIDED = sorted(protocols.PACKAGES.keys() - protocols.ONE_SIDED)
CALLS = [ToolCall(f"call_{index}", f"tool_{index}", json.dumps({"city": f"Lisbon {index}"})) for index in range(3)]
MIXED: list[StreamEvent] = [
    MessageStart("m1", "m"),
    BlockStart(0, TextBlock("")),
    BlockDelta(0, "Let me look."),
    BlockEnd(0),
    *[BlockStart(1 + index, ToolCall(call.id, call.name, "")) for index, call in enumerate(CALLS)],
    *[
        BlockDelta(1 + index, CALLS[index].arguments[at : at + 3])
        for at in range(0, len(CALLS[0].arguments), 3)
        for index in (2, 0, 1)
    ],
    *[BlockEnd(index) for index in (3, 1, 2)],
    MessageEnd("tool_calls", Usage(input=1, output=2)),
]


def say(wire: str, events: list[StreamEvent]) -> bytes:
    renderer = protocols.load(wire).StreamRenderer()
    return b"".join([*map(renderer.feed, events), renderer.close()])


def hear(wire: str, data: bytes, step: int) -> list[StreamEvent]:
    parser = protocols.load(wire).StreamParser()
    heard = [event for at in range(0, len(data), step) for event in parser.feed(data[at : at + step])]
    return [*heard, *parser.close()]


@pytest.mark.parametrize("step", [7, 10_000])
@pytest.mark.parametrize(("upstream", "caller"), [*product(TWO_SIDED, TWO_SIDED)])
def test_three_mixed_calls_open_once_close_once_and_parse(upstream: str, caller: str, step: int) -> None:
    relayed = hear(upstream, say(upstream, MIXED), step)
    heard = hear(caller, say(caller, relayed), step)
    for events in (relayed, heard):
        starts = {event.index: event.block for event in events if isinstance(event, BlockStart)}
        opened = Counter(event.index for event in events if isinstance(event, BlockStart))
        closed = Counter(event.index for event in events if isinstance(event, BlockEnd))
        assert opened == closed
        assert set(opened.values()) == {1}
        arguments: dict[str, str] = {}
        for index, block in starts.items():
            if isinstance(block, ToolCall):
                more = "".join(each.text for each in events if isinstance(each, BlockDelta) and each.index == index)
                arguments[block.name] = block.arguments + more
        assert {name: json.loads(text) for name, text in arguments.items()} == {
            call.name: json.loads(call.arguments) for call in CALLS
        }
        assert len({block.id for block in starts.values() if isinstance(block, ToolCall)}) == 3
        assert isinstance(events[-1], MessageEnd)
        assert events[-1].finish_reason == "tool_calls"


def test_openais_wire_counts_its_calls_from_zero() -> None:
    lines = [line[6:] for line in say("openai-completions", MIXED).decode().splitlines() if line.startswith("data: {")]
    deltas = [choice["delta"] for line in lines for choice in json.loads(line)["choices"]]
    entries = [entry for delta in deltas for entry in delta.get("tool_calls", ())]
    named = [(entry["index"], entry["id"]) for entry in entries if entry.get("id")]
    assert named == [(index, call.id) for index, call in enumerate(CALLS)]
