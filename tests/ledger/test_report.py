"""The sums of `usage`: those of the rows to the last, though hardly any row is read, and of rows that are gone, too."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest

from jackfield.ledger.database import open_database, sqlite_url
from jackfield.ledger.report import By, Share, load_shares
from jackfield.ledger.row import Row
from jackfield.ledger.sums import DAY_MS, HOUR_MS
from jackfield.ledger.writer import Ledger
from tests.ledger.rows import AT_MS, row
from tests.patience import PATIENCE_S

SPAN_MS = 3 * DAY_MS
NAMES = {
    "model": lambda each: each.served,
    "provider": lambda each: each.provider,
    "key": lambda each: each.key_name or each.key_id,
    "day": lambda each: str(each.at_ms // DAY_MS),
}


def keep(url: str, rows: Sequence[Row]) -> None:
    ledger = Ledger.open(url)
    for each in rows:
        ledger.note(each)
    assert ledger.close(PATIENCE_S) == 0


def some_rows() -> list[Row]:
    chance = random.Random(11)
    names = ["a/x", "a/y", "b/z"]
    rows = []
    for _ in range(400):
        served = chance.choice(names)
        rows.append(
            row(
                at_ms=AT_MS + chance.randrange(SPAN_MS), served=served, provider=served.partition("/")[0],
                key_id=chance.choice(["", "k", "l"]), key_name=chance.choice(["", "ann"]), attempt=chance.choice([1, 2]),
                outcome=chance.choice(["ok", "ok", "timeout", "cancelled"]), estimated=chance.random() < 0.01,
                input=chance.choice([None, 7]), output=chance.choice([None, 3]), cache_read=chance.choice([None, 2]),
                cost_nanos=chance.choice([None, 10**7]), total_ms=chance.choice([None, 5, 1_234]),
            )
        )  # fmt: skip
    return rows


def summed(rows: Sequence[Row], by: By, since_ms: int) -> dict[str, Share]:
    found: dict[str, list[Row]] = {}
    for each in rows:
        if each.at_ms >= since_ms:
            found.setdefault(NAMES[by](each), []).append(each)
    return {
        name: Share(
            name=name,
            attempts=len(some),
            requests=sum(each.attempt == 1 for each in some),
            errors=sum(each.outcome == "timeout" for each in some),
            input=sum(each.input or 0 for each in some),
            output=sum(each.output or 0 for each in some),
            cache_read=sum(each.cache_read or 0 for each in some),
            usd=Decimal(sum(each.cost_nanos or 0 for each in some)) / 10**9,
            unpriced=sum(each.outcome == "ok" and each.cost_nanos is None for each in some),
            estimated=any(each.estimated for each in some),
        )
        for name, some in found.items()
    }


@pytest.mark.parametrize("by", get_args(By))
@pytest.mark.parametrize("since_ms", [0, AT_MS // HOUR_MS * HOUR_MS + HOUR_MS, AT_MS + SPAN_MS // 2 + 12_345])
def test_counts_are_those_of_every_row_since_a_time(url: str, by: By, since_ms: int) -> None:
    rows = some_rows()
    keep(url, rows)
    database = open_database(url)
    shares = load_shares(database, by, since_ms)
    database.close()
    told = {each.name: Share(**{name: getattr(each, name) for name in COUNTED}) for each in shares}
    assert told == summed(rows, by, since_ms)


COUNTED = [name for name in Share.__struct_fields__ if name not in {"first", "total"}]


def test_what_was_used_stays_known_when_its_rows_are_gone(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "state.sqlite")
    keep(url, [row(cost_nanos=10**9, total_ms=10), row(at_ms=AT_MS + DAY_MS, cost_nanos=10**9, total_ms=30)])
    database = open_database(url)
    database.write(("DELETE FROM attempts WHERE at_ms = ?", [(AT_MS,)]))
    (share,) = load_shares(database, "model", 0)
    database.close()
    assert (share.requests, share.usd, share.total.p50) == (2, Decimal(2), 30)
