"""A provider as the page shows it: how it is, where its credentials come from. No secret: masked at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from jackfield.admin.bound import has_plain_key
from jackfield.admin.desk import Desk
from jackfield.auth.health import RENEWALS, judge
from jackfield.auth.secret import describe_ref
from jackfield.auth.sources import Source, credential_id, entry_of, explicit_order, unmarked, variables
from jackfield.auth.usage import Usage
from jackfield.catalog.index import load_index
from jackfield.errors import Error
from jackfield.health.record import Rest
from jackfield.message import JsonObject
from jackfield.model import ProviderInfo
from jackfield.providers.url import chat_url
from jackfield.setup.state import ProviderState
from jackfield.transport.request import shown_url

TESTS = "providers.tests"  # in the desk's memory: provider → label of a credential → how its test went


class Found(Struct, frozen=True, kw_only=True):
    """One credential, and what is remembered of it."""

    source: Source
    usage: Usage
    rest: Rest | None  # what keeps all of it from use
    test: JsonObject

    def rests_until(self, now_ms: int) -> int:
        """Return when it may be used again; 0: now."""
        return max(self.usage.rests_until(now_ms), self.rest.ends_ms if self.rest else 0)


def render_card(desk: Desk, state: ProviderState) -> JsonObject:
    """Return all that a provider's card shows."""
    info, config, now_ms = state.info, desk.config, desk.now_ms()
    rests = [rest for rest in desk.client.health.view().rests if rest.place.provider == info.id and rest.holds(now_ms)]
    found = [_look(desk, info, source, rests) for source in state.found]
    order = explicit_order(info, config, desk.store)
    entry = entry_of(info, config)
    return {
        "id": info.id,
        "name": info.name or info.id,
        "api": info.api,
        "url": request_url(info),
        "doc": info.doc,
        "isLocal": info.local,
        "isCustom": is_custom(desk, info.id),
        "isInUse": state.in_use,
        "isConfigured": entry is not None,
        "status": judge_all(found, now_ms),
        "credentials": [_render(each, state, now_ms) for each in found],
        "keyIsPlain": entry is not None and entry.api_key is not None and has_plain_key(config, entry.id),
        "order": None if order is None else list(order),
        "orderIsStored": any(desk.store.order(name) is not None for name in (info.id, *info.aliases)),
        "rests": [_render_rest(rest) for rest in rests],
        "models": len(desk.catalog.outlines(info.id)),
        "variables": list(variables(info)),
        "usedBy": list(_uses(desk, info.id)),
    }


def judge_all(found: Sequence[Found], now_ms: int) -> JsonObject:
    """Return a provider's state in one word, with what belongs to it.

    missing · ended · rests · failed · ending · works · ready (there is a credential that nobody has tried).
    """
    usable = [each for each in found if not each.source.reason]
    if not usable:
        ended = any(each.source.reason == "expired" for each in found)
        return {"kind": "ended" if ended else "missing"}
    awake = [each for each in usable if not each.rests_until(now_ms)]
    if not awake:
        first = min(usable, key=lambda each: each.rests_until(now_ms))
        why = first.rest.kind if first.rest else first.usage.reason
        return {"kind": "rests", "untilMs": first.rests_until(now_ms), "why": why}
    chosen = awake[0]
    if chosen.test and chosen.test["status"] != "ok":
        return {"kind": "failed", "why": chosen.test["type"], "atMs": chosen.test["atMs"]}
    profile = chosen.source.profile
    if profile and judge(profile, now_ms) == "expiring":
        return {"kind": "ending", "untilMs": profile.expires_ms}
    if chosen.test:
        return {"kind": "works", "ms": chosen.test["ms"], "atMs": chosen.test["atMs"]}
    if chosen.usage.last_used_ms > 0:
        return {"kind": "works", "atMs": chosen.usage.last_used_ms}
    return {"kind": "ready"}


def request_url(info: ProviderInfo) -> str:
    """Return where a chat request goes, as it may be shown; empty where that cannot be said."""
    try:
        return shown_url(chat_url(info.base_url, info.api, endpoint=info.endpoint or None, model="MODEL"))
    except Error:
        return ""


def is_custom(desk: Desk, provider_id: str) -> bool:
    """Tell whether a provider is the config's own, known to no catalog and no plugin."""
    return provider_id in desk.config.providers and not is_known(desk, provider_id)


def is_known(desk: Desk, provider_id: str) -> bool:
    """Tell whether a provider is one of the catalog that ships, or a plugin's."""
    return provider_id in load_index().providers or any(
        info.id == provider_id for info in desk.client.plugins.providers
    )


def tests_of(desk: Desk, provider_id: str) -> dict[str, JsonObject]:
    """Return how the tests of a provider's credentials went, by label; to be changed."""
    every: dict[str, dict[str, JsonObject]] = desk.state.setdefault(TESTS, {})
    return every.setdefault(provider_id, {})


def _look(desk: Desk, info: ProviderInfo, source: Source, rests: Iterable[Rest]) -> Found:
    names = {"", credential_id(source), source.label}
    whole = [rest for rest in rests if not rest.place.model and rest.place.credential in names]
    return Found(
        source=source,
        usage=desk.store.usage(source.profile.id) if source.profile else Usage(),
        rest=max(whole, key=lambda rest: rest.ends_ms, default=None),
        test=tests_of(desk, info.id).get(source.label, {}),
    )


def _render(each: Found, state: ProviderState, now_ms: int) -> JsonObject:
    source, profile = each.source, each.source.profile
    row: JsonObject = {
        "kind": source.kind,
        "label": source.label,
        "type": source.type,
        "shown": _shown(source),
        "isChosen": source is state.chosen,
        "reason": source.reason,
        "detail": source.detail,
        "restsUntilMs": each.rests_until(now_ms) or None,
        "restReason": each.rest.kind if each.rest else each.usage.reason,
        "lastUsedMs": each.usage.last_used_ms if each.usage.last_used_ms > 0 else None,
        "test": each.test or None,
    }
    if profile:
        row |= {
            "profileId": profile.id,
            "email": profile.email,
            "expiresMs": profile.expires_ms,
            "health": judge(profile, now_ms),
            "renews": profile.refresh is not None,
            "trouble": RENEWALS.get(profile.renewal, ""),
        }
    return row


def _shown(source: Source) -> str:
    ref = source.ref or (source.profile.ref if source.profile else None)
    if ref:
        return describe_ref(ref)
    return source.secret.masked() if source.secret else ""


def _render_rest(rest: Rest) -> JsonObject:
    return {
        "credential": unmarked(rest.place.credential),
        "model": rest.place.model,
        "kind": rest.kind,
        "untilMs": rest.ends_ms,
        "message": rest.message,
    }


def _uses(desk: Desk, provider_id: str) -> Iterable[str]:
    """Yield where the config names a model of the provider."""
    config = desk.config
    named: Mapping[str, Any] = {
        "the default model": config.primary,
        "the image model": config.image_primary,
        **{f"fallback {at}": ref for at, ref in enumerate(config.fallbacks, 1)},
        **{f"alias {name}": ref for name, ref in config.aliases.items()},
        **{f"route {name}": route.primary for name, route in config.routes.items()},
    }
    return (what for what, ref in named.items() if ref and ref.partition("/")[0] == provider_id)
