"""Two processes with one PostgreSQL and one Redis: one is killed, the stores go and come back."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
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
from tests.stores import Store, postgres_server, redis_server

WORKER = Path(__file__).with_name("keys_worker.py")
THOUGHT, COST = Decimal("0.0002"), Decimal("0.0001")


class Worker:
    """A process that asks, and what it said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def times(self, word: str) -> list[float]:
        return [float(line.split()[1]) for line in list(self.lines) if line.startswith(f"{word} ")]

    def kill(self) -> float:
        self.process.kill()
        killed_at = time.time()
        self.process.wait()
        self._reader.join()
        return killed_at

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.endswith("\n"):
                self.lines.append(line)


@contextmanager
def worker(postgres: Store, shared: Store, token: str) -> Iterator[Worker]:
    args = [postgres.url, shared.url, token, "8", str(THOUGHT), str(COST)]
    with subprocess.Popen([sys.executable, str(WORKER), *args], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Worker(process)
        finally:
            process.kill()


def await_(truth: Callable[[], object], within_s: float = 20) -> None:
    end = time.monotonic() + within_s
    while not truth():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


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
        budget = Decimal("0.08")
        key_id, token = make_key(postgres, budget_day=budget, concurrency=12)
        with worker(postgres, shared, token) as one, worker(postgres, shared, token) as two:
            await_(lambda: len(one.times("ok")) > 100 and len(two.times("ok")) > 100)
            killed_at = one.kill()
            seen = len(two.times("ok"))
            await_(lambda: len(two.times("ok")) > seen + 100)
            await_(lambda: two.times("billing"))
            time.sleep(1.2)
            two.kill()

            done = len(one.times("ok")) + len(two.times("ok"))
            safe = sum(at < killed_at - 1 for at in one.times("ok")) + len(two.times("ok"))
            with redis.Redis(port=shared.port) as client:
                settled = int(client.hget(f"jackfield:{{{key_id}}}", "day_spent") or 0)

        assert done * COST <= budget
        assert settled <= int(budget * 10**9)
        # What is left of the budget: less than a call, and what the killed process held for its calls under way.
        assert done * COST >= budget - THOUGHT - 8 * THOUGHT - Decimal("0.002")
        assert safe <= count(postgres) <= done + 8


async def test_a_gateway_that_starts_again_tells_the_shared_state_what_was_spent() -> None:
    with postgres_server() as postgres, redis_server() as shared:
        key_id, token = make_key(postgres, budget_day=Decimal(1))
        ledger = Ledger.open(postgres.url)
        at_ms = time.time_ns() // 1_000_000
        for number in range(2):
            ledger.note(Row(id=f"r{number}", at_ms=at_ms, key_id=key_id, cost_nanos=350_000_000))
        assert ledger.close() == 0
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
            await_(lambda: len(one.times("ok")) > 50)
            for store, how in ((postgres, signal.SIGQUIT), (shared, signal.SIGKILL)):
                store.stop(how)
                seen = len(one.times("ok"))
                await_(lambda: len(one.times("ok")) > seen + 100)  # noqa: B023  it is asked at once
                store.start()
            await_(lambda: sum(line.startswith("say") for line in one.lines) >= 5)
            seen = len(one.times("ok"))
            await_(lambda: len(one.times("ok")) > seen + 100)
            time.sleep(1.2)
            one.process.send_signal(signal.SIGSTOP)
            time.sleep(0.3)
            lines = list(one.lines)
            done = sum(line.startswith("ok ") for line in lines)
            with redis.Redis(port=shared.port) as client:
                spent = int(client.hget(f"jackfield:{{{key_id}}}", "day_spent") or 0)
            written = count(postgres)

        # Every call that was noted more than a second ago is in the ledger; the store has all money, and what is held.
        assert done - 600 <= written <= done + 8
        assert abs(spent - done * int(COST * 10**9)) <= 24 * int(THOUGHT * 10**9)
        assert [line for line in lines if not line.startswith(("ok ", "say "))] == []
