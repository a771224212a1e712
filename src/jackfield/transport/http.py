"""HTTP over one session with pooled connections: open, read piece by piece, close.

Four timers guard an exchange, redirects are refused, cookies are not kept, and nothing is
tried twice, with one exception that HTTP itself asks for: a request on a kept-alive
connection that the server was closing at that moment is sent once more (RFC 9112, 9.3.1).
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from ssl import SSLContext
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp
from yarl import URL

from jackfield.credential import reveal
from jackfield.errors import Error, UsageError
from jackfield.model import Network
from jackfield.transport.adc import Tokens
from jackfield.transport.failures import (
    explain_opening,
    explain_packing,
    explain_reading,
    explain_timeout,
    refuse_proxy,
    refuse_redirect,
)
from jackfield.transport.network import check_offline, pick_proxy
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
from jackfield.transport.sign import Signer
from jackfield.transport.timers import Timers
from jackfield.transport.tls import open_trust
from jackfield.transport.unpack import ACCEPTED, Unpacker

HEADER_LIMIT = 64 * 1024  # policies and cookies that a gateway adds outgrow the library's 8 KB
PROXY_REFUSES = 407  # what a proxy says that wants a password; nobody else does
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _Body:
    """The body of an answer on its way, and the connection it comes over."""

    def __init__(self, request: HttpRequest, response: aiohttp.ClientResponse, timers: Timers) -> None:
        self._request = request
        self._response = response
        self._timers = timers

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes, cut anywhere; raise `StreamBroken` or `TimeoutExpired`."""
        headers = self._response.headers
        is_events = "event-stream" in headers.get("content-type", "")
        try:
            unpacker = Unpacker(headers.get("content-encoding", ""))
            while packed := await self._next():
                for chunk in unpacker.feed(packed):
                    self._timers.hear(chunk, is_events=is_events)
                    yield chunk
        except zlib.error as error:
            raise explain_packing(error, self._request) from error
        finally:
            # At its end the connection goes back to the pool, anywhere else it closes at once.
            self.release()

    def release(self) -> None:
        """Give the connection back if all was read, else close it."""
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()

    async def _next(self) -> bytes:
        timer = self._timers.next()
        try:
            async with asyncio.timeout_at(timer.at):
                return await self._response.content.readany()
        except TimeoutError:
            failure: Error = explain_timeout(timer.name, timer.limit_s, self._request)
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            # A runtime error means that the connection was closed on this side.
            failure = explain_reading(error, self._request)
            failure.__cause__ = error
        raise failure


class Transport:
    """Sends requests; holds the connections until `close()`. Belongs to one event loop.

    `environ` names proxies and certificates (see `network` and `tls`); with `offline` only
    this machine is called.
    """

    is_live = True

    def __init__(self, *, environ: Mapping[str, str] | None = None, offline: bool = False) -> None:
        self._environ = environ or {}
        self._offline = offline
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._trust: dict[Network, SSLContext | None] = {}
        self._signer = Signer()
        self._tokens = Tokens(self.open)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection, for good; replies still open break."""
        self._closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def open(self, request: HttpRequest) -> HttpReply:
        """Send a request and return its reply once the headers are there, whatever the status.

        Raises `ConnectError`, `TimeoutExpired`, or `BadReply` for a redirect. Cancelling
        closes the connection.
        """
        proxy = pick_proxy(request.url, request.network, self._environ)
        if self._offline:
            check_offline(request, proxy)
        if request.aws:
            request = await self._signer.sign(request, request.aws)
        if request.adc:
            request = await self._tokens.authorize(request, request.adc)
        timers = Timers(request.limits(), asyncio.get_running_loop().time)
        response = await self._send_in_time(request, proxy, timers)
        if response.status in REDIRECTS:
            target = response.headers.get("location", "")
            response.close()
            raise refuse_redirect(response.status, target, request)
        if response.status == PROXY_REFUSES:
            response.close()
            raise refuse_proxy(response.status, response.reason or "", request)
        body = _Body(request, response, timers)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpReply(request, response.status, headers, body.chunks(), body.release)

    async def _send_in_time(self, request: HttpRequest, proxy: str | None, timers: Timers) -> aiohttp.ClientResponse:
        timer = timers.next()
        try:
            async with asyncio.timeout_at(timer.at):
                return await self._send(request, proxy)
        except aiohttp.ConnectionTimeoutError:
            failure: Error = explain_timeout("connect", request.limits().connect or 0, request)
        except TimeoutError:
            failure = explain_timeout(timer.name, timer.limit_s, request)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = explain_opening(error, request)
            # These show the headers sent, with the key in them.
            if not isinstance(error, aiohttp.ClientResponseError | ValueError):
                failure.__cause__ = error
        raise failure

    async def _send(self, request: HttpRequest, proxy: str | None) -> aiohttp.ClientResponse:
        trip = SimpleNamespace(reused=False)
        try:
            return await self._send_once(request, proxy, trip)
        except _Lost as lost:
            if not (trip.reused and lost.unheard):
                raise lost.error from None
        try:
            return await self._send_once(request, proxy, trip)
        except _Lost as lost:
            raise lost.error from None

    async def _send_once(
        self, request: HttpRequest, proxy: str | None, trip: SimpleNamespace
    ) -> aiohttp.ClientResponse:
        return await self._opened().request(
            request.method,
            URL(request.url, encoded=request.url.isascii()),
            data=request.body or None,
            headers={name: reveal(value) for name, value in request.headers.items()},
            timeout=aiohttp.ClientTimeout(total=None, connect=request.limits().connect),
            allow_redirects=False,
            ssl=self._trusted(request) or True,
            proxy=proxy,
            middlewares=(_forbid_retry,),
            trace_request_ctx=trip,
        )

    def _opened(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._closed or self._loop not in {None, loop}:
            raise UsageError(
                "the client is closed" if self._closed else "the client belongs to another event loop",
                hint="open one with `async with jackfield.AsyncClient()` where it is used, or take jackfield.Client",
            )
        if self._session is None:
            self._loop = loop
            trace = aiohttp.TraceConfig()
            trace.on_connection_reuseconn.append(_note_reuse)
            self._session = aiohttp.ClientSession(
                # Waiting for a free connection would be a queue that nobody sees; routing decides who waits.
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                trace_configs=[trace],
                trust_env=False,
                headers={"accept-encoding": ACCEPTED},
                auto_decompress=False,
                max_line_size=HEADER_LIMIT,
                max_field_size=HEADER_LIMIT,
            )
        return self._session

    def _trusted(self, request: HttpRequest) -> SSLContext | None:
        if not request.url.lower().startswith("https:"):
            return None
        if request.network not in self._trust:
            self._trust[request.network] = open_trust(request.network, self._environ)
        return self._trust[request.network]


class _Lost(Exception):
    """Carries a lost connection past the library's own retry of idempotent methods."""

    def __init__(self, error: aiohttp.ClientError) -> None:
        super().__init__(str(error))
        self.error = error
        # The library names the half-read head of a reply in the error's message.
        self.unheard = isinstance(getattr(error, "message", ""), str)


async def _forbid_retry(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Lost(error) from error


async def _note_reuse(
    _session: aiohttp.ClientSession, trip: SimpleNamespace, _params: aiohttp.TraceConnectionReuseconnParams
) -> None:
    trip.trace_request_ctx.reused = True
