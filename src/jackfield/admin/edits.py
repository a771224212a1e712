"""Changing the config for the page: by one who has seen it as it is, and so that running calls go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

from jackfield.admin.desk import Desk
from jackfield.admin.seen import Look, look_at, tell_change
from jackfield.config.save import Edit, EditResult, Edits, edit_config, replace_texts
from jackfield.config.writer import WRITER
from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject

MakeTexts = Callable[[Look], Mapping[Path, str]]


class Conflict(InvalidRequest):
    """The config is not the one that the page has seen; `.diff` says what has changed since, without secrets."""

    def __init__(self, found: str, diff: str = "") -> None:
        super().__init__(
            "the config was changed by somebody else in the meantime; nothing was written",
            hint="look at it as it is now, then say again what you want",
        )
        self.hash = found
        self.diff = diff


async def edit(desk: Desk, edits: Edits, if_match: str) -> JsonObject:
    """Change the config by edits, all or none, and let new requests use it; return its hash, the masked diff, the warnings.

    Comments stay. Raises `Conflict` when `if_match` is not the hash of what is on disk, `InvalidRequest` without
    one, and what `edit_config` raises; nothing is changed then.
    """

    def make(authored: JsonObject) -> list[Edit]:
        # Under the lock: nobody comes between this look and the writing.
        require_match(desk, if_match)
        return list(edits(authored) if callable(edits) else edits)

    config = desk.config
    return await _change(
        desk, lambda: edit_config(config.paths, make, environ=config.environ, keeps_comments=True), if_match
    )


async def write_texts(desk: Desk, make: MakeTexts, if_match: str) -> JsonObject:
    """Write whole texts, made from the config as it is, all or none; return and raise as `edit` does."""

    def make_matching(_: Mapping[Path, str]) -> Mapping[Path, str]:
        return make(require_match(desk, if_match))

    config = desk.config
    return await _change(desk, lambda: replace_texts(config.paths, make_matching, environ=config.environ), if_match)


def require_match(desk: Desk, if_match: str) -> Look:
    """Return the config as it is; raise `Conflict` unless it is the one of a hash."""
    now = look_at(desk)
    if now.hash != if_match:
        raise Conflict(now.hash, tell_change(desk, if_match, now))
    return now


async def _change(desk: Desk, change: Callable[[], EditResult], if_match: str) -> JsonObject:
    if not if_match:
        raise InvalidRequest("which config this is a change of was not said", hint="send its hash as If-Match")

    def run() -> EditResult:
        WRITER.set(lambda: "page")
        return change()

    result = await asyncio.to_thread(run)
    if result.files:
        await desk.reload()
    now = await asyncio.to_thread(look_at, desk)
    return {
        "hash": now.hash,
        # Comments may hold keys too: what is shown is made of what was shown.
        "diff": tell_change(desk, if_match, now) if result.files else "",
        "warnings": list(result.warnings),
        "trouble": desk.gateway.trouble,
        "changed": bool(result.files),
    }
