"""A place that failed and has rested: one caller finds out whether it is back, and no caller is left with nobody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from msgspec.structs import replace

from jackfield.errors import RateLimit, ServerError
from jackfield.events import StreamEvent
from jackfield.health.store import MemoryHealth
from jackfield.routing.candidate import Candidate
from jackfield.routing.walk import Pulse, Walk, is_content
from tests.patience import PATIENCE_S
from tests.routing.test_walk import GOOD, Stage, made


def rested(stage: Stage, *refs: str) -> list[Candidate]:
    """Return candidates that failed, and have rested, as a plan has them."""
    for ref in refs:
        name, _, model = ref.partition("/")
        stage.health.note_failure(name, "key", model, ServerError("broke", status=500))
    stage.day.passed_s += 20
    return [replace(made(ref), half_open=True) for ref in refs]


async def test_who_has_nobody_else_asks_although_another_is_finding_out() -> None:
    stage = Stage(a_m=[[*GOOD]])
    chain = rested(stage, "a/m")
    assert stage.health.claim("a", "key", "m"), "another request, after the plan was made"
    assert await stage.run(stage.walk(*chain)) == GOOD


async def test_of_several_that_others_are_finding_out_about_one_is_asked() -> None:
    stage = Stage(a_m=[[*GOOD]], b_m=[[*GOOD]], c_m=[[*GOOD]])
    chain = rested(stage, "a/m", "b/m", "c/m")
    assert all(stage.health.claim(name, "key", "m") for name in "abc")
    assert await stage.run(stage.walk(*chain)) == GOOD
    assert len(stage.tried) == 1


async def test_a_place_that_failed_after_the_plan_was_made_is_freed_when_its_probe_is_cancelled() -> None:
    stage = Stage(a_m=[[*GOOD]], b_m=[[*GOOD]])
    chain = [made("a/m"), made("b/m")]
    rested(stage, "b/m")
    waiting = asyncio.Event()

    async def try_(candidate: Candidate) -> AsyncGenerator[StreamEvent, None]:
        if candidate.info.id == "a":
            raise RateLimit("slow down", status=429)
        yield GOOD[0]
        waiting.set()
        await asyncio.Event().wait()

    await cancelled(stage.walk(*chain), try_, waiting)
    assert stage.health.view().half_open("b", "key", "m", stage.day.now_ms())


async def test_who_is_cancelled_as_he_claims_a_place_leaves_it_to_the_next() -> None:
    stage = Stage(a_m=[[*GOOD]], b_m=[[*GOOD]])
    chain = rested(stage, "a/m")
    slow = SlowClaims(stage.day.now_ms)
    slow.adopt(stage.health.view().rests, ())
    stage.health = slow
    await cancelled(stage.walk(*chain, made("b/m")), stage.try_, slow.claiming)
    slow.go.set()
    async with asyncio.timeout(PATIENCE_S):
        while not slow.claimed or slow.view().half_open("a", "key", "m", stage.day.now_ms()) is None:  # noqa: ASYNC110  a store offers no event
            await asyncio.sleep(0.002)
    assert stage.tried == []


async def test_who_is_cancelled_between_two_tries_of_a_probe_leaves_it_to_the_next() -> None:
    stage = Stage(a_m=[ServerError("broke", status=500)], b_m=[[*GOOD]])
    chain, waiting = rested(stage, "a/m"), asyncio.Event()

    async def sleep(_: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    pulse = stage.day.pulse
    plan = stage.plan(*chain, made("b/m"))
    walk: Walk[StreamEvent] = Walk(
        plan, Pulse(pulse.clock, sleep, pulse.jitter, pulse.now_ms), stage.health, stream=True
    )
    await cancelled(walk, stage.try_, waiting)
    assert stage.health.view().half_open("a", "key", "m", stage.day.now_ms())


async def test_who_waits_for_another_try_leaves_it_when_others_have_found_the_place_down_meanwhile() -> None:
    stage = Stage(a_m=[ServerError("broke", status=500)], b_m=[[*GOOD]])

    async def sleep(_: float) -> None:
        stage.health.note_failure("a", "key", "m", ServerError("broke", status=500))

    pulse = stage.day.pulse
    walk: Walk[StreamEvent] = Walk(
        stage.plan(), Pulse(pulse.clock, sleep, pulse.jitter, pulse.now_ms), stage.health, stream=True
    )
    assert await stage.run(walk) == GOOD
    assert stage.tried == ["a/m", "b/m"]


class SlowClaims(MemoryHealth):
    """A store on a slow disk."""

    claimed = False

    def __init__(self, now_ms: object) -> None:
        super().__init__(now_ms)  # type: ignore[arg-type]  # as `MemoryHealth` takes it
        self.claiming, self.go = asyncio.Event(), threading.Event()
        self._loop = asyncio.get_running_loop()

    def claim(self, provider: str, credential: str, model: str) -> bool:
        self._loop.call_soon_threadsafe(self.claiming.set)
        self.go.wait(PATIENCE_S)
        won = super().claim(provider, credential, model)
        self.claimed = True
        return won


async def cancelled(walk: Walk[StreamEvent], try_: object, waiting: asyncio.Event) -> None:
    async def ask() -> None:
        async with aclosing(walk.run(walk.plan.candidates, try_, is_content)) as events:  # type: ignore[arg-type]  # a try
            async for _ in events:
                pass

    task = asyncio.create_task(ask())
    async with asyncio.timeout(PATIENCE_S):
        await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
