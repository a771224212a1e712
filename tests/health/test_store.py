"""What every store of failures keeps to: in memory, in a file, on a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from threading import Thread

import pytest
import redis

from jackfield import errors
from jackfield.health.file import StateFile
from jackfield.health.kept import KeptHealth
from jackfield.health.record import PROBE_MS, Place, Quota
from jackfield.health.server import POLL_MS, StateServer
from jackfield.health.store import DAY_MS, QUOTA_AGE_MS, HealthStore, MemoryHealth
from jackfield.health.view import View
from jackfield.providers.quota import Window
from tests.health.clock import Clock

M = ("venice", "env: VENICE_API_KEY#1", "m")
Opener = Callable[[], HealthStore]
NUMBERS = count()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "file", "server"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Opener]:
    opened: list[HealthStore] = []
    number = next(NUMBERS)

    def new() -> HealthStore:
        if request.param == "memory":
            return opened[0] if opened else MemoryHealth(clock)
        if request.param == "file":
            return KeptHealth(StateFile(tmp_path / "home" / "state.sqlite", clock), clock, DAY_MS)
        client = redis.Redis.from_url(request.getfixturevalue("redis_server").url)
        return KeptHealth(StateServer(client, (redis.RedisError,), clock, f"test{number}"), clock, DAY_MS)

    def open_one() -> HealthStore:
        opened.append(store := new())
        return store

    yield open_one
    for store in opened:
        assert not store.problems
        store.close()


@pytest.fixture
def store(open_store: Opener) -> HealthStore:
    return open_store()


def test_a_new_store_keeps_nobody_away(store: HealthStore, clock: Clock) -> None:
    assert store.view().rest_of(*M, clock()) is None
    assert store.view().half_open(*M, clock()) is None
    assert store.claim(*M)
    assert store.reset() == 0
    store.note_success(*M)


def test_a_failure_rests_is_half_open_and_is_forgotten_on_success(store: HealthStore, clock: Clock) -> None:
    noted = store.note_failure(*M, errors.ServerError("boom", status=500))
    assert noted is not None
    assert (noted.place, noted.kind, noted.status, noted.message) == (Place(*M), "server_error", 500, "boom")
    assert store.view().rest_of(*M, clock()) == noted
    clock.pass_s(5)
    assert store.view().rest_of(*M, clock()) is None
    assert store.view().half_open(*M, clock()) == noted
    store.note_success(*M)
    assert store.view().half_open(*M, clock()) is None
    assert store.view().rests == ()


def test_only_one_caller_tries_a_half_open_place(open_store: Opener, clock: Clock) -> None:
    mine, theirs = open_store(), open_store()
    mine.note_failure(*M, errors.ServerError("boom"))
    clock.pass_s(6)
    assert [mine.claim(*M), theirs.claim(*M), mine.claim(*M)] == [True, False, False]
    clock.pass_s(POLL_MS / 1000)
    resting = theirs.view().rest_of(*M, clock())
    assert resting is not None
    clock.pass_s(PROBE_MS / 1000)
    assert theirs.claim(*M)


def test_a_failed_try_rests_longer_and_a_try_that_told_nothing_frees_the_place(
    store: HealthStore, clock: Clock
) -> None:
    store.note_failure(*M, errors.ServerError("boom"))
    clock.pass_s(5)
    assert store.claim(*M)
    assert store.note_failure(*M, errors.Cancelled("stopped")) is None
    assert store.claim(*M)
    again = store.note_failure(*M, errors.ServerError("boom"))
    assert again is not None
    assert (again.until_ms - clock(), again.count) == (10_000, 2)


def test_a_spent_account_rests_with_all_its_models_and_no_other_key(store: HealthStore, clock: Clock) -> None:
    error = errors.RateLimit("usage limit reached", retry_after_s=18 * 86_400)
    error.code = "usage_limit_reached"
    store.note_failure(*M, error)
    sibling = store.view().rest_of(M[0], M[1], "sibling", clock())
    assert sibling is not None
    assert sibling.until_ms == clock() + 15 * 60_000
    assert store.view().rest_of(M[0], "another key", "m", clock()) is None
    clock.pass_s(15 * 60)
    assert store.claim(M[0], M[1], "sibling")
    assert not store.claim(*M)
    store.note_success(M[0], M[1], "sibling")
    assert store.view().rests == ()


def test_as_long_as_nobody_notes_anything_the_same_snapshot_answers(store: HealthStore, clock: Clock) -> None:
    store.note_failure(*M, errors.ServerError("boom"))
    view = store.view()
    clock.pass_s(3)
    store.note_success("another", "key", "m")
    store.note_failure(*M, errors.InvalidRequest("no"))
    assert store.view() is view


def test_what_the_request_caused_is_not_noted(store: HealthStore) -> None:
    assert store.note_failure(*M, errors.ContextLength("too long")) is None
    assert store.view().rests == ()


def test_another_process_sees_a_failure_and_its_end(open_store: Opener, clock: Clock) -> None:
    mine, theirs = open_store(), open_store()
    assert theirs.view().rest_of(*M, clock()) is None
    mine.note_failure(*M, errors.AuthError("no"))
    clock.pass_s(POLL_MS / 1000)
    assert theirs.view().rest_of(*M, clock())
    mine.note_success(*M)
    clock.pass_s(POLL_MS / 1000)
    assert theirs.view().rest_of(*M, clock()) is None


def test_a_reset_forgets_a_place_with_its_parts_or_everything(store: HealthStore, clock: Clock) -> None:
    for provider, credential, model in (("a", "k", "m"), ("a", "k", "n"), ("a", "k2", "m"), ("b", "k", "m")):
        store.note_failure(provider, credential, model, errors.ServerError("boom"))
    assert store.reset(Place("a", "", "m")) == 2
    assert {rest.place for rest in store.view().rests} == {Place("a", "k", "n"), Place("b", "k", "m")}
    assert store.reset(Place("nobody")) == 0
    assert store.reset() == 2
    assert store.view().rests == ()


def test_a_failure_of_yesterday_is_forgotten(store: HealthStore, clock: Clock) -> None:
    store.note_failure(*M, errors.ServerError("boom"))
    clock.pass_s(DAY_MS / 1000 + 10)
    store.note_failure("other", "k", "m", errors.ServerError("boom"))
    assert [rest.place.provider for rest in store.view().rests] == ["other"]


def test_quotas_are_kept_when_they_say_something_new(open_store: Opener, clock: Clock) -> None:
    store, later = open_store(), open_store()
    store.note_quotas("a", "k", [Window(name="weekly", left_percent=37.0, resets_in_s=60), Window(name="requests")])
    first = store.view()
    weekly, requests = by_name(first)["weekly"], by_name(first)["requests"]
    assert (weekly.used, weekly.resets_ms, requests.used) == (pytest.approx(0.63), clock() + 60_000, None)
    assert weekly.used_at(clock()) == weekly.used
    assert weekly.used_at(clock() + 60_000) is None
    store.note_quotas("a", "k", [Window(name="weekly", left_percent=36.5), Window(name="requests")])
    assert store.view() is first
    store.note_quotas("a", "k", [Window(name="weekly", left_percent=30.0)])
    clock.pass_s(POLL_MS / 1000)
    assert by_name(later.view())["weekly"].used == pytest.approx(0.7)
    clock.pass_s(QUOTA_AGE_MS / 1000)
    store.note_quotas("a", "k", [Window(name="weekly", left_percent=30.0)])
    assert by_name(store.view())["weekly"].read_ms == clock()


def by_name(view: View) -> dict[str, Quota]:
    return {quota.name: quota for quota in view.quotas("a", "k")}


def test_threads_lose_no_failure(store: HealthStore) -> None:
    def note() -> None:
        for _ in range(20):
            store.note_failure(*M, errors.ServerError("boom"))
            store.view()

    threads = [Thread(target=note) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [rest.count for rest in store.view().rests] == [80]
