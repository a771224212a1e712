"""`usage`: what was asked, of whom, how much it took, how long; a table with bars, JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import get_args

import click

from jackfield.catalog.price import shown
from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.span import parse_span
from jackfield.errors import UsageError
from jackfield.ledger.report import By, Killed, Latency, Share
from jackfield.ledger.sums import DAY_MS
from jackfield.message import JsonObject

HEADER = ("Requests", "Errors", "Input", "Cached", "Output", "p50", "p95", "Cost", "")
EIGHTHS = " ▏▎▍▌▋▊▉█"
WIDTH = 20  # of the longest bar
COLUMNS = (
    "name", "attempts", "requests", "errors", "input", "output", "cacheRead", "cacheWrite", "reasoning", "costUsd",
    "unpriced", "estimated", "firstMsP50", "firstMsP95", "firstMsP99", "totalMsP50", "totalMsP95", "totalMsP99",
)  # fmt: skip


@click.command(short_help="Show what was asked, of whom, and what it cost.")
@click.option(
    "--by", type=click.Choice(get_args(By)), default="model", show_default=True, help="What a line stands for."
)
@click.option("--since", metavar="SPAN", default="7d", show_default=True, help="How far back: 12h, 7d, 4w, or all.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@pass_context
def usage(context: Context, by: By, since: str, as_csv: bool, as_json: bool) -> None:
    """Show what was asked, through the gateway and by commands, by whom, what it took and how long.

    Tokens are in disjoint buckets; Cached is what was read from a cache. Times are of good answers.
    Bars compare cost, or requests where nothing has a price. Days are UTC's.
    """
    from jackfield.ledger.database import read_database
    from jackfield.ledger.export import render_csv
    from jackfield.ledger.place import find_url
    from jackfield.ledger.report import load_killed, load_shares
    from jackfield.ledger.writer import GONE_AFTER_S

    if as_csv and as_json:
        raise UsageError("choose either --json or --csv, not both")
    now_ms = context.now_ms()
    since_ms = 0 if since == "all" else max(0, now_ms - parse_span(since))
    database = read_database(find_url(context.config))
    try:
        shares = load_shares(database, by, since_ms, with_first=as_json or as_csv)
        killed = load_killed(database, since_ms, now_ms - GONE_AFTER_S * 1000)
    finally:
        database.close()
    if as_json:
        ui.as_json(
            {
                "ok": True,
                "by": by,
                "sinceMs": since_ms,
                "rows": [_render(each, by) for each in shares],
                "missing": _missing(killed),
            }
        )
    elif as_csv:
        ui.out(render_csv(COLUMNS, (_render(each, by) for each in shares)), end="")
    elif shares:
        ui.table((by.capitalize(), *HEADER), _rows(shares, by))
    else:
        ui.note(f"nothing was asked{'' if since == 'all' else f' within {since}'}")
    if not as_json:
        _tell(shares, killed)


# -- the table ---------------------------------------------------------------------


def _rows(shares: Sequence[Share], by: By) -> Iterator[Sequence[str]]:
    weights = [share.usd for share in shares]
    if not any(weights):
        weights = [Decimal(share.attempts) for share in shares]
    for share, weight in zip(shares, weights, strict=True):
        cost = f"{'~' if share.estimated else ''}{shown(share.usd)}{' +?' if share.unpriced else ''}"
        yield (
            _name(share, by) or "-",
            f"{share.requests:,}",
            f"{share.errors:,}",
            f"{share.input + share.cache_write:,}",
            f"{share.cache_read:,}",
            f"{share.output:,}",
            _time(share.total.p50),
            _time(share.total.p95),
            cost,
            draw_bar(weight / max(weights)),
        )


def draw_bar(share: Decimal) -> str:
    """Return a bar as long as a share of the longest one; what is not nothing is seen."""
    eighths = round(share * WIDTH * 8) or int(share > 0)
    return EIGHTHS[8] * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _time(ms: int | None) -> str:
    return "-" if ms is None else f"{ms} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def _name(share: Share, by: By) -> str:
    if by != "day":
        return share.name
    from datetime import UTC, datetime

    return datetime.fromtimestamp(int(share.name) * DAY_MS / 1000, UTC).date().isoformat()


def _tell(shares: Sequence[Share], killed: Sequence[Killed]) -> None:
    if any(share.unpriced for share in shares):
        ui.note("+?: of some answers the price is unknown")
    if any(share.estimated for share in shares):
        ui.note("~: some tokens were counted by Jackfield, where the provider did not")
    for each in killed:
        ui.warn(_loss(each))


# -- for programs ------------------------------------------------------------------


def _render(share: Share, by: By) -> JsonObject:
    return {
        "name": _name(share, by),
        "attempts": share.attempts,
        "requests": share.requests,
        "errors": share.errors,
        "input": share.input,
        "output": share.output,
        "cacheRead": share.cache_read,
        "cacheWrite": share.cache_write,
        "reasoning": share.reasoning,
        "costUsd": format(share.usd.normalize(), "f"),
        "unpriced": share.unpriced,
        "estimated": share.estimated,
        **_times("firstMs", share.first),
        **_times("totalMs", share.total),
    }


def _times(name: str, latency: Latency) -> JsonObject:
    return {f"{name}P50": latency.p50, f"{name}P95": latency.p95, f"{name}P99": latency.p99}


def _missing(killed: Sequence[Killed]) -> list[JsonObject]:
    return [
        {"pid": each.pid, "seenMs": each.seen_ms, "dropped": each.dropped, "message": _loss(each)} for each in killed
    ]


def _loss(killed: Killed) -> str:
    if killed.dropped:
        return f"process {killed.pid} let {ui.count(killed.dropped, 'row')} go while the database was away"
    from datetime import UTC, datetime

    seen = datetime.fromtimestamp(killed.seen_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"process {killed.pid} was killed: its rows later than {seen} UTC may be missing"
