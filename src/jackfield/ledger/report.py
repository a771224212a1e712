"""What was used since a time: by model, provider, key or day. Asks the database; draws nothing.

Counts are of the sums that the writer keeps, but for the hour that the time falls into, which is read row by row;
how long answers took is read of the rows, as far as they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from jackfield.catalog.price import as_usd
from jackfield.ledger.database import Database
from jackfield.ledger.sums import DAY_MS, HOUR_MS
from jackfield.ledger.usage import FAILED

By = Literal["model", "provider", "key", "day"]

# What one line stands for, in the rows. A day is UTC's, as those of the callers' budgets are.
NAMES: Mapping[By, str] = {
    "model": "served",
    "provider": "provider",
    "key": "CASE WHEN key_name <> '' THEN key_name ELSE key_id END",
    "day": f"at_ms / {DAY_MS}",
}
# The same of the sums by the hour.
SUMMED: Mapping[By, str] = {**NAMES, "day": f"hour * {HOUR_MS} / {DAY_MS}"}
TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning")
COLUMNS = ("attempts", "requests", "errors", *TOKENS, "cost_nanos", "unpriced", "estimated")
COUNTS = f"""
    SELECT name, {", ".join(f"sum({each})" for each in COLUMNS)} FROM (
        SELECT {{summed}} AS name, attempts, requests, CASE WHEN {FAILED} THEN attempts ELSE 0 END AS errors,
               {", ".join(TOKENS)}, cost_nanos, unpriced, estimated
        FROM usage_hours WHERE hour >= ?
        UNION ALL
        SELECT {{name}}, 1, CASE WHEN attempt = 1 THEN 1 ELSE 0 END, CASE WHEN {FAILED} THEN 1 ELSE 0 END,
               {", ".join(f"coalesce({each}, 0)" for each in TOKENS)}, coalesce(cost_nanos, 0),
               CASE WHEN outcome = 'ok' AND cost_nanos IS NULL THEN 1 ELSE 0 END, CASE WHEN estimated THEN 1 ELSE 0 END
        FROM attempts WHERE at_ms >= ? AND at_ms < ?
    ) AS counted GROUP BY 1
"""  # noqa: S608  our own names
# The nearest rank: the smallest time that so many of a hundred answers took at most.
TIMES = """
    SELECT name, {columns} FROM (
        SELECT {name} AS name, {column} AS ms, row_number() OVER (PARTITION BY {name} ORDER BY {column}) AS place,
               count(*) OVER (PARTITION BY {name}) AS many
        FROM attempts WHERE at_ms >= ? AND outcome = 'ok' AND {column} IS NOT NULL
    ) AS ranked GROUP BY name
"""
RANKS = (50, 95, 99)


class Latency(Struct, frozen=True):
    """Milliseconds that half, nineteen of twenty, and ninety-nine of a hundred good answers took at most."""

    p50: int | None = None
    p95: int | None = None
    p99: int | None = None


class Share(Struct, frozen=True, kw_only=True):
    """What one model, provider, key or day took."""

    name: str
    attempts: int = 0
    requests: int = 0  # calls; a call may take several attempts
    errors: int = 0
    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    usd: Decimal = Decimal(0)
    unpriced: int = 0  # answers whose price is unknown: the money is that of the others
    estimated: bool = False  # some tokens were counted by us
    first: Latency = Latency()  # until the first content, of streams
    total: Latency = Latency()


class Killed(Struct, frozen=True):
    """A process that ended without closing the ledger, or rows that found no room while the database was away."""

    pid: int
    seen_ms: int  # rows later than this may be missing
    dropped: int


def load_shares(database: Database, by: By, since_ms: int, *, with_first: bool = True) -> tuple[Share, ...]:
    """Return what was taken since a time: days in their order, everything else the dearest first.

    Times take nearly all the time there is to take; those of first contents are left out where nobody wants them.
    """
    hour = -(-since_ms // HOUR_MS)  # the first that is whole
    rows = database.rows(COUNTS.format(name=NAMES[by], summed=SUMMED[by]), hour, since_ms, hour * HOUR_MS)
    first = _load_times(database, NAMES[by], "first_ms", since_ms) if with_first else {}
    total = _load_times(database, NAMES[by], "total_ms", since_ms)
    shares = [_share(row, first, total) for row in rows]
    if by == "day":
        return tuple(sorted(shares, key=lambda share: int(share.name)))
    return tuple(sorted(shares, key=lambda share: (-share.usd, -share.attempts, share.name)))


def load_killed(database: Database, since_ms: int, gone_before_ms: int) -> tuple[Killed, ...]:
    """Return the processes that were killed, or dropped rows, and were last seen in the time asked about."""
    rows = database.rows(
        """SELECT pid, seen_ms, dropped FROM ledger_writers
           WHERE seen_ms >= ? AND (dropped > 0 OR killed = 1 OR (ended_ms IS NULL AND seen_ms < ?)) ORDER BY seen_ms""",
        since_ms,
        gone_before_ms,
    )
    return tuple(Killed(*row) for row in rows)


def _load_times(database: Database, name: str, column: str, since_ms: int) -> dict[Any, Latency]:
    # Whole numbers: `place` is at least `rank` per cent of `many`.
    columns = ", ".join(f"min(CASE WHEN place * 100 >= many * {rank} THEN ms END)" for rank in RANKS)
    found = database.rows(TIMES.format(columns=columns, name=name, column=column), since_ms)
    return {named: Latency(*times) for named, *times in found}


def _share(row: tuple[Any, ...], first: Mapping[Any, Latency], total: Mapping[Any, Latency]) -> Share:
    name, attempts, requests, errors, *tokens, nanos, unpriced, estimated = row
    # PostgreSQL's sums are decimals, SQLite's whole numbers.
    fresh, output, cache_read, cache_write, reasoning = map(int, tokens)
    return Share(
        name=str(name),
        attempts=int(attempts),
        requests=int(requests),
        errors=int(errors),
        input=fresh,
        output=output,
        cache_read=cache_read,
        cache_write=cache_write,
        reasoning=reasoning,
        usd=as_usd(int(nanos or 0)),
        unpriced=int(unpriced),
        estimated=bool(estimated),
        first=first.get(name, Latency()),
        total=total.get(name, Latency()),
    )
