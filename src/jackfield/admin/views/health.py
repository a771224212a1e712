"""What failed and rests, what is left of quotas and of budgets; and ending a rest."""

from __future__ import annotations

import asyncio

from msgspec import Struct

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.message import JsonObject
from jackfield.setup.budgets import load_budgets, render_account
from jackfield.setup.rests import RestRow, end_rests, list_rests, name_credential, render_quotas, render_rest


async def tell_health(desk: Desk, _: Asked) -> JsonObject:
    """Say what failed and rests, and what is left of quotas; `nowMs` is the gateway's clock."""
    health, now_ms = desk.client.health, desk.now_ms()
    rests = await asyncio.to_thread(list_rests, health, desk)
    quotas = sorted(health.view().every_quota, key=lambda quota: (quota.provider, quota.credential, quota.name))
    told = render_quotas(quotas, now_ms, desk.config.spill_at)
    return {
        "nowMs": now_ms,
        "rests": [render_rest(row) for row in rests],
        "quotas": [{**each, "credential": name_credential(each["credential"])} for each in told],
        "problems": [*health.problems],
    }


async def reset_health(desk: Desk, asked: Asked) -> JsonObject:
    """End rests: of the place that is named, or all; what is left out of a place means all of it."""
    place = asked.as_struct(_Place)
    ended = await asyncio.to_thread(end_rests, desk.client.health, desk, place.covers)
    return {"ended": ended}


async def tell_budgets(desk: Desk, _: Asked) -> JsonObject:
    """Say what today and its sessions have cost of the user's limits."""
    config = desk.config
    rows = await asyncio.to_thread(load_budgets, config.paths.home, config.budget, desk.now_ms)
    is_set = config.budget.per_day is not None or config.budget.per_session is not None
    return {"isSet": is_set, "rows": [{"name": row.name, **render_account(row)} for row in rows] if is_set else []}


class _Place(Struct, frozen=True, forbid_unknown_fields=True):
    provider: str | None = None
    credential: str | None = None  # as the list names it
    model: str | None = None

    def covers(self, row: RestRow) -> bool:
        pairs = (self.provider, row.provider), (self.credential, row.credential), (self.model, row.model)
        return all(not mine or mine == its for mine, its in pairs)


ROUTES: Routes = {
    "health": {"GET": tell_health},
    "health/reset": {"POST": reset_health},
    "budgets": {"GET": tell_budgets},
}
