"""The door for whoever runs the gateway: another listener, another token; the page, and the API under it.

The token comes as `Authorization: Bearer` and nowhere else, and there are no cookies: a page of
elsewhere in the owner's browser has nothing to send, and is refused by its name besides.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from urllib.parse import parse_qsl

import msgspec

from jackfield.admin.asked import Answer, Asked, Lines, View
from jackfield.admin.desk import Desk
from jackfield.admin.edits import Conflict
from jackfield.admin.page import answer, find_asset
from jackfield.admin.session import Sessions, SignedOut
from jackfield.admin.views import BODY_LIMITS, VIEWS
from jackfield.config.schema import InvalidConfig
from jackfield.errors import ConfigError, Error, InvalidRequest, UsageError
from jackfield.gateway.call import decode_body
from jackfield.gateway.door import Places
from jackfield.gateway.exchange import Exchange, Left, Message, Receive, Send
from jackfield.gateway.refusal import NoRoute, WrongMethod, as_callers, render
from jackfield.gateway.wires import COMPLETIONS
from jackfield.message import JsonObject

BODY_LIMIT = 64 * 1024
PACKED_FROM, PACKING = 8 * 1024, 5  # bytes of an answer, and how hard it is packed
LONGEST = 1000  # of one value behind the `?`; numbers with more digits are none to Python
PREFIX = "/admin/api/"
SESSION = "session"  # the one thing that is asked without a token: for one
# Nothing of this belongs into a cache, or is anything but JSON.
HEAD = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")]
LINES = [*HEAD, ("content-type", "application/x-ndjson")]


class Admin:
    """An ASGI application: who may come in, and what they are told."""

    def __init__(self, sessions: Sessions, places: Places, desk: Desk) -> None:
        self._sessions = sessions
        self._places = places
        self._desk = desk

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = Exchange(scope, receive, send, self._desk.gateway.clock.make_id)
        try:
            await self._answer(exchange)
        except (Left, asyncio.CancelledError):
            logging.getLogger(__name__).info("request %s was left by its caller", exchange.id)
        except Exception:
            logging.getLogger(__name__).exception("request %s failed inside the page's API", exchange.id)
            if exchange.status:
                raise
            await _refuse(exchange, Error("the gateway failed; its log says more"))
        finally:
            exchange.stop_watching()

    async def _answer(self, exchange: Exchange) -> None:
        try:
            if exchange.is_ambiguous:
                raise InvalidRequest("a header that may come once comes twice")
            self._places.check(exchange.headers)
            asset = find_asset(exchange.path)
            if asset and exchange.method in {"GET", "HEAD"}:
                known, packs = exchange.header(b"if-none-match"), "gzip" in exchange.header(b"accept-encoding")
                await exchange.answer(*answer(asset, known=known, packs=packs))
                return
            said = await self._ask(exchange)
            if isinstance(said, AsyncGenerator):
                await _stream(exchange, said)
            else:
                await exchange.answer(200, *await _encode(exchange, said))
        except UsageError as error:
            await _refuse(exchange, InvalidRequest(error.message, hint=error.hint))
        except Error as error:
            await _refuse(exchange, error)

    async def _ask(self, exchange: Exchange) -> Answer:
        name = exchange.path.removeprefix(PREFIX)
        if exchange.path == PREFIX + SESSION and exchange.method == "POST":
            given = await _read(exchange, BODY_LIMIT)
            return self._sessions.begin(code=str(given.get("code", "")), token=str(given.get("token", "")))
        kind, _, bearer = exchange.header(b"authorization").partition(" ")
        self._sessions.check(bearer.strip() if kind.lower() == "bearer" else "")
        view = _find(exchange)
        body = await _read(exchange, BODY_LIMITS.get(name, BODY_LIMIT))
        query = dict(parse_qsl(exchange.query.decode("latin-1")))
        if any(len(value) > LONGEST for value in query.values()):
            raise InvalidRequest("the address asks for too much", hint="nothing behind the ? is that long")
        return await view(self._desk, Asked(query, body, exchange.header(b"if-match").strip('"')))


def _find(exchange: Exchange) -> View:
    by_method = VIEWS.get(exchange.path.removeprefix(PREFIX)) if exchange.path.startswith(PREFIX) else None
    if by_method is None:
        raise NoRoute(f"there is nothing at {exchange.path}", hint=f"{PREFIX}: {', '.join(VIEWS)}")
    if exchange.method not in by_method:
        allowed = ", ".join(by_method)
        raise WrongMethod(f"{exchange.path} takes {allowed}, not {exchange.method}", allowed)
    return by_method[exchange.method]


async def _read(exchange: Exchange, limit: int) -> JsonObject:
    raw = await exchange.read_body(limit)
    exchange.stop_watching()  # what was asked happens whether they stay or not
    if not raw:
        return {}
    if exchange.header(b"content-type").partition(";")[0].strip() != "application/json":
        raise InvalidRequest("the body must be JSON, and say so", hint="send content-type: application/json")
    return decode_body(raw)


async def _encode(exchange: Exchange, said: JsonObject) -> tuple[list[tuple[str, str]], bytes]:
    """Write an answer, packed where it is long and the browser unpacks."""
    data = msgspec.json.encode(said)
    if len(data) < PACKED_FROM or "gzip" not in exchange.header(b"accept-encoding"):
        return HEAD, data
    packed = await asyncio.to_thread(gzip.compress, data, PACKING, mtime=0)
    return [*HEAD, ("content-encoding", "gzip"), ("vary", "accept-encoding")], packed


async def _stream(exchange: Exchange, lines: Lines) -> None:
    """Send lines as they come; what they stand for ends when the browser leaves."""
    exchange.watch()
    async with aclosing(lines):
        await exchange.start(LINES)
        try:
            async for line in lines:
                await exchange.write(msgspec.json.encode(line) + b"\n")
        except Error as error:
            await exchange.write(msgspec.json.encode(_render(error)) + b"\n")
        await exchange.end()


def _render(error: Error) -> JsonObject:
    said: JsonObject = {"message": error.message, "type": error.type}
    if error.hint:
        said["hint"] = error.hint
    if isinstance(error, InvalidConfig):
        said["issues"] = [msgspec.to_builtins(issue) for issue in error.issues]
    if isinstance(error, Conflict):
        said |= {"type": "conflict", "hash": error.hash, "diff": error.diff}
    return {"error": said}


async def _refuse(exchange: Exchange, error: Error) -> None:
    # The status is the one a caller of the gateway would get, the words are for people.
    # A provider that refuses its key is no reason to sign in again.
    refusal = render(as_callers(error), COMPLETIONS)
    # What is wrong with a config that the page sent is the page's to mend.
    kinds: list[tuple[type[Error], int]] = [(Conflict, 409), (SignedOut, 401), (ConfigError, 400)]
    status = next((status for kind, status in kinds if isinstance(error, kind)), refusal.status)
    await exchange.answer(status, [*HEAD, *refusal.headers], msgspec.json.encode(_render(error)))
