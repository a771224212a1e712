"""Requests that the application may begin to answer as they come in: whole ones, like others before.

Their heads are compared byte by byte with heads that were read, but for the length of what follows, so
nothing needs to be read again (`passage.py`). Everything else is read and answered as `server.py` does.
"""

from __future__ import annotations

import asyncio
import re
from math import inf

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from jackfield.gateway.exchange import ANSWER, BODY_PAUSE_S, Message
from jackfield.gateway.passage import AT_ONCE, CLOSE, Passage, Passages
from jackfield.gateway.server import KEEP_ALIVE_S, BoundedProtocol
from jackfield.gateway.target import LONGEST

LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: *(\d{1,8})\r\n")
HEAD_END = b"\r\n\r\n"


class PromptProtocol(BoundedProtocol):
    """A caller's connection that knows what is said again."""

    _passages: Passages | None = None  # of an application that has such
    _passage: Passage | None = None  # under way
    _own: Message
    _said = b""  # the last head, without its length
    _begun = b""  # a head that is known, and of its body what has come
    _held = b""  # what came behind the request that is under way
    _is_ending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._passages = self.app_state.get(AT_ONCE)
        self._own = {**self._extensions, ANSWER: self._finish_passage, CLOSE: self._give_up}

    def connection_lost(self, exc: Exception | None) -> None:
        """End what is under way: its caller has left."""
        super().connection_lost(exc)
        passage, self._passage, self._own, self._begun, self._held = self._passage, None, {}, b"", b""
        if passage is not None:
            passage.leave()

    def shutdown(self) -> None:
        """Close the connection, after the answer that is under way."""
        self._is_ending = True
        if self._begun:
            self._read_begun()
        if self._passage is None:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._passage is not None:
            self._held += data
            self.flow.pause_reading()
            return
        self._begun += data
        parted = _part(self._begun) if self._passages is not None and self._is_resting() else None
        if parted is None or self._passages is None:
            self._read_begun()
            return
        said, body, missing = parted
        if missing > 0 and len(body) + missing <= LONGEST and self._passages.knows(said):
            self._wait(BODY_PAUSE_S)
            return
        if missing == 0:
            self._passage = self._passages.begin(said, body, self._own)
        if self._passage is not None:
            self._begun, self._due_s, self._is_in_head = b"", inf, False
            return
        self._read_begun()
        # Once is chance: many heads have a number of their own.
        if said == self._said and self._is_usual():
            self._passages.learn(said, self.scope, len(body) + missing)
        self._said = said

    def _read_begun(self) -> None:
        data, self._begun = self._begun, b""
        super().data_received(data)

    def _is_resting(self) -> bool:
        """Tell whether a request would begin with the next byte, and be answered at once."""
        cycle = self.cycle
        if cycle is None:
            return not self._head_size  # type: ignore[unreachable]  # uvicorn has no word for none
        is_over = cycle.response_complete and not cycle.more_body and not self._is_in_head
        return is_over and cycle.keep_alive and not self.flow.write_paused

    def _is_usual(self) -> bool:
        """Tell whether what has just come was the head of one request, as usual ones are."""
        if self.transport.is_closing() or self._is_in_head or self.pipeline:
            return False  # among others, what could not be read
        return self.cycle.keep_alive and self.scope["http_version"] == "1.1"

    def _finish_passage(self, status: int, lines: bytes, body: bytes) -> bool:
        self._passage = None
        if self.transport.is_closing():
            return True
        own = [b"%b: %b\r\n" % each for each in self.server_state.default_headers]
        last = b"connection: close\r\n\r\n" if self._is_ending else b"\r\n"
        self.transport.write(b"".join((STATUS_LINE[status], *own, lines, last, body)))
        self.server_state.total_requests += 1
        if self._is_ending:
            self.transport.close()
        elif self._held:
            self.loop.call_soon(self._read_held)
        else:
            self._wait(KEEP_ALIVE_S)
        return True

    def _read_held(self) -> None:
        data, self._held = self._held, b""
        if data and not self.transport.is_closing():
            self.flow.resume_reading()
            self.data_received(data)

    def _give_up(self, passage: Passage) -> None:
        """Close the connection of a request that nobody answers any more; one that was answered may have another by now."""
        if self._passage is passage:
            self._passage = None
            self.transport.close()


def _part(data: bytes) -> tuple[bytes, bytes, int] | None:
    """Return a head without the digits of its length, its body, and how much of that is missing; `None`: it has none."""
    end = data.find(HEAD_END)
    found = LENGTH.search(data, 0, end + 2) if end > 0 else None
    if found is None:
        return None
    start, stop = found.span(1)
    body = data[end + len(HEAD_END) :]
    return data[:start] + data[stop:end], body, int(found[1]) - len(body)
