"""What the views of providers share: finding one, reading a key, keeping a credential, telling how a test went."""

from __future__ import annotations

from jackfield.admin.card import tests_of
from jackfield.admin.desk import Desk
from jackfield.auth.flows.paste import parse_token
from jackfield.catalog.near import LIMIT
from jackfield.config.keypath import KeyPath
from jackfield.credential import Profile
from jackfield.errors import AuthError, InvalidRequest
from jackfield.message import JsonObject
from jackfield.model import AuthMethod, ProviderInfo
from jackfield.setup.probe import Probed
from jackfield.setup.profile import (
    check_secret,
    find_method,
    find_obstacles,
    find_oddities,
    keep_profile,
)


def find_info(desk: Desk, provider_id: str) -> ProviderInfo:
    """Return a provider; raise `InvalidRequest` with the nearest for one that is none."""
    info = desk.catalog.provider(provider_id)
    if info is None:
        near = desk.catalog.near(provider_id)[:LIMIT]
        raise InvalidRequest(f"unknown provider {provider_id!r}", hint=f"near it: {', '.join(near)}" if near else "")
    return info


def find_entry(raw: JsonObject, provider_id: str) -> KeyPath:
    """Return the path of a provider's entry as the config spells it."""
    spelt = raw.get("models", {}).get("providers", {})
    name = next((each for each in spelt if each.strip().lower() == provider_id), provider_id)
    return "models", "providers", name


def read_key(text: str, way: AuthMethod | None = None) -> str:
    """Return the key in what was pasted; raise `InvalidRequest`, without showing it, when it cannot be one."""
    try:
        key = check_secret(text, "the form")
        return parse_token(key, way).reveal() if way else key
    except AuthError as error:
        # Nobody's session is over: the browser must not be asked to sign in.
        raise InvalidRequest(error.message, hint=error.hint) from error


def keep(desk: Desk, info: ProviderInfo, profile: Profile, way: AuthMethod | None = None) -> JsonObject:
    """Write a profile to the store; return its id and what deserves a word."""
    odd = find_oddities(profile.secret.reveal(), info, way or find_method(info, profile.type)) if profile.secret else ()
    keep_profile(desk, info, profile, desk.client.health)
    tests_of(desk, info.id).clear()
    obstacles = [f"{what}; {advice}" for what, advice in find_obstacles(desk, info, profile)]
    return {"profileId": profile.id, "warnings": [*odd, *obstacles], "hasDefault": desk.config.primary is not None}


def render_probe(probed: Probed, at_ms: int) -> JsonObject:
    """Return how a test went, in words of the page."""
    return {
        "label": probed.source.label,
        "model": probed.model,
        "status": probed.status,
        "type": probed.type or probed.reason,
        "reason": probed.reason,
        "message": probed.error,
        "hint": probed.hint,
        "ms": probed.ms,
        "atMs": at_ms,
    }
