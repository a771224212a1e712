"""One HTTP/1.1 connection and the one exchange that runs on it at a time.

Bytes come in by themselves and wait here, no more of them than `HELD_LIMIT` and one read;
whoever drives the exchange sends, waits for the head, and takes the body piece by piece. It
knows no request: what fails here is `Lost`, `Malformed` or `TimeUp`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from jackfield.errors import Error
from jackfield.transport.ends import Lost, Malformed, TimeUp
from jackfield.transport.timers import FOREVER, Timers

HEAD_LIMIT = 256 * 1024  # bytes; policies and cookies that a gateway adds outgrow the usual 8 KB
HEADERS_LIMIT = 128
HELD_LIMIT = 64 * 1024  # bytes of a body nobody has taken yet, before the other side is made to wait
PIECE_BYTES = 64 * 1024  # of a body that is sent

# Takes what comes of a body, and returns what whoever waits is woken with, if with anything.
Sink = Callable[[bytes], object]


class Connection(asyncio.Protocol):
    """An open connection. One task at a time drives it; `note_end` hears once that it has ended."""

    def __init__(self, note_end: Callable[[Connection], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._note_end = note_end
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        # As lenient as the library and browsers are: servers in use send such headers.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._timers: Timers | None = None  # of whoever waits
        self._quiet_since = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = FOREVER
        self._choked = False  # the other side reads more slowly than we write
        self._paused = False
        self.used = False  # an exchange ended well here before
        self.idle_since = 0.0
        self._forget_exchange()

    def _forget_exchange(self) -> None:
        self._waiter: asyncio.Future[Any] | None = None
        self._sink: Sink | None = None
        self._expecting = self._bodiless = False
        self.is_sent = False  # all of the request
        self._headed = self._ended = self._keeps = self._framed = False
        self.failure: Lost | Malformed | None = None  # what broke the answer
        self._body_bytes = self._quiet_bytes = self._held_bytes = 0
        self._pieces: list[bytes] = []
        self.heard = False  # something of an answer has come
        self.status = 0
        self.reason = ""
        self.headers: dict[str, str] = {}

    # -- for whoever drives the exchange ---

    @property
    def is_open(self) -> bool:
        """Tell whether nothing has ended the connection yet."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def is_reusable(self) -> bool:
        """Tell whether the exchange is over on both sides and another one may follow."""
        return self._keeps and self.is_sent and self.is_open

    async def send(self, head: bytes, body: bytes, timers: Timers, *, bodiless: bool = False) -> None:
        """Send a request, no faster than it is read; what is left of its body stays here once an answer comes.

        The answer to a `bodiless` request (HEAD) has no body, whatever its headers say.
        """
        self._bodiless = bodiless
        if len(body) <= PIECE_BYTES:
            self.send_whole(head + body)
            return
        self._expecting = True
        self._write(head)
        view = memoryview(body)
        for start in range(0, len(view), PIECE_BYTES):
            while self._choked and not (self._headed or self._ended):
                await self.wait(timers)
            if self._headed or self._ended:
                return
            self._write(view[start : start + PIECE_BYTES])
        self.is_sent = True

    def send_whole(self, data: bytes) -> None:
        """Send a request in one piece."""
        self._expecting = self.is_sent = True
        self._write(data)

    async def read_head(self, timers: Timers) -> None:
        """Wait until `status` and `headers` are there."""
        while not self._headed:
            if failure := self.failure:
                # Another one: what is raised holds the frames that hold this connection, and would wait for the collector.
                raise type(failure)(*failure.args) from failure.__cause__
            await self.wait(timers)

    def take(self) -> bytes | None:
        """Return what of the body waits here, nothing at its end, `None` where one has to wait or it broke."""
        pieces = self._pieces
        if not pieces:
            return b"" if self._ended and not self.failure else None
        self._pieces, self._held_bytes = [], 0
        if self._paused:
            self._resume()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def take_rest(self) -> bytes | None:
        """Return all that is left of the body, `None` where not all of it is here."""
        return self.take() if self._ended and not self.failure else None

    def rest(self, now: float) -> None:
        """End the exchange and wait for another."""
        self._forget_exchange()
        if self._paused:
            self._resume()
        self.used, self.idle_since = True, now

    def abort(self) -> None:
        """End the connection at once."""
        self._keeps = False
        self._timers = None
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None
        if self._transport:
            self._transport.abort()

    # -- waiting ---

    def wait(self, timers: Timers, sink: Sink | None = None) -> asyncio.Future[Any]:
        """Return what ends when anything has come, the end too; with `TimeUp` when a timer runs out before.

        With a `sink` a piece of the body goes there in the moment it comes, and ends the wait only with what the
        sink makes of it, or with the error of ours that it raises.
        """
        self._waiter, self._sink, self._timers = self._loop.create_future(), sink, timers
        self._quiet_since = self._loop.time()
        due = timers.due(self._quiet_since)
        if due < FOREVER and (self._alarm is None or due < self._alarm_at):
            self._set_alarm(due)
        return self._waiter

    def _set_alarm(self, at: float) -> None:
        # One timer serves many waits: it looks whether the moment has moved on, which is cheaper than a new one each.
        if self._alarm:
            self._alarm.cancel()
        self._alarm, self._alarm_at = self._loop.call_at(at, self._ring), at

    def _ring(self) -> None:
        self._alarm = None
        if self._waiter is None or self._waiter.done() or self._timers is None:
            return
        due = self._timers.due(self._quiet_since)
        if self._loop.time() < due:
            self._set_alarm(due)
        else:
            self._waiter.set_exception(TimeUp(self._timers.named(due)))

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # -- the socket's side ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the open socket."""
        self._transport = transport  # type: ignore[assignment]  # a stream's; uvloop's is no subclass of asyncio's

    def data_received(self, data: bytes) -> None:
        """Read what has come; what nobody asked for ends the connection."""
        if not self._expecting:
            self.abort()
            return
        self.heard = True
        before = self._body_bytes
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._fail(Malformed(str(error)))
            return
        # Endless headers, trailers and chunk extensions are no progress.
        self._quiet_bytes = 0 if self._body_bytes != before else self._quiet_bytes + len(data)
        if self._quiet_bytes > HEAD_LIMIT and not self._ended:
            self._fail(Malformed("a head without end"))
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        if self._sink is None or not self._pieces or self._ended:
            waiter.set_result(None)
            return
        self._quiet_since = self._loop.time()
        try:
            if made := self._sink(self.take() or b""):
                waiter.set_result(made)
        except Error as error:
            waiter.set_exception(error)

    def eof_received(self) -> None:
        """End a body that lasts until the connection does; anything else is lost."""
        if self._headed and not self._framed:
            self._ended = True
        self._fail(Lost())

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        lost = Lost()
        lost.__cause__ = exc
        self._fail(lost)
        self._note_end(self)
        del self._parser  # it holds this connection, which would wait for the collector of cycles

    def pause_writing(self) -> None:
        """Hold the request back."""
        self._choked = True

    def resume_writing(self) -> None:
        """Let the request go on."""
        self._choked = False
        self._wake()

    def _write(self, data: bytes | memoryview) -> None:
        if self._transport and not self._ended:
            self._transport.write(data)

    def _resume(self) -> None:
        self._paused = False
        if self._transport and self.is_open:
            self._transport.resume_reading()

    def _fail(self, failure: Lost | Malformed) -> None:
        # What is complete stays complete: only the connection is of no more use.
        if not self._ended:
            self.failure, self._ended = failure, True
        self.abort()
        self._wake()

    # -- the parser's side ---

    def on_message_begin(self) -> None:
        """Begin an answer; a second one was not asked for."""
        if self._ended:
            raise Malformed("an answer without a question")
        self.headers, self.reason = {}, ""

    def on_status(self, reason: bytes) -> None:
        """Note the words beside the status."""
        self.reason += reason.decode("utf-8", "replace")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header; one after the body is left out."""
        if self._headed:
            return
        # The one character that the parser lets through here and nobody means; it lets no line break through.
        if len(self.headers) >= HEADERS_LIMIT or b"\0" in value:
            raise Malformed("headers that nobody means")
        key = name.decode("utf-8", "surrogateescape").lower()
        self.headers[key] = value.decode("utf-8", "surrogateescape").rstrip(" \t")

    def on_headers_complete(self) -> None:
        """Note that the head is there, unless it only announces another one."""
        status = self._parser.get_status_code()
        if status < 200:
            return
        self.status, self._headed = status, True
        self._framed = (
            "content-length" in self.headers or "chunked" in self.headers.get("transfer-encoding", "").lower()
        )
        self._ended = self._bodiless

    def on_body(self, body: bytes) -> None:
        """Keep a piece for the reader; make the other side wait when there are many."""
        if self._ended:
            return
        self._pieces.append(body)
        self._body_bytes += len(body)
        self._held_bytes += len(body)
        if self._held_bytes > HELD_LIMIT and not self._paused and self._transport:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Note the end of an answer and whether another may follow."""
        if self._headed and not self._ended:
            self._ended, self._keeps = True, self._parser.should_keep_alive()
