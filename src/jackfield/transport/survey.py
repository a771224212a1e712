"""The way to a server looked at step by step: the name, the connection, TLS, an answer. For finding where it ends.

A request goes its ordinary way last; before it each step is taken alone, so that its time and its
failure can be told. Sends what the request holds, and nothing before that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ssl import SSLContext
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from jackfield.errors import ConnectError, Error, TimeoutExpired
from jackfield.transport.failures import explain_connecting, explain_proxy, refuse_url, say
from jackfield.transport.http import Transport
from jackfield.transport.network import DEFAULT_PORTS, check_offline, pick_proxy
from jackfield.transport.request import HttpRequest, shown_url
from jackfield.transport.tls import Trust

STEP_S = 5.0
WORDS = {"name": "the name lookup", "tcp": "the connection", "tls": "the TLS handshake", "http": "the answer"}


class Survey(Struct, frozen=True, kw_only=True):
    """How far one request came."""

    url: str  # without keys
    proxy: str = ""  # without its password; then `name` and `tcp` are its own
    steps: Mapping[str, int] = {}  # milliseconds of `name`, `tcp`, `tls`, `http`, as far as they were taken
    status: int | None = None  # of the answer
    error: Error | None = None


async def survey(request: HttpRequest, environ: Mapping[str, str], *, offline: bool = False) -> Survey:
    """Take every step of a request's way and return how far it came; raises nothing of ours. Takes `STEP_S` per step at most."""
    steps: dict[str, int] = {}
    found = Survey(url=shown_url(request.url), steps=steps)
    try:
        proxy = pick_proxy(request.url, request.network, environ)
        found = replace(found, proxy=shown_url(proxy) if proxy else "")
        if offline:
            check_offline(request, proxy)
        await _connect(request, proxy, environ, steps)
        async with _timed("http", steps), Transport(environ=environ, offline=offline) as transport:
            reply = await transport.open(request)
            await reply.close()
    except TimeoutError:
        hint = f"check {request.key('baseUrl')}, the network and its firewall"
        late = TimeoutExpired(f"{WORDS[[*steps][-1]]} of {found.proxy or found.url} took over {STEP_S:g} s", hint=hint)
        return replace(found, error=late)
    except Error as error:
        return replace(found, error=error)
    return replace(found, status=reply.status)


async def _connect(request: HttpRequest, proxy: str | None, environ: Mapping[str, str], steps: dict[str, int]) -> None:
    parts = urlsplit(proxy or request.url)
    if not parts.hostname or parts.scheme not in DEFAULT_PORTS:
        raise refuse_url(request)
    place = parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme]
    try:
        async with _timed("name", steps):
            await asyncio.get_running_loop().getaddrinfo(*place)
        async with _timed("tcp", steps):
            await _open(*place, None)
        if parts.scheme == "https" and not proxy:
            context = await asyncio.to_thread(Trust(environ).find_own, request.network)
            async with _timed("tls", steps):
                await _open(*place, context)
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        raise _explain(error, request, proxy) from error


def _explain(error: OSError | UnicodeError, request: HttpRequest, proxy: str | None) -> ConnectError:
    if isinstance(error, UnicodeError):
        return refuse_url(request)
    if proxy:
        return explain_proxy(urlsplit(proxy).netloc.rpartition("@")[2], say(error), request)
    return explain_connecting(error, request)


async def _open(host: str, port: int, context: SSLContext | None) -> None:
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    writer.close()


@asynccontextmanager
async def _timed(step: str, steps: dict[str, int]) -> AsyncIterator[None]:
    """Note how long a step takes, in milliseconds; one that fails has a time, too."""
    begun = time.monotonic()
    steps[step] = 0
    try:
        async with asyncio.timeout(STEP_S):
            yield
    finally:
        steps[step] = round((time.monotonic() - begun) * 1000)
