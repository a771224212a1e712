"""A chat from the page: asked as everybody asks, told as it comes, kept as the page's.

The body is that of `POST /v1/chat/completions` at the gateway, `fallbacks` included, so that what the
page shows as a program's request is what it has sent itself. `?session=` names the conversation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from jackfield.admin.asked import Asked, Lines, Routes
from jackfield.admin.desk import Desk
from jackfield.admin.lines import Teller, render_attempt, render_end, render_error, render_message
from jackfield.errors import Error, Overloaded
from jackfield.events import StreamEvent
from jackfield.gateway.call import FALLBACKS, parse_fallbacks
from jackfield.gateway.parts import BODY_LIMIT, Parts
from jackfield.gateway.record import Finished, as_name, as_named
from jackfield.gateway.wires import COMPLETIONS, load_wire
from jackfield.message import ChatRequest, ChatResponse, JsonObject
from jackfield.reply import ChatStream
from jackfield.routing.names import DEFAULT

KEY = "page"  # the name its calls have in the ledger
LOOK_S = 0.2  # how soon a failed try is told while the next is waited for
AHEAD = 64  # batches that wait for a slow reader, before the provider does


async def chat(desk: Desk, asked: Asked) -> Lines:
    """Ask a model; the lines of the answer are those of `admin.lines`."""
    if desk.gateway.is_draining:
        raise Overloaded("the gateway is ending", retry_after_s=1)
    body = {"model": DEFAULT, **asked.body}
    fallbacks = parse_fallbacks(body.pop(FALLBACKS, None))
    request = load_wire(COMPLETIONS).parse_request(body)
    return _answer(desk, replace(request, stream=True), fallbacks, asked.query.get("session", ""))


async def _answer(desk: Desk, request: ChatRequest, fallbacks: Sequence[str], session: str) -> Lines:
    parts, clock = desk.parts, desk.gateway.clock
    turn = _Turn(desk, parts, request.model, clock.make_id(), clock.now_ms(), clock.seconds())
    parts.enter()
    desk.gateway.open.add(turn)  # who ends the gateway waits for it, as for any call
    try:
        made = parts.client.plan(request, fallbacks=fallbacks, session=session)
        yield {
            "type": "start",
            "requestId": turn.request_id,
            "requested": made.requested,
            "model": str(made.candidates[0].ref),
        }
        turn.stream = ChatStream(parts.client, request, made, {"session": session})
        async with aclosing(turn.lines()) as lines:
            async for line in lines:
                yield line
        reply = turn.stream.whole()
        turn.outcome = "ok"
        yield {"type": "done", **turn.figures(reply), "message": render_message(reply)}
    except Error as error:
        turn.outcome, turn.failed = error.type, error
        yield {"type": "error", **turn.figures(turn.heard()), "error": render_error(error)}
    finally:
        parts.leave()
        desk.gateway.open.discard(turn)
        turn.note()


class _Turn(Struct, eq=False):
    """One call, and what has become of it so far."""

    is_stream: ClassVar[bool] = True
    desk: Desk
    parts: Parts
    requested: str
    request_id: str
    came_ms: int
    came_s: float
    stream: ChatStream | None = None
    first_ms: int | None = None
    outcome: str = "cancelled"  # until it is known better
    failed: Error | None = None

    async def lines(self) -> Lines:
        """Yield what is heard and which tries fail, as soon as it is so."""
        assert self.stream
        told, teller = 0, Teller()
        async with aclosing(_in_time(self.stream)) as batches:
            async for batch in batches:
                if self.first_ms is None:
                    tries = self.stream.attempts
                    for failed in [each for each in tries[told:] if each.reason]:
                        yield {"type": "attempt", **render_attempt(failed)}
                    told = len(tries)
                if batch and self.first_ms is None:
                    self.first_ms = self._elapsed_ms()
                    yield {"type": "served", "model": self.stream.heard().model, "firstMs": self.first_ms}
                for line in teller.feed(batch):
                    yield line

    def heard(self) -> ChatResponse:
        """Return the reply as far as it has come; of one that broke, all that was tried or passed over."""
        said = self.stream.heard() if self.stream else ChatResponse(requested=self.requested)
        tries = self.failed.attempts if self.failed else ()
        return replace(said, attempts=tries) if tries else said

    def figures(self, reply: ChatResponse) -> JsonObject:
        """Return how it ended, with its times."""
        return {**render_end(reply), "firstMs": self.first_ms, "totalMs": self._elapsed_ms()}

    def note(self) -> None:
        """Tell everybody who keeps calls."""
        reply = self.heard()
        finished = Finished(
            request_id=self.request_id,
            at_ms=self.came_ms,
            ms=self._elapsed_ms(),
            first_ms=self.first_ms,
            wire=KEY,
            key_name=KEY,
            requested=as_name(reply.requested or self.requested),
            model=as_name(reply.model),
            outcome=self.outcome,
            is_stream=True,
            attempts=as_named(reply.attempts),
            usage=reply.usage,
            cost_usd=reply.cost_usd,
        )
        self.desk.gateway.metrics.note(finished)
        self.parts.note(finished)

    def _elapsed_ms(self) -> int:
        return round((self.desk.gateway.clock.seconds() - self.came_s) * 1000)


async def _in_time(stream: ChatStream) -> AsyncGenerator[Sequence[StreamEvent], None]:
    """Yield batches as they come, and an empty one whenever none came for a moment; raise what breaks the reply."""
    waiting: asyncio.Queue[Sequence[StreamEvent] | None] = asyncio.Queue(AHEAD)
    reading = asyncio.create_task(_read(stream, waiting))
    try:
        while True:
            try:
                async with asyncio.timeout(LOOK_S):
                    batch = await waiting.get()
            except TimeoutError:
                batch = ()
            if batch is None:
                await reading
                return
            yield batch
            if reading.done() and waiting.empty():
                await reading
                return
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _read(stream: ChatStream, waiting: asyncio.Queue[Sequence[StreamEvent] | None]) -> None:
    # One task from beginning to end: timers of the walk hold for the task that began them.
    async with aclosing(stream):
        try:
            async for batch in stream.batches():
                await waiting.put(batch)
        finally:
            # Whoever waits looks why it ended; where there is no room, nobody waits.
            if not waiting.full():
                waiting.put_nowait(None)


ROUTES: Routes = {"chat": {"POST": chat}}
LIMITS = {"chat": BODY_LIMIT}  # as at the gateway
