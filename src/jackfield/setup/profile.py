"""A credential that comes in: its key out of what was pasted, its name, where it is kept, and what may be seen of it.

A key goes into the credential store and nowhere else. Asks nobody and sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import count
from typing import Any

from msgspec.structs import replace

from jackfield.auth.health import judge
from jackfield.auth.paste import clean_key, key_problem, key_warnings
from jackfield.auth.record import render_ref
from jackfield.auth.secret import describe_ref
from jackfield.auth.sources import explicit_order, names
from jackfield.credential import Profile, ProfileType, Secret
from jackfield.errors import AuthError, UsageError
from jackfield.health.record import Place
from jackfield.health.store import HealthStore
from jackfield.model import AuthMethod, ProviderInfo
from jackfield.setup.installation import Installation

METHOD_KINDS: dict[ProfileType, str] = {"api_key": "api-key", "token": "token"}


def find_method(info: ProviderInfo, kind: ProfileType) -> AuthMethod | None:
    """Return the provider's sign-in of a kind, if it has one."""
    return next((method for method in info.auth if method.kind == METHOD_KINDS.get(kind)), None)


def check_secret(text: str, origin: str, hint: str = "copy the key again from the provider's page") -> str:
    """Return the key inside pasted text; raise without showing it when it cannot be one."""
    key = clean_key(text)
    if problem := key_problem(key):
        raise AuthError(f"the key from {origin} {problem}", hint=hint)
    return key


def find_oddities(key: str, info: ProviderInfo, method: AuthMethod | None = None) -> Iterator[str]:
    """Say what looks wrong about a key; nothing of it refuses the key."""
    yield from key_warnings(key, method.secret_prefix if method and method.secret_prefix else info.key_prefix)
    if method and len(key) < method.secret_min_length:
        yield f"a token of this kind has at least {method.secret_min_length} characters; this one has {len(key)}"


def name_profile(info: ProviderInfo, text: str | None, default: str) -> str:
    """Return a profile id: `work` becomes `<provider>:work`; an id of another provider is refused."""
    provider, colon, name = (text or f"{info.id}:{default}").rpartition(":")
    if colon and provider.lower() not in {info.id, *info.aliases}:
        raise UsageError(f"profile {text!r} does not belong to {info.id}", hint=f"write it like {info.id}:work")
    return f"{provider or info.id}:{_slug(name)}"


def next_name(profile_id: str, taken: Collection[str]) -> str:
    """Return the first free name beside a taken one: `venice:default` → `venice:account-2`."""
    provider = profile_id.rpartition(":")[0]
    names = (f"{provider}:account-{number}" for number in count(2))
    return next(name for name in names if name not in taken)


def make_profile(info: ProviderInfo, profile_id: str, kind: ProfileType, key: str) -> Profile:
    """Return a credential without an end."""
    return Profile(id=profile_id, provider=info.id, type=kind, secret=Secret(key))


def keep_profile(home: Installation, info: ProviderInfo, profile: Profile, health: HealthStore) -> None:
    """Write a profile to the store; where the user has an order for the provider, it goes first there."""
    # The address is the user's note on the account; a new key does not change whose it is.
    home.store.modify(profile.id, lambda old: replace(profile, email=profile.email or (old and old.email)))
    # What failed with the old one says nothing of the new.
    health.reset(Place(info.id, f"profile:{profile.id}"))
    for provider in sorted(names(info, home.config)):
        order = home.store.order(provider)
        if order is not None and profile.id not in order:
            home.store.set_order(provider, (profile.id, *order))


def find_obstacles(home: Installation, info: ProviderInfo, profile: Profile) -> Iterator[tuple[str, str]]:
    """Say what in the config keeps a stored profile from being used, and what to do about it."""
    order = explicit_order(info, home.config, home.store)
    if order is not None and profile.id not in order:
        ids = " ".join((profile.id, *order))
        run = f"run: jackfield models auth order set --provider {info.id} {ids}"
        yield f"auth.order in the config leaves {profile.id} out", run
    meta = home.config.auth_profiles.get(profile.id)
    if meta and meta.mode != profile.type and not (meta.mode == "oauth" and profile.type == "token"):
        yield f"the config expects {profile.id} to be {meta.mode}", "correct auth.profiles or the profile is not used"


def shown_key(profile: Profile) -> str:
    """Return a profile's key as it may be seen: masked, or the place where it stands."""
    return describe_ref(profile.ref) if profile.ref else profile.secret.masked()


def render_profile(profile: Profile, now_ms: int) -> dict[str, Any]:
    """Return a profile as JSON shows it: without its secret."""
    return {
        "id": profile.id,
        "provider": profile.provider,
        "type": profile.type,
        "email": profile.email,
        "expires": profile.expires_ms,
        "status": judge(profile, now_ms),
        "env": profile.ref.id if profile.ref and profile.ref.source == "env" else None,
        "ref": render_ref(profile.ref) if profile.ref else None,
    }


def _slug(name: str) -> str:
    # An e-mail address is a usual name; everything else odd becomes a dash.
    return re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9._@+-]", "-", name.strip().lower())).strip("-") or "default"
