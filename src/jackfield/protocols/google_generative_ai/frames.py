"""A streamed body, cut into the JSON texts it is made of.

The API answers with server-sent events when asked to (`alt=sse`), and with one JSON array that
grows when not; a refusal, or a proxy that does not stream, sends one object. The first byte tells.
"""

from __future__ import annotations

import re

from jackfield.errors import BadReply
from jackfield.protocols.sse import MAX_EVENT_BYTES, SseDecoder

BOM = b"\xef\xbb\xbf"
MARKS = re.compile(rb'["\\{}]')
IN_STRING = re.compile(rb'["\\]')


class Frames:
    """Cuts bytes into JSON texts; `feed` takes pieces of any size, `close` gives what was left."""

    def __init__(self) -> None:
        self._head = b""
        self._decoder: SseDecoder | ObjectDecoder | None = None

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes and return every text they complete."""
        if self._decoder is None:
            self._head += data
            start = self._head.removeprefix(BOM).lstrip()
            if not start or BOM.startswith(self._head):
                return []
            self._decoder = ObjectDecoder() if start[:1] in (b"[", b"{") else SseDecoder()
            data, self._head = self._head, b""
        if isinstance(self._decoder, ObjectDecoder):
            return self._decoder.feed(data)
        return [event.data for event in self._decoder.feed(data)]

    def is_one(self, data: bytes, head: bytes) -> bool:
        """Tell whether the next bytes are one whole event that begins so, and ends with the next line."""
        return isinstance(self._decoder, SseDecoder) and self._decoder.is_one(data, head)

    def close(self) -> list[str]:
        """Return the last text where the stream ended without its blank line."""
        return [event.data for event in self._decoder.close()] if isinstance(self._decoder, SseDecoder) else []


class ObjectDecoder:
    """Finds the whole objects of an array, or of a row of objects, by their braces."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._at = 0  # how far `_held` has been looked at
        self._depth = 0
        self._is_string = False

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes and return every object they complete."""
        self._held += data
        if len(self._held) > MAX_EVENT_BYTES:
            raise BadReply(f"an event of the stream is over {MAX_EVENT_BYTES} bytes")
        texts: list[str] = []
        start = 0
        while mark := (IN_STRING if self._is_string else MARKS).search(self._held, self._at):
            self._at = mark.end()
            match mark[0]:
                case b"\\":
                    self._at += self._is_string  # what it escapes is no mark
                case b'"':
                    self._is_string = not self._is_string
                case b"{":
                    start = mark.start() if self._depth == 0 else start
                    self._depth += 1
                case _:
                    self._depth = max(self._depth - 1, 0)
                    if self._depth == 0:
                        texts.append(self._held[start : self._at].decode("utf-8", "replace"))
                        start = self._at
        self._at = max(self._at, len(self._held))
        cut = start if self._depth else len(self._held)
        self._at -= cut
        del self._held[:cut]
        return texts
