"""The keys of those who may call the gateway."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import Struct

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.config.gateway import Limits
from jackfield.errors import InvalidRequest
from jackfield.gateway.keys import create_key, list_keys, render_key, revoke_key
from jackfield.message import JsonObject


async def list_all_keys(desk: Desk, _: Asked) -> JsonObject:
    """List every key that was made; no secret is known."""
    keys = await desk.ask_ledger(list_keys)
    return {"keys": [render_key(key, desk.now_ms()) for key in keys]}


async def make_key(desk: Desk, asked: Asked) -> JsonObject:
    """Make a key: `{name, limits?, expiresMs?}`; its secret is in this answer and never again."""
    order = asked.as_struct(_Order)
    for name, value in msgspec.structs.asdict(order.limits).items():
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and value < 0:
            raise InvalidRequest(f"limits: {name} is below zero")
    now_ms = desk.now_ms()
    key, secret = await desk.ask_ledger(
        lambda database: create_key(database, order.name, order.limits, now_ms=now_ms, expires_ms=order.expires_ms)
    )
    return {**render_key(key, now_ms), "key": secret.reveal()}


async def end_key(desk: Desk, asked: Asked) -> JsonObject:
    """Revoke a key: `{name}`, its name or id."""
    named, now_ms = asked.as_struct(_Named).name, desk.now_ms()
    key = await desk.ask_ledger(lambda database: revoke_key(database, named, now_ms=now_ms))
    return render_key(key, now_ms)


class _Named(Struct, forbid_unknown_fields=True):
    name: str


class _Order(Struct, forbid_unknown_fields=True, rename="camel"):
    name: str
    limits: Limits = Limits()
    expires_ms: int | None = None


ROUTES: Routes = {"keys": {"GET": list_all_keys, "POST": make_key}, "keys/revoke": {"POST": end_key}}
