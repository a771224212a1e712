"""What was used over time, how fast it came, what failed; and the same as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast, get_args

import msgspec
from msgspec import Struct

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.errors import InvalidRequest
from jackfield.ledger.database import Database
from jackfield.ledger.export import render_csv
from jackfield.ledger.sums import DAY_MS, HOUR_MS
from jackfield.ledger.usage import (
    PERCENTS,
    By,
    Range,
    Slot,
    Use,
    load_names,
    load_slots,
    load_speeds,
    load_troubles,
    load_use,
)
from jackfield.message import JsonObject

STEPS = {"hour": HOUR_MS, "day": DAY_MS}
MOST_DAYS = 3660
MOST_SLOTS = {"hour": 1_000, "day": MOST_DAYS}
HEADER = (
    "time", "name", "attempts", "requests", "errors", "cancelled", "fromMemory", "input", "output", "cacheRead", "cacheWrite",
    "reasoning", "costUsd", "unpriced", "estimated",
)  # fmt: skip


async def tell_usage(desk: Desk, asked: Asked) -> JsonObject:
    """Sum the ledger by hour or day: `?by=model|provider|key&step=hour|day&days=N`, or `&from=DATE&to=DATE`."""
    wish = read_wish(asked.query, desk.now_ms())

    def load(database: Database) -> tuple[tuple[Slot, ...], dict[str, Use], Use]:
        return (
            load_slots(database, wish.by, wish.range, STEPS[wish.step]),
            load_names(database, wish.by, wish.range),
            load_use(database, wish.range.before()),
        )

    slots, names, before = await desk.ask_ledger(load)
    total = sum_uses(names.values())
    ordered = sorted(names, key=lambda name: (-names[name].usd, -names[name].attempts, name))
    return {
        **_about(wish),
        "slots": [*range(_first(wish), wish.range.to_ms, STEPS[wish.step])],
        "rows": [{"name": name, **render_use(names[name])} for name in ordered],
        "points": [{"atMs": slot.at_ms, "name": slot.name, **render_use(slot.use)} for slot in slots],
        "total": render_use(total),
        "before": render_use(before),
    }


async def tell_speeds(desk: Desk, asked: Asked) -> JsonObject:
    """Say how long the good answers of each model took, of the whole days that the range touches."""
    wish = read_wish(asked.query, desk.now_ms())
    speeds = await desk.ask_ledger(lambda database: load_speeds(database, wish.range))
    named = [f"p{percent}" for percent in PERCENTS]
    return {
        **_about(wish),
        "rows": [
            {
                "model": each.model,
                "answers": each.answers,
                "firstMs": dict(zip(named, each.first, strict=True)),
                "totalMs": dict(zip(named, each.total, strict=True)),
            }
            for each in speeds
        ],
    }


async def tell_errors(desk: Desk, asked: Asked) -> JsonObject:
    """Say what failed, how often, and when last."""
    wish = read_wish(asked.query, desk.now_ms())
    found = await desk.ask_ledger(lambda database: load_troubles(database, wish.range))
    rows = [
        {"type": each.outcome, "provider": each.provider, "model": each.model, "count": each.count, "lastMs": each.last_ms}
        for each in found
    ]  # fmt: skip
    return {**_about(wish), "rows": rows}


async def export(desk: Desk, asked: Asked) -> JsonObject:
    """Return the sums as a file's name, type and text: `&format=csv|json` besides what `usage` takes."""
    wish, form = read_wish(asked.query, desk.now_ms()), asked.query.get("format", "csv")
    if form not in FORMS:
        raise InvalidRequest(f"format is one of {', '.join(FORMS)}")
    slots = await desk.ask_ledger(lambda database: load_slots(database, wish.by, wish.range, STEPS[wish.step]))
    rows = [
        {"time": _time(slot.at_ms).isoformat().replace("+00:00", "Z"), "name": slot.name, **render_use(slot.use)}
        for slot in slots
    ]
    days = f"{_time(wish.range.from_ms):%Y-%m-%d}-to-{_time(wish.range.to_ms - 1):%Y-%m-%d}"
    kind, render = FORMS[form]
    return {"name": f"jackfield-usage-by-{wish.by}-{days}.{form}", "type": kind, "text": render(rows)}


FORMS: Mapping[str, tuple[str, Callable[[Sequence[JsonObject]], str]]] = {
    "csv": ("text/csv", lambda rows: render_csv(HEADER, rows)),
    "json": ("application/json", lambda rows: msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n"),
}


# -- what is asked ---------------------------------------------------------------------


class Wish(Struct, frozen=True):
    """Which sums."""

    by: By
    step: str
    range: Range


def read_wish(query: Mapping[str, str], now_ms: int) -> Wish:
    """Read a query; raise `InvalidRequest`. Days are UTC's; N days end now and begin with a day, or with an hour."""
    by, step = query.get("by", "model"), query.get("step", "day")
    if by not in get_args(By) or step not in STEPS:
        raise InvalidRequest(f"by is one of {', '.join(get_args(By))}; step one of {', '.join(STEPS)}")
    range_ = _between(query["from"], query.get("to", "")) if query.get("from") else _back(query, step, now_ms)
    if (range_.to_ms - range_.from_ms) / STEPS[step] > MOST_SLOTS[step]:
        raise InvalidRequest(
            f"more than {MOST_SLOTS[step]} {step}s are too many to show", hint="ask by day, or for less time"
        )
    return Wish(cast("By", by), step, range_)


def _back(query: Mapping[str, str], step: str, now_ms: int) -> Range:
    days = query.get("days", "30")
    if not days.isdecimal() or not 0 < int(days) <= MOST_DAYS:
        raise InvalidRequest(f"days are 1 to {MOST_DAYS}")
    to_ms = (now_ms // HOUR_MS + 1) * HOUR_MS
    begins = to_ms - int(days) * DAY_MS if step == "hour" else (now_ms // DAY_MS - int(days) + 1) * DAY_MS
    return Range(max(0, begins), to_ms)


def _between(first: str, last: str) -> Range:
    try:
        begins, ends = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError as error:
        raise InvalidRequest("from and to are dates such as 2026-11-21") from error
    if not timedelta() <= ends - begins < timedelta(days=MOST_DAYS) or begins.year < 1970:
        raise InvalidRequest(f"{first} to {last} is no time to look back on", hint="from comes before to")
    epoch = date(1970, 1, 1)
    return Range((begins - epoch).days * DAY_MS, ((ends - epoch).days + 1) * DAY_MS)


# -- what is told ----------------------------------------------------------------------


def sum_uses(uses: Iterable[Use]) -> Use:
    """Return what several used together."""
    total = dict[str, Any]()
    for use in uses:
        for name, value in msgspec.structs.asdict(use).items():
            total[name] = total.get(name, 0) + value
    return msgspec.convert(total, Use)


def render_use(use: Use) -> JsonObject:
    """Write what was used as values for JSON; money is in decimal strings."""
    return {
        "attempts": use.attempts,
        "requests": use.requests,
        "errors": use.errors,
        "cancelled": use.cancelled,
        "fromMemory": use.kept,
        "input": use.input,
        "output": use.output,
        "cacheRead": use.cache_read,
        "cacheWrite": use.cache_write,
        "reasoning": use.reasoning,
        "costUsd": format(use.usd.normalize(), "f"),
        "unpriced": use.unpriced,
        "estimated": use.estimated,
    }


def _about(wish: Wish) -> JsonObject:
    return {"by": wish.by, "step": wish.step, "fromMs": wish.range.from_ms, "toMs": wish.range.to_ms}


def _first(wish: Wish) -> int:
    step = STEPS[wish.step]
    return wish.range.from_ms // step * step


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


ROUTES: Routes = {
    "usage": {"GET": tell_usage},
    "usage/speeds": {"GET": tell_speeds},
    "usage/errors": {"GET": tell_errors},
    "usage/export": {"GET": export},
}
