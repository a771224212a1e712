"""`models status`: what is chosen, whether its credentials are there, and where requests go."""

from __future__ import annotations

from collections import Counter

import click
from msgspec import Struct

from jackfield.auth.health import WARN_AFTER_MS, judge
from jackfield.auth.sources import Source, sources
from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context, refuse_both
from jackfield.errors import Error
from jackfield.message import JsonObject
from jackfield.model import ProviderInfo
from jackfield.providers.url import chat_url
from jackfield.routing.plan import resolve_ref

LABELS = {"profile": "profiles", "env": "env", "config": "models.json", "none": "none"}


class ProviderState(Struct, frozen=True, kw_only=True):
    """One provider as this set-up reaches it; `chosen` is the credential that would be sent."""

    info: ProviderInfo
    found: tuple[Source, ...]
    in_use: bool

    @property
    def chosen(self) -> Source | None:
        """The first place that gives something."""
        return next((source for source in self.found if not source.reason), None)

    @property
    def url(self) -> str | None:
        """Where a chat request goes; `None` when this version cannot call the provider."""
        try:
            return chat_url(self.info.base_url, self.info.api, endpoint=self.info.endpoint or None, model="MODEL")
        except Error:
            return None


@click.command()
@click.option("--plain", is_flag=True, help="Print the default model and nothing else.")
@click.option(
    "--check", is_flag=True, help="Exit 1 when a credential in use is missing or expired, 2 when one soon is."
)
@json_option
@click.pass_context
@pass_context
def status(context: Context, ctx: click.Context, plain: bool, check: bool, as_json: bool) -> None:
    """Show what is chosen and whether its credentials are there."""
    refuse_both(plain=plain, as_json=as_json)
    resolved = _resolve(context, context.config.primary)
    states = _states(context)
    if plain:
        ui.out(resolved or "")
    elif as_json:
        ui.as_json(_render(context, resolved, states))
    else:
        _print(context, resolved, states)
    if check:
        ctx.exit(_verdict(context, states))


# -- looking -----------------------------------------------------------------------


def _states(context: Context) -> list[ProviderState]:
    """Return the providers that are in use or have something to show, sorted."""
    used = {ref.partition("/")[0] for ref in (_resolve(context, text) for text in _chosen(context)) if ref}
    now_ms, states = context.now_ms(), []
    for info in filter(None, map(context.catalog.provider, context.catalog.provider_ids())):
        found = tuple(sources(info, context.config, context.store, now_ms))
        if info.id in used or info.id in context.config.providers or any(each.kind != "none" for each in found):
            states.append(ProviderState(info=info, found=found, in_use=info.id in used))
    return states


def _chosen(context: Context) -> list[str]:
    config = context.config
    names = (config.primary, *config.fallbacks, config.image_primary, *config.image_fallbacks)
    return [name for name in names if name]


def _resolve(context: Context, text: str | None) -> str | None:
    if not text:
        return None
    try:
        return str(resolve_ref(text, context.config, context.catalog)[0])
    except Error:
        return text


def _verdict(context: Context, states: list[ProviderState]) -> int:
    health = {judge(profile, context.now_ms()) for profile in context.store.list() if profile.refresh is None}
    known = {state.info.id for state in states}
    lost = [name for name in _chosen(context) if (_resolve(context, name) or "").partition("/")[0] not in known]
    if lost or health & {"expired", "missing"} or any(state.in_use and state.chosen is None for state in states):
        return 1
    return 2 if "expiring" in health else 0


# -- as JSON -----------------------------------------------------------------------


def _render(context: Context, resolved: str | None, states: list[ProviderState]) -> JsonObject:
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
            "unusableProfiles": [],
            "oauth": {"warnAfterMs": WARN_AFTER_MS, "profiles": _dated(context, states)},
        },
        "warnings": list(config.warnings),
    }


def _render_state(state: ProviderState) -> JsonObject:
    kinds = Counter(source.type for source in state.found if source.kind == "profile")
    labels = [source.label.removeprefix("profile:") for source in state.found if source.kind == "profile"]
    chosen = state.chosen
    value: JsonObject = {
        "provider": state.info.id,
        "effective": {"kind": LABELS[chosen.kind] if chosen else "missing", "detail": chosen.label if chosen else ""},
        "profiles": {
            "count": len(labels), "oauth": kinds["oauth"], "token": kinds["token"], "apiKey": kinds["api_key"], "labels": labels,
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


def _signed_in(states: list[ProviderState]) -> list[str]:
    counts = {each.info.id: sum(source.type != "api_key" for source in each.found) for each in states}
    return [f"{name} ({count})" for name, count in counts.items() if count]


def _dated(context: Context, states: list[ProviderState]) -> list[JsonObject]:
    profiles = [source.profile for state in states for source in state.found if source.profile]
    return [
        {
            "profileId": profile.id,
            "provider": profile.provider,
            "type": profile.type,
            "status": judge(profile, context.now_ms()),
            "expiresAt": profile.expires_ms,
        }
        for profile in profiles
        if profile.type != "api_key"
    ]


# -- for people --------------------------------------------------------------------


def _print(context: Context, resolved: str | None, states: list[ProviderState]) -> None:
    config = context.config
    allowed = ", ".join(config.allow.patterns) if config.allow else "any"
    lines = {
        "Config": str(context.paths.config),
        "Default": resolved or 'none; run "jackfield models set provider/model" or "jackfield onboard"',
        f"Fallbacks ({len(config.fallbacks)})": ", ".join(config.fallbacks) or "-",
        "Image model": config.image_primary or "-",
        f"Image fallbacks ({len(config.image_fallbacks)})": ", ".join(config.image_fallbacks) or "-",
        f"Aliases ({len(config.aliases)})": ", ".join(f"{name} -> {ref}" for name, ref in config.aliases.items())
        or "-",
        "Allowed models": allowed,
        "Credentials": str(context.store.path),
    }
    width = max(map(len, lines))
    ui.out("\n".join(f"{title.ljust(width)}  {text}" for title, text in lines.items()))
    if states:
        ui.out("\nAuth overview")
        ui.table(("Provider", "Credential", "Requests go to"), [_cells(state) for state in states])
    missing = [each for each in states if each.in_use and each.chosen is None]
    for state in missing:
        ui.warn(
            f'no credential for {state.info.id}: run "jackfield models auth paste-api-key --provider {state.info.id}"'
        )
    for warning in config.warnings:
        ui.warn(warning)


def _cells(state: ProviderState) -> tuple[str, str, str]:
    chosen = state.chosen
    if chosen is None:
        credential = "missing"
    elif chosen.secret:
        credential = f"{chosen.label} ({chosen.secret.masked()})"
    else:
        credential = chosen.label
    return (state.info.id, credential, state.url or f"{state.info.base_url} ({state.info.api})")
