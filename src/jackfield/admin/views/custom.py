"""Servers of the user's own: where a URL leads, what it lists, whether it answers, and then the entry in the config.

Nothing is written before it is saved. A typed key goes to the typed address and nowhere else; what is
stored for another host stays at home.
"""

from __future__ import annotations

import asyncio

from msgspec import UNSET, Struct

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.bound import find_bound, require_known
from jackfield.admin.card import is_custom, tests_of
from jackfield.admin.desk import Desk
from jackfield.admin.edits import edit
from jackfield.admin.form import (
    carry_test,
    drafted,
    edits_of,
    find_auth,
    find_drafted,
    find_store,
    read_form,
    remember_test,
    say_withheld,
)
from jackfield.admin.providers import find_entry, keep, render_probe
from jackfield.auth.sources import Source, sources
from jackfield.config.save import Unset
from jackfield.errors import AuthError, ConfigError, Error, InvalidRequest, TimeoutExpired
from jackfield.message import JsonObject
from jackfield.model import Api, Cost, Model
from jackfield.providers.refresh import ask_list
from jackfield.providers.url import chat_url, models_url, other_url
from jackfield.setup.custom import Server
from jackfield.setup.probe import Limits, Probed, Way, probe
from jackfield.setup.profile import make_profile
from jackfield.transport.http import Transport
from jackfield.transport.request import shown_url

PATIENCE_S = 10.0
THE_FORM = "the form"
ANY_MODEL = "MODEL"


async def tell_server(desk: Desk, asked: Asked) -> JsonObject:
    """Show what the config says of one: `?provider=ID`; no key is in it."""
    provider_id = asked.query.get("provider", "")
    entry = desk.config.providers.get(provider_id)
    if entry is None:
        raise InvalidRequest(f"the config has no provider {provider_id!r}", hint="look again: it may have been removed")
    return {
        "id": entry.id,
        "name": entry.name or "",
        "api": entry.api or "openai-completions",
        "baseUrl": shown_url(entry.endpoint or entry.base_url or ""),
        "models": [_render_row(row) for row in entry.models],
        "hasKey": find_bound(desk, Server(base_url=entry.base_url or "", model="", id=entry.id)).has_key,
    }


async def tell_url(_: Desk, asked: Asked) -> JsonObject:
    """Say where requests would go: `{baseUrl, api?, model?}`."""
    order = asked.as_struct(_Address)
    if not order.base_url.strip():
        return {"url": "", "models": ""}
    try:
        url = chat_url(order.base_url, order.api, model=order.model.strip() or ANY_MODEL)
        listed = models_url(order.base_url, order.api)
        other = other_url(order.base_url, order.api)
    except Error as error:
        return {"url": "", "models": "", "error": _render_error(error)}
    return {"url": shown_url(url), "models": shown_url(listed or ""), "other": shown_url(other or "")}


async def list_models(desk: Desk, asked: Asked) -> JsonObject:
    """Ask a server for its models: a form with `key`. What goes wrong is part of the answer: an id can be typed."""
    form = read_form(desk, asked, model=ANY_MODEL)
    bound = find_bound(desk, form.server)
    config = drafted(desk, form, bound)
    info = find_drafted(config, form.server)
    try:
        auth = find_auth(desk, form, bound, config, info)
        async with asyncio.timeout(PATIENCE_S), Transport(environ=config.environ, offline=desk.offline) as sender:
            rows = await ask_list(sender, info, auth)
    except TimeoutError:
        return {"models": [], "error": _render_error(TimeoutExpired(f"no list of models within {PATIENCE_S:g} s"))}
    except Error as error:
        return {"models": [], "error": _render_error(error), **say_withheld(form, bound)}
    return {"models": [_render_row(row) for row in rows], **say_withheld(form, bound)}


async def try_server(desk: Desk, asked: Asked) -> JsonObject:
    """Ask a server's model one tiny question, as it would be asked once the form is saved; nothing is written."""
    form = read_form(desk, asked)
    bound = find_bound(desk, form.server)
    config = drafted(desk, form, bound)
    info, store = find_drafted(config, form.server), find_store(desk, form, bound)
    found = [each for each in sources(info, config, store, desk.now_ms()) if not each.reason]
    if not found:
        missing = Probed(
            provider=info.id, source=Source(kind="none", label="none"), model=None, status="auth", type="missing_key",
            error="no key was typed, and a server elsewhere is not asked without one", hint="type the key",
        )  # fmt: skip
        return {"result": render_probe(missing, desk.now_ms()), **say_withheld(form, bound)}
    target = Probed(provider=info.id, source=found[0], model=f"{info.id}/{form.server.model}")
    [done] = await probe(Way(config=config, store=store, offline=desk.offline), [target], _LIMITS)
    result = render_probe(done, desk.now_ms())
    remember_test(desk, form, result)
    return {"result": result, **say_withheld(form, bound)}


async def save(desk: Desk, asked: Asked) -> JsonObject:
    """Write a server into the config, and its key into the credential store: a form with `key`, `needsNoKey`, `isNew`."""
    form = read_form(desk, asked)
    server, bound = form.server, find_bound(desk, form.server)
    if form.is_new and server.id in desk.config.providers:
        raise InvalidRequest(
            f"the config has a provider {server.id!r} already", hint="edit that one, or choose another id"
        )
    require_known(bound, server, has_key=bool(form.key), needs_none=form.needs_no_key)
    order = desk.store.order(server.id)
    if bound.is_moved and bound.profiles:
        desk.store.set_order(server.id, ())  # from before the address is another one
    try:
        said = await edit(desk, lambda raw: edits_of(form, bound, raw), asked.if_match)
    except Error:
        if bound.is_moved and bound.profiles:
            desk.store.set_order(server.id, order)
        raise
    kept: JsonObject = {}
    info = desk.catalog.provider(server.id)
    if form.key and bound.written != "plain" and info:
        profile = make_profile(info, f"{server.id}:default", "api_key", form.key)
        kept = keep(desk, info, profile)
        if bound.is_moved and bound.profiles:
            desk.store.set_order(server.id, (profile.id,))
    tests_of(desk, server.id).clear()
    if info:
        carry_test(desk, form, info)
    warnings = [*said.get("warnings", ()), *kept.get("warnings", ())]
    return {**said, "id": server.id, "ref": f"{server.id}/{server.model}", "warnings": warnings}


async def remove(desk: Desk, asked: Asked) -> JsonObject:
    """Take a server out of the config: `{provider, keys?}`; with `keys`, its stored credentials too."""
    order = asked.as_struct(_Removal)
    if not is_custom(desk, order.provider):
        raise InvalidRequest(f"{order.provider!r} is not a provider of the config's own", hint="look again")
    profiles = find_bound(desk, Server(base_url="", model="", id=order.provider)).profiles
    said = await edit(desk, lambda raw: [Unset(find_entry(raw, order.provider))], asked.if_match)
    for profile_id in profiles if order.keys else ():
        desk.store.delete(profile_id)
    tests_of(desk, order.provider).clear()
    return {**said, "removed": order.provider, "profiles": list(profiles) if order.keys else []}


def _render_error(error: Error) -> JsonObject:
    # Its own hints speak of commands and config keys; here there is a form.
    hint = error.hint
    if isinstance(error, AuthError):
        hint = "check the key"
    elif isinstance(error, ConfigError):
        hint = "type the model's id"
    return {"type": error.type, "message": error.message, "hint": hint}


def _render_row(row: Model) -> JsonObject:
    cost = Cost() if row.cost is UNSET else row.cost
    said: JsonObject = {
        "id": row.id,
        "name": row.name or None,
        "contextWindow": row.context_window or None,
        "maxTokens": row.max_tokens or None,
        "images": None if row.input is UNSET else "image" in row.input,
        "computerUse": row.computer_use is True,
        "inputPrice": None if cost.input is None else str(cost.input),
        "outputPrice": None if cost.output is None else str(cost.output),
    }
    return {name: value for name, value in said.items() if value is not None}


class _Address(Struct, forbid_unknown_fields=True, rename="camel"):
    base_url: str
    api: Api = "openai-completions"
    model: str = ""


class _Removal(Struct, forbid_unknown_fields=True):
    provider: str
    keys: bool = False


_LIMITS = Limits(timeout_ms=int(PATIENCE_S * 1000))
ROUTES: Routes = {
    "custom": {"GET": tell_server, "POST": save},
    "custom/url": {"POST": tell_url},
    "custom/models": {"POST": list_models},
    "custom/test": {"POST": try_server},
    "custom/remove": {"POST": remove},
}
