"""The gateway itself: an ASGI application. Lets in, finds out what is asked, sees that every error has the caller's shape."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Protocol

import msgspec

from jackfield import __version__
from jackfield.errors import Error, InvalidRequest, NotAllowed, Overloaded, forget_way
from jackfield.gateway.board import Board
from jackfield.gateway.chat import answer_chat
from jackfield.gateway.door import Places
from jackfield.gateway.entry import OPEN_TO_ALL
from jackfield.gateway.exchange import SINGLE, Exchange, Left, Message, Receive, Send
from jackfield.gateway.lists import render_list, render_model
from jackfield.gateway.metrics import Key as Series
from jackfield.gateway.metrics import Metrics
from jackfield.gateway.metrics import render as render_page
from jackfield.gateway.parts import Clock, Parts, Visit
from jackfield.gateway.passage import AT_ONCE, Passage, Passages
from jackfield.gateway.permit import TRUSTED, settle
from jackfield.gateway.refusal import as_callers, render
from jackfield.gateway.routes import Route, find_client, find_route, guess_wire
from jackfield.gateway.side import answer_count, answer_embed, answer_explain
from jackfield.gateway.telemetry import Telemetry, Trace
from jackfield.message import JsonObject

SINGLE_NAMES = ", ".join(name.decode() for name in SINGLE)
TEXT = ("content-type", "text/plain; version=0.0.4; charset=utf-8")
Build = Callable[[], Awaitable[Parts]]
Beside = Callable[["Gateway"], Coroutine[Any, Any, None]]  # goes on while the gateway answers
CLOSE_S = 5.0  # longest wait for the parts of earlier reloads when the server ends
OPEN_ALWAYS = OPEN_TO_ALL | {"metrics"}  # also while the gateway is ending
Question = Callable[[Visit, bytes], Awaitable[None]]


class Open(Protocol):
    """What is being answered: a caller's request, or a call of the page beside the gateway."""

    @property
    def is_stream(self) -> bool:
        """Tell whether it is answered piece by piece."""


class Gateway:
    """Answers requests with its parts until the server ends; `reload` gives new requests new parts."""

    def __init__(self, build: Build, places: Places, clock: Clock, beside: Sequence[Beside] = ()) -> None:
        self.parts: Parts | None = None
        self.clock = clock
        self.metrics = Metrics()
        self.trouble = ""  # why the last reload failed; empty: it did not
        self.is_draining = False
        self.open: set[Open] = set()  # what is being answered now
        self.passing: set[Passage] = set()  # those of them that began without a task
        self.board: Board | None = None  # where several workers put their numbers
        self.telemetry: Telemetry | None = None  # where calls are told as spans
        self._build = build
        self._places = places
        self._beside = beside
        self._old: set[asyncio.Task[None]] = set()
        self._reloading = asyncio.Lock()

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Answer one request, or begin and end the server's life."""
        if scope["type"] == "http":
            return self._answer(Exchange(scope, receive, send, self.clock.make_id))
        scope["state"][AT_ONCE] = Passages(self)
        return self._live(receive, send)

    async def reload(self) -> None:
        """Build new parts and answer new requests with them; the old ones close when their last request has ended.

        What cannot be built raises, and everything stays as it is.
        """
        async with self._reloading:
            new = await self._build()
            new.places = new.places or self._places
            old, self.parts = self.parts, new
        if old is not None:
            task = asyncio.create_task(_retire(old))
            self._old.add(task)
            task.add_done_callback(self._old.discard)

    async def try_reload(self) -> bool:
        """Reload, or log why not and go on as before; tell which of the two."""
        log = logging.getLogger(__name__)
        try:
            await self.reload()
        except Error as error:
            self.trouble = error.message
        except Exception as error:
            # A plugin may raise anything, and the set-up that works must not end with it.
            self.trouble = f"{type(error).__name__}: {error}"
            log.exception("a part of the new set-up failed")
        else:
            self.trouble = ""
        self.metrics.note_reload(failed=bool(self.trouble))
        if self.trouble:
            log.error("the new config is not used, the old one holds: %s", self.trouble)
        else:
            log.info("the config was read again, new requests use it")
        return not self.trouble

    def drain(self) -> None:
        """Take no more calls; those that are open end in their own time."""
        self.is_draining = True

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.reload()
        except Error as error:
            await send({"type": "lifespan.startup.failed", "message": error.message})
            return
        beside = [asyncio.create_task(go(self)) for go in self._beside]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        ending: list[Passage | asyncio.Task[None]] = [*self.passing, *beside]
        for each in ending:
            each.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        if self._old:
            await asyncio.wait(self._old, timeout=CLOSE_S)
        for task in self._old:
            task.cancel()
        if self.parts is not None:
            parts, self.parts = self.parts, None
            await parts.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, exchange: Exchange) -> None:
        parts = self.parts
        if parts is None:
            await _refuse(exchange, Overloaded("the gateway is starting or ending"), find_wire(exchange))
            return
        parts.enter()
        self.open.add(exchange)
        await self.guard(exchange, parts, self._respond(exchange, parts))

    def leave(self, exchange: Exchange, parts: Parts) -> None:
        """Count a request that ends."""
        parts.leave()
        self.open.discard(exchange)
        exchange.stop_watching()

    async def guard(self, exchange: Exchange, parts: Parts, answering: Awaitable[None]) -> None:
        """Wait for what answers a request that was entered; whatever goes wrong, its caller hears of it."""
        try:
            await answering
        except Error as error:
            self.metrics.note_refusal(error.type)
            await _refuse(exchange, error, find_wire(exchange))
            forget_way(error)
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
            await _refuse(exchange, Error("the gateway failed; its log says more"), find_wire(exchange))
        finally:
            self.leave(exchange, parts)

    async def _respond(self, exchange: Exchange, parts: Parts) -> None:
        visit = self._let_in(exchange, parts)
        if question := QUESTIONS.get(visit.route.kind):
            await self._ask(visit, question)
        else:
            await self._show(visit)

    def _let_in(self, exchange: Exchange, parts: Parts) -> Visit:
        came_s, came_ms = self.clock.seconds(), self.clock.now_ms()
        if exchange.is_ambiguous:
            raise InvalidRequest("a header that may come once comes twice", hint=f"one of {SINGLE_NAMES}")
        entry = parts.entries.find(exchange)
        if self.is_draining and entry.route.kind not in OPEN_ALWAYS:
            raise Overloaded("the gateway is ending", retry_after_s=1)
        return Visit(parts, exchange, entry, entry.route, entry.key, self.clock, came_s, came_ms)

    async def _show(self, visit: Visit) -> None:
        exchange, route, parts = visit.exchange, visit.route, visit.parts
        match route.kind:
            case "models":
                await exchange.answer(
                    200, [], msgspec.json.encode(render_list(parts.client, route.wire, visit.came_ms))
                )
            case "model":
                await exchange.answer(200, [], msgspec.json.encode(render_model(parts.client, route, visit.came_ms)))
            case "metrics":
                if visit.key.id not in TRUSTED:
                    raise NotAllowed("the numbers are for whoever has the gateway's own token")
                await exchange.answer(200, [TEXT], render_page(await self._count()))
            case _:
                await self._tell(exchange, route, parts)

    def numbers(self) -> dict[Series, int | float]:
        """Return what this process has done so far, and what it does now."""
        streams = sum(each.is_stream for each in self.open)
        now = {"jackfield_open_requests": len(self.open), "jackfield_open_streams": streams}
        return self.metrics.numbers(now | (self.parts.gauges() if self.parts else {}))

    async def _count(self) -> dict[Series, int | float]:
        own = self.numbers()
        return own if self.board is None else await asyncio.to_thread(self.board.add_up, own)

    async def _tell(self, exchange: Exchange, route: Route, parts: Parts) -> None:
        """Answer what anybody may ask."""
        match route.kind:
            case "about":
                said: JsonObject = {"name": "jackfield", "version": __version__}
            case "ready":
                # A ledger that is away makes nobody unready: its rows wait, and calls go on.
                config = "refused" if self.trouble else "ok"
                status = "draining" if self.is_draining else "ready"
                said = {"status": status, "config": config, "ledger": parts.ledger_state()}
            case _:
                said = {"status": "ok"}
        await exchange.answer(503 if said.get("status") == "draining" else 200, [], msgspec.json.encode(said))

    async def _ask(self, visit: Visit, question: Question) -> None:
        raw = visit.exchange.take_body(visit.parts.settings.body_limit)
        if raw is None:
            raw = await visit.exchange.read_body(visit.parts.settings.body_limit)
        await self.follow(visit, question(visit, raw))

    async def follow(self, visit: Visit, answering: Awaitable[None]) -> None:
        """Wait for what answers a question, and tell what became of it."""
        outcome, failure = "ok", None
        trace = self.telemetry.begin(visit) if self.telemetry else None
        try:
            await answering
        except Error as error:
            outcome, failure = error.type, error
            await _break_off(visit, error)
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            self.tell(visit, outcome, failure, trace)

    def tell(self, visit: Visit, outcome: str, failure: Error | None = None, trace: Trace | None = None) -> None:
        """Tell everybody what became of a question."""
        told = visit.told(failure)
        settle(visit.grant, told.usage, told.cost_usd)
        finished = visit.finish(told, outcome)
        self.metrics.note(finished)
        if trace and self.telemetry:
            self.telemetry.end(trace, finished)
        visit.parts.note(finished)
        # A call that holds itself stays until the collector comes, and a thousand of them make it stop everybody.
        visit.heard = visit.fail = None
        forget_way(failure)


# What is asked → who answers; all of them take the body as it came.
QUESTIONS: dict[str, Question] = {
    "chat": answer_chat,
    "count": answer_count,
    "embed": answer_embed,
    "explain": answer_explain,
}


async def _break_off(visit: Visit, error: Error) -> None:
    """Say in the caller's words that a call has failed: as its answer, or as the end of what has been said."""
    told = as_callers(error, is_trusted=visit.key.id in TRUSTED)
    if visit.exchange.status and visit.fail:
        await visit.exchange.end(visit.fail(told))
    else:
        await _refuse(visit.exchange, told, visit.route.wire)


def find_wire(exchange: Exchange) -> str:
    """Return the protocol to refuse a request in."""
    client = find_client(exchange.headers)
    try:
        return find_route(exchange.method, exchange.path, client).wire
    except Error:
        return guess_wire(exchange.path, client)


async def _refuse(exchange: Exchange, error: Error, wire: str) -> None:
    refusal = render(error, wire)
    await exchange.answer(refusal.status, refusal.headers, refusal.body)


async def _retire(parts: Parts) -> None:
    await parts.wait_idle()
    await parts.close()
