"""`models auth add`, `paste-…`, `setup-token`: the ways a credential comes in by hand."""

from __future__ import annotations

from typing import Any

import click
from msgspec.structs import replace

from jackfield.cli import ask, ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.login import log_in, pick_way
from jackfield.cli.signin import (
    Duration,
    end_of,
    find_provider,
    keep_profile,
    profile_option,
    provider_option,
    read_secret,
    warn_if_unused,
    warn_of,
)
from jackfield.credential import Profile, ProfileType, Secret
from jackfield.errors import UsageError
from jackfield.model import ProviderInfo
from jackfield.setup.login import is_browser
from jackfield.setup.profile import find_method, make_profile, name_profile, render_profile


@click.command("paste-api-key")
@provider_option
@profile_option
@json_option
@pass_context
def paste_api_key(context: Context, provider: str, profile_id: str | None, as_json: bool) -> None:
    """Store an API key: typed unseen, or piped in."""
    info = find_provider(context, provider)
    _paste(context, info, _named(info, profile_id, "api_key"), as_json=as_json)


@click.command("paste-token")
@provider_option
@profile_option
@click.option("--expires-in", type=Duration(), help="When it ends: 365d, 12h, 30m; a bare number counts days.")
@json_option
@pass_context
def paste_token(context: Context, provider: str, profile_id: str | None, expires_in: int | None, as_json: bool) -> None:
    """Store a token, such as one made by 'claude setup-token': typed unseen, or piped in."""
    info = find_provider(context, provider)
    _paste(context, info, _named(info, profile_id, "token", end_of(context, expires_in)), as_json=as_json)


@click.command("setup-token")
@click.option("--provider", metavar="ID", default="anthropic", show_default=True, help="The provider it is for.")
@click.option("--yes", is_flag=True, help="Accepted; nothing is asked but the token.")
@profile_option
@json_option
@pass_context
def setup_token(context: Context, /, provider: str, profile_id: str | None, as_json: bool, **_: Any) -> None:
    """Store the token that 'claude setup-token' prints."""
    info = find_provider(context, provider)
    method = find_method(info, "token")
    if method is None:
        raise UsageError(
            f"{info.id} has no setup-token", hint=f"run: jackfield models auth paste-api-key --provider {info.id}"
        )
    if method.flow and method.flow.notice:
        ui.warn(method.flow.notice)
    _paste(context, info, _named(info, profile_id, "token"), as_json=as_json)


@click.command("add")
@pass_context
def add(context: Context) -> None:
    """Add a credential, step by step."""
    ask.require_person("models auth add", "pipe the key into: jackfield models auth paste-api-key --provider ID")
    ids = [name for name in context.catalog.provider_ids() if (found := context.catalog.provider(name)) and found.auth]
    info = find_provider(context, ask.pick("Provider", [(name, name) for name in ids]))
    kinds: list[tuple[str, ProfileType]] = [("API key", "api_key")]
    kinds += [("Token (claude setup-token, …)", "token")] if find_method(info, "token") else []
    kinds += [("A sign-in in the browser", "oauth")] if any(map(is_browser, info.auth)) else []
    kind: ProfileType = ask.pick("What do you have?", kinds) if len(kinds) > 1 else "api_key"
    if kind == "oauth":
        log_in(context, info, pick_way(context, info, None))
        return
    wanted = name_profile(info, ask.text("Keep it as", _named(info, None, kind).id), "default")
    expires_ms = None
    if kind == "token" and (lasts := ask.text("It ends in (365d, 12h; empty: never)", "")):
        expires_ms = end_of(context, Duration().convert(lasts, None, None))
    _paste(context, info, _named(info, wanted, kind, expires_ms))


def _named(info: ProviderInfo, profile_id: str | None, kind: ProfileType, expires_ms: int | None = None) -> Profile:
    default = "manual" if kind == "token" else "default"
    return replace(make_profile(info, name_profile(info, profile_id, default), kind, ""), expires_ms=expires_ms)


def _paste(context: Context, info: ProviderInfo, profile: Profile, *, as_json: bool = False) -> None:
    """Read the secret and keep the profile, which has everything else."""
    word = "token" if profile.type == "token" else "API key"
    key = read_secret(f"{info.name or info.id} {word}")
    warn_of(key, info, find_method(info, profile.type))
    kept = replace(profile, secret=Secret(key))
    keep_profile(context, info, kept)
    warn_if_unused(context, info, kept)
    if as_json:
        row = render_profile(kept, context.now_ms())
        ui.as_json({"ok": True, "profile": row, "authStorePath": str(context.store.path)})
    else:
        ui.out(f"Auth profile: {profile.id} ({info.id}/{profile.type})")
        ui.note(f"stored in {context.store.place}")
