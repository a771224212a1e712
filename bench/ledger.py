"""What the ledger and the keys cost a call, in microseconds of processor time; best of several rounds.

python bench/ledger.py [--write]      --write puts the table into bench/README.md
"""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from jackfield.config.gateway import Limits
from jackfield.gateway.access import Access, Stores
from jackfield.gateway.keys import create_key
from jackfield.ledger.database import open_database, sqlite_url
from jackfield.ledger.row import Row
from jackfield.ledger.writer import Ledger
from jackfield.message import Usage

README = Path(__file__).with_name("README.md")
ROUNDS, CALLS = 9, 2_000
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
    table = "\n".join(["| of a call | µs |", "|---|---|", *(f"| {name} | {us:.1f} |" for name, us in rows)])
    print(table)
    if "--write" in sys.argv:
        text = README.read_text(encoding="utf-8")
        README.write_text(
            re.sub(r"(<!-- ledger -->\n).*?(<!-- end -->)", rf"\1{table}\n\2", text, flags=re.DOTALL), encoding="utf-8"
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
            await grant.settle(USAGE, THOUGHT)
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


if __name__ == "__main__":
    main()
