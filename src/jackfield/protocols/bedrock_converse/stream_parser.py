"""Streamed replies, read: AWS event stream frames, whose kind is a header and whose payload is JSON.

Unknown events are skipped, a block nobody closes is closed at the end. The counts come behind
the stop reason; without a stop reason a stream is broken, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from jackfield.errors import BadReply, Error, InvalidRequest, StreamBroken
from jackfield.events import MessageEnd, MessageStart, StreamEvent
from jackfield.message import JsonObject, Usage
from jackfield.protocols.aws_eventstream import Frame, FrameDecoder
from jackfield.protocols.base import as_count, decode_event, preview
from jackfield.protocols.bedrock_converse.errors import make_error, parse_error
from jackfield.protocols.bedrock_converse.open_block import OpenBlock
from jackfield.protocols.bedrock_converse.plain import KIND, PLAIN
from jackfield.protocols.bedrock_converse.response import parse_extras, parse_reason, parse_usage
from jackfield.protocols.fields import as_object, as_text, said
from jackfield.protocols.outbox import Outbox
from jackfield.protocols.plain import read_plain

HEAD_BYTES = 4096  # of a body that is no frame, kept to say what came instead


class StreamParser:
    """Turns a reply's bytes into events. One object per stream."""

    def __init__(self) -> None:
        self.plain = PLAIN
        self.skipped = 0  # ever: frames have a checksum, so that a malformed one is a broken stream
        self._frames = FrameDecoder()
        self._out = Outbox()
        self._head = b""
        self._is_live = False  # a whole frame has come
        self._is_text = False  # no frames are to come: the rest is read for what it says instead
        self._is_begun = self._is_over = False
        self._open: dict[int, OpenBlock] = {}  # by the wire's index
        self._count = 0
        self._has_calls = False
        self._usage: JsonObject = {}
        self._reason: str | None = None
        self._extras: JsonObject = {}

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Take the next bytes, cut anywhere; raise the provider's error when the stream carries one."""
        if self._out.error is None:
            if not self._is_live:
                self._head = (self._head + data)[:HEAD_BYTES]
            if not self._is_text:
                self._read(data)
        return self._out.take()

    def close(self) -> Sequence[StreamEvent]:
        """Say that the stream has ended cleanly; raise `StreamBroken` when the reply is not complete."""
        if self._out.error is None and not self._is_over:
            self._end()
        if self._out.error is not None:
            raise self._out.error
        return self._out.take()

    # -- frames -------------------------------------------------------------------

    def _read(self, data: bytes) -> None:
        try:
            for frame in self._frames.feed(data):
                self._is_live = True
                self._read_frame(frame)
        except Error as error:
            self._is_text = not self._is_live
            if self._is_live:
                self._out.fail(error)

    def _read_frame(self, frame: Frame) -> None:
        kind = frame.headers.get(":message-type", "event")
        if kind == "event" and frame.headers.get(":event-type") == KIND and self._read_words(frame.payload):
            return
        payload = self._decode(frame.payload)
        if kind != "event":
            name = frame.headers.get(":exception-type") or frame.headers.get(":error-code") or kind
            words = [as_text(payload.get(key)) for key in ("message", "Message", "originalMessage")]
            raise make_error(200, name, next(filter(None, words), frame.headers.get(":error-message", "")))
        parse = PARSERS.get(frame.headers.get(":event-type", ""))
        if parse and not self._is_over:
            self._begin()
            try:
                parse(self, payload)
            except InvalidRequest as error:
                raise BadReply(f"an event of the stream is malformed: {error.message}") from error

    def _read_words(self, payload: bytes) -> bool:
        """Take words of a text that is open; say whether the event was such words."""
        piece = None if self._is_over else read_plain(self.plain, payload)
        if piece is None or (block := self._open.get(piece.content_block_index)) is None:
            return False
        return block.say(piece.delta.text, self._out)

    @staticmethod
    def _decode(payload: bytes) -> JsonObject:
        try:
            return as_object(decode_event(payload.decode("utf-8", "replace") or "{}"))
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadReply(f"an event of the stream is no JSON: {preview(payload)}") from error

    def _end(self) -> None:
        try:
            self._frames.close()
        except StreamBroken as error:
            self._out.fail(error if self._is_live else self._missing())
            return
        if self._reason is None:
            self._out.fail(self._missing())
        else:
            self._finish()

    def _missing(self) -> Error:
        head = self._head.strip()
        if self._is_live or not head:
            return StreamBroken("the stream ended before its stop reason")
        if head.startswith(b"{"):  # sent as if nobody had asked for a stream
            return parse_error(200, head)
        return BadReply(f"the reply is no event stream: {preview(self._head)}")

    # -- events -------------------------------------------------------------------

    def _begin(self) -> None:
        if not self._is_begun:
            self._is_begun = True
            self._out.add(MessageStart())

    def _start_block(self, event: JsonObject) -> None:
        index, start = self._index(event), as_object(event.get("start"))
        self._stop_block({"contentBlockIndex": index})
        self._open_block(index, start).open(self._out)
        self._has_calls = self._has_calls or "toolUse" in start

    def _open_block(self, index: int, start: JsonObject) -> OpenBlock:
        block = self._open[index] = OpenBlock(start, f"call_{self._count}")
        self._count += 1
        return block

    def _add(self, event: JsonObject) -> None:
        index = self._index(event)
        block = self._open.get(index) or self._open_block(index, {})
        block.add(as_object(event.get("delta")), self._out)

    def _stop_block(self, event: JsonObject) -> None:
        if block := self._open.pop(self._index(event), None):
            block.close(self._out)

    def _stop_message(self, event: JsonObject) -> None:
        self._reason = as_text(event.get("stopReason")) or self._reason
        self._note(event)

    def _take_counts(self, event: JsonObject) -> None:
        self._usage |= said(as_object(event.get("usage")))
        self._note(event)
        if self._reason is not None:
            self._finish()

    def _note(self, event: JsonObject) -> None:
        # `p` is padding against who measures the lengths of frames.
        self._extras |= {name: value for name, value in parse_extras(event).items() if name != "p"}

    def _finish(self) -> None:
        self._is_over = True
        for block in self._open.values():
            block.close(self._out)
        reason = parse_reason(self._reason, has_calls=self._has_calls)
        usage = parse_usage(self._usage) if self._usage else Usage()
        self._out.add(MessageEnd(reason, usage, self._reason, self._extras))

    def _index(self, event: JsonObject) -> int:
        index = as_count(event.get("contentBlockIndex"))
        return next(reversed(self._open), self._count) if index is None else index


PARSERS: dict[str, Callable[[StreamParser, JsonObject], None]] = {
    "messageStart": lambda _, __: None,
    "contentBlockStart": StreamParser._start_block,
    "contentBlockDelta": StreamParser._add,
    "contentBlockStop": StreamParser._stop_block,
    "messageStop": StreamParser._stop_message,
    "metadata": StreamParser._take_counts,
}
