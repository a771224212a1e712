"""Streamed replies, read: server-sent events, a JSON array that grows, or one object where a stream was asked for.

Any of it bare or, event by event, in Cloud Code's envelope.

Kind where servers deviate: events that are none are skipped, any chunk may lack anything. A
stream that says neither why it ends nor why it was blocked is broken, however it ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jackfield.errors import BadReply, Error, InvalidRequest, StreamBroken
from jackfield.events import StreamEvent
from jackfield.message import JsonObject
from jackfield.protocols.base import NO_EVENT, decode_event, preview
from jackfield.protocols.google_generative_ai.errors import parse_error
from jackfield.protocols.google_generative_ai.frames import Frames
from jackfield.protocols.google_generative_ai.plain import PLAIN, WRAPPED
from jackfield.protocols.google_generative_ai.reply import ReplyReader
from jackfield.protocols.google_generative_ai.wire import unwrap
from jackfield.protocols.outbox import Outbox
from jackfield.protocols.plain import read_plain
from jackfield.protocols.sse import FIELD

HEAD_BYTES = 4096  # of a body without an event, kept to say what came instead


class StreamParser:
    """Turns a reply's bytes into events. One object per stream."""

    def __init__(self) -> None:
        self.plain = PLAIN
        self.skipped = 0
        self._frames = Frames()
        self._out = Outbox()
        self._reader = ReplyReader(self._out)
        self._head = b""
        self._is_live = False  # an event of JSON has come

    def feed(self, data: bytes) -> Sequence[StreamEvent]:
        """Take the next bytes, cut anywhere; raise the provider's error when the stream carries one."""
        # Nearly every read is one event with some more words.
        if self._frames.is_one(data, FIELD) and self._read_words(data[len(FIELD) :]):
            return self._out.take()
        if not self._is_live:
            self._head = (self._head + data)[:HEAD_BYTES]
        if self._out.error is None:
            try:
                self._read(self._frames.feed(data))
            except Error as error:
                self._out.fail(error)
        return self._out.take()

    def close(self) -> Sequence[StreamEvent]:
        """Say that the stream has ended cleanly; raise `StreamBroken` when the reply is not complete."""
        if self._out.error is None:
            try:
                self._read(self._frames.close())
                self._end()
            except Error as error:
                self._out.fail(error)
        events = self._out.take()
        if self._out.error:
            raise self._out.error
        return events

    def _end(self) -> None:
        if not self._reader.is_complete:
            raise self._missing()
        self._reader.end()

    def _read(self, texts: list[str]) -> None:
        for text in texts:
            if self._read_words(text):
                continue
            try:
                event = decode_event(text)
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                event = None
            if isinstance(event, dict):
                self._is_live = True
                self._read_chunk(self._unwrap(event))
            else:
                self.skipped += text.strip() not in NO_EVENT

    def _read_words(self, data: bytes | str) -> bool:
        """Take words of a text that is open; say whether the event was such words."""
        if not self._reader.is_text or self._out.error is not None:
            return False
        piece = read_plain(self.plain, data)
        return piece is not None and self._reader.read_words(piece.chunk)

    def _unwrap(self, event: JsonObject) -> JsonObject:
        # Who wraps one event wraps them all, so that the short way leads through the envelope from now on.
        if self.plain is PLAIN and "response" in event:
            self.plain = WRAPPED
        return unwrap(event)

    def _read_chunk(self, chunk: JsonObject) -> None:
        if chunk.get("error"):
            raise parse_error(200, chunk)
        try:
            self._reader.read(chunk)
        except InvalidRequest as error:
            raise BadReply(f"an event of the stream is malformed: {error.message}") from error

    def _missing(self) -> Error:
        said = [line for line in self._head.splitlines() if line.strip() and not line.startswith(b":")]
        if self._is_live or not said:
            return StreamBroken("the stream ended before its finish reason")
        return BadReply(f"the reply is no stream of events: {preview(self._head)}")
