"""A credential as the store's file writes it: JSON object ↔ `Profile`.

Fields this version does not know stay in the object untouched. An object it cannot use
(unknown type, no provider) parses to `None` and is nobody's business but its owner's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from jackfield.credential import Lease, Profile, ProfileType, Renewal, Secret, SecretRef
from jackfield.message import JsonObject

FORMAT = 1  # of the whole file
# type → the field that holds its secret
SECRET_FIELDS: dict[ProfileType, str] = {"api_key": "key", "token": "token", "oauth": "access"}
DETAILS = ("accountId", "projectId", "resourceUrl", "enterpriseUrl", "clientId")
RENEWALS: tuple[Renewal, ...] = ("begun", "lost", "refused")
SEALED = "sealed"  # names the secrets of an entry that stand in the keyring together
SOURCES: tuple[Literal["env", "file", "exec", "keyring"], ...] = ("env", "file", "exec", "keyring")
LAST_MOMENT_MS = 8_640_000_000_000_000  # the latest time JavaScript can name, which the file's format inherits


def parse_profile(profile_id: str, record: object) -> Profile | None:
    """Read one entry of `profiles`; a date that is none counts as long past."""
    if not isinstance(record, dict):
        return None
    kind, provider = _type(record.get("type")), _text(record.get("provider")).strip().lower()
    if kind is None or not provider:
        return None
    field = SECRET_FIELDS[kind]
    refresh = _text(record.get("refresh")) if kind == "oauth" else ""
    return Profile(
        id=profile_id,
        provider=provider,
        type=kind,
        secret=Secret(_text(record.get(field)).strip()),
        # An empty one is there, but not here.
        refresh=Secret(refresh) if refresh or _is_sealed(record, "refresh") else None,
        expires_ms=_moment(record.get("expires")),
        email=_text(record.get("email")) or None,
        details={name: text for name in DETAILS if (text := _text(record.get(name)))},
        lease=_lease(record.get("lease")),
        renewal=_renewal(_text(record.get("renewal")), refresh),
        ref=parse_ref(record.get(f"{field}Ref")),
    )


def render_profile(profile: Profile) -> JsonObject:
    """Write a profile's own fields, without those it leaves out."""
    field = SECRET_FIELDS[profile.type]
    fields: dict[str, Any] = {
        "type": profile.type,
        "provider": profile.provider,
        field: profile.secret.reveal() or None,
        f"{field}Ref": render_ref(profile.ref) if profile.ref else None,
        "refresh": profile.refresh.reveal() if profile.refresh else None,
        "expires": profile.expires_ms,
        "email": profile.email,
        **profile.details,
        "lease": _render_lease(profile.lease),
        "renewal": f"{profile.renewal}:{_mark(profile.refresh.reveal())}"
        if profile.renewal and profile.refresh
        else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def update_record(record: object, old: Profile | None, new: Profile) -> JsonObject:
    """Return the stored object with only what differs between `old` and `new` changed."""
    if not isinstance(record, dict) or old is None:
        return render_profile(new)
    before, after = render_profile(old), render_profile(new)
    kept = {name: value for name, value in record.items() if name in after or name not in before}
    return {**kept, **{name: value for name, value in after.items() if before.get(name) != value}}


def as_store(root: JsonObject) -> JsonObject:
    """Return a file's content in today's form; the old flat form names one credential per provider."""
    if isinstance(root.get("profiles"), dict):
        return root
    flat = {name: value for name, value in root.items() if isinstance(value, dict) and _type(value.get("type"))}
    rest = {name: value for name, value in root.items() if name not in flat and name != "profiles"}
    profiles = {f"{name}:default": {"provider": name, **value} for name, value in flat.items()}
    return {"version": FORMAT, **rest, "profiles": profiles}


def _lease(value: object) -> Lease | None:
    if not isinstance(value, Mapping) or not _text(value.get("token")):
        return None
    end = _moment(value.get("expires")) or 0
    return Lease(secret=Secret(_text(value.get("token"))), expires_ms=end, base_url=_text(value.get("baseUrl")))


def _render_lease(lease: Lease | None) -> JsonObject | None:
    if lease is None:
        return None
    return {"token": lease.secret.reveal(), "expires": lease.expires_ms, "baseUrl": lease.base_url}


def _renewal(text: str, refresh: str) -> Renewal:
    """Return how far a refresh came; a note about another refresh token than the one here says nothing."""
    word, _, mark = text.partition(":")
    return next((each for each in RENEWALS if each == word and mark == _mark(refresh)), "")


def _mark(refresh: str) -> str:
    import hashlib  # noqa: PLC0415  every command reads profiles, few have such a note

    return hashlib.sha256(refresh.encode()).hexdigest()[:16]


def _type(value: object) -> ProfileType | None:
    match value:
        case "api_key" | "token" | "oauth":
            return value
        case _:
            return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if math.isfinite(value) and 0 < value <= LAST_MOMENT_MS else 0


def parse_ref(value: object) -> SecretRef | None:
    """Read a reference as files write it; one of another kind is none."""
    if not isinstance(value, dict) or not _text(value.get("id")):
        return None
    source = next((each for each in SOURCES if each == value.get("source")), None)
    return SecretRef(source, _text(value["id"]), _text(value.get("provider")) or "default") if source else None


def render_ref(ref: SecretRef) -> JsonObject:
    """Write a reference as files do."""
    return {"source": ref.source, "provider": ref.provider, "id": ref.id}


def refers(record: object) -> frozenset[str]:
    """Return the kinds of place an entry refers to; empty for one that holds its secret."""
    values = record.values() if isinstance(record, dict) else ()
    return frozenset(ref.source for ref in map(parse_ref, values) if ref)


def _is_sealed(record: JsonObject, field: str) -> bool:
    named = record.get(SEALED)
    return isinstance(named, list) and field in named
