"""What outlives a reload: used-up limits, and the ledger's writer."""

from __future__ import annotations

import asyncio

from jackfield.config.gateway import Limits
from jackfield.credential import Secret
from jackfield.errors import RateLimit
from jackfield.gateway.access import Access, Stores
from jackfield.gateway.kept import Kept
from jackfield.ledger.database import open_database, sqlite_url
from jackfield.ledger.writer import Ledger
from tests.gateway.test_metrics import call


async def test_a_limit_that_is_used_up_stays_so() -> None:
    kept = Kept(Ledger.open, lambda: "id")
    stores = Stores(token=Secret("t" * 16), limits=Limits(requests_per_minute=2, concurrency=2))
    old = await Access.open(stores, local=kept.meters)
    key = old.identify(["t" * 16])
    first = await old.reserve(key, model="box/m")
    await old.reserve(key, model="box/m")
    new = await Access.open(stores, local=kept.meters)
    refused = []
    for _ in range(2):
        try:
            await new.reserve(new.identify(["t" * 16]), model="box/m")
        except RateLimit as error:
            refused.append(error.message)
        # A call that began under the old config ends in the same counts.
        first.release()
    await old.close()
    await new.close()
    assert ["2 calls under way" in refused[0], "2 requests a minute" in refused[1]] == [True, True]


async def test_a_ledger_is_written_until_its_last_user_is_gone(tmp_path) -> None:
    ids = iter(map(str, range(100)))
    kept = Kept(Ledger.open, lambda: next(ids))
    url = sqlite_url(tmp_path / "ledger.sqlite")
    ledger, old = kept.rent_ledger(url)
    same, new = kept.rent_ledger(url)
    assert same is ledger
    old.note(call())
    await asyncio.to_thread(old.close)
    new.note(call())
    await asyncio.to_thread(new.close)
    assert ledger.waiting == 0
    database = open_database(url)
    assert database.rows("SELECT count(*) FROM attempts") == [(2,)]
    assert database.rows("SELECT count(*) FROM ledger_writers") == [(0,)]
    database.close()
    other, again = kept.rent_ledger(url)
    assert other is not ledger
    again.close()
