"""`models auth add`, `paste-…`, `login …`: the ways a credential comes in."""

from __future__ import annotations

from typing import Any

import click
from msgspec.structs import replace

from jackfield.cli import ask, ui
from jackfield.cli.choices import KEYED
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.signin import (
    Duration,
    as_row,
    end_of,
    find_method,
    find_provider,
    keep_profile,
    make_profile,
    name_profile,
    profile_option,
    provider_option,
    read_secret,
    warn_if_unused,
    warn_of,
)
from jackfield.credential import Profile, ProfileType, Secret
from jackfield.errors import AuthError, UsageError
from jackfield.model import ProviderInfo


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
    if find_method(info, "token") is None:
        raise UsageError(
            f"{info.id} has no setup-token", hint=f"run: jackfield models auth paste-api-key --provider {info.id}"
        )
    _paste(context, info, _named(info, profile_id, "token"), as_json=as_json)


@click.command("add")
@pass_context
def add(context: Context) -> None:
    """Add a credential, step by step."""
    ask.require_person("models auth add", "pipe the key into: jackfield models auth paste-api-key --provider ID")
    ids = [name for name in context.catalog.provider_ids() if (found := context.catalog.provider(name)) and found.auth]
    info = find_provider(context, ask.pick("Provider", [(name, name) for name in ids]))
    kinds: list[tuple[str, ProfileType]] = [("API key", "api_key"), ("Token (claude setup-token, …)", "token")]
    kind: ProfileType = ask.pick("What do you have?", kinds) if find_method(info, "token") else "api_key"
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
        row = as_row(kept, context.now_ms())
        ui.as_json({"ok": True, "profile": row, "authStorePath": str(context.store.path)})
    else:
        ui.out(f"Auth profile: {profile.id} ({info.id}/{profile.type})")
        ui.note(f"stored in {context.store.place}")


# -- sign-ins that open a browser --------------------------------------------------


@click.command()
@provider_option
@click.option("--method", metavar="ID", help="One of the provider's ways to sign in.")
@click.option("--set-default", is_flag=True, help="Make the provider's model the default afterwards.")
@click.option("--device-code", is_flag=True, help="Sign in with a code on another device.")
@click.option("--force", is_flag=True, help="Sign in even when a credential is there.")
@profile_option
@pass_context
def login(context: Context, /, provider: str, **_: Any) -> None:
    """Sign in with a provider's own page (not in this version)."""
    raise _no_browser(context, find_provider(context, provider))


@click.command("login-github-copilot")
@click.option("--yes", is_flag=True, help="Accepted.")
@profile_option
@pass_context
def login_github_copilot(context: Context, /, **_: Any) -> None:
    """Sign in to GitHub Copilot with a device code (not in this version)."""
    raise _no_browser(context, find_provider(context, "github-copilot"))


def _no_browser(context: Context, info: ProviderInfo) -> AuthError:
    name = info.name or info.id
    missing = f"signing in to {name} in a browser is not in this version"
    if method := find_method(info, "token"):
        return AuthError(missing, hint=f"{method.hint}: jackfield models auth paste-token --provider {info.id}")
    if any(method.kind in KEYED for method in info.auth) or not info.auth:
        return AuthError(
            f"{name} has no browser sign-in", hint=f"run: jackfield models auth paste-api-key --provider {info.id}"
        )
    return AuthError(missing, hint=f"what works instead: {alternative(context, info)}")


def alternative(context: Context, info: ProviderInfo) -> str:
    """Return the command for a provider of the same house that takes a key, or how to find another."""
    infos = map(context.catalog.provider, context.catalog.provider_ids())
    for other in filter(None, infos):
        key = next((method.choice for method in other.auth if method.kind == "api-key"), None)
        if other.group == info.group and other.group and key:
            return f"jackfield onboard --auth-choice {key}"
    return "a provider with an API key: jackfield onboard"
