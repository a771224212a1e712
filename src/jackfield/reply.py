"""A reply on its way: the walk along a plan, what was heard so far, who answered and what it cost."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.catalog.price import bill_usd
from jackfield.errors import Error, InvalidRequest
from jackfield.events import Accumulator
from jackfield.message import ChatRequest, ChatResponse
from jackfield.protocols.estimate import fill_usage
from jackfield.providers.provider import find_losses
from jackfield.routing.failover import Events, Walk
from jackfield.routing.plan import Candidate, Plan

if TYPE_CHECKING:
    from jackfield.client import AsyncClient


class ChatStream:
    """A reply on its way: iterate over its events, or await `response()` for the whole.

    After the last event `response()` returns at once. Leaving it early closes the connection.
    """

    def __init__(self, client: AsyncClient, request: ChatRequest, made: Plan, *, strict: bool) -> None:
        self._client = client
        self._request = request
        self._walk = Walk(made, time.monotonic)
        self._strict = strict
        self._heard = Accumulator()
        self._warnings = list(made.warnings)
        self._known = frozenset(client.problems())
        self._events = self._run()

    def __aiter__(self) -> Events:
        return self._events

    async def aclose(self) -> None:
        """Stop: close the connection, keep what was heard."""
        await self._events.aclose()

    async def response(self) -> ChatResponse:
        """Read to the end and return the whole reply; raise what broke it, with `.partial`."""
        async for _ in self._events:
            pass
        return self.heard()

    def heard(self) -> ChatResponse:
        """Return what has been heard so far; tokens that nobody counted are estimated, and so is their price."""
        said = self._heard.response()
        if answered := self._walk.answered:
            usage = fill_usage(said, self._request, defaults.api(answered.model, answered.info))
            said = replace(said, usage=usage, cost_usd=bill_usd(usage, answered.model.cost or None))
        return replace(
            said,
            requested=self._walk.plan.requested,
            attempts=tuple(self._walk.attempts),
            warnings=tuple(dict.fromkeys((*self._warnings, *self._problems()))),
        )

    async def _run(self) -> Events:
        try:
            async with aclosing(self._walk.run(self._try)) as events:
                async for event in events:
                    self._heard.feed(event)
                    yield event
            self._client.note_success(self._walk.profile_id)
        except Error as error:
            if self._walk.answered:
                error.partial = self.heard()
            # A doubt about the name explains most refusals of it.
            error.hint = "\n".join(filter(None, (*self._walk.plan.warnings, error.hint)))
            raise
        finally:
            self._client.plugins.tell_attempts(self._walk.attempts)

    def _try(self, candidate: Candidate) -> Events:
        candidate = self._client.taught(candidate)
        self._weigh_losses(candidate)
        auth = self._client.resolve(candidate)
        self._walk.profile_id = auth.profile_id
        return self._client.attempt(candidate, self._request, auth, None if self._strict else self._warnings.append)

    def _problems(self) -> tuple[str, ...]:
        # Those that were there before are not this reply's.
        return tuple(each for each in self._client.problems() if each not in self._known)

    def _weigh_losses(self, candidate: Candidate) -> None:
        losses = find_losses(self._request, candidate.info, candidate.model)
        told = [f"{candidate.ref}: {loss}" for loss in losses]
        if told and self._strict:
            raise InvalidRequest("; ".join(told), hint="leave out --strict to send the rest")
        self._warnings += told
