"""Streamed replies, read: SSE bytes, or the decoded events that Bedrock wraps in frames of its own.

Kind where servers deviate: unknown events and deltas are skipped, a block nobody closes is
closed at the end, text in a block's start counts, `message_stop` may be missing once a stop
reason came. Without a stop reason a stream is broken, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from jackfield.errors import BadReply, Error, InvalidRequest, StreamBroken
from jackfield.events import Accumulator, BlockDelta, MessageEnd, MessageStart, StreamEvent
from jackfield.message import JsonObject, ToolCall
from jackfield.protocols.anthropic_messages.errors import parse_error
from jackfield.protocols.anthropic_messages.open_block import OpenBlock
from jackfield.protocols.anthropic_messages.plain import HEAD, KIND, PLAIN
from jackfield.protocols.anthropic_messages.response import parse_extras, parse_reason, parse_usage
from jackfield.protocols.base import NO_EVENT, decode, decode_event, preview
from jackfield.protocols.fields import as_object, read, rest, said
from jackfield.protocols.plain import read_plain
from jackfield.protocols.sse import SseDecoder, SseEvent

HEAD_BYTES = 4096  # of a body without an event, kept to say what came instead
# The block a delta speaks of, where its start got lost.
IMPLIED = {"text_delta": "text", "thinking_delta": "thinking"}


class StreamParser:
    """Turns a reply's bytes into events. One object per stream."""

    def __init__(self) -> None:
        self.plain = PLAIN
        self._sse = SseDecoder()
        self._head = b""
        self._is_live = False  # an event of JSON has come
        self.skipped = 0
        self._error: Error | None = None  # found behind events of the same bytes: raised by the next call
        self._heard = Accumulator()
        self._start: MessageStart | None = None
        self._open: dict[int, OpenBlock] = {}  # by the wire's index
        self._count = 0  # of blocks; ours, since servers repeat and forget theirs
        self._usage: JsonObject = {}
        self._delta: JsonObject = {}  # what `message_delta` said so far

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Take the next bytes, cut anywhere; raise the provider's error when the stream carries one."""
        if self._open and self._error is None and self._sse.is_one(data, HEAD):
            # Nearly every read is one event with some more words.
            piece = read_plain(self.plain, data[len(HEAD) :])
            if piece and (words := self._hear_words(piece.index, piece.delta.text)):
                return words
        if not self._is_live:
            self._head = (self._head + data)[:HEAD_BYTES]
        return self._read(self._sse.feed(data))

    def feed_event(self, event: JsonObject) -> Sequence[StreamEvent]:
        """Take one decoded event, for bodies that are framed in another way than SSE."""
        self._is_live = True
        kind = event.get("type")
        if kind == "error" or (event.get("error") and kind is None):
            raise self._broken(parse_error(200, event))
        parse = PARSERS.get(kind) if isinstance(kind, str) and not self._heard.complete else None
        return self._hear(parse, event) if parse else []

    def close(self) -> Sequence[StreamEvent]:
        """Say that the stream has ended cleanly; raise `StreamBroken` when the reply is not complete."""
        events = list(self._read(self._sse.close()))
        if self._error:
            raise self._error
        if not self._heard.complete:
            events += self._hear(StreamParser._stop_message, {})
        if not self._heard.complete:
            raise self._broken(self._missing())
        return events

    # -- frames -------------------------------------------------------------------

    def _read(self, frames: Iterable[SseEvent]) -> Sequence[StreamEvent]:
        if self._error:
            raise self._error
        events: list[StreamEvent] = []
        try:
            for frame in frames:
                events += self._read_frame(frame)
        except Error as error:
            self._error = self._broken(error)
            if not events:
                raise
        return events

    def _read_frame(self, frame: SseEvent) -> Sequence[StreamEvent]:
        if (
            frame.event in ("", KIND)
            and (piece := read_plain(self.plain, frame.data))
            and (words := self._hear_words(piece.index, piece.delta.text))
        ):
            return words
        try:
            event = decode_event(frame.data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            event = None
        if isinstance(event, dict):
            return self.feed_event(event)
        if frame.event == "error":
            raise parse_error(200, frame.data)
        self.skipped += frame.data.strip() not in NO_EVENT
        return []

    def _hear_words(self, index: int, text: str) -> Sequence[StreamEvent]:
        """Take words of a text that is open; nothing where they are no such words."""
        block = self._open.get(index)
        if not text or block is None or not block.is_text or self._heard.complete:
            return ()
        words = BlockDelta(block.index, text)
        self._heard.feed(words)
        return (words,)

    def _hear(
        self, parse: Callable[[StreamParser, JsonObject], list[StreamEvent]], event: JsonObject
    ) -> list[StreamEvent]:
        try:
            events = parse(self, event)
        except InvalidRequest as error:
            raise self._broken(BadReply(f"an event of the stream is malformed: {error.message}")) from error
        for each in events:
            self._heard.feed(each)
        return events

    def _broken(self, error: Error) -> Error:
        error.partial = self._heard.response()
        return error

    def _missing(self) -> Error:
        said = [line for line in self._head.splitlines() if line.strip() and not line.startswith(b":")]
        if self._is_live or not said:
            return StreamBroken("the stream ended before its stop reason")
        try:
            wire = decode(self._head)
        except BadReply:
            wire = {}
        if "error" in wire:  # sent as if nobody had asked for a stream
            return parse_error(200, wire)
        return BadReply(f"the reply is no stream of events: {preview(self._head)}")

    # -- events -------------------------------------------------------------------

    def _start_message(self, event: JsonObject) -> list[StreamEvent]:
        wire = read(event, "message", dict) or {}
        self._merge_usage(wire)
        return self._begin(wire)

    def _begin(self, wire: JsonObject) -> list[StreamEvent]:
        if self._start:
            return []
        id, model = read(wire, "id", str) or "", read(wire, "model", str) or ""  # noqa: A001  # the wire's word
        self._start = MessageStart(id, model, parse_extras(wire), parse_usage(self._usage))
        return [self._start]

    def _start_block(self, event: JsonObject) -> list[StreamEvent]:
        return self._open_block(self._index(event), read(event, "content_block", dict) or {})

    def _open_block(self, index: int, wire: JsonObject) -> list[StreamEvent]:
        events = self._begin({})
        if index in self._open:
            events += self._open.pop(index).close()
        call_id = f"call_{self._start.id if self._start else ''}_{self._count}"
        block = self._open[index] = OpenBlock(self._count, wire, call_id)
        self._count += 1
        return [*events, *block.open()]

    def _add(self, event: JsonObject) -> list[StreamEvent]:
        index, delta = self._index(event), read(event, "delta", dict) or {}
        events: list[StreamEvent] = []
        if index not in self._open and (kind := IMPLIED.get(str(delta.get("type")))):
            events += self._open_block(index, {"type": kind})
        return [*events, *self._open[index].add(delta)] if index in self._open else events

    def _stop_block(self, event: JsonObject) -> list[StreamEvent]:
        block = self._open.pop(self._index(event), None)
        return list(block.close()) if block else []

    def _change_message(self, event: JsonObject) -> list[StreamEvent]:
        more = read(event, "delta", dict) or {}
        self._delta |= rest(event, ("type", "delta", "usage")) | said(more)
        self._merge_usage(event)
        return self._begin({})

    def _stop_message(self, _: JsonObject) -> list[StreamEvent]:
        if (reason := read(self._delta, "stop_reason", str)) is None:
            return []
        events: list[StreamEvent] = [event for block in self._open.values() for event in block.close()]
        has_calls = any(isinstance(block, ToolCall) for block in self._heard.response().content)
        finish = parse_reason(reason, has_calls=has_calls)
        return [*events, MessageEnd(finish, parse_usage(self._usage), reason, parse_extras(self._delta))]

    def _index(self, event: JsonObject) -> int:
        index = read(event, "index", int)
        return next(reversed(self._open), self._count) if index is None else index

    def _merge_usage(self, wire: JsonObject) -> None:
        # Counts are running totals: each replaces the one before, and a null says nothing.
        self._usage |= said(as_object(wire.get("usage")))


PARSERS: dict[str, Callable[[StreamParser, JsonObject], list[StreamEvent]]] = {
    "message_start": StreamParser._start_message,
    "content_block_start": StreamParser._start_block,
    "content_block_delta": StreamParser._add,
    "content_block_stop": StreamParser._stop_block,
    "message_delta": StreamParser._change_message,
    "message_stop": StreamParser._stop_message,
}
