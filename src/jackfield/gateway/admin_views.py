"""What whoever runs the gateway may see and do: values for JSON. Who asks was found out before."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar, cast, get_args

import msgspec
from msgspec import Struct

from jackfield import __version__
from jackfield.config.gateway import Limits
from jackfield.config.mask import mask_plain
from jackfield.config.schema import Config, InvalidConfig
from jackfield.config.source import load_tree
from jackfield.errors import InvalidRequest
from jackfield.gateway.gateway import Gateway
from jackfield.gateway.keys import create_key, list_keys, render_key, revoke_key
from jackfield.gateway.parts import Parts
from jackfield.health.record import Place
from jackfield.ledger.database import Database, open_database
from jackfield.ledger.place import find_url
from jackfield.ledger.report import By, load_shares
from jackfield.message import JsonObject

Asked = Mapping[str, str]  # what stands behind the `?`
Found = TypeVar("Found")
DAY_MS = 86_400_000
MOST_DAYS = 3660


class Desk(Struct, frozen=True, kw_only=True):
    """What views look at."""

    gateway: Gateway
    urls: tuple[str, ...]  # where it listens
    workers: int
    started_ms: int

    @property
    def parts(self) -> Parts:
        """The set-up that new requests get."""
        if self.gateway.parts is None:
            raise InvalidRequest("the gateway is ending")
        return self.gateway.parts

    @property
    def config(self) -> Config:
        """The config that holds."""
        return self.parts.client.config

    def now_ms(self) -> int:
        """Return the time in Unix milliseconds."""
        return self.gateway.clock.now_ms()

    async def ask_ledger(self, question: Callable[[Database], Found]) -> Found:
        """Ask the database, on a thread of its own; raise `DatabaseDown`."""
        url = find_url(self.config)

        def ask() -> Found:
            database = open_database(url)
            try:
                return question(database)
            finally:
                database.close()

        return await asyncio.to_thread(ask)


async def tell_status(desk: Desk, _: Asked, __: JsonObject) -> JsonObject:
    """Say what runs, where, since when and how it is."""
    gateway = desk.gateway
    try:
        config_hash = (await asyncio.to_thread(_read_config, desk.config))[1]
    except InvalidConfig:
        config_hash = ""  # it cannot be read; `configTrouble` says why
    return {
        "version": __version__,
        "pid": os.getpid(),
        "workers": desk.workers,
        "startedMs": desk.started_ms,
        "uptimeS": round((desk.now_ms() - desk.started_ms) / 1000),
        "listeners": desk.urls,
        "isDraining": gateway.is_draining,
        "openRequests": len(gateway.open),
        "ledger": desk.parts.ledger_state(),
        "configPath": str(desk.config.paths.config),
        "configHash": config_hash,
        "configTrouble": gateway.trouble,
    }


async def tell_config(desk: Desk, _: Asked, __: JsonObject) -> JsonObject:
    """Show the config on disk without its secrets, and its hash."""
    shown, digest = await asyncio.to_thread(_read_config, desk.config)
    return {"path": str(desk.config.paths.config), "hash": digest, "config": shown}


async def tell_health(desk: Desk, _: Asked, __: JsonObject) -> JsonObject:
    """Say what failed and rests, and what is left of quotas."""
    view = desk.parts.client.health.view()
    return {
        "rests": [msgspec.to_builtins(rest) for rest in view.rests],
        "quotas": [msgspec.to_builtins(quota) for quota in view.every_quota],
    }


async def reset_health(desk: Desk, _: Asked, body: JsonObject) -> JsonObject:
    """End rests: of a provider, a credential, a model, or all."""
    place = _convert({"provider": "", **body}, Place)
    return {"ended": desk.parts.client.health.reset(place if body else None)}


async def tell_usage(desk: Desk, asked: Asked, _: JsonObject) -> JsonObject:
    """Sum the ledger: `?by=model|provider|key|day&days=N`."""
    by, days = asked.get("by", "model"), asked.get("days", "30")
    if by not in get_args(By) or not days.isdecimal() or not 0 < int(days) <= MOST_DAYS:
        raise InvalidRequest(f"by is one of {', '.join(get_args(By))}; days are 1 to {MOST_DAYS}")
    since_ms = desk.now_ms() - int(days) * DAY_MS
    shares = await desk.ask_ledger(lambda database: load_shares(database, cast("By", by), since_ms))
    return {"by": by, "sinceMs": since_ms, "rows": [msgspec.to_builtins(share) for share in shares]}


async def list_all_keys(desk: Desk, _: Asked, __: JsonObject) -> JsonObject:
    """List every key that was made; no secret is known."""
    keys = await desk.ask_ledger(list_keys)
    return {"keys": [render_key(key, desk.now_ms()) for key in keys]}


async def make_key(desk: Desk, _: Asked, body: JsonObject) -> JsonObject:
    """Make a key: `{name, limits?, expiresMs?}`; its secret is in this answer and never again."""
    order = _convert(body, _Order)
    for name, value in msgspec.structs.asdict(order.limits).items():
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and value < 0:
            raise InvalidRequest(f"limits: {name} is below zero")
    now_ms = desk.now_ms()
    key, secret = await desk.ask_ledger(
        lambda database: create_key(database, order.name, order.limits, now_ms=now_ms, expires_ms=order.expires_ms)
    )
    return {**render_key(key, now_ms), "key": secret.reveal()}


async def end_key(desk: Desk, _: Asked, body: JsonObject) -> JsonObject:
    """Revoke a key: `{name}`, its name or id."""
    named, now_ms = _convert(body, _Named).name, desk.now_ms()
    key = await desk.ask_ledger(lambda database: revoke_key(database, named, now_ms=now_ms))
    return render_key(key, now_ms)


async def reload(desk: Desk, _: Asked, __: JsonObject) -> JsonObject:
    """Read the config again, in every worker; says what is wrong with it where this is the only one."""
    if desk.workers > 1 and hasattr(signal, "SIGHUP"):
        os.kill(os.getppid(), signal.SIGHUP)
        return {"ok": True, "told": desk.workers}
    return {"ok": await desk.gateway.try_reload(), "trouble": desk.gateway.trouble}


class _Named(Struct, forbid_unknown_fields=True):
    name: str


class _Order(Struct, forbid_unknown_fields=True, rename="camel"):
    name: str
    limits: Limits = Limits()
    expires_ms: int | None = None


def _convert(body: JsonObject, kind: type[Found]) -> Found:
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise InvalidRequest(str(error)) from error


def _read_config(config: Config) -> tuple[object, str]:
    """Return the config as it may be shown, and its hash, includes and all; raise `InvalidConfig`."""
    root, sources = load_tree(config.paths.config, config.environ)
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.text.encode())
    return mask_plain(root), digest.hexdigest()
