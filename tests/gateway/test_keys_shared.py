"""What a key may use, counted for many processes in a real Redis or Valkey; also while it is away."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
import redis

from jackfield.config.gateway import Limits
from jackfield.errors import OverBudget, RateLimit
from jackfield.gateway import redis_meters
from jackfield.gateway.access import Access, Grant
from jackfield.gateway.keybook import KeyBook
from jackfield.gateway.keys import Key, digest
from jackfield.gateway.limits import Need, Refused, Taken
from jackfield.gateway.meters import LocalMeters
from jackfield.gateway.redis_meters import SharedMeters, open_shared
from jackfield.gateway.rules import Rules
from jackfield.gateway.scripts import GIVE, TAKE, VOID
from jackfield.message import Usage
from tests.patience import until
from tests.stores import Store, redis_server

TOKEN = "jf-test"


class Process:
    """A door as one process has it, and what it was told."""

    def __init__(self, url: str, limits: Limits, spent: tuple[int, int]) -> None:
        self.said: list[str] = []
        self.meters: SharedMeters = open_shared(url, LocalMeters(lambda _: spent), say=self.said.append)
        self.access = Access(KeyBook([Key(id="k", name="bob", digest=digest(TOKEN), limits=limits)]), self.meters)

    async def ask(self, tokens: int = 0, usd: str = "0") -> Grant:
        return await self.access.admit(TOKEN, model="a/b", est_tokens=tokens, est_usd=Decimal(usd))

    async def is_told(self) -> None:
        """Return when the store knows all that was settled."""
        await until(lambda: not self.meters._debts and not self.meters._sending)


@asynccontextmanager
async def processes(
    store: Store, count: int, *, spent: tuple[int, int] = (0, 0), **limits: object
) -> AsyncIterator[list[Process]]:
    opened = [Process(store.url, Limits(**limits), spent) for _ in range(count)]  # type: ignore[arg-type]
    try:
        yield opened
    finally:
        for each in opened:
            await each.access.close()


async def test_two_processes_share_a_pace(store: Store) -> None:
    async with processes(store, 2, requests_per_minute=4) as (one, two):
        began_s = time.monotonic()
        for _ in range(2):
            (await one.ask()).release()
            (await two.ask()).release()
        for each in (one, two):
            with pytest.raises(RateLimit) as caught:
                await each.ask()
            # A quarter of a minute after the first call, rounded up.
            assert 15 - (time.monotonic() - began_s) - 1 <= (caught.value.retry_after_s or 0) <= 15


async def test_two_processes_share_calls_at_a_time(store: Store) -> None:
    async with processes(store, 2, concurrency=1) as (one, two):
        grant = await one.ask()
        with pytest.raises(RateLimit, match="1 calls under way"):
            await two.ask()

        grant.release()
        await one.is_told()
        (await two.ask()).release()


async def test_two_processes_share_a_budget_and_what_is_settled(store: Store) -> None:
    async with processes(store, 2, budget_day=Decimal(1), budget_month=Decimal(10)) as (one, two):
        grant = await one.ask(usd="0.8")
        with pytest.raises(OverBudget, match="a day"):
            await two.ask(usd="0.3")

        grant.settle(Usage(), Decimal("0.1"))
        grant.release()
        await one.is_told()
        (await two.ask(usd="0.9")).release()


async def test_tokens_that_were_really_used_are_shared(store: Store) -> None:
    async with processes(store, 2, tokens_per_minute=600) as (one, two):
        began_s = time.monotonic()
        grant = await one.ask(tokens=100)
        grant.settle(Usage(input=300, output=290), Decimal(0))
        grant.release()
        await one.is_told()
        with pytest.raises(RateLimit) as caught:
            await two.ask(tokens=100)
        assert 8 - (time.monotonic() - began_s) <= (caught.value.retry_after_s or 0) <= 10


async def test_fifty_at_once_in_each_of_two_processes_stay_within_the_budget(store: Store) -> None:
    spent: list[Decimal] = []

    async def call(process: Process) -> None:
        try:
            async with await process.ask(usd="0.0009") as grant:
                await asyncio.sleep(0.002)
                grant.settle(Usage(), Decimal("0.0007"))
                spent.append(Decimal("0.0007"))
        except OverBudget:
            return

    async with processes(store, 2, budget_day=Decimal("0.01")) as both:
        for _ in range(4):
            await asyncio.gather(*(call(each) for each in both for _ in range(50)))
            for each in both:
                await each.is_told()

    assert Decimal("0.0091") <= sum(spent) <= Decimal("0.01")


async def test_a_store_that_forgot_is_told_what_was_spent(store: Store) -> None:
    async with processes(store, 2, budget_day=Decimal(1)) as (one, two):
        (grant := await one.ask(usd="0.5")).release()
        grant = await two.ask(usd="0.6")
        grant.settle(Usage(), Decimal("0.6"))
        await two.is_told()
        with redis.Redis(port=store.port) as client:
            client.flushall()

        with pytest.raises(OverBudget):
            await two.ask(usd="0.5")
        with pytest.raises(OverBudget):
            await one.ask(usd="0.5")
        (await one.ask(usd="0.3")).release()
        grant.release()


async def test_a_new_store_begins_with_what_the_ledger_knows(store: Store) -> None:
    async with processes(store, 1, spent=(700_000_000, 700_000_000), budget_month=Decimal(1)) as (one,):
        with pytest.raises(OverBudget, match="a month"):
            await one.ask(usd="0.4")


async def test_while_the_store_is_away_calls_go_on_within_the_budget_last_heard_of() -> None:
    with redis_server() as store:
        async with processes(store, 2, budget_day=Decimal(1)) as (one, two):
            (grant := await one.ask(usd="0.4")).release()
            grant = await one.ask(usd="0.4")
            grant.settle(Usage(), Decimal("0.4"))
            await one.is_told()
            (await two.ask(usd="0.1")).release()
            await two.is_told()
            store.stop(signal.SIGKILL)

            apart = await two.ask(usd="0.5")
            with pytest.raises(OverBudget):
                await two.ask(usd="0.5")
            apart.settle(Usage(), Decimal("0.5"))
            apart.release()
            grant.release()
            assert "each process counts alone" in two.said[0]

            store.start()  # empty: it saved nothing
            await until(lambda: not two.meters.trouble)
            assert two.said[1] == "the shared state is back: limits hold over all processes again"
            (await one.ask(usd="0.01")).release()  # over a connection that is no more
            await until(lambda: not one.meters.trouble)
            await one.is_told()
            with pytest.raises(OverBudget):
                await one.ask(usd="0.2")


async def test_a_store_that_answers_nothing_holds_up_one_call_and_no_other(store: Store) -> None:
    async with processes(store, 1, requests_per_minute=1_000) as (one,):
        (await one.ask()).release()
        await one.is_told()
        store.freeze()
        try:
            started_s = time.monotonic()
            for _ in range(51):
                (await one.ask()).release()
            all_s = time.monotonic() - started_s
        finally:
            store.thaw()
        await until(lambda: not one.meters.trouble)

    assert all_s < 10 * redis_meters.PATIENCE_S, "one waited that long, not each"


async def test_a_store_that_is_slow_is_waited_for_by_a_hundred_at_once(store: Store) -> None:
    async with processes(store, 2, budget_day=Decimal("0.01")) as both:
        for each in both:
            (await each.ask()).release()
            await each.is_told()
        store.freeze()
        asyncio.get_running_loop().call_later(0.6, store.thaw)
        asked = [each.ask(usd="0.001") for each in both for _ in range(50)]
        found = await asyncio.gather(*asked, return_exceptions=True)

        assert [each.said for each in both] == [[], []]
        granted = [each for each in found if isinstance(each, Grant)]
        assert len(granted) == 10
        for grant in granted:
            grant.release()


class Overtaking:
    """A store of one key: what it answers a call waits for the test."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[object]] = []
        self.given: list[Sequence[object]] = []

    def register_script(self, script: str) -> Callable[..., Awaitable[object]]:
        return {TAKE: self._take, GIVE: self._give, VOID: self._void}[script]

    async def _take(self, keys: object, args: object) -> object:
        self.asked.append(answer := asyncio.get_running_loop().create_future())
        return await answer

    async def _give(self, keys: object, args: Sequence[object]) -> object:
        self.given.append(args)
        return "e"

    async def _void(self, keys: object, args: Sequence[object]) -> object:
        return "e"

    async def time(self) -> tuple[int, int]:
        return 0, 0

    async def zadd(self, *_: object, xx: bool) -> None:
        pass

    async def aclose(self) -> None:
        pass


async def test_who_counts_alone_goes_on_from_the_last_sum_though_an_older_answer_came_after_it() -> None:
    shared = Overtaking()
    meters = SharedMeters(shared, (OSError,), LocalMeters(), lambda _: None)
    rules = Rules(day=1_000)
    calls = [asyncio.create_task(meters.take("k", rules, Need(nanos=400))) for _ in range(3)]
    await until(lambda: len(shared.asked) == 3)
    shared.asked[1].set_result((0, 0, 800, 800, "e"))
    await calls[1]
    shared.asked[0].set_result((0, 0, 400, 400, "e"))
    await calls[0]
    shared.asked[2].set_exception(OSError("gone"))
    assert isinstance(await calls[2], Refused)
    await meters.close()


async def test_what_a_store_gives_that_was_found_away_meanwhile_is_given_back() -> None:
    shared = Overtaking()
    meters = SharedMeters(shared, (OSError,), LocalMeters(), lambda _: None)
    rules = Rules(day=1_000)
    calls = [asyncio.create_task(meters.take("k", rules, Need(nanos=600))) for _ in range(2)]
    await until(lambda: len(shared.asked) == 2)
    shared.asked[0].set_exception(OSError("gone"))
    assert isinstance(await calls[0], Taken)  # counted alone
    shared.asked[1].set_result((0, 0, 600, 600, "e"))
    assert isinstance(await calls[1], Refused)
    await meters.close()
    assert sum(int(str(args[8])) for args in shared.given) == 0  # one taken here, one given back
    assert sum(len(args[12:]) for args in shared.given) == 1


async def test_a_batch_that_is_sent_twice_counts_once(store: Store) -> None:
    async with processes(store, 2, budget_day=Decimal(1)) as (one, two):
        grant = await one.ask(usd="0.5")
        grant.settle(Usage(), Decimal("0.1"))
        debt = one.meters._debts["k"]
        await one.is_told()
        one.meters._sending["k"] = debt
        one.meters._wake.set()
        await one.is_told()
        grant.release()

        with pytest.raises(OverBudget):
            await two.ask(usd="0.91")
        (await two.ask(usd="0.9")).release()


async def test_calls_of_a_process_that_was_killed_end_with_their_lease(store: Store) -> None:
    async with processes(store, 1, concurrency=1) as (one,):
        with redis.Redis(port=store.port) as client:
            client.zadd("jackfield:{k}:calls", {"another-1": time.time() * 1000 + 300})
            with pytest.raises(RateLimit):
                await one.ask()
            await asyncio.sleep(0.35)
            grant = await one.ask()
            ((_, until_ms),) = client.zrange("jackfield:{k}:calls", 0, -1, withscores=True)
        grant.release()

    assert until_ms == pytest.approx(time.time() * 1000 + redis_meters.LEASE_MS, abs=5_000)


def test_a_state_that_is_no_url_is_said() -> None:
    with pytest.raises(redis_meters.ConfigError, match=r"gateway\.sharedState"):
        open_shared("http://127.0.0.1", LocalMeters())
