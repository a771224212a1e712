"""Providers: which there are, how they are, how one signs in there; their credentials are tried, and their rests ended."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Container, Iterable

from msgspec import Struct

from jackfield.admin.asked import Asked, Routes
from jackfield.admin.card import is_custom, render_card, tests_of
from jackfield.admin.desk import Desk
from jackfield.admin.providers import find_info, render_probe
from jackfield.auth.flows.client import find_client
from jackfield.auth.sources import names, variables
from jackfield.errors import InvalidRequest
from jackfield.health.record import Place
from jackfield.message import JsonObject
from jackfield.model import AuthMethod, ProviderInfo
from jackfield.plugins.load import is_enabled
from jackfield.providers.discover import find_local
from jackfield.setup.login import is_browser, runs_code
from jackfield.setup.probe import Limits, Way, list_targets, probe
from jackfield.setup.state import list_states, state_of

TEST_MS = 10_000


async def list_providers(desk: Desk, _: Asked) -> JsonObject:
    """Show every provider that is set up or in use."""
    states = await asyncio.to_thread(list_states, desk)
    return {
        "providers": [render_card(desk, state) for state in states],
        "hasDefault": desk.config.primary is not None,
        "place": desk.store.place,
        "warning": desk.store.warning(),
    }


async def list_catalog(desk: Desk, _: Asked) -> JsonObject:
    """Name every provider there is, with its ways to sign in."""
    return {"providers": await asyncio.to_thread(_outline_all, desk)}


async def tell_ways(desk: Desk, asked: Asked) -> JsonObject:
    """Show one provider's ways to sign in: `?provider=ID`."""
    info = find_info(desk, asked.query.get("provider", ""))
    return {
        "id": info.id,
        "name": info.name or info.id,
        "doc": info.doc,
        "url": info.base_url,
        "isLocal": info.local,
        "variables": list(variables(info)),
        "profiles": [each.id for each in desk.store.list() if each.provider in names(info, desk.config)],
        "ways": [_render_way(desk, info, way) for way in info.auth or (AuthMethod(choice="", label="API key"),)],
    }


async def end_rests(desk: Desk, asked: Asked) -> JsonObject:
    """Let a provider, or one of its credentials, be used again at once: `{provider, label?}`."""
    order = asked.as_struct(_Labelled)
    info = find_info(desk, order.provider)
    found = state_of(desk, info).found
    stored = [each.profile.id for each in found if each.profile and order.label in {"", each.label}]
    desk.store.end_rests(stored)
    rests = [rest.place for rest in desk.client.health.view().rests if rest.place.provider == info.id]
    meant = [each for each in rests if not order.label or each.credential.partition("#")[0] == order.label]
    ended = sum(desk.client.health.reset(Place(each.provider, each.credential, each.model)) for each in meant)
    return {"ended": ended + len(stored)}


async def run_test(desk: Desk, asked: Asked) -> JsonObject:
    """Ask each credential of a provider one tiny real question: `{provider, profileId?}`."""
    order = asked.as_struct(_Labelled)
    info = find_info(desk, order.provider)
    profiles = frozenset({order.profile_id} if order.profile_id else ())
    limits = Limits(timeout_ms=TEST_MS, profiles=profiles)
    targets = list(list_targets(desk, state_of(desk, info), limits))
    if not targets:
        raise InvalidRequest(f"{info.id} has no credential to test", hint="add a key, or sign in")
    client = desk.client
    way = Way(config=desk.config, store=desk.store, plugins=client.plugins, offline=desk.offline)
    rows = [render_probe(each, desk.now_ms()) for each in await probe(way, targets, limits)]
    tests_of(desk, info.id).update({row["label"]: row for row in rows if not row["reason"]})
    return {"results": rows}


def _outline_all(desk: Desk) -> list[JsonObject]:
    infos = [*filter(None, map(desk.catalog.provider, desk.catalog.provider_ids()))]
    running = {server.provider for server in find_local(infos)}
    return [
        {
            "id": info.id,
            "name": info.name or info.id,
            "also": " ".join(info.aliases),
            "ways": [way.label or way.choice for way in info.auth] or ["API key"],
            **({"isRunning": True} if info.id in running else {}),
        }
        for info in _order(infos, running)
        if not is_custom(desk, info.id)
    ]


def _order(infos: Iterable[ProviderInfo], running: Container[str]) -> list[ProviderInfo]:
    """Return providers for who looks for theirs: what runs here, then those that onboarding starts with a model of.

    Of these, one of each house in the wizard's order before the houses' others.
    """
    met = Counter[str]()
    ranked = []
    for info in sorted(infos, key=lambda info: (not info.default_model, _house(info), info.id)):
        rank = info.id not in running, not info.default_model, met[_house(info)] if info.default_model else 0
        ranked.append((rank, info))
        met[_house(info)] += 1
    return [info for _, info in sorted(ranked, key=lambda pair: pair[0])]


def _house(info: ProviderInfo) -> str:
    return (info.group or info.name or info.id).lower()


def _render_way(desk: Desk, info: ProviderInfo, way: AuthMethod) -> JsonObject:
    flow = way.flow
    environ = desk.config.environ
    return {
        "choice": way.choice,
        "kind": "browser" if is_browser(way) else way.kind,
        "label": way.label or way.choice,
        "hint": way.hint,
        "url": way.base_url,
        "notice": flow.notice if flow else "",
        "engine": flow.engine if flow else "",
        "hasClient": bool(flow and find_client(info.id, flow, environ)),
        "program": flow.installed if flow and shutil.which(flow.installed or "-", path=environ.get("PATH")) else "",
        "company": bool(flow and flow.host_detail),
        "isCode": runs_code(way),
        "plugin": "" if not way.plugin or is_enabled(desk.config, way.plugin) else way.plugin,
    }


class _Labelled(Struct, forbid_unknown_fields=True, rename="camel"):
    provider: str
    label: str = ""
    profile_id: str = ""


ROUTES: Routes = {
    "providers": {"GET": list_providers},
    "providers/catalog": {"GET": list_catalog},
    "providers/ways": {"GET": tell_ways},
    "providers/rests/end": {"POST": end_rests},
    "providers/test": {"POST": run_test},
}
