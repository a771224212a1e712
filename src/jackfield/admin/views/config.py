"""The config as it may be shown."""

from __future__ import annotations

import asyncio

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk, read_config
from jackfield.config.mask import mask_plain
from jackfield.message import JsonObject


async def tell_config(desk: Desk, _: Asked) -> JsonObject:
    """Show the config on disk without its secrets, and its hash."""
    root, digest = await asyncio.to_thread(read_config, desk.config)
    return {"path": str(desk.config.paths.config), "hash": digest, "config": mask_plain(root)}


ROUTES: Routes = {"config": {"GET": tell_config}}
