"""The way through the HTTP library (aiohttp): for proxies, client certificates and whatever else `http1` leaves.

Nothing is tried twice, with the one exception that HTTP itself asks for: a request on a
kept connection that the server was closing at that moment (RFC 9112, 9.3.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import TypeVar

import aiohttp
from yarl import URL

from jackfield.credential import reveal
from jackfield.errors import Error
from jackfield.transport.body import TimedBody
from jackfield.transport.failures import (
    CLOSED,
    RESET,
    explain_broken,
    explain_certificate,
    explain_lost,
    explain_name,
    explain_proxy,
    explain_timeout,
    explain_tls,
    explain_unreachable,
    refuse_answer,
    refuse_characters,
    refuse_proxy,
    refuse_status,
    refuse_url,
    say,
)
from jackfield.transport.head import DEFAULTS
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
from jackfield.transport.timers import Timers
from jackfield.transport.tls import Trust

T = TypeVar("T")
HEADER_LIMIT = 64 * 1024  # policies and cookies that a gateway adds outgrow the library's 8 KB


class Library:
    """Sends requests over one session; holds the connections until `close()`. Belongs to one event loop."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_note_reuse)
        self._session = aiohttp.ClientSession(
            # Waiting for a free connection would be a queue that nobody sees; routing decides who waits.
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[trace],
            trust_env=False,
            headers=DEFAULTS,
            auto_decompress=False,
            max_line_size=HEADER_LIMIT,
            max_field_size=HEADER_LIMIT,
        )

    async def open(self, request: HttpRequest, proxy: str | None, timers: Timers) -> HttpReply:
        """Send a request, through a proxy if one is given, and return its reply once the headers are there.

        Raises `ConnectError`, `ConnectionLost`, `TimeoutExpired`, or `BadReply` for what is no answer.
        """
        response = await self._send_in_time(request, proxy, timers)
        headers = {name.lower(): value for name, value in response.headers.items()}
        if refused := refuse_status(response.status, response.reason or "", headers, request):
            response.close()
            raise refused
        source = _Source(response, request, timers)
        return HttpReply(request, response.status, headers, TimedBody(source, headers, timers, request))

    async def close(self) -> None:
        """Close every connection, for good; replies still open break."""
        await self._session.close()

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
        return await self._session.request(
            request.method,
            URL(request.url, encoded=request.url.isascii()),
            data=request.body or None,
            headers={name: reveal(value) for name, value in request.headers.items()},
            timeout=aiohttp.ClientTimeout(total=None, connect=request.limits().connect),
            allow_redirects=False,
            ssl=(request.url.lower().startswith("https:") and self._trust.find(request.network)) or True,
            proxy=proxy,
            middlewares=(_forbid_retry,),
            trace_request_ctx=trip,
        )


class _Source:
    """The body of one answer, as the library reads it."""

    def __init__(self, response: aiohttp.ClientResponse, request: HttpRequest, timers: Timers) -> None:
        self._response = response
        self._request = request
        self._timers = timers

    async def read(self, read: Callable[[bytes], T]) -> T | None:
        while piece := await self._read_piece():
            if made := read(piece):
                return made
        return None

    def take_rest(self) -> None:
        return None

    async def _read_piece(self) -> bytes:
        timer = self._timers.next()
        try:
            async with asyncio.timeout_at(timer.at):
                return await self._response.content.readany()
        except TimeoutError:
            failure: Error = explain_timeout(timer.name, timer.limit_s, self._request)
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            # A runtime error means that the connection was closed on this side.
            failure = explain_broken(_say(error), self._request)
            failure.__cause__ = error
        raise failure

    def release(self) -> None:
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


# -- the library's errors in our words ---


def explain_opening(error: aiohttp.ClientError | OSError | ValueError, request: HttpRequest) -> Error:
    """Return our error for one that came before the reply's headers."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return explain_certificate(error.certificate_error, request)
        case aiohttp.ClientConnectorSSLError():
            return explain_tls(error.os_error, request)
        case aiohttp.ClientConnectorDNSError():
            return explain_name(error.host, request)
        case aiohttp.ClientProxyConnectionError():
            return explain_proxy(f"{error.host}:{error.port}", _say(error), request)
        case aiohttp.ClientHttpProxyError():
            return refuse_proxy(error.status, error.message, request)
        case aiohttp.ClientConnectorError():
            return explain_unreachable(_say(error), request)
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return refuse_answer(request)
        case aiohttp.InvalidURL() | UnicodeError():
            return refuse_url(request)
        case ValueError():
            return refuse_characters(request)
        case _:
            return explain_lost(_say(error), request)


def _say(error: Exception) -> str:
    # A payload error keeps the socket's own error only in its text.
    if "ConnectionResetError" in str(error):
        return RESET
    own = say(error)
    if own != RESET and isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return CLOSED
    return own if own == RESET else say(getattr(error, "os_error", None) or error.__cause__ or error)


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
