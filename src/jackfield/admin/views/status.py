"""How the gateway is: what runs, where, since when; and telling it to read its config again."""

from __future__ import annotations

import asyncio
import os

from jackfield import __version__
from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.admin.seen import look_at
from jackfield.config.schema import InvalidConfig
from jackfield.message import JsonObject


async def tell_status(desk: Desk, _: Asked) -> JsonObject:
    """Say what runs, where, since when and how it is."""
    gateway = desk.gateway
    try:
        config_hash = (await asyncio.to_thread(look_at, desk)).hash
    except InvalidConfig:
        config_hash = ""  # it is no text; `configTrouble` says what it is
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


async def reload(desk: Desk, _: Asked) -> JsonObject:
    """Read the config again, in every worker; says what is wrong with it."""
    return {"ok": await desk.reload(), "trouble": desk.gateway.trouble, "told": desk.workers}


ROUTES: Routes = {"status": {"GET": tell_status}, "reload": {"POST": reload}}
