"""A process that asks as a gateway does: admitted by a key, settled, noted in the ledger. Says each call on stdout.

Says when it is ready, and begins at a byte on stdin; asks no more after SIGUSR1, and says when no call is under way.
Arguments: URL of the database, URL of the shared state, the key's secret, calls at a time, what each
is thought to cost and what it does cost.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import time
from decimal import Decimal

from jackfield.catalog.price import as_nanos
from jackfield.errors import Error
from jackfield.gateway.access import Access, Stores
from jackfield.ledger.row import Row
from jackfield.ledger.writer import Ledger
from jackfield.message import Usage


def main() -> None:
    asyncio.run(work())


async def work() -> None:
    database, shared, token, width, thought, cost = sys.argv[1:]
    access = await Access.open(Stores(database=database, shared=shared), say=say)
    ledger = Ledger.open(database, say=say)
    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, ending.set)

    async def call() -> None:
        while not ending.is_set():
            try:
                async with await access.admit(token, model="a/b", est_tokens=10, est_usd=Decimal(thought)) as grant:
                    await asyncio.sleep(0.005)
                    grant.settle(Usage(input=5, output=5), Decimal(cost))
                ledger.note(
                    Row(id=secrets.token_hex(16), at_ms=time.time_ns() // 1_000_000, key_id=grant.key.id, cost_nanos=as_nanos(Decimal(cost)))
                )  # fmt: skip
                tell(f"ok {time.time()}")
            except Error as error:
                tell(f"{error.type} {time.time()}")
                await asyncio.sleep(0.02)

    tell(f"ready {time.time()}")
    await asyncio.to_thread(os.read, 0, 1)
    await asyncio.gather(*(call() for _ in range(int(width))))
    tell(f"idle {time.time()}")
    await asyncio.Event().wait()


def tell(line: str) -> None:
    # In one piece: the ledger's thread speaks, too.
    os.write(1, f"{line}\n".encode())


def say(text: str) -> None:
    tell(f"say {text}")
