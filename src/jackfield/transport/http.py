"""HTTP over kept connections: open, read piece by piece, close.

Four timers guard an exchange, redirects are refused, cookies are not kept, and nothing is
tried twice, with one exception that HTTP itself asks for: a request on a kept-alive
connection that the server was closing at that moment is sent once more (RFC 9112, 9.3.1).

A request goes one of two ways with the same outcome: `http1`, which is fast and does what
nearly every request needs, or `library`, which is loaded for the first one that needs more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import import_module
from types import TracebackType
from typing import Protocol, Self

from msgspec import Struct

from jackfield.errors import UsageError
from jackfield.model import Network
from jackfield.transport.adc import Tokens
from jackfield.transport.head import Target, aim, is_plain
from jackfield.transport.http1 import Begun, Http1
from jackfield.transport.network import check_offline, pick_proxy
from jackfield.transport.pool import PoolLimits
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest
from jackfield.transport.sign import Signer
from jackfield.transport.timers import Timers
from jackfield.transport.tls import Trust, shows_certificate

ROUTES_LIMIT = 1024
DEFAULT_LIMITS = PoolLimits()


class Route(Struct, frozen=True):
    """Which way a URL is reached: its target for `http1`, else the library, perhaps with a proxy."""

    target: Target | None
    proxy: str | None


class Transport:
    """Sends requests; holds the connections until `close()`. Belongs to one event loop.

    `environ` names proxies and certificates (see `network` and `tls`) and stays as it is; with
    `offline` only this machine is called. `http1=False` sends everything through the library,
    which knows no `limits`.
    """

    is_live = True

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        offline: bool = False,
        http1: bool = True,
        limits: PoolLimits = DEFAULT_LIMITS,
    ) -> None:
        self._environ = environ or {}
        self._offline = offline
        self._may_http1 = http1
        self._limits = limits
        self._trust = Trust(self._environ)
        self._http1: Http1 | None = None
        self._library: _Library | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._routes: dict[tuple[str, Network], Route] = {}
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
        http1, library, self._http1, self._library = self._http1, self._library, None, None
        if http1:
            await http1.close()
        if library:
            await library.close()

    async def open(self, request: HttpRequest) -> HttpReply:
        """Send a request and return its reply once the headers are there, whatever the status.

        Raises `ConnectError`, `TimeoutExpired`, or `BadReply` for a redirect. Cancelling
        closes the connection.
        """
        loop = self._check_open()
        if self._offline:
            check_offline(request, self._pick_route(request).proxy)
        if request.aws:
            request = await self._signer.sign(request, request.aws)
        if request.adc:
            request = await self._tokens.authorize(request, request.adc)
        timers = Timers(request.limits(), loop.time)
        route = self._pick_route(request)
        if route.target and is_plain(request.headers):
            self._http1 = self._http1 or Http1(self._trust.find_own, self._limits)
            return await self._http1.open(request, route.target, timers)
        self._library = self._library or _load_library(self._trust)
        return await self._library.open(request, route.proxy, timers)

    def may_begin(self, request: HttpRequest) -> bool:
        """Tell whether a request like this one could leave at once: plainly, over a connection that rests."""
        if self._http1 is None or self._offline or request.aws or request.adc:
            return False
        target = self._pick_route(request).target
        return target is not None and is_plain(request.headers) and self._http1.may_begin(target)

    def begin(self, request: HttpRequest) -> Begun | None:
        """Send a request that may begin; `None`: nothing was sent, it is one to `open`."""
        target = self._pick_route(request).target
        if target is None or self._http1 is None or self._loop is None:
            return None
        return self._http1.begin(request, target, Timers(request.limits(), self._loop.time))

    def _pick_route(self, request: HttpRequest) -> Route:
        key = (request.url, request.network)
        if route := self._routes.get(key):
            return route
        if len(self._routes) >= ROUTES_LIMIT:
            self._routes.clear()
        proxy = pick_proxy(request.url, request.network, self._environ)
        is_ours = self._may_http1 and not proxy and not shows_certificate(request.network, self._environ)
        route = Route(aim(request.url, request.network) if is_ours else None, proxy)
        self._routes[key] = route
        return route

    def _check_open(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if self._closed or self._loop is not loop:
            raise UsageError(
                "the client is closed" if self._closed else "the client belongs to another event loop",
                hint="open one with `async with jackfield.AsyncClient()` where it is used, or take jackfield.Client",
            )
        return loop


class _Library(Protocol):
    async def open(self, request: HttpRequest, proxy: str | None, timers: Timers) -> HttpReply: ...

    async def close(self) -> None: ...


def _load_library(trust: Trust) -> _Library:
    # Its import takes longer than all else that a short command does.
    library: _Library = import_module("jackfield.transport.library").Library(trust)
    return library
