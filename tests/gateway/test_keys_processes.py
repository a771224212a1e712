"""Two processes with one PostgreSQL and one Redis: one is killed, the stores go and come back."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
import redis

from jackfield.config.gateway import Limits
from jackfield.errors import OverBudget
from jackfield.gateway.access import Access, Stores
from jackfield.gateway.keys import create_key
from jackfield.ledger.database import open_database
from jackfield.ledger.row import Row
from jackfield.ledger.writer import Ledger
from tests import forks
from tests.patience import PATIENCE_S, await_true
from tests.stores import Store, postgres_server, redis_server

THOUGHT, COST = Decimal("0.0002"), Decimal("0.0001")


class Worker:
    """A process that asks, and what it said so far."""

    def __init__(self, process: forks.Child, begin: int, out: int) -> None:
        self.process = process
        self._begin = begin
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, args=[out], daemon=True)
        self._reader.start()

    def times(self, word: str) -> list[float]:
        return [float(line.split()[1]) for line in list(self.lines) if line.startswith(f"{word} ")]

    def begin(self) -> None:
        os.write(self._begin, b"x")

    def tell(self, how: signal.Signals) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, how)

    def kill(self) -> float:
        self.tell(signal.SIGKILL)
        killed_at = time.time()
        self.process.wait(PATIENCE_S)
        self._reader.join()
        return killed_at

    def _read(self, out: int) -> None:
        with os.fdopen(out, encoding="utf-8") as said:
            for line in said:
                if line.endswith("\n"):
                    self.lines.append(line)


@contextmanager
def worker(postgres: Store, shared: Store, token: str) -> Iterator[Worker]:
    args = [postgres.url, shared.url, token, "8", str(THOUGHT), str(COST)]
    (waits, begins), (reads, writes) = os.pipe(), os.pipe()
    with Path(os.devnull).open("wb") as nothing:
        files = waits, writes, nothing.fileno()
        process = forks.spawn(args, files, env=os.environ, cwd="/", entry="tests.gateway.keys_worker")
    os.close(waits)
    os.close(writes)
    found = Worker(process, begins, reads)
    try:
        await_true(lambda: found.times("ready"), "the worker")
        yield found
    finally:
        found.kill()
        os.close(begins)


def make_key(store: Store, **limits: object) -> tuple[str, str]:
    database = open_database(store.url)
    key, secret = create_key(database, "bob", Limits(**limits), now_ms=1)  # type: ignore[arg-type]
    database.close()
    return key.id, secret.reveal()


def count(store: Store) -> int:
    database = open_database(store.url)
    ((found,),) = database.rows("SELECT count(*) FROM attempts")
    database.close()
    return int(found)


def test_one_process_is_killed_and_the_other_goes_on_within_the_same_budget() -> None:
    with postgres_server() as postgres, redis_server() as shared:
        budget = Decimal("0.1")
        key_id, token = make_key(postgres, budget_day=budget, concurrency=12)
        with worker(postgres, shared, token) as one, worker(postgres, shared, token) as two:

            def spent() -> Decimal:
                return (len(one.times("ok")) + len(two.times("ok"))) * COST

            one.begin()
            two.begin()
            await_true(lambda: len(one.times("ok")) > 100 and len(two.times("ok")) > 100)
            one.kill()
            seen = len(two.times("ok"))
            await_true(lambda: len(two.times("ok")) > seen + 100)
            await_true(lambda: two.times("billing"))
            # What is left of the budget: less than a call, and what the killed process held for its calls under way.
            await_true(lambda: spent() >= budget - THOUGHT - 8 * THOUGHT - Decimal("0.002"))
            two.tell(signal.SIGUSR1)
            await_true(lambda: two.times("idle"))
            await_true(lambda: count(postgres) >= len(two.times("ok")))
            two.kill()
            with redis.Redis(port=shared.port) as client:
                settled = int(client.hget(f"jackfield:{{{key_id}}}", "day_spent") or 0)

        assert spent() <= budget
        assert settled <= int(budget * 10**9)
        assert count(postgres) * COST <= spent() + 8 * COST


async def test_a_gateway_that_starts_again_tells_the_shared_state_what_was_spent() -> None:
    with postgres_server() as postgres, redis_server() as shared:
        key_id, token = make_key(postgres, budget_day=Decimal(1))
        ledger = Ledger.open(postgres.url)
        at_ms = time.time_ns() // 1_000_000
        for number in range(2):
            ledger.note(Row(id=f"r{number}", at_ms=at_ms, key_id=key_id, cost_nanos=350_000_000))
        assert ledger.close(PATIENCE_S) == 0
        said: list[str] = []
        access = await Access.open(Stores(database=postgres.url, shared=shared.url), say=said.append)
        try:
            with pytest.raises(OverBudget):
                await access.admit(token, model="a/b", est_usd=Decimal("0.4"))
            (await access.admit(token, model="a/b", est_usd=Decimal("0.2"))).release()
        finally:
            await access.close()
    assert said == []


def test_calls_go_on_while_either_store_is_away_and_everything_is_counted_in_the_end() -> None:
    with postgres_server() as postgres, redis_server() as shared:
        key_id, token = make_key(postgres, budget_day=Decimal(100))
        with worker(postgres, shared, token) as one:
            one.begin()
            await_true(lambda: len(one.times("ok")) > 50)
            for store, how in ((postgres, signal.SIGQUIT), (shared, signal.SIGKILL)):
                store.stop(how)
                seen = len(one.times("ok"))
                await_true(lambda: len(one.times("ok")) > seen + 100)  # noqa: B023  it is asked at once
                store.start()
            await_true(lambda: sum(line.startswith("say") for line in one.lines) >= 5)
            seen = len(one.times("ok"))
            await_true(lambda: len(one.times("ok")) > seen + 100)
            one.tell(signal.SIGUSR1)
            await_true(lambda: one.times("idle"))
            done = len(one.times("ok"))
            await_true(lambda: count(postgres) == done, f"{done} rows")
            with redis.Redis(port=shared.port) as client:

                def counted() -> int:
                    return int(client.hget(f"jackfield:{{{key_id}}}", "day_spent") or 0)

                # The store has all money, and what was held when it was lost.
                most = 24 * int(THOUGHT * 10**9)
                await_true(lambda: abs(counted() - done * int(COST * 10**9)) <= most, f"money of {done} calls")

        assert [line for line in one.lines if not line.startswith(("ready ", "ok ", "say ", "idle "))] == []
