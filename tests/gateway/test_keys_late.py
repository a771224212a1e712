"""Calls whose answer from the shared state nobody heard: what they took there is taken back, however late it comes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal

import pytest
import redis

from jackfield.errors import OverBudget
from jackfield.gateway import redis_meters
from jackfield.gateway.limits import Need
from jackfield.gateway.meters import LocalMeters
from jackfield.gateway.redis_meters import SharedMeters, open_shared
from jackfield.gateway.rules import Rules
from jackfield.gateway.scripts import TAKE, VOID
from jackfield.message import Usage
from tests.gateway.test_keys_shared import processes
from tests.patience import until
from tests.stores import Store

RULES = Rules(requests=60, tokens=6_000, calls=3, day=10**9, month=10**9)


def counts(store: Store) -> tuple[int, float, float, int]:
    """Return a key's money of the day, what fills its buckets in milliseconds from now, and its calls under way."""
    with redis.Redis(port=store.port) as client:
        seconds, micros = client.time()
        now_ms = seconds * 1000 + micros / 1000
        held = {name.decode(): text.decode() for name, text in client.hgetall("jackfield:{k}").items()}
        fills = [max(0.0, float(held[name]) - now_ms) for name in ("requests", "tokens")]
        return int(held["day_spent"]), *fills, client.zcard("jackfield:{k}:calls")


async def is_told(meters: SharedMeters) -> None:
    await until(lambda: not (meters.trouble or meters._unheard or meters._debts or meters._sending))


async def test_a_question_that_was_given_up_and_is_answered_later_counts_once(store: Store) -> None:
    async with processes(store, 2, budget_day=Decimal(1)) as (one, two):
        (await one.ask()).release()
        await is_told(one.meters)
        store.freeze()
        grant = await one.ask(usd="0.5")  # nobody answers in time: it is counted here
        store.thaw()
        grant.settle(Usage(), Decimal("0.1"))
        grant.release()
        await is_told(one.meters)

        with pytest.raises(OverBudget):
            await two.ask(usd="0.91")
        (await two.ask(usd="0.9")).release()


async def test_who_goes_away_before_the_store_has_answered_leaves_nothing_there(store: Store) -> None:
    meters = open_shared(store.url, LocalMeters())
    meters.leave("k", await meters.take("k", RULES, Need()))
    await is_told(meters)
    store.freeze()
    asking = asyncio.create_task(meters.take("k", RULES, Need(tokens=3_000, nanos=10**8)))
    await asyncio.sleep(0.2)
    asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking
    store.thaw()
    await is_told(meters)
    spent, requests_ms, tokens_ms, calls = counts(store)
    await meters.close()
    assert (spent, calls) == (0, 0)
    assert requests_ms < 1_000
    assert tokens_ms < 100


@pytest.mark.parametrize("order", [(TAKE, VOID), (VOID, TAKE), (VOID, TAKE, VOID), (TAKE, VOID, VOID)])
async def test_what_is_taken_back_is_taken_back_before_it_comes_too_and_once(store: Store, order: list[str]) -> None:
    meters = open_shared(store.url, LocalMeters())
    grant = await meters.take("k", RULES, Need(tokens=600, nanos=7))
    before = counts(store)
    names = redis_meters._names("k")
    told = [grant.day, grant.month, 0, 0, "", "e"]
    limits = [RULES.requests, RULES.tokens, RULES.calls, RULES.day, RULES.month]
    args = {
        TAKE: [*told, *limits, 600, 10**8, "late-1", 30_000],
        VOID: [*told, "late-1", grant.day, 10**8, grant.month, 10**8, 1_000, 6_000],
    }
    with redis.Redis(port=store.port) as client:
        for script in order:
            client.eval(script, len(names), *names, *args[script])
    after = counts(store)
    await meters.close()
    assert (after[0], after[3]) == (before[0], before[3])
    assert all(0 <= was - now < 900 for was, now in zip(before[1:3], after[1:3], strict=True))
