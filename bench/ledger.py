"""What the ledger and the keys cost a call, in microseconds of processor time; best of several rounds.

python bench/ledger.py [--write]      --write puts the tables into bench/README.md

And what the page's questions cost once a ledger holds a million rows of 90 days, in milliseconds of the same.
"""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import astuple

from jackfield.config.gateway import Limits
from jackfield.gateway.access import Access, Stores
from jackfield.gateway.keys import create_key
from jackfield.ledger.calls import Wanted, load_calls
from jackfield.ledger.database import Database, open_database, sqlite_url
from jackfield.ledger.report import load_shares
from jackfield.ledger.row import COLUMNS, Row
from jackfield.ledger.sums import DAY_MS, HOUR_MS, sum_up
from jackfield.ledger.usage import Range, load_slots, load_speeds, load_spent, load_troubles
from jackfield.ledger.writer import Ledger
from jackfield.message import Usage

README = Path(__file__).with_name("README.md")
ROUNDS, CALLS = 9, 2_000
NOW_MS = 1_795_000_000_000
LIMITS = Limits(
    models=("a/*",),
    budget_day=Decimal(10**6),
    budget_month=Decimal(10**6),
    requests_per_minute=10**8,
    tokens_per_minute=10**9,
    concurrency=100,
)
THOUGHT, USAGE = Decimal("0.0002"), Usage(input=10, output=10)
Step = Callable[[], Coroutine[Any, Any, object]]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = sqlite_url(Path(folder) / "state.sqlite")
        rows = [*asyncio.run(measure_access(url)), *measure_ledger(url)]
        asked = [*measure_questions(sqlite_url(Path(folder) / "million.sqlite"))]
    tell("ledger", ["| of a call | µs |", "|---|---|", *(f"| {name} | {us:.1f} |" for name, us in rows)])
    tell("questions", ["| of a million rows | ms |", "|---|---|", *(f"| {name} | {ms:.0f} |" for name, ms in asked)])


def tell(mark: str, lines: list[str]) -> None:
    table = "\n".join(lines)
    print(table)
    if "--write" in sys.argv:
        text = README.read_text(encoding="utf-8")
        README.write_text(
            re.sub(rf"(<!-- {mark} -->\n).*?(<!-- end -->)", rf"\1{table}\n\2", text, flags=re.DOTALL), encoding="utf-8"
        )


async def measure_access(url: str) -> list[tuple[str, float]]:
    database = open_database(url)
    limited, bare = (
        create_key(database, name, limits, now_ms=1)[1].reveal() for name, limits in (("a", LIMITS), ("b", Limits()))
    )
    database.close()
    access = await Access.open(Stores(database=url))

    async def admit(token: str, *, settles: bool) -> None:
        grant = await access.admit(token, model="a/b", est_tokens=20, est_usd=THOUGHT)
        if settles:
            grant.settle(USAGE, THOUGHT)
        grant.release()

    async def identify() -> None:
        access.identify([limited])

    steps: dict[str, Step] = {
        "find the key": identify,
        "admit and release, a key without limits": lambda: admit(bare, settles=False),
        "admit and release, a key with every limit": lambda: admit(limited, settles=False),
        "the same, and settle": lambda: admit(limited, settles=True),
    }
    found = [(name, await _best(step)) for name, step in steps.items()]
    await access.close()
    return found


async def _best(step: Step) -> float:
    times = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        for _ in range(CALLS):
            await step()
        times.append((time.thread_time() - begun) / CALLS * 1e6)
    return min(times)


def measure_ledger(url: str) -> Iterator[tuple[str, float]]:
    noting, writing = [], []
    for _ in range(ROUNDS):
        ledger = Ledger(lambda: open_database(url), capacity=10 * CALLS)
        rows = [Row(id=secrets.token_hex(16), at_ms=1, served="a/b", key_id="k", requested="a/b") for _ in range(CALLS)]
        begun = time.thread_time()
        for row in rows:
            ledger.note(row)
        noting.append((time.thread_time() - begun) / CALLS * 1e6)
        begun = time.process_time()
        ledger.start()
        ledger.close(60)
        writing.append((time.process_time() - begun) / CALLS * 1e6)
    yield "note a row", min(noting)
    yield "write it, on the ledger's own thread (SQLite)", min(writing)


# -- a million rows ------------------------------------------------------------------


def measure_questions(url: str) -> Iterator[tuple[str, float]]:
    database, asked = fill(url), Range(NOW_MS - 90 * DAY_MS, NOW_MS)
    questions: dict[str, Callable[[], object]] = {
        "90 days by model and day": lambda: load_slots(database, "model", asked, DAY_MS),
        "the same by key": lambda: load_slots(database, "key", asked, DAY_MS),
        "a week by model and hour": lambda: load_slots(database, "model", Range(NOW_MS - 7 * DAY_MS, NOW_MS), HOUR_MS),
        "p50, p90, p99 of each model over 90 days": lambda: load_speeds(database, asked),
        "what failed in 90 days": lambda: load_troubles(database, asked),
        "what each key spent": lambda: load_spent(database, NOW_MS - DAY_MS, NOW_MS - 30 * DAY_MS),
        "the latest 50 calls": lambda: load_calls(database, Wanted(), 50),
        "the latest 50 that failed": lambda: load_calls(database, Wanted(outcome="failed"), 50),
        "50 calls of a model nobody asked": lambda: load_calls(database, Wanted(model="none/such"), 50),
        "counts by model of the sums, times of the rows (`jackfield usage --since all`)": lambda: load_shares(
            database, "model", 0, with_first=False
        ),
    }
    for name, ask in questions.items():
        begun = time.process_time()
        ask()
        yield name, (time.process_time() - begun) * 1e3
    database.close()


def fill(url: str) -> Database:
    """Write a million rows as a gateway does: in batches, in the order of time."""
    database, chance = open_database(url), random.Random(3)
    insert = f"INSERT INTO attempts ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    for batch in range(1_000):
        rows = [
            Row(
                id=f"{batch:04}{number:04}", request=f"r{batch:04}{number:04}", key_id=f"k{chance.randrange(6)}",
                at_ms=NOW_MS - 90 * DAY_MS + (batch * 1_000 + number) * 7_776, served=f"p{number % 4}/m{number % 8}",
                provider=f"p{number % 4}", outcome="ok" if chance.random() < 0.97 else "rate_limit", input=400, output=90,
                cost_nanos=10**6, first_ms=int(chance.lognormvariate(6, 1)), total_ms=int(chance.lognormvariate(8, 1)),
            )
            for number in range(1_000)
        ]  # fmt: skip
        database.write((insert, [astuple(row) for row in rows]), *sum_up(rows))
    return database


if __name__ == "__main__":
    main()
