"""What holds of every walk, whatever fails: nobody is forgotten, nobody starves, the time is kept, all is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import groupby
from math import inf

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from jackfield import errors
from jackfield.errors import Error
from jackfield.events import StreamEvent
from jackfield.health.classify import classify
from jackfield.health.record import LONGEST_MS, Place
from jackfield.health.store import MemoryHealth
from jackfield.message import Attempt
from jackfield.model import Timeouts
from jackfield.routing.candidate import Candidate, Plan
from jackfield.routing.patience import PASSING, RETRIES, RETRIES_ALONE
from jackfield.routing.walk import Walk, is_content
from jackfield.transport.request import merge_timeouts
from tests.pulse import Day
from tests.routing.house import configure, planned
from tests.routing.test_walk import GOOD, made

FAILURES = (
    errors.RateLimit, errors.Overloaded, errors.ServerError, errors.ConnectionLost, errors.ConnectError,
    errors.TimeoutExpired, errors.AuthError, errors.Quota, errors.ModelNotFound, errors.ContextLength,
    errors.StreamBroken, errors.BadReply,
)  # fmt: skip
STOPS = (errors.InvalidRequest, errors.ContentFilter)
DEADLINE_S = 300.0


class Play(Struct, frozen=True):
    """How one try ends: after how long, and with what; no error: well."""

    takes_s: float
    error: type[Error] | None = None
    hint_s: float | None = None


plays = st.builds(
    Play,
    takes_s=st.floats(0, 400),
    error=st.sampled_from([None, *FAILURES, *FAILURES, *STOPS]),
    hint_s=st.sampled_from([None, None, 0.0, 1.5, 9.0, 40.0, 5e6]),
)
refs = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.sampled_from([0, 8_000, 200_000])),
    min_size=1,
    max_size=8,
    unique_by=lambda each: each[:2],
)
rests = st.dictionaries(st.integers(0, 7), st.tuples(st.floats(-100, 100), st.booleans()), max_size=4)


class Theatre:
    """Providers that play; every one keeps the timers it is given, as the transport does."""

    def __init__(self, script: list[Play]) -> None:
        self.day = Day(still=True)
        self.health = MemoryHealth(self.day.now_ms)
        self.script = script
        self.tried: list[tuple[Candidate, Error | None]] = []
        self.ends: dict[Place, list[int]] = {}

    async def try_(self, candidate: Candidate) -> AsyncGenerator[StreamEvent, None]:
        play = self.script[len(self.tried) % len(self.script)]
        said = merge_timeouts(candidate.info.timeouts or Timeouts(), candidate.model.timeouts or Timeouts())
        most_s = min(said.first_token or inf, said.total or inf)
        error: Error | None = None
        if play.takes_s > most_s:
            error = errors.TimeoutExpired("silent")
        elif play.error:
            error = play.error(f"failure {len(self.tried)}", retry_after_s=play.hint_s)
        self.day.passed_s += min(play.takes_s, most_s)
        self.tried.append((candidate, error))
        self.note_ends()
        if error:
            raise error
        for event in GOOD:
            yield event

    def note_ends(self) -> None:
        for rest in self.health.view().rests:
            if not rest.probe_until_ms:  # a probe is over when its try is
                self.ends.setdefault(rest.place, []).append(rest.until_ms)

    async def run(self, chain: list[Candidate]) -> tuple[Walk[StreamEvent], Error | None]:
        plan = Plan(requested="test", candidates=tuple(chain), primary=str(chain[0].ref))
        walk: Walk[StreamEvent] = Walk(plan, self.day.pulse, self.health, stream=True)
        try:
            async with aclosing(walk.run(plan.candidates, self.try_, is_content)) as events:
                assert [event async for event in events] == GOOD
        except Error as error:
            return walk, error
        finally:
            self.note_ends()
        return walk, None


def spoil(theatre: Theatre, chain: list[Candidate], said: dict[int, tuple[float, bool]]) -> list[Candidate]:
    """Let some candidates have failed before, or be probed by somebody else just now."""
    for at, (ago_s, is_probed) in said.items():
        if at < len(chain):
            theatre.health.note_failure(*_place(chain[at]), errors.ServerError("before"))
            if ago_s > 0 and is_probed:
                theatre.day.passed_s += 20
                theatre.health.claim(*_place(chain[at]))
            elif ago_s > 0:
                theatre.day.passed_s += ago_s
    view, now_ms = theatre.health.view(), theatre.day.now_ms()
    return [replace(each, half_open=view.half_open(*_place(each), now_ms) is not None) for each in chain]


def _place(candidate: Candidate) -> tuple[str, str, str]:
    return candidate.info.id, candidate.credential, candidate.model.id


@given(chain=refs, script=st.lists(plays, min_size=1, max_size=12), said=rests)
def test_no_walk_forgets_repeats_overstays_or_keeps_quiet(
    chain: list[tuple[str, int, int]], script: list[Play], said: dict[int, tuple[float, bool]]
) -> None:
    theatre = Theatre(script)
    whole = [made(f"{name}/m{at}", window=window, total_s=DEADLINE_S) for name, at, window in chain]
    whole = spoil(theatre, whole, said)
    began = theatre.day.now_s()
    walk, error = asyncio.run(theatre.run(whole))

    assert theatre.tried, "somebody is always asked"
    assert theatre.day.now_s() - began <= DEADLINE_S + 0.01
    is_stopped = any(isinstance(failed, STOPS) for _, failed in theatre.tried)
    rows: tuple[Attempt, ...] = tuple(walk.attempts)
    if error is not None and not is_stopped:
        assert {each.model for each in rows} == {str(each.ref) for each in whole}, "of everybody there is a row"
    if error is not None:
        assert {each.model for each in error.attempts} == {each.model for each in rows}
        assert all(each.reason and each.message for each in rows)
        if not is_stopped:
            assert all(str(each.ref) in error.message for each in whole) or len({each.model for each in rows}) == 1
    assert [each.reason for each in rows if each.ms is not None] == [
        failed.type if failed else None for _, failed in theatre.tried
    ]
    for ref, tries in groupby(theatre.tried, key=lambda pair: pair[0].ref):
        errors_of = [failed for _, failed in tries]
        is_last = ref == theatre.tried[-1][0].ref
        assert len(errors_of) <= 1 + (RETRIES_ALONE if is_last else RETRIES)
        assert all(isinstance(each, PASSING) for each in errors_of[:-1]), "the same again only for what passes"
    refs_tried = [ref for ref, _ in groupby(theatre.tried, key=lambda pair: pair[0].ref)]
    assert len(refs_tried) == len(set(refs_tried)), "nobody comes back"
    for ends in theatre.ends.values():
        assert ends == sorted(ends), "no rest shrinks"


@given(
    kind=st.sampled_from([kind for kind in FAILURES if classify(kind("no"))]),
    hint_s=st.sampled_from([None, 1.0, 70.0, 18 * 86_400.0]),
    outage_s=st.floats(0, 3 * 3600),
    every_s=st.floats(1, 120),
)
def test_who_recovers_is_tried_again_within_a_quarter_of_an_hour(
    kind: type[Error], hint_s: float | None, outage_s: float, every_s: float
) -> None:
    config, day = configure("a/m", "b/m"), Day(still=True)
    health = MemoryHealth(day.now_ms)
    began = day.now_s()

    async def try_(candidate: Candidate) -> AsyncGenerator[StreamEvent, None]:
        if candidate.info.id == "a" and day.now_s() - began < outage_s:
            raise kind("down", retry_after_s=hint_s)
        for event in GOOD:
            yield event

    async def answered() -> str:
        plan = planned(config, health=health.view(), now_ms=day.now_ms())
        walk: Walk[StreamEvent] = Walk(plan, day.pulse, health, stream=True)
        async with aclosing(walk.run(plan.candidates, try_, is_content)) as events:
            assert [event async for event in events] == GOOD
        return walk.answered.info.id if walk.answered else ""

    # Only around the end of the outage is it interesting who answers; before that a few failures climb the ladder.
    for at in (0.0, outage_s / 3, outage_s / 2, max(0.0, outage_s - 1)):
        day.passed_s = max(day.passed_s, at)
        asyncio.run(answered())
    day.passed_s = max(day.passed_s, outage_s)
    ended = day.now_s()
    while asyncio.run(answered()) != "a":
        assert day.now_s() - ended <= LONGEST_MS / 1000 + 15, "it starves"
        day.passed_s += max(every_s, 20)
