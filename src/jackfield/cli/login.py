"""`models auth login`, `login-github-copilot`: sign in on a provider's own page, or with a code on another device."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from jackfield.cli import ask, ui
from jackfield.cli.alternative import alternative
from jackfield.cli.choices import KEYED
from jackfield.cli.context import Context, pass_context
from jackfield.cli.setup import Setup, apply
from jackfield.cli.signin import find_provider, profile_option, provider_option
from jackfield.cli.talk import Dialogue
from jackfield.config.save import Set, edit_config
from jackfield.credential import Profile
from jackfield.errors import AuthError, UsageError
from jackfield.imports.places import PLACES, folders_of
from jackfield.message import JsonObject
from jackfield.model import AuthMethod, Flow, ProviderInfo
from jackfield.setup.login import at_company, is_browser, require_enabled, runs_code
from jackfield.setup.profile import find_method, name_profile

if TYPE_CHECKING:
    from jackfield.auth.flows.client import Client

DEVICE_ENGINES = frozenset({"device", "user-code"})
enterprise_option = click.option(
    "--enterprise-url", metavar="URL", default="", help="Sign in at a company's own server, such as company.ghe.com."
)


@click.command()
@provider_option
@click.option("--method", metavar="ID", help="One of the provider's ways to sign in.")
@click.option("--set-default", is_flag=True, help="Make the provider's model the default afterwards.")
@click.option("--device-code", is_flag=True, help="Sign in with a code on another device.")
@click.option("--force", is_flag=True, help="Accepted; a new sign-in always replaces the old one.")
@enterprise_option
@profile_option
@pass_context
def login(context: Context, /, provider: str, method: str | None, device_code: bool, **flags: Any) -> None:
    """Sign in on a provider's own page, or with a code on another device."""
    info = find_provider(context, provider)
    way = at_company(info, pick_way(context, info, method, device=device_code), flags["enterprise_url"])
    log_in(context, info, way, flags["profile_id"], set_default=flags["set_default"])


@click.command("login-github-copilot")
@click.option("--yes", is_flag=True, help="Replace the credential that is there without asking.")
@enterprise_option
@profile_option
@pass_context
def login_github_copilot(context: Context, yes: bool, enterprise_url: str, profile_id: str | None) -> None:
    """Sign in to GitHub Copilot with a code that is entered in a browser."""
    info = find_provider(context, "github-copilot")
    way = at_company(info, pick_way(context, info, None, device=True), enterprise_url)
    _require_ready(context, info, way)
    name = name_profile(info, profile_id, (way.flow and way.flow.profile_name) or "default")
    if not yes and context.store.read(name) and not ask.confirm(f"Replace the stored {name}?", default=False):
        ui.note("nothing changed")
        return
    log_in(context, info, way, name)


def log_in(
    context: Context, info: ProviderInfo, way: AuthMethod, profile_id: str | None = None, *, set_default: bool = False
) -> None:
    """Sign in, keep the profile, write what the config has to say of it, and tell."""
    _require_ready(context, info, way)
    _ = context.config  # one that cannot be read stops us before anybody signs in
    profile = sign_in(context, info, way, profile_id)
    model = way.default_model or info.default_model
    apply(
        context,
        Setup(
            choice=way.choice, info=info, profile=profile, model=model if set_default else None, set_default=set_default
        ),
    )
    entry: JsonObject = {
        "provider": info.id,
        "mode": profile.type,
        **({"email": profile.email} if profile.email else {}),
    }
    edit_config(context.paths, lambda _: [Set(("auth", "profiles", profile.id), entry)], environ=context.environ)
    context.reload()
    ui.out(f"Auth profile: {profile.id} ({info.id}/{profile.type})")
    if model and set_default:
        ui.out(f"Default model set to {info.id}/{model}")
    elif model:
        ui.out(f"Default model available: {info.id}/{model} (use --set-default to apply)")


def sign_in(context: Context, info: ProviderInfo, way: AuthMethod, profile_id: str | None = None) -> Profile:
    """Return the profile that a sign-in on the provider's page makes, or the plugin's own; stores nothing."""
    if runs_code(way):
        profile = context.plugins.sign_in(way.plugin, info.id, Dialogue())
        return replace(profile, id=name_profile(info, profile_id or profile.id, "default"))
    import asyncio

    from jackfield.cli.person import Terminal
    from jackfield.setup.meeting import meet

    flow = way.flow or Flow(engine="paste")
    client = find_client(context, info, flow)
    if tool := find_signed_in(context, flow):
        title = PLACES[tool].title
        ui.note(f"{title} is signed in on this machine; to use that instead: jackfield import {tool} --only logins")
    if flow.notice:
        ui.warn(flow.notice)
    return asyncio.run(
        meet(
            context,
            info,
            way,
            client,
            person=Terminal(context.environ),
            profile_id=profile_id,
            offline=context.offline,
        )
    )


def find_client(context: Context, info: ProviderInfo, flow: Flow) -> Client:
    """Return the client to sign in as; that of the provider's own program only when the person agrees."""
    from jackfield.auth.flows.client import find_client as find_named
    from jackfield.auth.flows.client import find_installed, missing_client

    if named := find_named(info.id, flow, context.config.environ):
        return named
    installed = find_installed(flow, context.environ)
    if installed and ask.confirm(f"Sign in as {installed.origin} does, with its public client id?", default=False):
        return installed
    raise missing_client(info.id, flow)


def find_signed_in(context: Context, flow: Flow) -> str:
    """Return the tool to import from where the provider's own program has left a sign-in, by its file; opens none."""
    place = PLACES.get(flow.installed)
    if place is None:
        return ""
    folders = folders_of(place, context.environ, context.cwd, sys.platform)
    files = [folder / name for folder in folders for name in place.files if name.endswith(".json")]
    return flow.installed if any(file.is_file() for file in files) else ""


# -- which way ---------------------------------------------------------------------


def pick_way(context: Context, info: ProviderInfo, name: str | None, *, device: bool = False) -> AuthMethod:
    """Return the sign-in that is meant; raise saying what works instead where there is none."""
    ways = [method for method in info.auth if is_browser(method)]
    if not ways:
        raise no_browser(context, info)
    if name:
        ways = [way for way in ways if name.lower() in {way.choice, way.kind, *way.aliases}]
        if not ways:
            known = ", ".join(method.choice for method in info.auth if is_browser(method))
            raise UsageError(f"{info.id} has no sign-in {name!r}", hint=f"known: {known}")
    if device:
        ways = [way for way in ways if way.flow and way.flow.engine in DEVICE_ENGINES]
        if not ways:
            raise UsageError(f"{info.id} has no sign-in with a code on another device", hint="leave out --device-code")
    if len(ways) > 1 and not name and ui.can_ask():
        return ask.pick(f"How do you sign in to {info.name or info.id}?", [(way.label, way) for way in ways])
    return ways[0]


def _require_ready(context: Context, info: ProviderInfo, way: AuthMethod) -> None:
    require_enabled(context.config, info, way)
    if not ui.can_ask():
        raise AuthError(
            f"signing in to {info.name or info.id} needs a terminal (TTY): somebody has to open a page",
            hint=f"without one: {alternative(context, info)}",
        )


def no_browser(context: Context, info: ProviderInfo) -> AuthError:
    """Return the error for a provider that has no page of its own: what takes its place."""
    missing = f"{info.name or info.id} has no browser sign-in"
    if method := find_method(info, "token"):
        return AuthError(missing, hint=f"{method.hint}: jackfield models auth paste-token --provider {info.id}")
    if any(method.kind in KEYED for method in info.auth) or not info.auth:
        return AuthError(missing, hint=f"run: jackfield models auth paste-api-key --provider {info.id}")
    return AuthError(missing, hint=f"what works instead: {alternative(context, info)}")
