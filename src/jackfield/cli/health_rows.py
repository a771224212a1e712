"""One line of `health` as cells, and spans of time in words. Pure: the time is an argument."""

from __future__ import annotations

from datetime import datetime

from jackfield.health.record import Quota
from jackfield.setup.rests import RestRow, count_seconds

WORDS = 60  # of a provider's own, in the table
STEPS_S = ((86_400, "d"), (3_600, "h"), (60, "min"))


def render_cells(row: RestRow) -> tuple[str, ...]:
    """Return a line as a table's cells."""
    clock = datetime.fromtimestamp(row.until_ms / 1000).astimezone().strftime("%H:%M:%S")
    next_try = {"resting": f"in {say_span(row.seconds_left)}", "half_open": "next call", "probing": "under way"}
    says = row.says if len(row.says) <= WORDS else f"{row.says[: WORDS - 1]}…"
    return (
        row.provider,
        row.credential or "all",
        row.model or "all",
        f"{row.cause} ({row.status})" if row.status else row.cause,
        clock if row.state != "half_open" else "over",
        next_try[row.state],
        "?" if row.failures is None else str(row.failures),
        says,
    )


def say_used(quota: Quota, now_ms: int) -> str:
    """Return how much of a quota is used, as far as is known."""
    used = quota.used_at(now_ms)
    return "?" if used is None else f"{100 * used:.0f}%"


def say_until(at_ms: int | None, now_ms: int) -> str:
    """Return how far away a moment is."""
    if at_ms is None:
        return "?"
    return f"in {say_span(count_seconds(at_ms, now_ms))}" if at_ms > now_ms else "over"


def say_span(seconds: int) -> str:
    """Return a time in its largest unit that counts two."""
    size, unit = next(((size, unit) for size, unit in STEPS_S if seconds >= 2 * size), (1, "s"))
    return f"{seconds // size} {unit}"
