"""What the page hears of a reply: pieces that came together as one, pictures, refusals, sources."""

from __future__ import annotations

from decimal import Decimal

from jackfield.admin.lines import Teller, render_end, render_message
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import (
    Attempt,
    ChatResponse,
    Citation,
    ImageBlock,
    JsonObject,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    Usage,
)


def tell(*batches: list[StreamEvent]) -> list[JsonObject]:
    teller = Teller()
    return [line for batch in batches for line in teller.feed(batch)]


def test_pieces_of_one_block_that_came_together_are_one_line() -> None:
    start = [MessageStart(), BlockStart(0, TextBlock("")), BlockDelta(0, "a"), BlockDelta(0, "b")]
    assert tell(start, [BlockDelta(0, "c"), BlockEnd(0), MessageEnd()]) == [
        {"type": "text", "index": 0, "text": "ab"},
        {"type": "text", "index": 0, "text": "c"},
    ]


def test_blocks_that_grow_at_the_same_time_stay_apart_and_in_order() -> None:
    batch = [
        BlockStart(0, ThinkingBlock("Hm")), BlockStart(1, ToolCall("c", "f", "")), BlockDelta(0, "."),
        BlockDelta(1, '{"a"'), BlockDelta(1, ":1}"), BlockStart(2, RefusalBlock("No")),
    ]  # fmt: skip
    assert tell(batch) == [
        {"type": "thinking", "index": 0, "text": "Hm"},
        {"type": "call", "index": 1, "id": "c", "name": "f", "arguments": ""},
        {"type": "thinking", "index": 0, "text": "."},
        {"type": "call", "index": 1, "arguments": '{"a":1}'},
        {"type": "refusal", "index": 2, "text": "No"},
    ]


def test_pictures_are_told_and_what_only_its_wire_understands_is_not() -> None:
    batch = [BlockStart(0, ImageBlock("image/png", "AAAA")), BlockStart(1, OpaqueBlock("x", {})), BlockDelta(1, "?")]
    assert tell(batch) == [
        {"type": "media", "index": 0, "kind": "image", "mediaType": "image/png", "data": "AAAA", "url": None}
    ]


def test_the_end_tells_each_source_once_in_the_answers_order() -> None:
    one, two = Citation("https://a.example", "A"), Citation("https://b.example", "B")
    words = [TextBlock("x", citations=[one, two]), TextBlock("y", citations=[one])]
    reply = ChatResponse(
        model="box/m", content=words, usage=Usage(1, 2, estimated=True), cost_usd=Decimal("0.000001"), attempts=[Attempt("box/m", ms=3)],
    )  # fmt: skip
    said = render_end(reply)
    assert [each["title"] for each in said["citations"]] == ["A", "B"]
    assert (said["costUsd"], said["usage"]["estimated"]) == ("0.000001", True)
    assert said["attempts"] == [{"model": "box/m", "profile": None, "reason": None, "message": None, "ms": 3}]


def test_signed_thoughts_are_in_the_turn_that_goes_back() -> None:
    turn = render_message(ChatResponse(content=[ThinkingBlock("Hm", "c2ln"), TextBlock("Yes")]))
    assert turn["reasoning_details"][0]["signature"] == "c2ln"
