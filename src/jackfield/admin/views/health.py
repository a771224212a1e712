"""What failed and rests, and what is left of quotas."""

from __future__ import annotations

import msgspec

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.health.record import Place
from jackfield.message import JsonObject


async def tell_health(desk: Desk, _: Asked) -> JsonObject:
    """Say what failed and rests, and what is left of quotas."""
    view = desk.client.health.view()
    return {
        "rests": [msgspec.to_builtins(rest) for rest in view.rests],
        "quotas": [msgspec.to_builtins(quota) for quota in view.every_quota],
    }


async def reset_health(desk: Desk, asked: Asked) -> JsonObject:
    """End rests: of a provider, a credential, a model, or all."""
    place = Asked({}, {"provider": "", **asked.body}).as_struct(Place)
    return {"ended": desk.client.health.reset(place if asked.body else None)}


ROUTES: Routes = {"health": {"GET": tell_health}, "health/reset": {"POST": reset_health}}
