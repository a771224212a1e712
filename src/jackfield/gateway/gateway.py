"""The gateway itself: an ASGI application. Lets in, finds out what is asked, sees that every error has the caller's shape."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from jackfield import __version__
from jackfield.errors import AuthError, Error, Overloaded
from jackfield.gateway.chat import answer_chat
from jackfield.gateway.door import Places, find_secrets
from jackfield.gateway.exchange import Exchange, Left, Message, Receive, Send
from jackfield.gateway.keys import Key
from jackfield.gateway.lists import render_list, render_model
from jackfield.gateway.metrics import Metrics
from jackfield.gateway.parts import Clock, Parts, Visit
from jackfield.gateway.permit import TRUSTED, settle
from jackfield.gateway.refusal import NoRoute, as_callers, render
from jackfield.gateway.routes import Route, find_client, find_route, guess_wire
from jackfield.gateway.side import answer_count, answer_embed, answer_explain

TEXT = ("content-type", "text/plain; version=0.0.4; charset=utf-8")
Build = Callable[[], Awaitable[Parts]]
OPEN_TO_ALL = frozenset({"health", "ready", "about"})  # they tell nothing that anybody may not know


class Gateway:
    """Answers requests with its parts until the server ends; `reload` gives new requests new parts."""

    def __init__(self, build: Build, places: Places, clock: Clock) -> None:
        self._build = build
        self._parts: Parts | None = None
        self._places = places
        self._clock = clock
        self._metrics = Metrics()
        self._old: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or begin and end the server's life."""
        if scope["type"] == "http":
            await self._answer(Exchange(scope, receive, send, self._clock.make_id))
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def reload(self) -> None:
        """Build new parts and answer new requests with them; the old ones close when their last request has ended.

        What cannot be built raises, and everything stays as it is.
        """
        old, self._parts = self._parts, await self._build()
        if old is not None:
            task = asyncio.create_task(_retire(old))
            self._old.add(task)
            task.add_done_callback(self._old.discard)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.reload()
        except Error as error:
            await send({"type": "lifespan.startup.failed", "message": error.message})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._old:
            task.cancel()
        if self._parts is not None:
            parts, self._parts = self._parts, None
            await parts.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, exchange: Exchange) -> None:
        parts = self._parts
        if parts is None:
            await _refuse(exchange, Overloaded("the gateway is starting or ending"), guess_wire(exchange.path))
            return
        parts.enter()
        self._metrics.open_calls += 1
        try:
            await self._admit(exchange, parts)
        except Left:
            pass
        except asyncio.CancelledError:
            if not exchange.has_left:
                raise
            if task := asyncio.current_task():
                task.uncancel()
        except Exception:
            # The last line of defence: whatever it is, the caller hears of it in their own words.
            logging.getLogger(__name__).exception("request %s failed inside the gateway", exchange.id)
            if exchange.status:
                raise
            await _refuse(exchange, Error("the gateway failed; its log says more"), guess_wire(exchange.path))
        finally:
            parts.leave()
            self._metrics.open_calls -= 1
            exchange.stop_watching()

    async def _admit(self, exchange: Exchange, parts: Parts) -> None:
        wire, came_s, came_ms = "", self._clock.seconds(), self._clock.now_ms()
        try:
            client = find_client(exchange.headers)
            wire = guess_wire(exchange.path, client)
            self._places.check(exchange.headers)
            route = find_route(exchange.method, exchange.path, client)
            wire = route.wire
            if route.endpoint in parts.settings.disabled:
                raise NoRoute(f"{exchange.path} is switched off", hint=f"see gateway.http.endpoints.{route.endpoint}")
            if route.kind in OPEN_TO_ALL:
                await _tell(exchange, route)
                return
            key = _identify(exchange, parts)
            await self._serve(
                Visit(
                    parts=parts,
                    exchange=exchange,
                    route=route,
                    key=key,
                    clock=self._clock,
                    came_s=came_s,
                    came_ms=came_ms,
                )
            )
        except Error as error:
            await _refuse(exchange, error, wire)

    async def _serve(self, visit: Visit) -> None:
        exchange, route, parts = visit.exchange, visit.route, visit.parts
        match route.kind:
            case "models":
                await exchange.answer(
                    200, [], msgspec.json.encode(render_list(parts.client, route.wire, visit.came_ms))
                )
            case "model":
                await exchange.answer(200, [], msgspec.json.encode(render_model(parts.client, route, visit.came_ms)))
            case "metrics":
                await exchange.answer(200, [TEXT], self._metrics.render())
            case _:
                await self._ask(visit, await exchange.read_body(parts.settings.body_limit))

    async def _ask(self, visit: Visit, raw: bytes) -> None:
        outcome, failure = "ok", None
        try:
            await QUESTIONS[visit.route.kind](visit, raw)
        except Error as error:
            outcome, failure = error.type, error
            await _break_off(visit, error)
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            reply = visit.reply(failure)
            await settle(visit.grant, reply.usage, reply.cost_usd)
            finished = visit.finish(reply, outcome)
            self._metrics.note(finished)
            visit.parts.note(finished)


def _identify(exchange: Exchange, parts: Parts) -> Key:
    try:
        return parts.access.identify(find_secrets(exchange.headers, exchange.query))
    except AuthError:
        if not parts.settings.is_open:
            raise
        # Clients send a key whether one is wanted or not.
        return parts.access.identify([])


async def _tell(exchange: Exchange, route: Route) -> None:
    said = {"name": "jackfield", "version": __version__} if route.kind == "about" else {"status": "ok"}
    await exchange.answer(200, [], msgspec.json.encode(said))


# What is asked → who answers; all of them take the body as it came.
QUESTIONS = {"chat": answer_chat, "count": answer_count, "embed": answer_embed, "explain": answer_explain}


async def _break_off(visit: Visit, error: Error) -> None:
    """Say in the caller's words that a call has failed: as its answer, or as the end of what has been said."""
    told = as_callers(error, is_trusted=visit.key.id in TRUSTED)
    if visit.exchange.status and visit.fail:
        await visit.exchange.end(visit.fail(told))
    else:
        await _refuse(visit.exchange, told, visit.route.wire)


async def _refuse(exchange: Exchange, error: Error, wire: str) -> None:
    refusal = render(error, wire)
    await exchange.answer(refusal.status, refusal.headers, refusal.body)


async def _retire(parts: Parts) -> None:
    await parts.wait_idle()
    await parts.close()
