"""What was used over time, by whom, how fast it came and what failed: read of the sums that the writer keeps.

Times are Unix milliseconds; a range is made of whole hours of UTC, and of the whole days it touches where speeds are asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from jackfield.catalog.price import as_usd
from jackfield.ledger.database import Database
from jackfield.ledger.sums import COUNTED, DAY_MS, HOUR_MS

By = Literal["model", "provider", "key"]
NAMES: Mapping[By, str] = {
    "model": "served",
    "provider": "provider",
    "key": "CASE WHEN key_name <> '' THEN key_name ELSE key_id END",
}
FAILED = "outcome NOT IN ('ok', 'cancelled')"
SUMS = f"""{", ".join(f"sum({name})" for name in COUNTED)},
    sum(CASE WHEN {FAILED} THEN attempts ELSE 0 END), sum(CASE WHEN outcome = 'cancelled' THEN attempts ELSE 0 END)"""
BETWEEN = "hour >= ? AND hour < ?"
PERCENTS = (50, 90, 99)
MOST_TROUBLES = 200


class Range(Struct, frozen=True):
    """From one hour to before another."""

    from_ms: int
    to_ms: int

    @property
    def hours(self) -> tuple[int, int]:
        """The numbers of its first hour and of the one behind its last."""
        return self.from_ms // HOUR_MS, -(-self.to_ms // HOUR_MS)

    @property
    def days(self) -> tuple[int, int]:
        """The numbers of the first day it touches and of the one behind the last."""
        return self.from_ms // DAY_MS, -(-self.to_ms // DAY_MS)

    def before(self) -> Range:
        """Return the time before it, as long as it is."""
        return Range(2 * self.from_ms - self.to_ms, self.from_ms)


class Use(Struct, frozen=True, kw_only=True):
    """What was used; tokens are in disjoint buckets."""

    attempts: int = 0
    requests: int = 0  # calls; a call may take several attempts
    kept: int = 0  # answered from memory, by nobody
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    usd: Decimal = Decimal(0)
    unpriced: int = 0  # answers whose price is unknown: the money is that of the others
    estimated: int = 0  # attempts whose tokens were counted by us
    errors: int = 0
    cancelled: int = 0


class Slot(Struct, frozen=True):
    """What one name used in one hour or day."""

    at_ms: int
    name: str
    use: Use


class Speed(Struct, frozen=True):
    """How long the good answers of a model took, by `PERCENTS`: in two digits, rounded up. `first`: of streams."""

    model: str
    answers: int
    first: tuple[int | None, ...]
    total: tuple[int | None, ...]


class Trouble(Struct, frozen=True):
    """How often one model failed in one way."""

    outcome: str
    provider: str
    model: str
    count: int
    last_ms: int


class Spent(Struct, frozen=True):
    """What a key has spent and when it was used last."""

    day_usd: Decimal = Decimal(0)
    month_usd: Decimal = Decimal(0)
    requests: int = 0  # of the month
    last_ms: int | None = None


def load_slots(database: Database, by: By, asked: Range, step_ms: int) -> tuple[Slot, ...]:
    """Return what was used by hour or day and name, in the order of time."""
    sql = f"SELECT hour * {HOUR_MS} / ? AS slot, {NAMES[by]} AS name, {SUMS} FROM usage_hours WHERE {BETWEEN} GROUP BY 1, 2"  # noqa: S608  our own names
    rows = database.rows(f"{sql} ORDER BY 1, 2", step_ms, *asked.hours)
    return tuple(Slot(int(slot) * step_ms, name, _use(sums)) for slot, name, *sums in rows)


def load_names(database: Database, by: By, asked: Range) -> dict[str, Use]:
    """Return what each name used in all."""
    sql = f"SELECT {NAMES[by]} AS name, {SUMS} FROM usage_hours WHERE {BETWEEN} GROUP BY 1"  # noqa: S608  our own names
    return {name: _use(sums) for name, *sums in database.rows(sql, *asked.hours)}


def load_use(database: Database, asked: Range) -> Use:
    """Return what was used in all."""
    (row,) = database.rows(f"SELECT {SUMS} FROM usage_hours WHERE {BETWEEN}", *asked.hours)  # noqa: S608  our own names
    return _use(row)


def load_speeds(database: Database, asked: Range) -> tuple[Speed, ...]:
    """Return how fast each model was, the most asked first."""
    rows = database.rows(
        """SELECT served, kind, ms, sum(answers) FROM speed_days WHERE day >= ? AND day < ?
           GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
        *asked.days,
    )
    counts = dict[str, dict[str, list[tuple[int, int]]]]()
    for model, kind, ms, answers in rows:
        counts.setdefault(model, {}).setdefault(kind, []).append((ms, int(answers)))
    found = [
        Speed(
            model,
            sum(many for _, many in kinds.get("total", ())),
            find_ranks(kinds.get("first", ())),
            find_ranks(kinds.get("total", ())),
        )
        for model, kinds in counts.items()
    ]
    return tuple(sorted(found, key=lambda speed: (-speed.answers, speed.model)))


def find_ranks(counts: Iterable[tuple[int, int]]) -> tuple[int | None, ...]:
    """Return the nearest ranks of values that are counted, in their order: the smallest that so many per cent do not exceed."""
    counted = [*counts]
    many, below, ranks = sum(count for _, count in counted), 0, list[int | None]()
    for value, count in counted:
        below += count
        while len(ranks) < len(PERCENTS) and below * 100 >= many * PERCENTS[len(ranks)]:
            ranks.append(value)
    return (*ranks, *[None] * (len(PERCENTS) - len(ranks)))


def load_troubles(database: Database, asked: Range) -> tuple[Trouble, ...]:
    """Return what failed, the most frequent first."""
    rows = database.rows(
        f"""SELECT outcome, max(provider), served, sum(attempts) AS many, max(last_ms) FROM usage_hours
            WHERE {BETWEEN} AND {FAILED} GROUP BY outcome, served ORDER BY many DESC, 1, 3 LIMIT {MOST_TROUBLES}""",  # noqa: S608  our own names
        *asked.hours,
    )
    return tuple(Trouble(outcome, provider, model, int(many), last) for outcome, provider, model, many, last in rows)


def load_spent(database: Database, day_ms: int, month_ms: int) -> dict[str, Spent]:
    """Return what each key, by its id, has spent since the beginnings of the day and of the month."""
    rows = database.rows(
        """SELECT key_id, sum(CASE WHEN hour >= ? THEN cost_nanos ELSE 0 END), sum(CASE WHEN hour >= ? THEN cost_nanos ELSE 0 END),
           sum(CASE WHEN hour >= ? THEN requests ELSE 0 END), max(last_ms) FROM usage_hours GROUP BY 1""",
        day_ms // HOUR_MS,
        month_ms // HOUR_MS,
        month_ms // HOUR_MS,
    )
    return {key: Spent(as_usd(int(day)), as_usd(int(month)), int(calls), last) for key, day, month, calls, last in rows}


def _use(sums: Iterable[Any]) -> Use:
    # PostgreSQL's sums are decimals, and those of nothing are null.
    *counted, errors, cancelled = (int(each or 0) for each in sums)
    named = dict(zip(COUNTED, counted, strict=True))
    return Use(usd=as_usd(named.pop("cost_nanos")), errors=errors, cancelled=cancelled, **named)
