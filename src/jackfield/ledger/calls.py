"""The latest calls, each with its tries, out of the ledger's rows."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from jackfield.ledger.database import Database
from jackfield.ledger.row import COLUMNS, Row

MOST = 200  # calls at a time
ROWS_A_CALL = 4  # more are looked through where calls took more tries
SELECT = f"SELECT {', '.join(COLUMNS)} FROM attempts"  # noqa: S608  our own names
FAILED = "failed"  # any outcome but `ok` and `cancelled`


class Wanted(Struct, frozen=True, kw_only=True):
    """Which calls; what is empty does not matter. A call counts when one of its tries fits."""

    outcome: str = ""  # `ok`, `cancelled`, `failed`, or an error's type
    model: str = ""  # as asked for, or who was tried
    key: str = ""  # a name or an id
    before: str = ""  # the mark of an earlier answer


class Page(Struct, frozen=True):
    """Calls, the latest first, each with its tries in their order; `mark` leads to those before, empty: there are none."""

    calls: tuple[tuple[Row, ...], ...]
    mark: str = ""


def load_calls(database: Database, wanted: Wanted, limit: int) -> Page:
    """Return the latest calls that fit; a call with several fitting tries may come on two pages."""
    where, values = _conditions(wanted)
    most = limit * ROWS_A_CALL
    found = database.rows(
        f"SELECT request, at_ms, id FROM attempts WHERE {where} ORDER BY at_ms DESC, id DESC LIMIT {most + 1}",  # noqa: S608  our own words
        *values,
    )
    requests, mark = dict[str, None](), ""
    for count, (request, at_ms, row_id) in enumerate(found):
        if count == most or (len(requests) == limit and request not in requests):
            break
        requests[request], mark = None, f"{at_ms}-{row_id}"
    else:
        mark = ""
    return Page(_load(database, tuple(requests)), mark)


def is_mark(text: str) -> bool:
    """Tell whether a text is a mark of ours."""
    at_ms, _, row_id = text.partition("-")
    return at_ms.isdecimal() and len(at_ms) < 16 and row_id.isalnum()


def _conditions(wanted: Wanted) -> tuple[str, list[object]]:
    # Without any wish one row stands for each call.
    parts, values = [], list[object]()
    if wanted.outcome == FAILED:
        parts.append("outcome NOT IN ('ok', 'cancelled')")
    elif wanted.outcome:
        parts.append("outcome = ?")
        values.append(wanted.outcome)
    if wanted.model:
        parts.append("(served = ? OR requested = ?)")
        values += [wanted.model] * 2
    if wanted.key:
        parts.append("(key_name = ? OR key_id = ?)")
        values += [wanted.key] * 2
    parts = parts or ["attempt = 1"]
    if wanted.before:
        at_ms, _, row_id = wanted.before.partition("-")
        parts.append("(at_ms < ? OR (at_ms = ? AND id < ?))")
        values += [int(at_ms), int(at_ms), row_id]
    return " AND ".join(parts), values


def _load(database: Database, requests: Sequence[str]) -> tuple[tuple[Row, ...], ...]:
    if not requests:
        return ()
    marks = ", ".join("?" * len(requests))
    rows = database.rows(f"{SELECT} WHERE request IN ({marks}) ORDER BY at_ms, attempt", *requests)
    calls = list[list[Row]]()
    by_request = dict[str, list[list[Row]]]()
    for values in rows:
        row = Row(**dict(zip(COLUMNS, values, strict=True)))
        same = by_request.setdefault(row.request, [])
        # Two calls may bear one id: a caller may choose it.
        mine = next((call for call in same if call[-1].attempt < row.attempt), None) if row.attempt > 1 else None
        if mine is None:
            mine = list[Row]()
            same.append(mine)
            calls.append(mine)
        mine.append(row)
    return tuple(sorted(map(tuple, calls), key=lambda call: (-call[0].at_ms, call[0].id)))
