"""Turns: a server with a limit is never asked more than it allows, and nobody waits longer than needed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.config.spend import Pace
from jackfield.errors import Paced
from jackfield.providers.quota import Window, parse_quota
from jackfield.spend.pace import LINES, Pacer


def most_in_a_minute(arrivals: list[tuple[float, int]]) -> int:
    return max(sum(size for at, size in arrivals if start <= at < start + 60) for start, _ in arrivals)


def pacer(**pace: object) -> Pacer:
    return Pacer({"p": Pace(**pace)})  # type: ignore[arg-type]  # the fields of each test


def test_seventy_one_tasks_at_ten_a_minute_meet_no_refusal() -> None:
    line, late = pacer(requests_per_minute=10), random.Random(7)

    arrivals = [(line.take(("p", "c", "m"), 500, 0.0) + late.uniform(0, 0.9), 1) for _ in range(71)]

    assert most_in_a_minute(arrivals) <= 10
    assert [at < 1 for at, _ in arrivals[:10]] == [True] * 10
    assert max(at for at, _ in arrivals) < 8 * 60


@given(
    calls=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 120), st.floats(0, 0.99)), min_size=1, max_size=60),
    limit=st.integers(1, 8),
    tokens=st.integers(50, 300),
)
def test_no_minute_holds_more_than_it_may(calls: list[tuple[float, int, float]], limit: int, tokens: int) -> None:
    line, now, arrivals, sizes = pacer(requests_per_minute=limit, tokens_per_minute=tokens), 0.0, [], []
    for gap, size, late in calls:
        now += gap
        looked = line.wait_s(("p", "c", "m"), size, now)
        wait = line.take(("p", "c", "m"), size, now)
        assert wait == looked >= 0
        arrivals.append((now + wait + late, 1))
        sizes.append((now + wait + late, min(size, tokens)))

    assert most_in_a_minute(arrivals) <= limit
    assert most_in_a_minute(sizes) <= tokens


@given(gaps=st.lists(st.floats(7, 100), max_size=30))
def test_who_asks_slowly_enough_never_waits(gaps: list[float]) -> None:
    line, now = pacer(requests_per_minute=10), 0.0
    for gap in gaps:
        now += gap
        assert line.take(("p", "c", "m"), 1, now) == 0


def test_a_call_larger_than_a_whole_minute_waits_for_an_empty_one_and_goes() -> None:
    line = pacer(tokens_per_minute=1000)
    line.take(("p", "c", "m"), 10, 0.0)

    assert line.take(("p", "c", "m"), 5000, 1.0) == pytest.approx(60.0)
    assert line.take(("p", "c", "m"), 10, 62.0) == pytest.approx(60.0)


def test_a_turn_that_comes_too_late_is_refused_and_not_taken() -> None:
    line = pacer(requests_per_minute=1)
    line.take(("p", "c", "m"), 1, 0.0)

    with pytest.raises(Paced, match="p/m is not asked: its pace has no turn for 61 s, and 10 s are left") as caught:
        line.take(("p", "c", "m"), 1, 0.0, 10.0)

    assert caught.value.failover
    assert caught.value.type == "rate_limit"
    assert caught.value.retry_after_s == 61
    assert line.take(("p", "c", "m"), 1, 0.0, 61.0) == 61


def test_lines_are_apart_and_off_by_default() -> None:
    line = pacer(requests_per_minute=1)
    assert line.take(("p", "c", "m"), 1, 0.0) == 0

    assert line.wait_s(("p", "c", "m"), 1, 0.0) == 61
    assert line.wait_s(("p", "d", "m"), 1, 0.0) == line.wait_s(("p", "c", "n"), 1, 0.0) == 0
    assert [line.take(("q", "c", "m"), 1, 0.0) for _ in range(99)] == [0] * 99


def test_so_many_lines_are_kept_and_no_more() -> None:
    line = pacer(requests_per_minute=1)
    for number in range(3 * LINES):
        line.take(("p", "c", str(number)), 1, 0.0)

    assert len(line._lines) == LINES


def test_a_lines_memory_is_bounded_by_its_seconds() -> None:
    line = pacer(requests_per_minute=100_000)
    for number in range(20_000):
        line.take(("p", "c", "m"), 1, number / 100)

    (gauge,) = line._lines["p", "c", "m"].values()
    assert len(gauge._slots) < 70  # type: ignore[attr-defined]  # how it remembers is what is tested


# -- by the server's own word ------------------------------------------------------


class Server:
    """A bucket as OpenAI and Anthropic describe theirs: so much at once, and it fills steadily."""

    def __init__(self, limit: int) -> None:
        self.limit, self.left, self.at, self.refused = limit, float(limit), 0.0, 0

    def ask(self, now: float) -> dict[str, str]:
        self.left = min(self.limit, self.left + self.limit / 60 * (now - self.at))
        self.at = now
        if self.left > 0.99:  # its headers tell of milliseconds, not of less
            self.left -= 1
        else:
            self.refused += 1
        return {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(int(self.left)),
            "x-ratelimit-reset-requests": f"{(self.limit - self.left) * 60 / self.limit:.3f}s",
        }


def test_after_one_reply_seventy_tasks_at_once_meet_no_refusal() -> None:
    line, server = pacer(auto=True), Server(10)
    line.feed(("p", "c", "m"), parse_quota(server.ask(0.0)), 0.5)

    for at in sorted(1 + line.take(("p", "c", "m"), 1, 1.0) for _ in range(70)):
        line.feed(("p", "c", "m"), parse_quota(server.ask(at + 0.2)), at + 0.5)

    assert server.refused == 0
    assert line.wait_s(("p", "c", "m"), 1, 500.0) == 0


def test_a_reply_that_knows_nothing_of_calls_under_way_gives_none_of_them_back() -> None:
    line, server = pacer(auto=True), Server(10)
    line.feed(("p", "c", "m"), parse_quota(server.ask(0.0)), 0.0)
    early = parse_quota(server.ask(line.take(("p", "c", "m"), 1, 0.0)))
    assert [line.take(("p", "c", "m"), 1, 0.0) for _ in range(8)] == [0] * 8

    line.feed(("p", "c", "m"), early, 0.0)

    assert line.wait_s(("p", "c", "m"), 1, 0.0) == pytest.approx(6.0, abs=0.1)


@given(gaps=st.lists(st.floats(0, 20), max_size=60), limit=st.integers(2, 50))
def test_whoever_listens_to_a_servers_headers_is_never_refused(gaps: list[float], limit: int) -> None:
    line, server, now = pacer(auto=True), Server(limit), 0.0
    for gap in gaps:
        now += gap
        now += line.take(("p", "c", "m"), 1, now)
        line.feed(("p", "c", "m"), parse_quota(server.ask(now)), now)

    assert server.refused == 0


def test_tokens_are_counted_by_either_makers_headers() -> None:
    line = pacer(auto=True)
    headers = {
        "anthropic-ratelimit-input-tokens-limit": "40000",
        "anthropic-ratelimit-input-tokens-remaining": "10000",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-21T08:00:45Z",
        "anthropic-ratelimit-output-tokens-limit": "8000",
        "anthropic-ratelimit-output-tokens-remaining": "0",
        "date": "Sat, 21 Nov 2026 08:00:00 GMT",
    }
    line.feed(("p", "c", "m"), parse_quota(headers), 100.0)

    assert line.wait_s(("p", "c", "m"), 10_000, 100.0) == 0
    assert line.wait_s(("p", "c", "m"), 20_000, 100.0) == pytest.approx(15.0)
    assert line.wait_s(("p", "c", "m"), 10**9, 100.0) == pytest.approx(45.0)


def test_until_a_reply_tells_something_nobody_waits() -> None:
    line = pacer(auto=True)
    line.feed(("p", "c", "m"), [Window(name="requests", left_percent=0.0), Window(name="weekly", remaining=0)], 0.0)

    assert [line.take(("p", "c", "m"), 1, 0.0) for _ in range(50)] == [0] * 50


def test_a_servers_word_does_not_undo_the_users() -> None:
    line = pacer(requests_per_minute=1)
    line.take(("p", "c", "m"), 1, 0.0)
    line.feed(("p", "c", "m"), [Window(name="requests", remaining=500, limit=500)], 0.0)

    assert line.wait_s(("p", "c", "m"), 1, 0.0) == 61


@given(
    told=st.lists(
        st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.one_of(st.none(), st.floats(0, 1e9))), max_size=20
    )
)
def test_no_header_makes_a_wait_that_is_none(told: list[tuple[int, int, float | None]]) -> None:
    line = pacer(auto=True)
    for remaining, limit, reset in told:
        line.feed(("p", "c", "m"), [Window(name="tokens", remaining=remaining, limit=limit, resets_in_s=reset)], 0.0)
        assert 0 <= line.wait_s(("p", "c", "m"), 1000, 0.0) < float("inf")
