"""Streamed replies, written as the official clients read them.

This wire has one block open at a time and numbers blocks in the order they open. Where the
source interleaves, the first block streams and the others wait for its end.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from jackfield.errors import Error
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import Block, ChatResponse, JsonObject, RefusalBlock, TextBlock, ThinkingBlock, ToolCall
from jackfield.protocols.anthropic_messages.blocks import render_block
from jackfield.protocols.anthropic_messages.citations import render_citations
from jackfield.protocols.anthropic_messages.errors import render_error
from jackfield.protocols.anthropic_messages.response import (
    render_extras,
    render_reason,
    render_response,
    render_usage,
)
from jackfield.protocols.sse import encode

ENCODER = msgspec.json.Encoder()
# Fields of a reply that the wire tells at its end.
LATE = frozenset({"stop_sequence", "stop_details"})
DELTAS: dict[type, tuple[str, str]] = {
    TextBlock: ("text_delta", "text"),
    RefusalBlock: ("text_delta", "text"),
    ThinkingBlock: ("thinking_delta", "thinking"),
    ToolCall: ("input_json_delta", "partial_json"),
}
WORDS = encode(
    '{"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":%s}}', "content_block_delta"
)
Wires = Iterator[JsonObject]


class StreamRenderer:
    """Turns events into a reply's bytes. One object per stream."""

    def __init__(self) -> None:
        self._late: JsonObject = {}
        self._waiting: dict[int, list[StreamEvent]] = {}  # by event index, in the order of their starts
        self._open: int | None = None  # the event index of the block being written
        self._block: Block | None = None  # it; `None` where this wire has no place for it
        self._count = 0  # of blocks written

    def feed(self, event: StreamEvent) -> bytes:
        """Return the bytes that say this event (may be empty)."""
        if type(event) is BlockDelta and event.index == self._open and event.text and type(self._block) is TextBlock:
            # Nearly every event; its bytes are those that `_delta` would write.
            return WORDS % (self._count, ENCODER.encode(event.text))
        match event:
            case MessageStart():
                wires = self._start(event)
            case MessageEnd():
                wires = self._end(event)
            case _:
                wires = self._queue(event)
        return b"".join(encode(msgspec.json.encode(wire), wire["type"]) for wire in wires)

    def close(self) -> bytes:
        """Return nothing: `MessageEnd` has ended the stream."""
        return b""

    def fail(self, error: Error) -> bytes:
        """Return the wire's own in-stream error; no `message_stop` follows it."""
        return encode(msgspec.json.encode(render_error(error)[1]), "error")

    def _start(self, event: MessageStart) -> Wires:
        extras = render_extras(event.extras)
        self._late = {name: value for name, value in extras.items() if name in LATE}
        message = render_response(ChatResponse(id=event.id, model=event.model, usage=event.usage))
        message |= {"stop_reason": None, **{name: value for name, value in extras.items() if name not in LATE}}
        yield {"type": "message_start", "message": message}

    def _end(self, event: MessageEnd) -> Wires:
        while self._open is not None or self._waiting:
            yield from self._advance(is_end=True)
            if self._open is not None:
                yield from self._stop(BlockEnd(self._open))
        reason = render_reason(event.finish_reason, event.raw_finish_reason)
        delta = {"stop_sequence": None, **self._late, **render_extras(event.extras), "stop_reason": reason}
        yield {"type": "message_delta", "delta": delta, "usage": render_usage(event.usage)}
        yield {"type": "message_stop"}

    # -- blocks -------------------------------------------------------------------

    def _queue(self, event: BlockStart | BlockDelta | BlockEnd) -> Wires:
        if event.index == self._open:
            yield from self._write(event)
        elif isinstance(event, BlockStart):
            self._waiting[event.index] = [event]
        elif event.index in self._waiting:
            self._waiting[event.index].append(event)
        yield from self._advance()

    def _advance(self, *, is_end: bool = False) -> Wires:
        """Write the next blocks that wait, up to one that is still open."""
        while self._open is None and self._waiting:
            index, events = next(iter(self._waiting.items()))
            if _is_redacted(events[0]) and not isinstance(events[-1], BlockEnd) and not is_end:
                return
            del self._waiting[index]
            for event in _settled(events):
                yield from self._write(event)

    def _write(self, event: StreamEvent) -> Wires:
        match event:
            case BlockStart(index, block):
                self._open, self._block = index, block
                yield from self._begin(block)
            case BlockDelta(_, text):
                yield from self._delta(text)
            case BlockEnd():
                yield from self._stop(event)
            case _:
                pass

    def _begin(self, block: Block) -> Wires:
        match block:
            case TextBlock(text=said) | RefusalBlock(text=said):
                wire = render_block(replace(block, text=""))
            case ThinkingBlock(text=said, redacted=False):
                wire = render_block(replace(block, text="", signature=None))
            case ToolCall(arguments=said):
                wire = render_block(replace(block, arguments=""))
            case _:
                wire, said = render_block(block), ""
        if wire is None:
            self._block = None
            return
        yield {"type": "content_block_start", "index": self._count, "content_block": wire}
        yield from self._delta(said)

    def _delta(self, text: str) -> Wires:
        if text and (form := DELTAS.get(type(self._block))):
            yield self._wire_delta(*form, text)

    def _stop(self, event: BlockEnd) -> Wires:
        block, self._open, self._block = self._block, None, None
        if block is None:
            return
        signature = event.signature or getattr(block, "signature", None)
        if signature and type(block) is ThinkingBlock and not block.redacted:
            yield self._wire_delta("signature_delta", "signature", signature)
        for citation in render_citations(event.citations, event.opaque):
            yield self._wire_delta("citations_delta", "citation", citation)
        yield {"type": "content_block_stop", "index": self._count}
        self._count += 1

    def _wire_delta(self, kind: str, name: str, value: object) -> JsonObject:
        return {"type": "content_block_delta", "index": self._count, "delta": {"type": kind, name: value}}


def _is_redacted(event: StreamEvent) -> bool:
    return isinstance(event, BlockStart) and isinstance(event.block, ThinkingBlock) and event.block.redacted


def _settled(events: list[StreamEvent]) -> list[StreamEvent]:
    """Move a redacted thought's data into its start, where this wire wants it."""
    match events:
        case [BlockStart(index, ThinkingBlock() as block), *_, BlockEnd(signature=str(data))] if block.redacted:
            return [BlockStart(index, replace(block, signature=data)), *events[1:]]
        case _:
            return events
