"""The walk along a plan: one candidate after another until one answers, within one deadline.

This is the one place that decides whether to try again; HTTP clients never do. What a try
yields, events of a reply or its bytes, is the caller's business. A try is committed once its
first content has been handed on: until then another candidate may still stand in unseen.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from decimal import Decimal
from itertools import count
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.errors import Cancelled, ContextLength, Error, TimeoutExpired, forget_way
from jackfield.events import BlockDelta, BlockStart, MessageEnd, StreamEvent
from jackfield.health.store import HealthStore
from jackfield.message import Attempt, RefusalBlock, TextBlock, ThinkingBlock, Usage
from jackfield.routing.candidate import Candidate, Plan, cause_of
from jackfield.routing.needs import larger
from jackfield.routing.patience import USUAL, Waits, deadline_s, decide, narrow

T = TypeVar("T")
WORDS = (TextBlock, ThinkingBlock, RefusalBlock)
LEFT = "the caller went away"
Events = AsyncGenerator[StreamEvent, None]
# As they came: what one read of the socket says is handed on at once, from generator to generator.
Batches = AsyncGenerator[Sequence[StreamEvent], None]
# One try: gives the reply piece by piece, or raises one of our errors.
Try = Callable[[Candidate], AsyncGenerator[T, None]]


class Pulse(Struct, frozen=True):
    """Time and chance, as the walk needs them; tests bring their own."""

    clock: Callable[[], float]  # seconds, monotonic
    sleep: Callable[[float], Awaitable[None]]
    jitter: Callable[[], float]  # 0..1
    now_ms: Callable[[], int]  # Unix milliseconds, as health counts


def has_content(batch: Sequence[StreamEvent]) -> bool:
    """Tell whether there is in it what the caller waits for, so that nobody may stand in unseen after it."""
    return any(map(is_content, batch))


def is_content(event: StreamEvent) -> bool:
    """Tell whether an event is content. That a text begins is a promise; its first words are content."""
    if isinstance(event, BlockStart):
        return not isinstance(event.block, WORDS) or bool(event.block.text)
    return isinstance(event, BlockDelta | MessageEnd)


class Walk(Generic[T]):
    """One request on its way; afterwards `attempts` says what happened and `answered` who did.

    `run` may be called again with other candidates: the deadline and the attempts go on.
    """

    def __init__(
        self,
        plan: Plan,
        pulse: Pulse,
        health: HealthStore,
        *,
        stream: bool,
        waits: Waits = USUAL,
        began: float | None = None,
    ) -> None:
        """Begin now, or at a moment of the pulse's clock that is past: the first try had begun then."""
        self.plan = plan
        self.attempts: list[Attempt] = []
        self.answered: Candidate | None = None
        self.profile_id: str | None = None  # the credential of the current try, once it is known
        self.spent: tuple[Usage | None, Decimal | None] = None, None  # by the current try, once it has ended
        self._pulse = pulse
        self._health = health
        self._stream = stream
        self._waits = waits
        self._began = began
        self._claimed = False  # the current candidate is being probed, by us alone
        start = pulse.clock() if began is None else began
        self._ends = start + deadline_s(plan.candidates[0], stream=stream)

    async def run(
        self, candidates: Sequence[Candidate], try_candidate: Try[T], begins: Callable[[T], bool]
    ) -> AsyncGenerator[T, None]:
        """Yield the first good reply; raise the last error when there is none. `begins` marks its first content."""
        self.answered = None
        queue = deque(candidates)
        failed: Error | None = None
        while queue:
            candidate = queue.popleft()
            if not await self._may_try(candidate, failed, others=bool(queue)):
                if failed is None and not queue:
                    queue.append(self._soonest(candidates))  # somebody must be asked
                continue
            for tries in count(1):
                narrowed = narrow(candidate, stream=self._stream, left_s=self.left_s(), waiting=len(queue))
                try:
                    async with aclosing(self._attempt(narrowed, try_candidate, begins)) as pieces:
                        async for piece in pieces:
                            yield piece
                except Error as error:
                    failed = error
                else:
                    await self._note_success(candidate)
                    return
                if isinstance(failed, ContextLength) and not self._is_committed():
                    queue = self._with_more_room(queue, candidate)
                if not await self._may_repeat(failed, candidate, tries, others=bool(queue)):
                    break
        raise self._explained(failed or self._nobody()) from (failed.__cause__ if failed else None)

    # -- one candidate ---------------------------------------------------------------

    async def _may_try(self, candidate: Candidate, failed: Error | None, *, others: bool) -> bool:
        """Tell whether a candidate may be tried now; what has failed since the plan was made may forbid it."""
        self._claimed = False
        if failed is not None and self.left_s() <= 0:
            self._note(candidate, None, "timeout", "the request's time was used up before its turn")
            return False
        if candidate.last_resort or (failed is None and not others and not candidate.half_open):
            return True  # somebody must be asked
        now_ms = self._pulse.now_ms()
        view = self._health.view()
        if rest := view.rest_of(*candidate.key, now_ms):
            self._note(candidate, None, cause_of(rest), rest.message)
            return False
        if view.half_open(*candidate.key, now_ms) and not await self._claim(candidate):
            self._note(candidate, None, "cooling", "another request is finding out whether it is back")
            return False
        return True

    def _soonest(self, candidates: Sequence[Candidate]) -> Candidate:
        """Return who is back first of those that all failed, or are being tried by others, since the plan was made."""
        view, now_ms = self._health.view(), self._pulse.now_ms()
        ends = [rest.until_ms if (rest := view.rest_of(*each.key, now_ms)) else 0 for each in candidates]
        return replace(candidates[ends.index(min(ends))], last_resort=True)

    async def _claim(self, candidate: Candidate) -> bool:
        claiming = asyncio.get_running_loop().run_in_executor(None, self._health.claim, *candidate.key)
        try:
            self._claimed = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            claiming.add_done_callback(lambda done: self._free(candidate) if done.result() else None)
            raise
        return self._claimed

    def _free(self, candidate: Candidate) -> None:
        """Let whoever comes next find out whether a place is back."""
        self._health.note_failure(*candidate.key, Cancelled(LEFT))

    async def _attempt(
        self, candidate: Candidate, try_candidate: Try[T], begins: Callable[[T], bool]
    ) -> AsyncGenerator[T, None]:
        started, self._began = self._pulse.clock() if self._began is None else self._began, None
        held: list[T] = []
        self.profile_id, self.spent = candidate.profile_id, (None, None)
        reason: str | None = "cancelled"
        message: str | None = LEFT
        status: int | None = None
        try:
            async with aclosing(try_candidate(candidate)) as pieces:
                async for piece in pieces:
                    if self.answered:
                        yield piece
                        continue
                    held.append(piece)
                    if begins(piece):
                        self.answered = candidate
                        for each in held:
                            yield each
            reason = message = None
        except Error as error:
            reason, message, status = error.type, error.message, error.status
            raise
        except (GeneratorExit, asyncio.CancelledError):
            if self._claimed:
                self._free(candidate)
            raise
        finally:
            self._note(candidate, started, reason, message, status)

    async def _may_repeat(self, error: Error, candidate: Candidate, tries: int, *, others: bool) -> bool:
        """Wait for the same again and tell that it may be; else it is the next one's turn; raise when nothing may follow."""
        left_s, jitter = self.left_s(), self._pulse.jitter()
        step = decide(error, self._waits, tries=tries, others=others, left_s=left_s, jitter=jitter)
        if step.kind != "stop" and not self.answered and (others or step.kind == "again"):
            forget_way(error)  # another try follows
        if step.kind == "again" and not self.answered:
            await self._pause(step.wait_s, candidate)
            return not (others and self._is_given_up(candidate))
        # Only who is given up has failed: one bad reply among good ones is no outage.
        await asyncio.to_thread(self._health.note_failure, *candidate.key, error)
        if step.kind == "stop" or self.answered:
            raise self._explained(error) from error.__cause__
        return False

    async def _pause(self, wait_s: float, candidate: Candidate) -> None:
        try:
            await self._pulse.sleep(wait_s)
        except asyncio.CancelledError:
            if self._claimed:
                self._free(candidate)
            raise

    def _is_given_up(self, candidate: Candidate) -> bool:
        """Tell whether others have put a candidate to rest meanwhile: a hundred requests need not all find out."""
        rest = self._health.view().rest_of(*candidate.key, self._pulse.now_ms())
        return rest is not None and not (self._claimed or candidate.last_resort)

    def _with_more_room(self, queue: deque[Candidate], failed: Candidate) -> deque[Candidate]:
        for each in queue:
            if not larger(each, failed):
                self._note(each, None, "context_overflow", f"its window is no larger than that of {failed.ref}")
        return deque(each for each in queue if larger(each, failed))

    async def _note_success(self, candidate: Candidate) -> None:
        key, now_ms, view = candidate.key, self._pulse.now_ms(), self._health.view()
        if view.rest_of(*key, now_ms) or view.half_open(*key, now_ms):
            await asyncio.to_thread(self._health.note_success, *key)

    # -- what is told ------------------------------------------------------------------

    def _is_committed(self) -> bool:
        return self.answered is not None

    def left_s(self) -> float:
        """Return what is left of the request's time."""
        return self._ends - self._pulse.clock()

    def _note(
        self,
        candidate: Candidate,
        started: float | None,
        reason: str | None,
        message: str | None,
        status: int | None = None,
    ) -> None:
        """Keep a row; one without a time was not tried."""
        ref = str(candidate.ref)
        if started is None:
            self.attempts.append(Attempt(ref, candidate.profile_id, reason, message=message))
            return
        ms, at_ms = round((self._pulse.clock() - started) * 1000), self._pulse.now_ms()
        api = defaults.api(candidate.model, candidate.info)
        self.attempts.append(
            Attempt(ref, self.profile_id, reason, ms, message, *self.spent, at_ms=at_ms - ms, api=api, status=status)
        )

    def _nobody(self) -> Error:
        return TimeoutExpired("no candidate could be tried", hint="see: jackfield health list")

    def _explained(self, error: Error) -> Error:
        """Return the error with the attempts; where there were several models it tells of all of them."""
        tried = {each.model for each in self.attempts if each.ms is not None}
        unasked = [Attempt(skip.ref, reason=skip.cause or "skipped", message=skip.reason) for skip in self.plan.skipped]
        error.attempts = (*self.attempts, *unasked)
        told = [each for each in error.attempts if each.ms is not None or each.model not in tried]
        if len({each.model for each in told}) > 1:
            words = " | ".join(f"{each.model}: {each.message} ({each.reason})" for each in told)
            error.message = f"all models failed ({len(told)}): {words}"
        elif len(told) > 1:
            error.message = f"{error.message}, tried {len(told)} times"
        error.args = (error.message,)
        return error
