"""Server-sent events, read and written incrementally.

The decoder follows the WHATWG rules (html.spec.whatwg.org, section 9.2, read 2026-11-21):
LF, CRLF or CR end a line, a blank line ends an event, comments are skipped, `data` lines
join with LF, one leading space of a value is dropped, a BOM at the start is ignored. One
rule is kinder than the standard: an event whose final blank line is missing still counts,
since several providers close the connection without it.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from jackfield.errors import BadReply

MAX_EVENT_BYTES = 32 * 1024 * 1024  # an image in one event is some megabytes; beyond this it is an attack


class SseEvent(Struct, frozen=True):
    """One dispatched event; `event` is empty when the stream did not name it."""

    data: str
    event: str = ""


class SseDecoder:
    """Cuts bytes into events; `feed` takes pieces of any size, `close` gives what was left."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._seen = 0  # bytes of `_rest` known to hold no line end
        self._data: list[str] = []
        self._event = ""
        self._size = 0
        self._first = True

    def feed(self, data: bytes) -> Iterator[SseEvent]:
        """Take the next bytes and yield every event they complete."""
        self._rest += data
        for line in self._lines():
            if (event := self._take(line)) is not None:
                yield event
        if self._size + len(self._rest) > MAX_EVENT_BYTES:
            raise BadReply(f"an event of the stream is over {MAX_EVENT_BYTES} bytes")

    def close(self) -> Iterator[SseEvent]:
        """Yield the last event where the stream ended without its blank line."""
        rest = bytes(self._rest).removesuffix(b"\r")
        self._rest.clear()
        self._seen = 0
        for line in (rest, b"") if rest else (b"",):
            if (event := self._take(line)) is not None:
                yield event

    def _lines(self) -> Iterator[bytes]:
        start = 0
        rest = self._rest
        if b"\r" not in rest:
            while (end := rest.find(b"\n", max(start, self._seen))) >= 0:
                yield bytes(rest[start:end])
                start = end + 1
        else:
            for start, line in _split_cr(rest):
                yield line
        if start:
            del rest[:start]
        self._seen = 0 if b"\r" in rest else len(rest)

    def _take(self, line: bytes) -> SseEvent | None:
        if self._first:
            self._first = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        text = value.removeprefix(b" ").decode("utf-8", "replace")
        if name == b"data":
            self._data.append(text)
            self._size += len(line)
        elif name == b"event":
            self._event = text
        return None

    def _dispatch(self) -> SseEvent | None:
        data, event = self._data, self._event
        self._data, self._event, self._size = [], "", 0
        return SseEvent("\n".join(data), event) if data else None


def _split_cr(rest: bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield (offset after the line end, line), where a CR may end a line; a last CR waits for its LF."""
    start = position = 0
    while position < len(rest):
        byte = rest[position]
        if byte == 0x0D:
            if position + 1 == len(rest):
                return
            width = 2 if rest[position + 1] == 0x0A else 1
        elif byte == 0x0A:
            width = 1
        else:
            ends = [at for at in (rest.find(b"\r", position), rest.find(b"\n", position)) if at >= 0]
            if not ends:
                return
            position = min(ends)
            continue
        yield position + width, bytes(rest[start:position])
        start = position = position + width


def encode(data: bytes | str, event: str = "") -> bytes:
    """Write one event; `data` must be free of line ends (JSON is)."""
    body = data.encode() if isinstance(data, str) else data
    head = b"event: " + event.encode() + b"\n" if event else b""
    return head + b"data: " + body + b"\n\n"
