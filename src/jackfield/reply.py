"""A reply on its way: the walk along a plan, what was heard so far, who answered and what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, TypedDict

from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog.price import sum_usage, sum_usd
from jackfield.config.schema import StreamBreak
from jackfield.direct import Direct, Take
from jackfield.errors import Cancelled, Error, InvalidRequest
from jackfield.events import Accumulator, StreamEvent
from jackfield.message import Attempt, ChatRequest, ChatResponse
from jackfield.model import ModelRef
from jackfield.providers.provider import find_losses
from jackfield.routing.candidate import Candidate, Plan
from jackfield.routing.hold import WhenWhole
from jackfield.routing.patience import as_waits
from jackfield.routing.splice import MOST_BREAKS, Splice, may_continue, takes_prefill, with_prefill
from jackfield.routing.walk import Batches, Events, Walk, has_content
from jackfield.toll import Spent, bill

if TYPE_CHECKING:
    from jackfield.client import AsyncClient

GONE = (asyncio.CancelledError, GeneratorExit)  # the caller, while a try was under way


class ChatOptions(TypedDict, total=False):
    """What a call may say beside the request."""

    fallbacks: Sequence[str]  # models to try when the others fail
    profile_id: str | None  # this credential and no other
    strict: bool  # what the target's wire cannot carry is an error; else it becomes a warning of the reply
    session: str  # requests of one conversation: they prefer the credential whose prompt cache is warm
    on_break: StreamBreak | None  # what becomes of a reply that breaks after its first content; else the route's word


class Tried(Struct, frozen=True):
    """A try that was made elsewhere and failed: the walk goes on from it. `began`: on the pulse's clock."""

    ref: ModelRef
    error: Error
    began: float


class ChatStream:
    """A reply on its way: iterate over its events, or await `response()` for the whole.

    After the last event `response()` returns at once. Leaving it early closes the connection, for good.
    `on_break` says what becomes of a reply that breaks after its first content: its error is the
    caller's; it is held until whole, so that another may stand in unseen; or another goes on from it.
    """

    def __init__(
        self, client: AsyncClient, request: ChatRequest, made: Plan, how: ChatOptions, tried: Tried | None = None
    ) -> None:
        self._client = client
        self._direct: Direct = client.direct
        self._request = request
        self._walk: Walk[Sequence[StreamEvent]] = Walk(
            made,
            client.pulse,
            client.health,
            stream=request.stream,
            waits=as_waits(client.config.max_wait_s),
            began=tried.began if tried else None,
        )
        self._tried = tried
        self._strict = how.get("strict", False)
        self._session = how.get("session", "")
        self._on_break = how.get("on_break") or made.on_break
        self._heard = Accumulator()  # the current try
        # What the caller was told, where that may be made of several tries.
        self._whole = Accumulator() if self._on_break == "continue" else None
        self._take: Take | None = None
        self._running: tuple[Candidate, Accumulator, ChatRequest] | None = None
        self._notice = ""
        self._losses: list[str] = []  # of the current try
        self._heard_losses: list[str] = []  # of tries that broke after words that the caller keeps
        self._known = client.known
        self._reader: asyncio.Task[object] | None = None  # who waits for the next batch
        self._closing: asyncio.Future[None] | None = None
        self._broken: Error | None = Cancelled("the reply was left before its end", hint="ask again")
        self._batches = self._run()

    def __aiter__(self) -> Events:
        # Its own for every loop, held by nobody else: when the loop is left it is dropped, and closes.
        return self._each()

    async def aclose(self) -> None:
        """Stop: close the connection, keep what was heard. A task that waits for more just now is cancelled."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def response(self) -> ChatResponse:
        """Read to the end and return the whole reply; raise what broke it, with `.partial`."""
        if self._closing:
            await self.aclose()
        async for _ in self._batches:
            pass
        return self.whole()

    def whole(self) -> ChatResponse:
        """Return the reply that has been read to its end; raise what broke it, `Cancelled` when it was left early."""
        if self._broken and not self._said().complete:
            self._broken.partial = self.heard()
            raise self._broken
        return self.heard()

    def batches(self, take: Take | None = None) -> Batches:
        """Iterate as `async for` does, over events that came together: one hop for all of them.

        With `take`, what follows the first content is offered to it in the moment it comes, before anybody is woken;
        what it takes is not yielded.
        """
        self._take = take
        return self._batches

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The tries that have ended by now."""
        return tuple(self._walk.attempts)

    def heard(self, *, billed: bool = True) -> ChatResponse:
        """Return what has been heard so far; tokens that nobody counted are estimated, and so is their price.

        Usage and cost are those of all tries together; not `billed`, those of tries that have ended.
        """
        spent: list[Spent] = [(each.usage, each.cost_usd) for each in self._walk.attempts if each.usage is not None]
        if self._running and billed:
            spent.append(bill(*self._running))
        losses = tuple(dict.fromkeys((*self._heard_losses, *self._losses)))
        return replace(
            self._said().response(),
            usage=sum_usage([usage for usage, _ in spent if usage is not None]),
            cost_usd=sum_usd([usd for _, usd in spent]),
            requested=self._walk.plan.requested,
            attempts=tuple(self._walk.attempts),
            warnings=tuple(dict.fromkeys((*self._walk.plan.warnings, *losses, *self._problems()))),
            losses=losses,
            notice=self._notice,
        )

    # -- the walk --------------------------------------------------------------------

    async def _each(self) -> Events:
        try:
            async for batch in self._batches:
                for event in batch:
                    yield event
        except GeneratorExit:
            if self._reader is None:  # else somebody reads on, elsewhere
                await self.aclose()
            raise

    async def _close(self) -> None:
        if (reader := self._reader) and not reader.cancelling():
            reader.cancel()
        while self._reader:  # noqa: ASYNC110  an event would cost every batch
            await asyncio.sleep(0.001)
        await self._batches.aclose()

    async def _run(self) -> Batches:
        try:
            self._reader = asyncio.current_task()
            async with aclosing(self._told()) as batches:
                async for batch in batches:
                    if self._whole:
                        self._whole.feed_all(batch)
                    self._reader = None
                    yield batch
                    self._reader = asyncio.current_task()
            self._note_answer()
            self._broken = None
        except Error as error:
            self._broken = error
            if self._walk.answered:
                error.partial = self.heard()
            # A doubt about the name explains most refusals of it.
            error.hint = "\n".join(filter(None, (*self._walk.plan.warnings, error.hint)))
            raise
        finally:
            self._reader = None
            self._client.plugins.tell_attempts(self._walk.attempts)
            self._client.note_attempts(self._walk.plan.requested, self._walk.attempts, stream=self._request.stream)

    async def _told(self) -> Batches:
        """Yield the reply as the caller is told of it, broken or mended."""
        walk, begins = self._walk, WhenWhole() if self._on_break == "restart" else has_content
        try:
            async with aclosing(walk.run(walk.plan.candidates, self._ask, begins)) as batches:
                async for batch in batches:
                    yield batch
        except Error as error:
            if self._whole is None or not walk.answered:
                raise
            broken, whole = error, self._whole
        else:
            return
        async with aclosing(self._continued(broken, whole)) as batches:
            async for batch in batches:
                yield batch

    async def _continued(self, broken: Error, whole: Accumulator) -> Batches:
        """Yield the rest of a broken reply from who can go on with it; raise what broke it when nobody can."""
        for _ in range(MOST_BREAKS):
            heard = whole.response()
            self._heard_losses += self._losses
            # Who broke off rests now, and is asked again only where nobody else is able.
            able = tuple(filter(takes_prefill, self._walk.plan.candidates))
            if not able or not may_continue(self._request, heard):
                raise broken
            splice = Splice(heard, whole.open_block)
            ask = partial(self._ask, request=with_prefill(self._request, heard))
            try:
                async with aclosing(self._walk.run(able, ask, has_content)) as batches:
                    async for batch in batches:
                        model = str(self._walk.answered.ref) if self._walk.answered else ""
                        yield [told for event in batch for told in splice.feed(event, model)]
            except Error as error:
                broken.attempts = error.attempts
                if whole.response().text == heard.text:
                    raise broken from error
            else:
                return
        raise broken

    async def _ask(self, candidate: Candidate, request: ChatRequest | None = None) -> Batches:
        """Yield one try's events; whatever becomes of it, what it used up is noted."""
        if self._tried and self._tried.ref == candidate.ref:
            tried, self._tried = self._tried, None
            raise tried.error
        asked, candidate = request or self._request, self._direct.taught(candidate)
        self._weigh_losses(candidate)
        auth = await self._direct.open_auth(candidate)
        self._walk.profile_id = auth.profile_id
        hold = await self._client.toll.enter(candidate, asked, self._session, left_s=self._walk.left_s())
        tell = None if self._strict else self._losses.append
        # What goes on from another's words is not told as it comes.
        take = self._hand_on if self._take and request is None else None
        hear = partial(self._client.toll.hear, candidate)
        self._heard, failed = Accumulator(), None
        self._running = candidate, self._heard, asked
        try:
            async with aclosing(self._direct.attempt(candidate, asked, auth, tell, hear, take)) as batches:
                async for batch in batches:
                    self._heard.feed_all(batch)
                    yield batch
        except BaseException as error:
            failed = error
            raise
        finally:
            usage, usd = bill(*self._running)
            is_left = usage is None and isinstance(failed, GONE)
            self._walk.spent = bill(*self._running, unheard=True) if is_left else (usage, usd)
            self._running = None
            await self._client.toll.leave(hold, usd, failed, used=usage is not None)
            failed = None  # it holds this frame, and would wait with it for the collector of cycles

    def _hand_on(self, batch: Sequence[StreamEvent]) -> bool:
        """Hand events straight to the caller, past all who would only pass them on; tell whether they were taken."""
        if not (self._walk.answered and self._take and self._take(batch)):
            return False
        self._heard.feed_all(batch)
        if self._whole:
            self._whole.feed_all(batch)
        return True

    # -- what is told ------------------------------------------------------------------

    def _said(self) -> Accumulator:
        """Return what the caller was told: nothing, until a try has begun to answer."""
        return self._whole or (self._heard if self._walk.answered else Accumulator())

    def _note_answer(self) -> None:
        if self._walk.answered is None:
            return
        self._client.note_success(self._walk.profile_id)
        plan, failed = self._walk.plan, [each.reason for each in self._walk.attempts if each.reason]
        reason = failed[0] if failed else next((skip.reason for skip in plan.skipped if skip.ref == plan.primary), None)
        self._notice = self._client.sessions.note(self._session, plan, self._walk.answered, reason)

    def _problems(self) -> tuple[str, ...]:
        # Those that were there before are not this reply's.
        return tuple(each for each in self._client.problems() if each not in self._known)

    def _weigh_losses(self, candidate: Candidate) -> None:
        losses = find_losses(self._request, candidate.info, candidate.model)
        told = [f"{candidate.ref}: {loss}" for loss in losses]
        if told and self._strict:
            raise InvalidRequest("; ".join(told), hint="leave out --strict to send the rest")
        self._losses = told
