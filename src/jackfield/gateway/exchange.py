"""One request and its answer over ASGI: the body within its limit, the reply, and whether the caller is still there.

ASGI tells that a caller has left only to who asks, and lets writes to nobody succeed: so that an
upstream is not paid for words that nobody reads, the server's connection says it by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from typing import Any, Protocol

from jackfield.errors import InvalidRequest
from jackfield.gateway.refusal import TooLarge

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]
# The server's extension to ASGI: takes what is called when the caller leaves, and cancels the task that answers then;
# `None`: neither, any more.
# A task that waits for the same costs more than all else that is done here.
WATCH = "jackfield.watch"
# Another: gives the whole body where it is there already, `None` where it must be waited for.
TAKE = "jackfield.take"
# Another: writes a piece of a stream at once and tells that it did; where one has to wait it does not.
WRITE = "jackfield.write"
# The same for a whole answer (status, lines of the head, body), for the head and the first piece of a stream, for its last.
ANSWER, START, END = "jackfield.answer", "jackfield.start", "jackfield.end"
QUIET = "jackfield.quiet"  # Another: tells whether no piece was written since it was last asked.
TYPED = ("content-type", "application/json")
BODY_PAUSE_S = 60.0  # longest silence inside a body
REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
UNFIT = re.compile(r"[^\t\x20-\x7e]")
# Two of these may say two things: who stands before us may have gone by the other.
SINGLE = (b"host", b"authorization", b"x-api-key", b"x-goog-api-key", b"content-encoding", b"x-openclaw-model")
HEADER_LENGTH = 2000  # of one value of ours; clients refuse heads that are much longer


class Write(Protocol):
    """Sends a piece, or none, and tells whether that is possible now."""

    def __call__(self, data: bytes = b"", /) -> bool:  # noqa: D102  the class says it
        ...


class Left(Exception):
    """The caller went away before the request was complete."""


class Exchange:
    """One request and its answer; belongs to the task that was current when it was made."""

    status = 0  # 0: nothing has been answered yet
    is_stream = False
    has_left = False
    further: Sequence[tuple[str, str]] = ()  # headers of the answer, whatever becomes of it
    _is_watched = False

    def __init__(self, scope: Message, receive: Receive, send: Send, make_id: Callable[[], str]) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.is_ambiguous = len(self.headers) < len(scope["headers"]) and _repeats(scope["headers"])
        said = self.headers.get(b"x-request-id")
        self.id = said.decode() if said and REQUEST_ID.fullmatch(said) else make_id()
        self._receive = receive
        self._send = send
        own = scope["extensions"]
        self._watch: Callable[[Callable[[], None] | None], None] = own[WATCH]
        self._take: Callable[[], bytes | None] = own[TAKE]
        # Sends the next piece, if any, and tells whether that is possible: it is not while the caller reads slowly.
        self.write_now: Write = own[WRITE]
        self.was_quiet: Callable[[], bool] = own[QUIET]  # since it was last asked
        self._start: Callable[[bytes, bytes], bool] = own[START]
        self._end: Callable[[bytes], bool] = own[END]
        self._answer: Callable[[int, bytes, bytes], bool] = own[ANSWER]

    def header(self, name: bytes) -> str:
        """Return a header of the request, empty where there is none."""
        value = self.headers.get(name)
        return value.decode("latin-1").strip() if value else ""

    def take_body(self, limit: int) -> bytes | None:
        """Return the whole body where it is here already, and watch the caller from then on; raise `TooLarge`."""
        if self.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise InvalidRequest("a packed request is not read", hint="send it without content-encoding")
        body = self._take()
        if body is not None:
            _check_size(len(body), limit)
            self.watch()
        return body

    async def read_body(self, limit: int) -> bytes:
        """Return the whole body, and watch the caller from then on; raise `TooLarge`, or `Left`."""
        body = self.take_body(limit)
        if body is None:
            said = self.headers.get(b"content-length", b"")
            _check_size(int(said) if said.isdigit() else 0, limit)
            body = await self._read(limit)
            self.watch()
        return body

    async def _read(self, limit: int) -> bytes:
        body, more = bytearray(), True
        while more:
            try:
                async with asyncio.timeout(BODY_PAUSE_S):
                    message = await self._receive()
            except TimeoutError:
                raise Left from None
            if message["type"] == "http.disconnect":
                raise Left
            body += message.get("body", b"")
            _check_size(len(body), limit)
            more = message.get("more_body", False)
        return bytes(body)

    def _note_left(self) -> None:
        self.has_left = True

    def watch(self) -> None:
        """Cancel the request's task when the caller leaves."""
        self._is_watched = True
        self._watch(self._note_left)

    def stop_watching(self) -> None:
        """Leave the caller alone: what follows happens whether they stay or not."""
        if self._is_watched:
            self._is_watched = False
            self._watch(None)

    # -- the answer ------------------------------------------------------------------

    async def answer(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Send a whole answer; `content-type` is JSON unless a header says otherwise."""
        await self.answer_lines(status, self._lines(headers), body)

    async def answer_lines(self, status: int, lines: str, body: bytes) -> None:
        """Send a whole answer with the lines of a head that are ready."""
        if (head := self.answer_now(status, lines, body)) is not None:
            await self._send({"type": "http.response.start", "status": status, "headers": _split(head)})
            await self._send({"type": "http.response.body", "body": body})

    def answer_now(self, status: int, lines: str, body: bytes) -> bytes | None:
        """Send a whole answer at once; return its head where one has to wait."""
        self.stop_watching()
        self.status = status
        head = f"x-request-id: {self.id}\r\n{lines}content-length: {len(body)}\r\n".encode()
        return None if self._answer(status, head, body) else head

    async def start(self, headers: Iterable[tuple[str, str]], data: bytes = b"") -> None:
        """Begin a streamed answer, with its first piece where there is one."""
        await self.start_lines(self._lines(headers), data)

    async def start_lines(self, lines: str, data: bytes = b"") -> None:
        """Begin a streamed answer with the lines of a head that are ready."""
        self.status, self.is_stream = 200, True
        # Proxies that collect a body before they pass it on would make a stream of it no more.
        head = f"x-request-id: {self.id}\r\n{lines}cache-control: no-cache\r\nx-accel-buffering: no\r\n".encode()
        if not self._start(head, data):
            await self._send({"type": "http.response.start", "status": 200, "headers": _split(head)})
            if data:
                await self.write(data)

    async def write(self, data: bytes) -> None:
        """Send the next piece; waits while the caller reads slowly."""
        if not self.write_now(data):
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes = b"") -> None:
        """Send the last piece."""
        self.stop_watching()
        if not self._end(data):
            await self._send({"type": "http.response.body", "body": data})

    def _lines(self, headers: Iterable[tuple[str, str]]) -> str:
        return render_lines(dict([TYPED, *headers, *self.further]).items())


def render_lines(headers: Iterable[tuple[str, str]]) -> str:
    """Write headers as the lines of a head."""
    return "".join([f"{name}: {as_header(value)}\r\n" for name, value in headers])


def _split(lines: bytes) -> Headers:
    return [(name, value) for name, _, value in (line.partition(b": ") for line in lines.split(b"\r\n")) if name]


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(f"the request is over {limit} bytes")


def _repeats(headers: Headers) -> bool:
    names = [name for name, _ in headers]
    return any(names.count(name) > 1 for name in SINGLE)


def as_header(value: str) -> str:
    """Return a text as a header may hold it: on one line, in ASCII, not endless."""
    if not value.isascii() or not value.isprintable():
        value = UNFIT.sub("?", value.replace("\n", " "))
    return value[:HEADER_LENGTH]
