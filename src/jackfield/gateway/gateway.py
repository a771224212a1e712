"""The gateway itself: an ASGI application. Lets in, finds out what is asked, sees that every error has the caller's shape."""

from __future__ import annotations

import asyncio
import logging

import msgspec

from jackfield import __version__
from jackfield.errors import Error
from jackfield.gateway.call import decode_body, read_call
from jackfield.gateway.chat import answer_stream, answer_whole
from jackfield.gateway.door import Places, find_secrets
from jackfield.gateway.exchange import Exchange, Left, Message, Receive, Send
from jackfield.gateway.lists import render_list, render_model
from jackfield.gateway.metrics import Metrics
from jackfield.gateway.parts import Clock, Parts, Visit
from jackfield.gateway.refusal import NoRoute, as_callers, render
from jackfield.gateway.routes import Route, find_route, guess_wire
from jackfield.gateway.side import answer_count, answer_embed, answer_explain
from jackfield.message import JsonObject

TEXT = ("content-type", "text/plain; version=0.0.4; charset=utf-8")
OPEN_TO_ALL = frozenset({"health", "ready", "about"})  # they tell nothing that anybody may not know


class Gateway:
    """Answers requests with its parts until it is closed; `swap` gives new requests new parts."""

    def __init__(self, parts: Parts, places: Places, clock: Clock) -> None:
        self._parts = parts
        self._places = places
        self._clock = clock
        self._metrics = Metrics()
        self._old: set[asyncio.Task[None]] = set()
        self._is_ready = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, or begin and end the server's life."""
        if scope["type"] == "http":
            await self._answer(Exchange(scope, receive, send, self._clock.make_id))
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    def swap(self, parts: Parts) -> None:
        """Answer new requests with other parts; the old ones close when their last request has ended."""
        old, self._parts = self._parts, parts
        task = asyncio.create_task(_retire(old))
        self._old.add(task)
        task.add_done_callback(self._old.discard)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._is_ready = True
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._is_ready = False
        for task in self._old:
            task.cancel()
        await self._parts.client.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, exchange: Exchange) -> None:
        parts = self._parts
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
            is_anthropic = b"anthropic-version" in exchange.headers
            wire = guess_wire(exchange.path, is_anthropic=is_anthropic)
            self._places.check(exchange.headers)
            route = find_route(exchange.method, exchange.path, is_anthropic=is_anthropic)
            wire = route.wire
            if route.endpoint in parts.settings.disabled:
                raise NoRoute(f"{exchange.path} is switched off", hint=f"see gateway.http.endpoints.{route.endpoint}")
            if route.kind in OPEN_TO_ALL:
                await self._tell(exchange, route)
                return
            caller = parts.access.admit(find_secrets(exchange.headers, exchange.query))
            await self._serve(
                Visit(
                    parts=parts,
                    exchange=exchange,
                    route=route,
                    caller=caller,
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
                await self._ask(visit, decode_body(await exchange.read_body(parts.settings.body_limit)))

    async def _ask(self, visit: Visit, body: JsonObject) -> None:
        outcome, failure = "ok", None
        try:
            await QUESTIONS[visit.route.kind](visit, body)
        except Error as error:
            outcome, failure = error.type, error
            await _break_off(visit, error)
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            finished = visit.finish(outcome, failure)
            self._metrics.note(finished)
            visit.parts.note(finished)

    async def _tell(self, exchange: Exchange, route: Route) -> None:
        is_well = route.kind != "ready" or self._is_ready
        said = {"status": "ok"} if is_well else {"status": "starting"}
        if route.kind == "about":
            said = {"name": "jackfield", "version": __version__}
        await exchange.answer(200 if is_well else 503, [], msgspec.json.encode(said))


async def _chat(visit: Visit, body: JsonObject) -> None:
    call = read_call(body, visit.route, visit.exchange, visit.parts.client.config)
    visit.requested = call.request.model
    visit.parts.access.allow(visit.caller, call.request.model)
    await (answer_stream if call.request.stream else answer_whole)(visit, call)


# What is asked → who answers; all of them take the decoded body.
QUESTIONS = {"chat": _chat, "count": answer_count, "embed": answer_embed, "explain": answer_explain}


async def _break_off(visit: Visit, error: Error) -> None:
    """Say in the caller's words that a call has failed: as its answer, or as the end of what has been said."""
    told = as_callers(error, is_trusted=visit.caller.is_trusted)
    if visit.exchange.status and visit.fail:
        await visit.exchange.end(visit.fail(told))
    else:
        await _refuse(visit.exchange, told, visit.route.wire)


async def _refuse(exchange: Exchange, error: Error, wire: str) -> None:
    refusal = render(error, wire)
    await exchange.answer(refusal.status, refusal.headers, refusal.body)


async def _retire(parts: Parts) -> None:
    await parts.wait_idle()
    await parts.client.close()
