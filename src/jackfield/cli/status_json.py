"""`models status --json`: one object in OpenClaw's shape, without a secret."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from jackfield.auth.health import WARN_AFTER_MS, judge
from jackfield.cli.context import Context
from jackfield.cli.status_quota import list_quotas
from jackfield.credential import Profile
from jackfield.message import JsonObject
from jackfield.setup.rests import render_quotas
from jackfield.setup.state import ProviderState, list_resting

# kind of source → OpenClaw's word for it
KINDS = {"profile": "profiles", "env": "env", "config": "models.json", "none": "none"}


def render_status(context: Context, resolved: str | None, states: Sequence[ProviderState]) -> JsonObject:
    """Return the whole status."""
    config = context.config
    return {
        "configPath": str(context.paths.config),
        "agentDir": str(context.paths.home),
        "defaultModel": config.primary,
        "resolvedDefault": resolved,
        "fallbacks": list(config.fallbacks),
        "imageModel": config.image_primary,
        "imageFallbacks": list(config.image_fallbacks),
        "aliases": dict(sorted(config.aliases.items())),
        "allowed": list(config.allow.patterns) if config.allow else [],
        "auth": {
            "storePath": str(context.store.path),
            "shellEnvFallback": {"enabled": False, "appliedKeys": []},
            "providersWithOAuth": _signed_in(states),
            "missingProvidersInUse": [each.info.id for each in states if each.in_use and each.chosen is None],
            "providers": [_render_state(state) for state in states],
            "unusableProfiles": _render_resting(context, states),
            "oauth": _render_health(context, states),
            "quotas": render_quotas(list_quotas(context), context.now_ms(), config.spill_at),
        },
        "warnings": list(config.warnings),
    }


def _render_state(state: ProviderState) -> JsonObject:
    kinds = Counter(profile.type for profile in state.profiles)
    chosen = state.chosen
    value: JsonObject = {
        "provider": state.info.id,
        "effective": {"kind": KINDS[chosen.kind] if chosen else "missing", "detail": chosen.label if chosen else ""},
        "profiles": {
            "count": len(state.profiles), "oauth": kinds["oauth"], "token": kinds["token"], "apiKey": kinds["api_key"],
            "labels": [profile.id for profile in state.profiles],
        },
    }  # fmt: skip
    for kind, key in (("env", "env"), ("config", "modelsJson")):
        source = next((each for each in state.found if each.kind == kind and each.secret), None)
        if source and source.secret:
            value[key] = {"value": source.secret.masked(), "source": source.label}
    unusable = {each.label: each.reason for each in state.found if each.reason}
    if unusable:
        value["unusable"] = unusable
    return value | {"api": state.info.api, "baseUrl": state.info.base_url, "url": state.url, "inUse": state.in_use}


def _signed_in(states: Sequence[ProviderState]) -> list[str]:
    counts = {each.info.id: sum(profile.type != "api_key" for profile in each.profiles) for each in states}
    return [f"{name} ({count})" for name, count in counts.items() if count]


def _render_resting(context: Context, states: Sequence[ProviderState]) -> list[JsonObject]:
    now_ms, rows = context.now_ms(), []
    for profile, usage in list_resting(context, states):
        until = usage.rests_until(now_ms)
        row = {"profileId": profile.id, "provider": profile.provider, "kind": usage.kind, "reason": usage.reason}
        rows.append(
            {name: text for name, text in row.items() if text} | {"until": until, "remainingMs": until - now_ms}
        )
    return rows


def _render_health(context: Context, states: Sequence[ProviderState]) -> JsonObject:
    now_ms = context.now_ms()
    profiles = [_render_profile(profile, now_ms) for state in states for profile in state.profiles]
    return {
        "warnAfterMs": WARN_AFTER_MS,
        "profiles": [row for row in profiles if row["type"] != "api_key"],
        "providers": [
            {
                "provider": state.info.id,
                "status": state.health(now_ms),
                "profiles": [_render_profile(profile, now_ms) for profile in state.profiles],
            }
            for state in states
            if state.profiles
        ],
    }


def _render_profile(profile: Profile, now_ms: int) -> JsonObject:
    left = {} if profile.expires_ms is None else {"remainingMs": profile.expires_ms - now_ms}
    return {
        "profileId": profile.id,
        "provider": profile.provider,
        "type": profile.type,
        "status": judge(profile, now_ms),
        "expiresAt": profile.expires_ms,
        **left,
    }
