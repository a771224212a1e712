"""The walk along a plan with an injected clock: who is tried, in which order, how long, and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from jackfield.errors import (
    AuthError,
    ConnectError,
    ConnectionLost,
    ContentFilter,
    ContextLength,
    Error,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    Quota,
    RateLimit,
    ServerError,
    StreamBroken,
    TimeoutExpired,
)
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.health.store import MemoryHealth
from jackfield.message import TextBlock
from jackfield.model import Model, ModelRef, ProviderInfo, Timeouts
from jackfield.routing.candidate import Candidate, Plan, Skipped
from jackfield.routing.walk import Walk, is_content
from tests.pulse import Day

GOOD: list[StreamEvent] = [
    MessageStart(),
    BlockStart(0, TextBlock("")),
    BlockDelta(0, "hello"),
    BlockEnd(0),
    MessageEnd(),
]
BROKEN = StreamBroken("it ended in the middle")


def made(ref: str, *, window: int = 0, credential: str = "key", total_s: float | None = None) -> Candidate:
    parsed = ModelRef.parse(ref)
    assert parsed is not None
    timeouts = Timeouts(total=total_s) if total_s else None
    model = Model(id=parsed.model, context_window=window) if window else Model(id=parsed.model)
    info = ProviderInfo(id=parsed.provider, timeouts=timeouts)
    return Candidate(ref=parsed, info=info, model=model, reason="test", credential=credential)


class Stage:
    """Providers that answer by a script; a script's last line holds for all later tries."""

    def __init__(self, **script: list[Error | list[StreamEvent | Error]]) -> None:
        self.day = Day(still=True)
        self.health = MemoryHealth(self.day.now_ms)
        self.script = {name.replace("_", "/"): list(lines) for name, lines in script.items()}
        self.tried: list[str] = []
        self.limits: list[Timeouts] = []
        self.takes_s = 0.0

    def plan(self, *candidates: Candidate, skipped: tuple[Skipped, ...] = ()) -> Plan:
        chain = candidates or tuple(made(ref) for ref in self.script)
        return Plan(requested="test", candidates=chain, skipped=skipped, primary=str(chain[0].ref))

    def walk(self, *candidates: Candidate, skipped: tuple[Skipped, ...] = ()) -> Walk[StreamEvent]:
        return Walk(self.plan(*candidates, skipped=skipped), self.day.pulse, self.health, stream=True)

    async def try_(self, candidate: Candidate) -> AsyncGenerator[StreamEvent, None]:
        self.tried.append(str(candidate.ref))
        self.limits.append(candidate.model.timeouts or Timeouts())
        self.day.passed_s += self.takes_s
        lines = self.script[str(candidate.ref)]
        line = lines.pop(0) if len(lines) > 1 else lines[0]
        for each in [line] if isinstance(line, Error) else line:
            if isinstance(each, Error):
                raise each
            yield each

    async def run(self, walk: Walk[StreamEvent]) -> list[StreamEvent]:
        async with aclosing(walk.run(walk.plan.candidates, self.try_, is_content)) as events:
            return [event async for event in events]


def limited(after_s: float | None = None, message: str = "slow down") -> RateLimit:
    return RateLimit(message, status=429, retry_after_s=after_s)


async def test_a_limit_of_one_model_leaves_its_siblings_alone() -> None:
    stage = Stage(a_m1=[limited()], a_m2=[GOOD], b_m3=[GOOD])
    walk = stage.walk()
    assert await stage.run(walk) == GOOD
    assert stage.tried == ["a/m1", "a/m2"]
    assert [each.reason for each in walk.attempts] == ["rate_limit", None]
    assert stage.day.slept == []


async def test_a_credential_that_is_used_up_is_not_tried_for_its_other_models() -> None:
    spent = limited(3600, "usage_limit_reached: you have used up your weekly limit")
    spent.code = "usage_limit_reached"
    stage = Stage(a_m1=[spent], a_m2=[GOOD], b_m3=[GOOD])
    walk = stage.walk()
    assert await stage.run(walk) == GOOD
    assert stage.tried == ["a/m1", "b/m3"]
    assert [each.reason for each in walk.attempts] == ["rate_limit", "credential_exhausted", None]


async def test_the_final_error_tells_of_every_candidate() -> None:
    refs = [f"p{number}/m" for number in range(15)]
    stage = Stage(**{ref.replace("/", "_"): [limited()] for ref in refs})
    cooling = tuple(Skipped(f"c{number}/m", "cooling: rate_limit", cause="cooling") for number in range(2))
    walk = stage.walk(*(made(ref) for ref in refs), skipped=cooling)
    with pytest.raises(RateLimit) as failed:
        await stage.run(walk)
    # The last one is alone, so that it gets its tries.
    assert list(dict.fromkeys(stage.tried)) == refs
    assert {each.model for each in failed.value.attempts} == {*refs, "c0/m", "c1/m"}
    assert all(ref in failed.value.message for ref in (*refs, "c0/m", "c1/m"))


@pytest.mark.parametrize(
    ("after_s", "tries"), [(2.0, ["a/m", "a/m"]), (None, ["a/m", "b/m"]), (999_999.0, ["a/m", "b/m"])]
)
async def test_a_limit_is_waited_for_where_the_wait_is_short(after_s: float | None, tries: list[str]) -> None:
    stage = Stage(a_m=[limited(after_s), GOOD], b_m=[GOOD])
    assert await stage.run(stage.walk()) == GOOD
    assert stage.tried == tries
    assert stage.day.slept == ([after_s] if len(set(tries)) == 1 else [])


async def test_one_server_error_is_tried_again_at_the_same_place_and_no_outage() -> None:
    stage = Stage(a_m=[ServerError("broke", status=500), GOOD], b_m=[GOOD])
    assert await stage.run(stage.walk()) == GOOD
    assert stage.tried == ["a/m", "a/m"]
    assert stage.health.view().rests == ()


async def test_a_server_that_stays_overloaded_is_left_after_two_tries() -> None:
    stage = Stage(a_m=[Overloaded("full", status=503)], b_m=[GOOD])
    await stage.run(stage.walk())
    assert stage.tried == ["a/m", "a/m", "b/m"]
    assert [rest.place.model for rest in stage.health.view().rests] == ["m"]


async def test_who_is_alone_is_tried_four_times_with_growing_pauses() -> None:
    stage = Stage(a_m=[limited()])
    with pytest.raises(RateLimit):
        await stage.run(stage.walk())
    assert len(stage.tried) == 4
    assert stage.day.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    "error",
    [TimeoutExpired("silent"), AuthError("no"), Quota("empty"), ModelNotFound("none"), ConnectError("refused")],
    ids=lambda error: error.type,
)
async def test_what_does_not_pass_by_itself_goes_to_the_next_at_once(error: Error) -> None:
    stage = Stage(a_m=[error], b_m=[GOOD])
    assert await stage.run(stage.walk()) == GOOD
    assert stage.tried == ["a/m", "b/m"]
    assert stage.day.slept == []


@pytest.mark.parametrize("error", [InvalidRequest("bad field"), ContentFilter("no")], ids=lambda error: error.type)
async def test_what_the_caller_must_change_is_tried_nowhere_else(error: Error) -> None:
    stage = Stage(a_m=[error], b_m=[GOOD])
    with pytest.raises(type(error)):
        await stage.run(stage.walk())
    assert stage.tried == ["a/m"]
    assert stage.health.view().rests == ()


async def test_what_was_too_long_goes_only_to_larger_windows() -> None:
    stage = Stage(a_m=[ContextLength("too long", status=400)], b_m=[GOOD], c_m=[GOOD])
    walk = stage.walk(made("a/m", window=8000), made("b/m", window=8000), made("c/m", window=200_000))
    assert await stage.run(walk) == GOOD
    assert stage.tried == ["a/m", "c/m"]
    assert [each.reason for each in walk.attempts] == ["context_overflow", "context_overflow", None]
    assert stage.health.view().rests == ()


async def test_a_reply_that_breaks_before_its_first_content_is_never_seen() -> None:
    stage = Stage(a_m=[[MessageStart(), Overloaded("overloaded_error", status=529)]], b_m=[GOOD])
    assert await stage.run(stage.walk()) == GOOD


async def test_after_its_first_content_a_failure_is_the_callers() -> None:
    stage = Stage(a_m=[[*GOOD[:3], BROKEN]], b_m=[GOOD])
    walk = stage.walk()
    with pytest.raises(StreamBroken):
        await stage.run(walk)
    assert stage.tried == ["a/m"]
    assert walk.answered is not None
    assert len(stage.health.view().rests) == 1


async def test_every_candidate_has_its_share_of_the_time() -> None:
    stage = Stage(a_m=[TimeoutExpired("silent")], b_m=[TimeoutExpired("silent")], c_m=[GOOD])
    walk = stage.walk(made("a/m", total_s=90), made("b/m", total_s=90), made("c/m", total_s=90))
    stage.takes_s = 30
    await stage.run(walk)
    assert [limits.first_token for limits in stage.limits] == [30, 30, 30]
    assert [limits.total for limits in stage.limits] == [90, 60, 30]


async def test_when_the_time_is_used_up_the_others_are_named_and_not_asked() -> None:
    stage = Stage(a_m=[TimeoutExpired("silent")], b_m=[GOOD])
    walk = stage.walk(made("a/m", total_s=10), made("b/m", total_s=10))
    stage.takes_s = 10
    with pytest.raises(TimeoutExpired) as failed:
        await stage.run(walk)
    assert stage.tried == ["a/m"]
    assert "b/m: the request's time was used up" in failed.value.message


async def test_a_candidate_that_rested_is_probed_by_one_and_a_success_forgets_its_failures() -> None:
    stage = Stage(a_m=[ServerError("broke", status=500)], b_m=[GOOD])
    await stage.run(stage.walk())
    stage.script["a/m"] = [GOOD]
    stage.day.passed_s += 20
    assert stage.health.claim("a", "key", "m")
    await stage.run(stage.walk())
    assert stage.tried[-1] == "b/m", "somebody else is probing it"
    stage.day.passed_s += 200
    await stage.run(stage.walk())
    assert stage.tried[-1] == "a/m"
    assert stage.health.view().rests == ()


async def test_who_is_cancelled_leaves_a_row_and_tries_nobody_else() -> None:
    stage = Stage(a_m=[[*GOOD[:3]]], b_m=[GOOD])
    walk = stage.walk()
    waiting = asyncio.Event()

    async def silent(candidate: Candidate) -> AsyncGenerator[StreamEvent, None]:
        stage.tried.append(str(candidate.ref))
        yield GOOD[0]
        waiting.set()
        await asyncio.sleep(3600)

    async def ask() -> None:
        async with aclosing(walk.run(walk.plan.candidates, silent, is_content)) as events:
            async for _ in events:
                pass

    task = asyncio.create_task(ask())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stage.tried == ["a/m"]
    assert [each.reason for each in walk.attempts] == ["cancelled"]
    assert stage.health.view().rests == ()


async def test_a_lost_connection_is_tried_once_more_at_the_same_place() -> None:
    stage = Stage(a_m=[ConnectionLost("reset"), GOOD], b_m=[GOOD])
    await stage.run(stage.walk())
    assert stage.tried == ["a/m", "a/m"]
