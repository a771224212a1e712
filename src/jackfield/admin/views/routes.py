"""The plan of a request that is made up or pasted, and what became of the latest ones."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.catalog.price import as_usd
from jackfield.errors import InvalidRequest
from jackfield.gateway.call import FALLBACKS, decode_body, parse_fallbacks
from jackfield.gateway.parts import BODY_LIMIT
from jackfield.gateway.plans import guess_wire, tell_plan
from jackfield.gateway.wires import COMPLETIONS, GEMINI, MESSAGES, RESPONSES, load_wire
from jackfield.ledger.calls import MOST, Wanted, is_mark, load_calls
from jackfield.ledger.row import Row
from jackfield.message import ChatRequest, JsonObject
from jackfield.setup.example import Example, make_example

WIRES = (COMPLETIONS, RESPONSES, MESSAGES, GEMINI)
USUAL = 50


async def tell_route(desk: Desk, asked: Asked) -> JsonObject:
    """Say what would be tried: `{model, fallbacks, session, holds}` or `{body, wire}`, a request as a program sends it."""
    order = asked.as_struct(_Order)
    request, fallbacks = _read_body(order) if order.body else (make_example(order.model, order.holds), ())
    request = replace(request, model=order.model or request.model)
    session = order.session or request.cache_key or request.user or ""
    told = tell_plan(desk.client, request, fallbacks=order.fallbacks or fallbacks, session=session)
    return {**told, "session": session, "nowMs": desk.now_ms()}


def _read_body(order: _Order) -> tuple[ChatRequest, tuple[str, ...]]:
    body = decode_body(order.body.encode())
    fallbacks = parse_fallbacks(body.pop(FALLBACKS, None))
    wire = order.wire or guess_wire(body)
    if wire not in WIRES:
        raise InvalidRequest(f"{wire!r} is no protocol of callers", hint=f"one of {', '.join(WIRES)}")
    return load_wire(wire).parse_request(body), fallbacks


async def list_attempts(desk: Desk, asked: Asked) -> JsonObject:
    """List the latest calls with their tries: `?limit=&before=&outcome=&model=&key=`."""
    query = asked.query
    limit, before = query.get("limit", str(USUAL)), query.get("before", "")
    if not limit.isdecimal() or not 0 < int(limit) <= MOST:
        raise InvalidRequest(f"limit is 1 to {MOST}")
    if before and not is_mark(before):
        raise InvalidRequest(f"before: {before[:40]!r} is no mark of an earlier list", hint="leave it out")
    wanted = Wanted(
        outcome=query.get("outcome", ""), model=query.get("model", ""), key=query.get("key", ""), before=before
    )
    page = await desk.ask_ledger(lambda database: load_calls(database, wanted, int(limit)))
    return {"nowMs": desk.now_ms(), "calls": [_call(rows) for rows in page.calls], "before": page.mark or None}


def _call(rows: tuple[Row, ...]) -> JsonObject:
    first, last = rows[0], rows[-1]
    prices = [row.cost_nanos for row in rows if row.cost_nanos is not None]
    return {
        "id": first.id,
        "request": first.request,
        "atMs": first.at_ms,
        "endMs": max(row.at_ms + (row.total_ms or 0) for row in rows),
        "key": first.key_name or first.key_id,
        "requested": first.requested,
        "served": last.served,
        "outcome": last.outcome,
        "streamed": first.streamed,
        "costUsd": format(as_usd(sum(prices)), "f") if prices else None,
        "attempts": [_attempt(row) for row in rows],
    }


def _attempt(row: Row) -> JsonObject:
    """Return every column of a try, under its name in JSON."""
    said: dict[str, Any] = {_camel(name): value for name, value in msgspec.structs.asdict(row).items()}
    nanos = said.pop("costNanos")
    said |= {"streamed": bool(row.streamed), "estimated": bool(row.estimated)}
    return {**said, "costUsd": None if nanos is None else format(as_usd(nanos), "f")}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


class _Order(Struct, forbid_unknown_fields=True):
    model: str = ""
    fallbacks: tuple[str, ...] = ()
    session: str = ""
    holds: Example = Example()
    body: str = ""  # as text: what is wrong with it is told as to a program
    wire: str = ""


ROUTES: Routes = {"routes/plan": {"POST": tell_route}, "attempts": {"GET": list_attempts}}
LIMITS = {"routes/plan": BODY_LIMIT}
