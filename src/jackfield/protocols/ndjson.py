"""Lines of JSON, read incrementally: one value a line, LF or CRLF at its end or nothing after the last."""

from __future__ import annotations

from jackfield.errors import BadReply
from jackfield.protocols.sse import MAX_EVENT_BYTES


class LineDecoder:
    """Cuts bytes into lines; `feed` takes pieces of any size, `close` gives what was left."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes and return every line they complete, blank ones aside."""
        head, newline, tail = data.rpartition(b"\n")
        lines = (bytes(self._rest) + head).split(b"\n") if newline else []
        if newline:
            self._rest.clear()
        self._rest += tail
        if len(self._rest) > MAX_EVENT_BYTES:
            raise BadReply(f"a line of the stream is over {MAX_EVENT_BYTES} bytes")
        return [text for line in lines if (text := _text(line))]

    def close(self) -> list[str]:
        """Return the last line where the stream ended without its end."""
        line, self._rest = bytes(self._rest), bytearray()
        return [text] if (text := _text(line)) else []


def _text(line: bytes) -> str:
    return line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip()
