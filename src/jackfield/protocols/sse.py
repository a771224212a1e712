"""Server-sent events, read and written incrementally.

The decoder follows the WHATWG rules (html.spec.whatwg.org, section 9.2, read 2026-11-21):
LF, CRLF or CR end a line, a blank line ends an event, comments are skipped, `data` lines
join with LF, one leading space of a value is dropped, a BOM at the start is ignored. One
rule is kinder than the standard: an event whose final blank line is missing still counts,
since several providers close the connection without it.
"""

from __future__ import annotations

from msgspec import Struct

from jackfield.errors import BadReply

MAX_EVENT_BYTES = 32 * 1024 * 1024  # an image in one event is some megabytes; beyond this it is an attack

FIELD = b"data: "  # as nearly all events without a name begin
LINE_COST = 48  # bytes that a line takes besides its own; a million short ones are not small


class SseEvent(Struct, frozen=True, gc=False):
    """One dispatched event; `event` is empty when the stream did not name it."""

    data: str
    event: str = ""


class SseDecoder:
    """Cuts bytes into events; `feed` takes pieces of any size, `close` gives what was left."""

    def __init__(self) -> None:
        self._rest = bytearray()  # of a line
        self._held = b""  # a CR at the end of a piece: its LF may come with the next
        self._data: list[bytes] = []
        self._event = ""
        self._size = 0
        self._is_first = self._is_between = True

    def is_one(self, data: bytes, head: bytes) -> bool:
        """Tell whether the next bytes are one whole event that begins so, and ends with the next line."""
        return (
            self._is_between
            and data.startswith(head)
            and data.endswith(b"\n\n")
            and data.find(b"\n", len(head)) == len(data) - 2
            and b"\r" not in data
        )

    def feed(self, data: bytes) -> list[SseEvent]:
        """Take the next bytes and return every event they complete."""
        events: list[SseEvent] = []
        at, end = 0, len(data)
        # Most events are whole and of one or two lines; they need not be taken apart line by line.
        while at < end and self._is_between:
            name, line = "", at
            if data.startswith(b"event: ", at):
                line = data.find(b"\n", at) + 1
                name = data[at + 7 : line - 1].decode("utf-8", "replace")
            stop = data.find(b"\n", line)
            if line < at or not data.startswith(b"data: ", line) or not data.startswith(b"\n\n", stop):
                break
            if data.find(b"\r", at, stop) >= 0:
                break
            events.append(SseEvent(data[line + 6 : stop].decode("utf-8", "replace"), name))
            at = stop + 2
            self._is_first = False
        if at < end:
            events += self._feed_lines(data[at:])
            self._is_between = not (self._rest or self._held or self._data or self._event)
        return events

    def _feed_lines(self, data: bytes) -> list[SseEvent]:
        if self._held or b"\r" in data:
            data = self._as_lf(data)
        end = data.rfind(b"\n")
        if end < 0:
            self._rest += data
            self._check_size()
            return []
        lines = data[:end].split(b"\n")
        if self._rest:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        if end + 1 < len(data):
            self._rest += data[end + 1 :]
        return self._take(lines)

    def close(self) -> list[SseEvent]:
        """Return the last event where the stream ended without its blank line."""
        lines = [bytes(self._rest), b""]
        self._rest.clear()
        return self._take(lines)

    def _as_lf(self, data: bytes) -> bytes:
        data = self._held + data
        self._held = data[-1:] if data.endswith(b"\r") else b""
        return data.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take(self, lines: list[bytes]) -> list[SseEvent]:
        if self._is_first and lines:
            self._is_first = False
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        events: list[SseEvent] = []
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
                self._size += len(line) + LINE_COST
            elif not line:
                self._dispatch(events)
            else:
                self._take_field(line)
        self._check_size()
        return events

    def _take_field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if name == b"event":
            self._event = value.removeprefix(b" ").decode("utf-8", "replace")
        elif name == b"data":
            self._data.append(b"")
            self._size += LINE_COST

    def _dispatch(self, events: list[SseEvent]) -> None:
        if self._data:
            events.append(SseEvent(b"\n".join(self._data).decode("utf-8", "replace"), self._event))
            self._data, self._size = [], 0
        self._event = ""

    def _check_size(self) -> None:
        if self._size + len(self._rest) > MAX_EVENT_BYTES:
            raise BadReply(f"an event of the stream is over {MAX_EVENT_BYTES} bytes")


def encode(data: bytes | str, event: str = "") -> bytes:
    """Write one event; `data` must be free of line ends (JSON is)."""
    body = data.encode() if isinstance(data, str) else data
    head = b"event: " + event.encode() + b"\n" if event else b""
    return head + b"data: " + body + b"\n\n"
