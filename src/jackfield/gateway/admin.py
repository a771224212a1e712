"""The door for whoever runs the gateway: another listener, another token, JSON alone.

The token comes as `Authorization: Bearer` and nowhere else, and there are no cookies: a page of
elsewhere in the owner's browser has nothing to send, and is refused by its name besides.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from jackfield.credential import Secret
from jackfield.errors import AuthError, Error, InvalidRequest, Overloaded, UsageError
from jackfield.gateway import admin_views as views
from jackfield.gateway.call import decode_body
from jackfield.gateway.door import Places
from jackfield.gateway.exchange import Exchange, Left, Message, Receive, Send
from jackfield.gateway.gateway import Gateway
from jackfield.gateway.keys import digest
from jackfield.gateway.refusal import NoRoute, WrongMethod, render
from jackfield.gateway.wires import COMPLETIONS
from jackfield.message import JsonObject

BODY_LIMIT = 64 * 1024
PREFIX = "/admin/api/"
# Nothing of this belongs into a cache, or is anything but JSON.
HEAD = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")]

View = Callable[[views.Desk, Mapping[str, str], JsonObject], Awaitable[JsonObject]]
VIEWS: dict[str, dict[str, View]] = {
    "status": {"GET": views.tell_status},
    "config": {"GET": views.tell_config},
    "health": {"GET": views.tell_health},
    "health/reset": {"POST": views.reset_health},
    "usage": {"GET": views.tell_usage},
    "keys": {"GET": views.list_all_keys, "POST": views.make_key},
    "keys/revoke": {"POST": views.end_key},
    "reload": {"POST": views.reload},
}


class Admin(Struct, frozen=True):
    """Who may come in, and what they are told."""

    token: Secret
    places: Places
    desk: views.Desk

    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            self.places.check(exchange.headers)
            self._identify(exchange)
            view = _find(exchange)
            body = await _read(exchange)
            said = await view(self.desk, dict(parse_qsl(exchange.query.decode("latin-1"))), body)
        except UsageError as error:
            await _refuse(exchange, InvalidRequest(error.message, hint=error.hint))
        except Error as error:
            await _refuse(exchange, error)
        else:
            await exchange.answer(200, HEAD, msgspec.json.encode(said))

    def _identify(self, exchange: Exchange) -> None:
        kind, _, given = exchange.header(b"authorization").partition(" ")
        # Digests have one length: the comparison tells nothing of the token.
        if kind.lower() != "bearer" or not hmac.compare_digest(digest(given.strip()), digest(self.token.reveal())):
            raise AuthError("the admin token is missing or wrong", hint="send it as Authorization: Bearer")


class Front:
    """One application behind two listeners: by the port a request came to, the gateway or its admin."""

    def __init__(self, gateway: Gateway, admin: Admin, port: int) -> None:
        self._gateway = gateway
        self._admin = admin
        self._port = port

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or begin and end the server's life."""
        if scope["type"] != "http" or scope["server"][1] != self._port:
            await self._gateway(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, self._gateway.clock.make_id)
        try:
            if self._gateway.parts is None:
                await _refuse(exchange, Overloaded("the gateway is starting or ending"))
            else:
                await self._admin.answer(exchange)
        except (Left, asyncio.CancelledError):
            logging.getLogger(__name__).info("request %s was left by its caller", exchange.id)
        finally:
            exchange.stop_watching()


def _find(exchange: Exchange) -> View:
    by_method = VIEWS.get(exchange.path.removeprefix(PREFIX)) if exchange.path.startswith(PREFIX) else None
    if by_method is None:
        raise NoRoute(f"there is nothing at {exchange.path}", hint=f"{PREFIX}: {', '.join(VIEWS)}")
    if exchange.method not in by_method:
        allowed = ", ".join(by_method)
        raise WrongMethod(f"{exchange.path} takes {allowed}, not {exchange.method}", allowed)
    return by_method[exchange.method]


async def _read(exchange: Exchange) -> JsonObject:
    raw = await exchange.read_body(BODY_LIMIT)
    exchange.stop_watching()  # what was asked happens whether they stay or not
    if not raw:
        return {}
    if exchange.header(b"content-type").partition(";")[0].strip() != "application/json":
        raise InvalidRequest("the body must be JSON, and say so", hint="send content-type: application/json")
    return decode_body(raw)


async def _refuse(exchange: Exchange, error: Error) -> None:
    refusal = render(error, COMPLETIONS)
    await exchange.answer(refusal.status, [*HEAD, *refusal.headers], refusal.body)
