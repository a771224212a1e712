"""What a try passes before it leaves, and pays when it has ended: its turn, and its money.

Waits for the turn by the caller's clock. Where neither a pace nor a limit is set it costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.catalog.price import bill_usd
from jackfield.config.schema import Config
from jackfield.direct import with_thinking
from jackfield.embedding import EmbedRequest
from jackfield.events import Accumulator
from jackfield.health.store import HealthStore, news
from jackfield.message import ChatRequest, Usage
from jackfield.protocols.estimate import fill_usage
from jackfield.providers.provider import for_wire
from jackfield.providers.quota import parse_quota, tells_quota
from jackfield.routing.candidate import Candidate
from jackfield.routing.walk import Pulse
from jackfield.spend.account import Hold
from jackfield.spend.budget import FREE, Budget
from jackfield.spend.estimate import pace_tokens, worst_embed_usd
from jackfield.spend.pace import Pacer

T = TypeVar("T")
Spent = tuple[Usage | None, Decimal | None]


class Toll:
    """The budget and the paces of one client."""

    def __init__(self, config: Config, budget: Budget, health: HealthStore, pulse: Pulse) -> None:
        self.budget = budget
        self.pacer = Pacer({entry.id: entry.pace for entry in config.providers.values() if entry.pace})
        self._config = config
        self._health = health
        self._pulse = pulse
        self._running: set[asyncio.Future[Any]] = set()

    def afford(self, request: ChatRequest, session: str) -> Callable[[Candidate], str] | None:
        """Return what says why a candidate may not be paid for, empty when it may; `None` where no limit is set."""
        return partial(self._refusal, request, session) if self.budget.is_set else None

    async def enter(self, candidate: Candidate, request: ChatRequest, session: str = "", *, left_s: float) -> Hold:
        """Wait for the candidate's turn, hold what the request may cost; raise `Paced` or `OverBudget`.

        Nothing was sent then, and another candidate may pass. Whoever gets a hold gives it to `leave`.
        """
        info, model = candidate.info, candidate.model
        is_paced = self.pacer.is_paced(info.id)
        if not (is_paced or self.budget.is_set):
            return FREE
        sent = for_wire(with_thinking(request, model, self._config), info, model)
        hold = FREE
        if self.budget.is_set:
            hold = await self._reserve(partial(self.budget.reserve, sent, info, model, session))
        if is_paced:
            try:
                tokens = pace_tokens(sent, info, model)
                wait_s = self.pacer.take(candidate.key, tokens, self._pulse.clock(), left_s)
                if wait_s:
                    await self._pulse.sleep(wait_s)
            except BaseException:
                self.budget.release(hold)
                raise
        return hold

    def hear(self, candidate: Candidate, headers: Mapping[str, str]) -> None:
        """Take in what a reply's headers tell of quotas, a refusal's too."""
        if not tells_quota(headers):
            return
        now_ms, owner = self._pulse.now_ms(), (candidate.info.id, candidate.credential)
        windows = parse_quota(headers, datetime.fromtimestamp(now_ms / 1000, UTC))
        if not windows:
            return  # of most replies: the view may be read from a file
        self.pacer.feed(candidate.key, windows, self._pulse.clock())
        if news(self._health.view(), *owner, windows, now_ms):
            # Another process may have the file just now.
            self._beside(partial(self._health.note_quotas, *owner, windows))

    async def leave(self, hold: Hold, usd: Decimal | None, error: BaseException | None, *, used: bool) -> None:
        """Settle what a try has cost, or give it back; `used`: it used something up, whatever became of it."""
        if hold is not FREE:
            # Who goes away meanwhile does not stop it.
            await asyncio.shield(self._beside(partial(self.budget.end, hold, usd, error, used=used)))

    @asynccontextmanager
    async def embedding(
        self, candidate: Candidate, request: EmbedRequest
    ) -> AsyncIterator[Callable[[Decimal | None], None]]:
        """Hold what vectors may cost at most while they are asked for; who is yielded hears what they did cost."""
        info, model = candidate.info, candidate.model
        if not self.budget.is_set:
            yield lambda _: None
            return
        most = worst_embed_usd(request, info, model)
        hold = await self._reserve(partial(self.budget.reserve_usd, str(candidate.ref), most))
        said: list[Decimal | None] = []
        failed: BaseException | None = None
        try:
            yield said.append
        except BaseException as error:
            failed = error
            raise
        finally:
            await self.leave(hold, said[0] if said else None, failed, used=bool(said))

    async def close(self) -> None:
        """Close the accounts once what is being written there is; what is held and not settled counts as spent."""
        await asyncio.gather(*self._running, return_exceptions=True)
        self.budget.close()

    async def _reserve(self, reserve: Callable[[], Hold]) -> Hold:
        # The accounts are in a file that other processes write, too. Who goes away meanwhile leaves no hold behind.
        held = self._beside(reserve)
        try:
            return await asyncio.shield(held)
        except asyncio.CancelledError:
            held.add_done_callback(self._give_back)
            raise

    def _beside(self, work: Callable[[], T]) -> asyncio.Future[T]:
        # No task: a loop that ends cancels its tasks, but nobody can cancel what a thread is doing.
        running = asyncio.get_running_loop().run_in_executor(None, work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return running

    def _give_back(self, held: asyncio.Future[Hold]) -> None:
        if not held.cancelled() and held.exception() is None:
            self.budget.release(held.result())

    def _refusal(self, request: ChatRequest, session: str, candidate: Candidate) -> str:
        info, model = candidate.info, candidate.model
        sent = for_wire(with_thinking(request, model, self._config), info, model)
        return self.budget.refusal(sent, info, model, session)


def bill(candidate: Candidate, heard: Accumulator, asked: ChatRequest, *, unheard: bool = False) -> Spent:
    """Return what a try has used up as far as it was heard, and what that costs.

    Nothing when it was refused before its first word; with `unheard` the question all the same.
    """
    said = heard.response()
    if not (unheard or said.content or heard.complete or said.usage != Usage()):
        return None, None
    if not heard.complete:
        # What a reply's start says of its length is no count of what came after it.
        said = replace(said, usage=replace(said.usage, output=None))
    usage = fill_usage(said, asked, defaults.api(candidate.model, candidate.info))
    return usage, bill_usd(usage, candidate.model.cost or None)
