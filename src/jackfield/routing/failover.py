"""The walk along a plan: one candidate after another until one answers.

This is the one place that decides whether to try again; HTTP clients never do. An attempt is
committed once its first content has been handed on: from then on its failure is the caller's.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from jackfield.errors import Error
from jackfield.events import BlockStart, MessageEnd, StreamEvent
from jackfield.message import Attempt
from jackfield.routing.plan import Candidate, Plan

# One try: gives the reply's events, or raises one of our errors.
Events = AsyncGenerator[StreamEvent, None]
Try = Callable[[Candidate], Events]
Clock = Callable[[], float]  # seconds, monotonic


class Walk:
    """One request on its way; afterwards `attempts` says what happened and `answered` who did."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self.plan = plan
        self.attempts: list[Attempt] = []
        self.answered: Candidate | None = None
        self.profile_id: str | None = None  # the credential of the current try, once it is known
        self._clock = clock

    async def run(self, try_candidate: Try) -> Events:
        """Yield the first good reply's events; raise the last error when there is none."""
        candidates = self.plan.candidates
        for position, candidate in enumerate(candidates):
            try:
                async with aclosing(self._attempt(candidate, try_candidate)) as events:
                    async for event in events:
                        yield event
            except Error as error:
                last = position + 1 == len(candidates)
                if last or self.answered or not error.failover:
                    raise self._explained(error) from error.__cause__
            else:
                return

    async def _attempt(self, candidate: Candidate, try_candidate: Try) -> Events:
        started = self._clock()
        held: list[StreamEvent] = []
        self.profile_id = candidate.profile_id
        try:
            async with aclosing(try_candidate(candidate)) as events:
                async for event in events:
                    if self.answered:
                        yield event
                        continue
                    held.append(event)
                    if isinstance(event, BlockStart | MessageEnd):
                        self.answered = candidate
                        for each in held:
                            yield each
        except Error as error:
            self._note(candidate, started, error)
            raise
        self._note(candidate, started, None)

    def _note(self, candidate: Candidate, started: float, error: Error | None) -> None:
        self.attempts.append(
            Attempt(
                model=str(candidate.ref),
                profile=self.profile_id,
                reason=error.type if error else None,
                ms=round((self._clock() - started) * 1000),
                message=error.message if error else None,
            )
        )

    def _explained(self, error: Error) -> Error:
        """Return the error with the attempts; after several it tells of all of them."""
        error.attempts = tuple(self.attempts)
        if len(self.attempts) > 1:
            told = " | ".join(f"{each.model}: {each.message} ({each.reason})" for each in self.attempts)
            error.message = f"all models failed ({len(self.attempts)}): {told}"
            error.args = (error.message,)
        return error
