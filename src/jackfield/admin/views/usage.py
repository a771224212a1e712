"""What was spent, on what and by whom."""

from __future__ import annotations

from typing import cast, get_args

import msgspec

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.errors import InvalidRequest
from jackfield.ledger.report import By, load_shares
from jackfield.message import JsonObject

DAY_MS = 86_400_000
MOST_DAYS = 3660


async def tell_usage(desk: Desk, asked: Asked) -> JsonObject:
    """Sum the ledger: `?by=model|provider|key|day&days=N`."""
    by, days = asked.query.get("by", "model"), asked.query.get("days", "30")
    if by not in get_args(By) or not days.isdecimal() or not 0 < int(days) <= MOST_DAYS:
        raise InvalidRequest(f"by is one of {', '.join(get_args(By))}; days are 1 to {MOST_DAYS}")
    since_ms = desk.now_ms() - int(days) * DAY_MS
    shares = await desk.ask_ledger(lambda database: load_shares(database, cast("By", by), since_ms))
    return {"by": by, "sinceMs": since_ms, "rows": [msgspec.to_builtins(share) for share in shares]}


ROUTES: Routes = {"usage": {"GET": tell_usage}}
