"""How long a place rests: laws that hold for any run of failures, and the steps themselves."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield import errors
from jackfield.errors import Error
from jackfield.health.classify import classify
from jackfield.health.ladder import SHORTEST_S, claim, climb, is_stale, note
from jackfield.health.record import LONGEST_MS, PROBE_MS, Place, Rest

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
PLACE = Place("venice", "env: VENICE_API_KEY", "m")


def fall(old: Rest | None, error: Error, now_ms: int, window_ms: int = 24 * HOUR_MS) -> Rest:
    verdict = classify(error)
    assert verdict is not None
    return climb(old, PLACE, verdict, now_ms, window_ms)


KINDS = st.sampled_from([
    errors.RateLimit, errors.ServerError, errors.AuthError, errors.Quota, errors.ModelNotFound, errors.ConnectError,
    errors.TimeoutExpired,
])  # fmt: skip
HINTS = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1e7)
FAILURES = st.lists(st.tuples(KINDS, HINTS, st.integers(0, 30 * 60_000)), min_size=1, max_size=12)


@given(FAILURES, st.integers(1_000, 48 * HOUR_MS))
def test_an_end_never_comes_closer_by_failing(
    failures: list[tuple[type[Error], float | None, int]], window_ms: int
) -> None:
    now_ms, rests = NOW_MS, []
    for kind, hint_s, later_ms in failures:
        now_ms += later_ms
        rests.append(fall(rests[-1] if rests else None, kind("no", retry_after_s=hint_s), now_ms, window_ms))
    assert all(earlier.until_ms <= later.until_ms for earlier, later in pairwise(rests))


@given(FAILURES, st.integers(-HOUR_MS, HOUR_MS))
def test_no_rest_is_longer_than_a_quarter_of_an_hour_even_when_the_clock_jumps(
    failures: list[tuple[type[Error], float | None, int]], jump_ms: int
) -> None:
    now_ms, rest = NOW_MS, None
    for number, (kind, hint_s, later_ms) in enumerate(failures):
        now_ms += later_ms + (jump_ms if number % 2 else 0)
        rest = fall(rest, kind("no", retry_after_s=hint_s), now_ms)
        assert now_ms < rest.until_ms <= now_ms + LONGEST_MS


@given(KINDS, st.floats(0, 1e9), st.integers(0, 5))
def test_no_rest_is_shorter_than_the_provider_asks_but_for_the_longest(
    kind: type[Error], hint_s: float, earlier: int
) -> None:
    rest = None
    for _ in range(earlier):
        rest = fall(rest, kind("no"), NOW_MS)
    rest = fall(rest, kind("no", retry_after_s=hint_s), NOW_MS)
    assert rest.until_ms - NOW_MS >= min(hint_s * 1000, LONGEST_MS)


@given(FAILURES)
def test_failures_are_counted_one_by_one_and_anew_after_a_quiet_day(
    failures: list[tuple[type[Error], float | None, int]],
) -> None:
    now_ms, rest = NOW_MS, None
    for number, (kind, hint_s, later_ms) in enumerate(failures, start=1):
        now_ms += later_ms
        rest = fall(rest, kind("no", retry_after_s=hint_s), now_ms)
        assert (rest.count, rest.last_ms) == (number, now_ms)
    now_ms += 24 * HOUR_MS + 1
    again = fall(rest, errors.ServerError("no"), now_ms)
    assert (again.count, again.step, again.since_ms) == (1, 1, now_ms)


@pytest.mark.parametrize(
    ("kind", "steps_s"),
    [
        (errors.ServerError, [5, 10, 15, 15]),
        (errors.RateLimit, [60, 60]),
        (errors.AuthError, [60, 300, 900, 900]),
        (errors.ModelNotFound, [60, 300, 900]),
        (errors.Quota, [300, 900, 900]),
    ],
)
def test_each_failed_try_after_a_rest_climbs_one_step(kind: type[Error], steps_s: list[int]) -> None:
    now_ms, rest, waited_s = NOW_MS, None, []
    for _ in steps_s:
        rest = fall(rest, kind("no"), now_ms)
        waited_s.append((rest.until_ms - now_ms) // 1000)
        now_ms = rest.until_ms
    assert waited_s == steps_s


def test_fifty_requests_that_fail_at_once_climb_one_step() -> None:
    rest = None
    for number in range(50):
        rest = fall(rest, errors.AuthError("no"), NOW_MS + number)
    assert rest is not None
    assert (rest.count, rest.step, rest.until_ms) == (50, 1, NOW_MS + 49 + 60_000)


def test_of_two_hints_the_longer_wait_stays() -> None:
    short = fall(None, errors.RateLimit("slow down", retry_after_s=1.0), NOW_MS)
    default = fall(short, errors.RateLimit("slow down, too"), NOW_MS + 100)
    again = fall(default, errors.RateLimit("slow down", retry_after_s=1.0), NOW_MS + 200)
    assert short.until_ms == NOW_MS + 1_000
    assert default.until_ms == again.until_ms == NOW_MS + 60_100
    assert again.message == "slow down, too"
    assert again.count == 3


def test_asked_to_wait_for_nothing_it_waits_a_moment() -> None:
    assert fall(None, errors.RateLimit("no", retry_after_s=0.0), NOW_MS).until_ms == NOW_MS + SHORTEST_S * 1000


def test_a_try_is_one_callers_until_it_fails_or_takes_too_long() -> None:
    rest = fall(None, errors.ServerError("no"), NOW_MS)
    assert claim([rest], NOW_MS) is None
    over_ms = rest.until_ms
    claimed = claim([rest], over_ms)
    assert claimed is not None
    assert claim(claimed, over_ms + PROBE_MS - 1) is None
    assert claim(claimed, over_ms + PROBE_MS) is not None
    failed = fall(claimed[0], errors.ServerError("no"), over_ms + 200)
    assert failed.probe_until_ms == 0
    assert failed.until_ms == over_ms + 200 + 10_000


def test_nothing_known_is_free_to_try() -> None:
    assert claim([], NOW_MS) == ()


def test_a_try_that_failed_elsewhere_leaves_its_place_to_the_next_caller() -> None:
    spent = Rest(place=Place("venice", "key"), kind="billing", until_ms=NOW_MS - 1, last_ms=NOW_MS - 1)
    claimed = claim([spent], NOW_MS)
    assert claimed is not None
    candidate = ("venice", "key", "m")
    new, changed = note(claimed, classify(errors.ServerError("no")), candidate, NOW_MS, HOUR_MS)
    assert new is not None
    assert new.place == Place(*candidate)
    assert changed == (new, spent)
    assert note(claimed, classify(errors.Cancelled("no")), candidate, NOW_MS, HOUR_MS) == (None, (spent,))


def test_a_failure_is_forgotten_after_the_window_but_never_while_it_rests() -> None:
    rest = fall(None, errors.AuthError("no"), NOW_MS)
    assert not is_stale(rest, NOW_MS + 10, window_ms=1)
    assert not is_stale(rest, rest.until_ms, window_ms=HOUR_MS)
    assert is_stale(rest, NOW_MS + HOUR_MS + 1, window_ms=HOUR_MS)


def test_an_end_that_no_rest_can_have_is_a_clock_that_went_wrong() -> None:
    rest = fall(None, errors.AuthError("no"), NOW_MS)
    assert rest.holds(NOW_MS)
    assert not rest.holds(NOW_MS - HOUR_MS)
