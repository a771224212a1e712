"""The keys of those who may call the gateway: what each may do, what it has used of that; made, changed, ended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from msgspec import Struct

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.catalog.price import trim
from jackfield.config.gateway import Limits
from jackfield.config.schema import Config
from jackfield.errors import InvalidRequest
from jackfield.gateway.access import OWNER
from jackfield.gateway.keys import Key, change_key, create_key, list_keys, render_key, revoke_key
from jackfield.ledger.database import Database
from jackfield.ledger.sums import DAY_MS
from jackfield.ledger.usage import Spent, load_spent
from jackfield.message import JsonObject

CONFIG = "config"  # where keys come from that are not made here, and so not changed here


async def list_all_keys(desk: Desk, _: Asked) -> JsonObject:
    """List every key, those of the config and the owner's too, with what it has used; no secret is known."""
    now_ms = desk.now_ms()

    def load(database: Database) -> tuple[tuple[Key, ...], dict[str, Spent]]:
        return list_keys(database), load_spent(database, now_ms // DAY_MS * DAY_MS, _month(now_ms))

    made, spent = await desk.ask_ledger(load)
    told = [(key, "") for key in made] + [(key, CONFIG) for key in _configured(desk.config)]
    return {"nowMs": now_ms, "keys": [{**_render(key, now_ms, spent.get(key.id, Spent())), "from": at} for key, at in told]}  # fmt: skip


async def make_key(desk: Desk, asked: Asked) -> JsonObject:
    """Make a key: `{name, limits?, expiresMs?}`; its secret is in this answer and never again."""
    order, now_ms = _read(desk, asked), desk.now_ms()
    key, secret = await desk.ask_ledger(
        lambda database: create_key(database, order.name, order.limits, now_ms=now_ms, expires_ms=order.expires_ms)
    )
    return {**render_key(key, now_ms), "key": secret.reveal()}


async def alter_key(desk: Desk, asked: Asked) -> JsonObject:
    """Give a key other limits: `{name, limits, expiresMs?}`; those that are left out it has no more."""
    order = _read(desk, asked)
    key = await desk.ask_ledger(
        lambda database: change_key(database, order.name, order.limits, expires_ms=order.expires_ms)
    )
    return render_key(key, desk.now_ms())


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


def _read(desk: Desk, asked: Asked) -> _Order:
    order = asked.as_struct(_Order)
    for name, value in msgspec.structs.asdict(order.limits).items():
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and value < 0:
            raise InvalidRequest(f"limits: {name} is below zero")
        if isinstance(value, Decimal) and not value.is_finite():
            raise InvalidRequest(f"limits: {name} is no amount")
    if order.expires_ms is not None and order.expires_ms <= desk.now_ms():
        raise InvalidRequest("the key would have expired already", hint="choose a later day, or none")
    return order


def _configured(config: Config) -> Iterator[Key]:
    yield Key(id=OWNER, name=OWNER, digest="", limits=config.callers.limits)
    for name, given in config.callers.keys.items():
        yield Key(id=f"config:{name}", name=name, digest="", limits=given.limits)


def _render(key: Key, now_ms: int, spent: Spent) -> JsonObject:
    return {
        **render_key(key, now_ms),
        "spentDayUsd": format(trim(spent.day_usd), "f"),
        "spentMonthUsd": format(trim(spent.month_usd), "f"),
        "requests": spent.requests,
        "lastMs": spent.last_ms,
    }


def _month(now_ms: int) -> int:
    """Return when the month began, in UTC, as the budgets' months do."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    return int(datetime(now.year, now.month, 1, tzinfo=UTC).timestamp()) * 1000


ROUTES: Routes = {
    "keys": {"GET": list_all_keys, "POST": make_key, "PUT": alter_key},
    "keys/revoke": {"POST": end_key},
}
