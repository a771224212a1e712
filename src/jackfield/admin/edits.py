"""Changing the config for the page: by one who has seen it as it is, and so that running calls go on."""

from __future__ import annotations

import asyncio

from jackfield.admin.desk import Desk, read_config
from jackfield.config.save import Edit, Edits, edit_config
from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject


class Conflict(InvalidRequest):
    """The config is not the one that the page has seen."""

    def __init__(self, found: str) -> None:
        super().__init__(
            "the config was changed by somebody else in the meantime; nothing was written",
            hint="look at it as it is now, then say again what you want",
        )
        self.hash = found


async def edit(desk: Desk, edits: Edits, if_match: str) -> JsonObject:
    """Change the config by edits, all or none, and let new requests use it; return its hash, the masked diff, the warnings.

    Raises `Conflict` when `if_match` is not the hash of what is on disk, `InvalidRequest` without one, and what
    `edit_config` raises; nothing is changed then.
    """
    if not if_match:
        raise InvalidRequest("which config this is a change of was not said", hint="send its hash as If-Match")
    config = desk.config

    def make(authored: JsonObject) -> list[Edit]:
        # Under the lock: nobody comes between this look and the writing.
        found = read_config(config)[1]
        if found != if_match:
            raise Conflict(found)
        return list(edits(authored) if callable(edits) else edits)

    result = await asyncio.to_thread(edit_config, config.paths, make, environ=config.environ)
    if result.files:
        await desk.reload()
    digest = (await asyncio.to_thread(read_config, config))[1]
    return {"hash": digest, "diff": result.diff, "warnings": list(result.warnings)}
