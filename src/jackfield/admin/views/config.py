"""The config as it may be shown: its text, what is wrong with it, its changes, and how to take them back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.admin.edits import write_texts
from jackfield.admin.seen import Look, known_secrets, look_at, render_changes, veil_files
from jackfield.admin.texts import Text, make_draft, require_sound
from jackfield.config.history import find_change, load_changes, render_entry, texts_before
from jackfield.config.mask import mask_plain
from jackfield.config.merge import merge_texts
from jackfield.config.save import render_diff
from jackfield.config.source import load_tree, real_path
from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject
from jackfield.setup.undo import make_undo, warn_of_undo


async def tell_config(desk: Desk, _: Asked) -> JsonObject:
    """Show the config on disk without its secrets, and its hash."""
    config = desk.config
    now = await asyncio.to_thread(look_at, desk)
    root = (await asyncio.to_thread(load_tree, config.paths.config, config.environ))[0]
    return {"path": str(config.paths.config), "hash": now.hash, "config": mask_plain(root)}


# -- the text ----------------------------------------------------------------------


async def tell_text(desk: Desk, _: Asked) -> JsonObject:
    """Show the files' texts, each secret veiled, and what is wrong with them; also where they cannot be used."""
    return await asyncio.to_thread(_tell_text, desk)


def _tell_text(desk: Desk) -> JsonObject:
    now = look_at(desk)
    draft = make_draft(desk, now, tuple(Text(path, text) for path, text in now.shown.items()))
    return {
        **_files(desk, now),
        "issues": [asdict(issue) for issue in draft.issues],
        "warnings": list(draft.warnings),
    }


def _files(desk: Desk, now: Look) -> JsonObject:
    files = [{"path": path, "name": Path(path).name, "text": text} for path, text in now.shown.items()]
    return {"hash": now.hash, "path": str(desk.config.paths.config), "files": files}


async def check_text(desk: Desk, asked: Asked) -> JsonObject:
    """Check edited texts, `{files: [{path, text}]}`, and show what saving them would change."""
    return await asyncio.to_thread(_check_text, desk, asked.as_struct(_Edited).files)


def _check_text(desk: Desk, files: tuple[Text, ...]) -> JsonObject:
    now = look_at(desk)
    draft = make_draft(desk, now, files)
    return {
        "hash": now.hash,
        "issues": [asdict(issue) for issue in draft.issues],
        "warnings": list(draft.warnings),
        "diff": render_changes(now.shown, draft.shown),
    }


async def save_text(desk: Desk, asked: Asked) -> JsonObject:
    """Save edited texts, `{files: [{path, text}]}`; one that could not be loaded is refused with its lines."""
    files = asked.as_struct(_Edited).files
    return await write_texts(desk, lambda now: require_sound(make_draft(desk, now, files)).texts, asked.if_match)


async def merge_text(desk: Desk, asked: Asked) -> JsonObject:
    """Put an edited text, `{path, base, mine}`, on top of the files as they are now, and show what has become of the base."""
    order = asked.as_struct(_Both)
    now = await asyncio.to_thread(look_at, desk)
    if order.path not in now.shown:
        raise InvalidRequest(f"{order.path} is no file of the config any more", hint="look at the files as they are")
    theirs = now.shown[order.path]
    merged = await asyncio.to_thread(merge_texts, order.base, order.mine, theirs)
    diff = render_diff(order.path, order.base, theirs)
    return {**_files(desk, now), "text": merged.text, "overlaps": list(merged.overlaps), "diff": diff}


# -- what it was -------------------------------------------------------------------


async def list_history(desk: Desk, _: Asked) -> JsonObject:
    """List the changes that can be undone, the last one first."""
    changes = await asyncio.to_thread(load_changes, desk.config.paths)
    return {"changes": [render_entry(change) for change in changes]}


async def tell_change(desk: Desk, asked: Asked) -> JsonObject:
    """Show a change, `?number=N`, and what undoing it would change now."""
    return await asyncio.to_thread(_tell_change, desk, _parse_number(asked.query.get("number", "")))


def _tell_change(desk: Desk, number: int) -> JsonObject:
    paths = desk.config.paths
    change, now = find_change(paths, number), look_at(desk)
    after = {**now.shown, **_shown(desk, texts_before(paths, number))}
    warnings = warn_of_undo(desk, number)
    return {**render_entry(change), "hash": now.hash, "undo": render_changes(now.shown, after), "warnings": warnings}


async def undo(desk: Desk, asked: Asked) -> JsonObject:
    """Put back what the config was before a change, `{number}`, as a change of its own."""
    number = asked.as_struct(_Numbered).number
    config = desk.config
    warnings = await asyncio.to_thread(warn_of_undo, desk, number)
    said = await write_texts(desk, lambda _: make_undo(config.paths, config.environ, number), asked.if_match)
    return {**said, "warnings": [*said["warnings"], *warnings]}


def _shown(desk: Desk, texts: dict[Path, str]) -> dict[str, str]:
    # The config is shown by the name it is given, an included file by its own.
    path = desk.config.paths.config
    by_name = {str(path if file == real_path(path) else file): text for file, text in texts.items()}
    return {name: veil.shown for name, veil in veil_files(desk.config, by_name, known_secrets(desk)).items()}


def _parse_number(text: str) -> int:
    if not text.isdecimal():
        raise InvalidRequest("which change is not said", hint="?number=N, as config/history lists it")
    return int(text)


class _Edited(Struct, frozen=True, forbid_unknown_fields=True):
    files: tuple[Text, ...]


class _Both(Struct, frozen=True, forbid_unknown_fields=True):
    path: str
    base: str
    mine: str


class _Numbered(Struct, frozen=True, forbid_unknown_fields=True):
    number: int


ROUTES: Routes = {
    "config": {"GET": tell_config},
    "config/text": {"GET": tell_text, "POST": save_text},
    "config/check": {"POST": check_text},
    "config/merge": {"POST": merge_text},
    "config/history": {"GET": list_history},
    "config/change": {"GET": tell_change},
    "config/undo": {"POST": undo},
}
LIMITS = {"config/text": 20 << 20, "config/check": 20 << 20, "config/merge": 40 << 20}
