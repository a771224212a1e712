"""The models there are, and which of them are asked, named and allowed."""

from __future__ import annotations

import asyncio
from typing import Literal

from msgspec import Struct

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.desk import Desk
from jackfield.admin.edits import edit
from jackfield.admin.models import KINDS, describe, list_models, list_used, name_of
from jackfield.config.save import Edits
from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject
from jackfield.setup import allow, choose
from jackfield.setup.refreshed import render_refreshed
from jackfield.setup.rows import Listing

MOST_COMPARED = 8
Kind = Literal["text", "image"]


async def tell_models(desk: Desk, asked: Asked) -> JsonObject:
    """List the models of the providers that can be asked, or with `?all=1` every one."""
    return await asyncio.to_thread(list_models, desk, everything=asked.query.get("all") == "1")


async def tell_details(desk: Desk, asked: Asked) -> JsonObject:
    """Say all that is known of some models: `{refs}`."""
    refs = asked.as_struct(_Refs).refs
    if len(refs) > MOST_COMPARED:
        raise InvalidRequest(f"at most {MOST_COMPARED} models at once")
    return {"models": await asyncio.to_thread(describe, desk, refs)}


async def choose_default(desk: Desk, asked: Asked) -> JsonObject:
    """Choose the default model, `{ref, kind?}`; its fallbacks stay."""
    order = asked.as_struct(_Choice)
    ref, doubt = await asyncio.to_thread(choose.resolve_name, order.ref, desk.config, desk.catalog)
    return await _edit(desk, choose.choose(KINDS[order.kind], ref), asked, doubt)


async def change_fallbacks(desk: Desk, asked: Asked) -> JsonObject:
    """Add or remove one fallback, `{do, ref, kind?}`, reorder them, `{do: "order", refs}`, or take all away, `{do: "clear"}`."""
    order = asked.as_struct(_Fallbacks)
    key, doubt = KINDS[order.kind], ""
    match order.do:
        case "add":
            ref, doubt = await asyncio.to_thread(choose.resolve_name, order.ref, desk.config, desk.catalog)
            edits = choose.add_fallback(key, ref)
        case "remove":
            edits = choose.drop_fallback(key, order.ref)
        case "order":
            edits = choose.order_fallbacks(key, order.refs)
        case _:
            edits = choose.clear_fallbacks(key)
    return await _edit(desk, edits, asked, doubt)


async def change_aliases(desk: Desk, asked: Asked) -> JsonObject:
    """Let a short name stand for a model, `{do: "add", alias, ref}`, or take it away, `{do: "remove", alias}`."""
    order = asked.as_struct(_Alias)
    if order.do == "remove":
        if order.alias.lower() not in desk.config.aliases:
            raise InvalidRequest(f"there is no alias {order.alias}")
        return await _edit(desk, choose.drop_alias(order.alias), asked)
    choose.require_alias(order.alias)
    ref, doubt = await asyncio.to_thread(choose.resolve_name, order.ref, desk.config, desk.catalog)
    is_free = choose.is_free(order.alias, ref, desk.config)
    return await _edit(desk, choose.add_alias(order.alias, ref) if is_free else [], asked, doubt)


async def change_allowed(desk: Desk, asked: Asked) -> JsonObject:
    """Switch the allowlist, `{do: "on" | "off"}`, or put one model on it or off it, `{do: "add" | "remove", ref}`."""
    order = asked.as_struct(_Allow)
    if order.do == "off":
        return await _edit(desk, allow.switch_off, asked)
    if order.do == "add":
        return await _edit(desk, allow.allow(order.ref, lambda text: name_of(desk, text)), asked)
    used = await asyncio.to_thread(lambda: list_used(desk.config, Listing(desk)))
    if order.do == "on":
        return await _edit(desk, allow.switch_on(used), asked)
    return await _edit(desk, allow.forbid(order.ref, used, lambda text: name_of(desk, text)), asked)


async def refresh(desk: Desk, asked: Asked) -> JsonObject:
    """Ask providers for their lists, `{providers?}`; a list that cannot be had leaves the last one as it is."""
    results = await desk.client.refresh_models(asked.as_struct(_Providers).providers)
    return {"providers": [render_refreshed(each) for each in results]}


async def _edit(desk: Desk, edits: Edits, asked: Asked, doubt: str = "") -> JsonObject:
    said = await edit(desk, edits, asked.if_match)
    return {**said, "warnings": [*said["warnings"], *([doubt] if doubt else [])]}


class _Refs(Struct, frozen=True, forbid_unknown_fields=True):
    refs: tuple[str, ...]


class _Providers(Struct, frozen=True, forbid_unknown_fields=True):
    providers: tuple[str, ...] = ()


class _Choice(Struct, frozen=True, forbid_unknown_fields=True):
    ref: str
    kind: Kind = "text"


class _Fallbacks(Struct, frozen=True, forbid_unknown_fields=True):
    do: Literal["add", "remove", "order", "clear"]
    ref: str = ""
    refs: tuple[str, ...] = ()
    kind: Kind = "text"


class _Alias(Struct, frozen=True, forbid_unknown_fields=True):
    do: Literal["add", "remove"]
    alias: str
    ref: str = ""


class _Allow(Struct, frozen=True, forbid_unknown_fields=True):
    do: Literal["on", "off", "add", "remove"]
    ref: str = ""


ROUTES: Routes = {
    "models": {"GET": tell_models},
    "models/details": {"POST": tell_details},
    "models/default": {"POST": choose_default},
    "models/fallbacks": {"POST": change_fallbacks},
    "models/aliases": {"POST": change_aliases},
    "models/allow": {"POST": change_allowed},
    "models/refresh": {"POST": refresh},
}
