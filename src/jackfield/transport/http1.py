"""The fast way: HTTP/1.1 straight to a server over kept connections, without the HTTP library.

A third of the library's time per request, and a program that needs only this way starts in
half the time. What it does not know (proxies, client certificates, other uses of a
connection) is not sent to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from ssl import SSLContext
from typing import Any, TypeVar

from jackfield.errors import BadReply, Error
from jackfield.model import Network
from jackfield.transport.body import TimedBody
from jackfield.transport.connection import PIECE_BYTES, Connection
from jackfield.transport.dial import Names, dial
from jackfield.transport.ends import Lost, Malformed, TimeUp
from jackfield.transport.failures import (
    explain_broken,
    explain_connecting,
    explain_lost,
    explain_timeout,
    refuse_answer,
    refuse_characters,
    refuse_status,
    refuse_url,
    say,
)
from jackfield.transport.head import Place, Target, render_head
from jackfield.transport.pool import Pool, PoolLimits
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
from jackfield.transport.timers import Timers

T = TypeVar("T")
OK = 200
Trusted = Callable[[Network], SSLContext]


class Http1:
    """Sends plain requests; holds the connections until `close()`. Belongs to one event loop."""

    def __init__(self, trusted: Trusted, limits: PoolLimits) -> None:
        self._trusted = trusted
        self._names = Names()
        self._pool = Pool(self._dial, limits)

    async def open(self, request: HttpRequest, target: Target, timers: Timers) -> HttpReply:
        """Send a request and return its reply once the headers are there.

        Raises `ConnectError`, `ConnectionLost`, `TimeoutExpired`, or `BadReply` for what is no answer.
        """
        head = render_head(request, target)
        if head is None:
            raise refuse_characters(request)
        connection = self._pool.take(target.place) or await self._connect(request, target, timers)
        return await self._open_over(connection, request, target, head, timers)

    def begin(self, request: HttpRequest, target: Target, timers: Timers) -> Begun | None:
        """Send a request at once; `None`: nothing was sent, as a connection is to be opened first or it is long."""
        head = render_head(request, target)
        if head is None or len(request.body) > PIECE_BYTES or (connection := self._pool.take(target.place)) is None:
            return None
        connection.send_whole(head + request.body)
        go_on = partial(self._open_over, connection, request, target, head, timers)
        return Begun(connection, self._pool, go_on, connection.wait(timers))

    def may_begin(self, target: Target) -> bool:
        """Tell whether a short request could leave at once."""
        return self._pool.has_resting(target.place)

    async def _open_over(
        self, connection: Connection, request: HttpRequest, target: Target, head: bytes, timers: Timers
    ) -> HttpReply:
        connection = await self._exchange(connection, request, target, head, timers)
        if refused := refuse_status(connection.status, connection.reason, connection.headers, request):
            self._pool.discard(connection)
            raise refused
        source = _Source(connection, self._pool, request, timers)
        body = TimedBody(source, connection.headers, timers, request)
        return HttpReply(request, connection.status, connection.headers, body)

    async def close(self) -> None:
        """Close every connection, for good; replies still open break."""
        self._pool.close()
        # The sockets close when the loop comes round again.
        await asyncio.sleep(0)

    async def _dial(self, place: Place, note_end: Callable[[Connection], None]) -> Connection:
        return await dial(place, self._names, self._trusted(place.network) if place.tls else None, note_end)

    async def _exchange(
        self, connection: Connection, request: HttpRequest, target: Target, head: bytes, timers: Timers
    ) -> Connection:
        was_used = connection.used
        try:
            return await self._ask(connection, request, head, timers)
        except Lost as lost:
            # The server was closing a kept connection at that moment (RFC 9112, 9.3.1).
            if not was_used or connection.heard:
                raise _explain(lost, request) from lost.__cause__
        connection = await self._connect(request, target, timers, fresh=True)
        try:
            return await self._ask(connection, request, head, timers)
        except Lost as lost:
            raise _explain(lost, request) from lost.__cause__

    async def _connect(
        self, request: HttpRequest, target: Target, timers: Timers, *, fresh: bool = False
    ) -> Connection:
        timer = timers.connecting()
        try:
            async with asyncio.timeout_at(timer.at):
                return await self._pool.open(target.place, fresh=fresh)
        except TimeoutError as error:
            # The system's own patience may end first; then the error has a number.
            late = explain_timeout(timer.name, timer.limit_s, request)
            raise (explain_connecting(error, request) if error.errno else late) from error
        except OSError as error:
            raise explain_connecting(error, request) from error
        except Lost as lost:
            raise explain_lost("the client is closed", request) from lost
        except UnicodeError as error:
            raise refuse_url(request) from error

    async def _ask(self, connection: Connection, request: HttpRequest, head: bytes, timers: Timers) -> Connection:
        try:
            if not connection.is_sent:
                await connection.send(head, request.body, timers, bodiless=request.method == "HEAD")
            await connection.read_head(timers)
        except TimeUp as up:
            timer = up.args[0]
            failure: Error = explain_timeout(timer.name, timer.limit_s, request)
        except Malformed:
            failure = refuse_answer(request)
        except BaseException:
            self._pool.discard(connection)
            raise
        else:
            return connection
        self._pool.discard(connection)
        raise failure


class Begun:
    """A request that has left, for whoever waits for its answer without a task; ends with `take`, `open` or `abandon`."""

    def __init__(
        self,
        connection: Connection,
        pool: Pool,
        go_on: Callable[[], Coroutine[Any, Any, HttpReply]],
        woken: asyncio.Future[Any],
    ) -> None:
        self.woken = woken  # ends when something has come, or nothing will
        self._go_on = go_on
        self._connection = connection
        self._pool = pool
        self._is_taken = False

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers, with names in lower case."""
        return self._connection.headers

    def take(self) -> bytes | None:
        """Return the body of a usual answer and give the connection back; `None`: it is odd, or not all of it is here."""
        connection = self._connection
        if connection.status != OK or "content-encoding" in connection.headers:
            return None
        body = connection.take_rest()
        if body is not None:
            self._is_taken = True
            self._pool.release(connection)
        return body

    async def open(self) -> HttpReply:
        """Return the reply in the ordinary way, or raise what keeps it from coming."""
        if self._is_taken:
            raise BadReply("the answer was read, and came to nothing")
        return await self._go_on()

    def abandon(self) -> None:
        """Close the connection: nobody wants the answer any more."""
        self.woken.cancel()
        self._pool.discard(self._connection)


class _Source:
    """The body of one answer; the connection is its own until `release`."""

    def __init__(self, connection: Connection, pool: Pool, request: HttpRequest, timers: Timers) -> None:
        self._connection: Connection | None = connection
        self._pool = pool
        self._request = request
        self._timers = timers

    async def read(self, read: Callable[[bytes], T]) -> T | None:
        connection, timers = self._connection, self._timers
        if connection is None:
            raise explain_broken("it was closed on this side", self._request)
        try:
            while (piece := connection.take()) != b"":
                if connection.failure and piece is None:
                    raise connection.failure
                # Another timer may count from the first token on, so that it wakes.
                if made := read(piece) if piece else await connection.wait(timers, read if timers.answered else None):
                    return made
        except TimeUp as up:
            timer = up.args[0]
            raise explain_timeout(timer.name, timer.limit_s, self._request) from None
        except Lost as lost:
            raise explain_broken(say(lost.__cause__), self._request) from lost
        except Malformed as error:
            raise explain_broken(f"it is no HTTP: {error}", self._request) from error
        return None

    def take_rest(self) -> bytes | None:
        rest = self._connection.take_rest() if self._connection else None
        if rest is not None:
            self.release()
        return rest

    def release(self) -> None:
        if self._connection is not None:
            self._pool.release(self._connection)
            self._connection = None


def _explain(lost: Lost, request: HttpRequest) -> Exception:
    return explain_lost(say(lost.__cause__), request)
