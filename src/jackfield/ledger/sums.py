"""Rows summed as they are written, so that a report reads some thousand lines where there are a million rows.

What was used is summed by the hour; how long answers took is counted by the day, in steps of two digits.
"""

from __future__ import annotations

from collections.abc import Iterable

from jackfield.ledger.database import Statement
from jackfield.ledger.row import Row

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
# What a sum stands for, and what is summed; `last_ms` is the latest of them.
NAMED = ("hour", "served", "key_id", "key_name", "outcome")
COUNTED = (
    "attempts", "requests", "kept", "input", "output", "cache_read", "cache_write", "reasoning", "cost_nanos", "unpriced",
    "estimated",
)  # fmt: skip
MOST = 10**15  # of one row: sums of nonsense stay numbers that the database holds
# Up to a limit, in steps of so many milliseconds.
STEPS = ((100, 1), (1_000, 10), (10_000, 100), (100_000, 1_000), (1_000_000, 10_000), (10_000_000, 100_000))
LONGEST_STEP = 1_000_000
FINE = "ok"

_MARKS = ", ".join("?" * (len(NAMED) + 2 + len(COUNTED)))
_MORE = ", ".join(f"{name} = usage_hours.{name} + excluded.{name}" for name in COUNTED)
ADD_USE = f"""
    INSERT INTO usage_hours ({", ".join((*NAMED, "provider", *COUNTED, "last_ms"))}) VALUES ({_MARKS})
    ON CONFLICT ({", ".join(NAMED)}) DO UPDATE SET {_MORE},
    last_ms = CASE WHEN excluded.last_ms > usage_hours.last_ms THEN excluded.last_ms ELSE usage_hours.last_ms END
"""  # noqa: S608  our own names
ADD_SPEED = """
    INSERT INTO speed_days (day, served, kind, ms, answers) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (day, served, kind, ms) DO UPDATE SET answers = speed_days.answers + excluded.answers
"""


def sum_up(rows: Iterable[Row]) -> tuple[Statement, Statement]:
    """Return what adds rows to the sums; always in one order, so that two processes never wait for each other."""
    uses = dict[tuple[int, str, str, str, str], list[int]]()
    speeds = dict[tuple[int, str, str, int], int]()
    for row in rows:
        key = row.at_ms // HOUR_MS, row.served, row.key_id, row.key_name, row.outcome
        use = uses.get(key)
        if use is None:
            use = uses[key] = [0] * (len(COUNTED) + 1)
        for at, count in enumerate(_counts(row)):
            if count:
                use[at] += min(count, MOST)
        use[-1] = max(use[-1], row.at_ms)
        if row.outcome == FINE and row.source != "cache":
            for kind, ms in (("first", row.first_ms), ("total", row.total_ms)):
                if ms is not None:
                    step = row.at_ms // DAY_MS, row.served, kind, as_step(ms)
                    speeds[step] = speeds.get(step, 0) + 1
    return (
        (ADD_USE, [(*key, key[1].partition("/")[0], *use) for key, use in sorted(uses.items())]),
        (ADD_SPEED, [(*step, many) for step, many in sorted(speeds.items())]),
    )


def as_step(ms: int) -> int:
    """Return a time in two digits, rounded up."""
    for limit, step in STEPS:
        if ms < limit:
            return -(-ms // step) * step
    return -(-min(ms, MOST) // LONGEST_STEP) * LONGEST_STEP


def _counts(row: Row) -> tuple[int | None, ...]:
    return (
        1,
        row.attempt == 1,
        row.source == "cache",
        row.input,
        row.output,
        row.cache_read,
        row.cache_write,
        row.reasoning,
        row.cost_nanos,
        row.outcome == FINE and row.cost_nanos is None,
        row.estimated,
    )
