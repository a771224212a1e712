"""What a key may use: paces, calls at a time, money; counted in this process."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.config.gateway import Limits
from jackfield.errors import ConnectError, OverBudget, RateLimit
from jackfield.gateway.access import Access, Grant
from jackfield.gateway.keybook import KeyBook
from jackfield.gateway.keys import Key, digest
from jackfield.gateway.limits import Meter, Need, Taken, until_month_end_ms
from jackfield.gateway.meters import LocalMeters
from jackfield.gateway.rules import Rules
from jackfield.message import Usage

NOON_MS = 1_795_003_200_000  # 2026-11-18 12:00 UTC
TOKEN = "jf-test"


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.ms = NOON_MS

    def __call__(self) -> int:
        return self.ms


def door(clock: Clock, **limits: object) -> Access:
    """Return an access with one key."""
    key = Key(id="k", name="bob", digest=digest(TOKEN), limits=Limits(**limits))  # type: ignore[arg-type]
    return Access(KeyBook([key]), LocalMeters(now=clock), now=clock)


async def ask(access: Access, tokens: int = 0, usd: str | None = "0") -> Grant:
    return await access.admit(TOKEN, model="a/b", est_tokens=tokens, est_usd=None if usd is None else Decimal(usd))


# -- paces -------------------------------------------------------------------------


async def test_so_many_requests_at_once_and_then_one_as_each_flows_in() -> None:
    clock = Clock()
    access = door(clock, requests_per_minute=3)
    for _ in range(3):
        (await ask(access)).release()

    with pytest.raises(RateLimit) as caught:
        await ask(access)
    assert caught.value.retry_after_s == 20

    clock.ms += 20_000
    (await ask(access)).release()
    with pytest.raises(RateLimit):
        await ask(access)


@given(
    rate=st.integers(1, 200),
    steps=st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 30)), min_size=1, max_size=40),
    window_ms=st.integers(1, 300_000),
)
def test_over_any_time_no_more_begins_than_a_full_bucket_and_what_flows_in(
    rate: int, steps: list[tuple[int, int]], window_ms: int
) -> None:
    meter, rules, now_ms, began = Meter(NOON_MS), Rules(requests=rate), NOON_MS, []
    for pause_ms, tries in steps:
        now_ms += pause_ms
        began += [now_ms for _ in range(tries) if isinstance(meter.take(rules, Need(), now_ms), Taken)]

    for index, first in enumerate(began):
        in_window = bisect_left(began, first + window_ms) - index
        assert in_window <= rate + rate * window_ms / 60_000 + 1e-6


@given(
    st.integers(1, 5_000),
    st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 8_000), st.integers(0, 8_000)), max_size=40),
)
def test_tokens_that_were_really_used_stay_within_the_pace_and_one_call(
    rate: int, steps: list[tuple[int, int, int]]
) -> None:
    meter, rules, now_ms, used, last = Meter(NOON_MS), Rules(tokens=rate), NOON_MS, 0, 0
    for pause_ms, thought, really in steps:
        now_ms += pause_ms
        taken = meter.take(rules, Need(thought), now_ms)
        if isinstance(taken, Taken):
            # Before the call: what was used is within the bucket and what has flowed in since.
            assert used <= rate + rate * (now_ms - NOON_MS) / 60_000 + last + 1e-6
            meter.settle(rules, taken, Need(really))
            used, last = used + really, max(last, really)
            meter.leave()


@given(
    st.builds(Rules, tokens=st.integers(0, 50), day=st.integers(-1, 50), month=st.integers(-1, 50)),
    st.lists(st.builds(Need, st.integers(0, 40), st.integers(0, 40)), max_size=12),
)
def test_a_rough_hold_leaves_half_of_every_limit(rules: Rules, needs: list[Need]) -> None:
    meter, tokens, nanos = Meter(NOON_MS), 0, 0
    for need in needs:
        if meter.take_roughly(rules, need, NOON_MS):
            tokens, nanos = tokens + need.tokens, nanos + need.nanos
        assert not rules.tokens or 2 * tokens <= rules.tokens + 1e-6
        assert all(limit < 0 or 2 * nanos <= limit for limit in (rules.day, rules.month))
        assert meter.day_spent == nanos


@given(
    st.builds(Rules, st.integers(0, 3), st.integers(0, 50), st.integers(0, 3), st.integers(-1, 50)),
    st.lists(st.tuples(st.integers(0, 40_000), st.booleans(), st.builds(Need, st.integers(0, 9))), max_size=12),
)
def test_nothing_is_held_roughly_that_would_be_refused(rules: Rules, steps: list[tuple[int, bool, Need]]) -> None:
    rough, exact, now_ms = Meter(NOON_MS), Meter(NOON_MS), NOON_MS
    for pause_ms, leaves, need in steps:
        now_ms += pause_ms
        if rough.take_roughly(rules, need, now_ms):
            assert isinstance(exact.take(rules, need, now_ms), Taken)
            if leaves:
                rough.leave()
                exact.leave()


async def test_a_refusal_says_how_long_it_holds() -> None:
    clock = Clock()
    access = door(clock, tokens_per_minute=600)
    grant = await ask(access, 600)
    grant.settle(Usage(input=500, output=400), Decimal(0))
    grant.release()

    with pytest.raises(RateLimit) as caught:
        await ask(access, 100)

    assert caught.value.retry_after_s == pytest.approx(40, abs=1)
    clock.ms += int(caught.value.retry_after_s * 1000)
    (await ask(access, 100)).release()


async def test_a_request_larger_than_the_bucket_waits_for_a_full_one_and_is_paid_off_later() -> None:
    clock = Clock()
    access = door(clock, tokens_per_minute=100)
    grant = await ask(access, 5_000)
    grant.settle(Usage(input=200), Decimal(0))
    grant.release()

    with pytest.raises(RateLimit) as caught:
        await ask(access, 100)
    assert caught.value.retry_after_s == pytest.approx(120, abs=1)


async def test_calls_at_a_time_are_counted_until_they_end_however_they_end() -> None:
    access = door(Clock(), concurrency=2)
    first = await ask(access)
    with suppress(ConnectError):
        async with await ask(access):
            with pytest.raises(RateLimit, match="2 calls under way"):
                await ask(access)
            raise ConnectError("lost")

    async with await ask(access):
        first.release()
        first.release()
        (await ask(access)).release()


async def test_a_refused_call_takes_nothing() -> None:
    access = door(Clock(), concurrency=1, requests_per_minute=3, budget_day=Decimal(1))
    grant = await ask(access, usd="0.4")
    for _ in range(10):
        with pytest.raises(RateLimit):
            await ask(access, usd="0.4")
    grant.release()

    (await ask(access, usd="1")).release()


# -- money -------------------------------------------------------------------------


async def test_money_is_held_before_the_call_and_put_right_after_it() -> None:
    access = door(Clock(), budget_day=Decimal("0.01"))
    first = await ask(access, usd="0.006")
    with pytest.raises(OverBudget, match=r"no room left in its budget of \$0\.01 a day"):
        await ask(access, usd="0.006")

    first.settle(Usage(input=1), Decimal("0.001"))
    first.release()
    (await ask(access, usd="0.009")).release()


async def test_fifty_calls_at_once_never_spend_more_than_the_budget() -> None:
    access, spent = door(Clock(), budget_day=Decimal("0.01")), []

    async def call(number: int) -> None:
        try:
            async with await ask(access, usd="0.0009") as grant:
                await asyncio.sleep(0.001 * (number % 5))
                grant.settle(Usage(output=1), Decimal("0.0007"))
                spent.append(Decimal("0.0007"))
        except OverBudget:
            return

    for _ in range(4):
        await asyncio.gather(*map(call, range(50)))

    assert Decimal("0.0091") <= sum(spent) <= Decimal("0.01")


async def test_a_call_that_was_broken_off_counts_as_held_and_one_that_failed_before_counts_nothing() -> None:
    access = door(Clock(), budget_day=Decimal(1))
    with suppress(asyncio.CancelledError):
        async with await ask(access, usd="0.5"):
            raise asyncio.CancelledError
    with suppress(ConnectError):
        async with await ask(access, usd="0.5"):
            raise ConnectError("nobody there")

    (await ask(access, usd="0.5")).release()
    with pytest.raises(OverBudget):
        await ask(access, usd="0.6")


async def test_an_unknown_cost_is_what_was_held() -> None:
    access = door(Clock(), budget_day=Decimal(1))
    grant = await ask(access, usd="0.7")
    grant.settle(Usage(), None)
    grant.release()

    with pytest.raises(OverBudget):
        await ask(access, usd="0.4")


async def test_a_model_without_a_price_is_not_asked_on_a_budget_unless_that_is_said() -> None:
    with pytest.raises(OverBudget, match="the price of a/b is unknown"):
        await ask(door(Clock(), budget_month=Decimal(1)), usd=None)

    (await ask(door(Clock(), budget_month=Decimal(1), allow_unpriced=True), usd=None)).release()
    (await ask(door(Clock(), requests_per_minute=1), usd=None)).release()


async def test_a_new_day_has_a_new_budget_and_the_month_goes_on() -> None:
    clock = Clock()
    access = door(clock, budget_day=Decimal(1), budget_month=Decimal("1.5"))
    late = await ask(access, usd="1")
    with pytest.raises(OverBudget) as caught:
        await ask(access, usd="0.1")
    assert caught.value.retry_after_s == 12 * 3600

    clock.ms += 12 * 3_600_000
    (await ask(access, usd="0.5")).release()
    late.settle(Usage(), Decimal("0.4"))  # it belongs to the day before, and to this month
    with pytest.raises(OverBudget, match="a day"):
        await ask(access, usd="1.01")
    second = await ask(access, usd="1")
    second.settle(Usage(), Decimal(1))
    with pytest.raises(OverBudget, match="a day"):
        await ask(access, usd="0.2")
    clock.ms += 24 * 3_600_000
    with pytest.raises(OverBudget, match="a month") as caught:
        await ask(access, usd="0.2")
    assert caught.value.retry_after_s == until_month_end_ms(clock.ms) / 1000

    clock.ms += until_month_end_ms(clock.ms)
    (await ask(access, usd="1")).release()


def test_the_month_ends_where_the_calendar_says() -> None:
    assert until_month_end_ms(NOON_MS) == (12 * 24 + 12) * 3_600_000
    assert until_month_end_ms(1_798_761_599_999) == 1  # the last moment of 2026


def test_a_clock_that_is_set_back_opens_no_new_day() -> None:
    meter, rules = Meter(NOON_MS), Rules(day=100)
    meter.take(rules, Need(0, 100), NOON_MS)

    assert not isinstance(meter.take(rules, Need(0, 1), NOON_MS - 86_400_000), Taken)
    assert not isinstance(meter.take(rules, Need(0, 1), NOON_MS), Taken)
