"""`models auth`: list and remove credentials; how they come in and in which order they are used is next door."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from jackfield.auth.health import judge
from jackfield.cli import ui
from jackfield.cli.auth_order import order
from jackfield.cli.auth_paste import add, paste_api_key, paste_token, setup_token
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.login import login, login_github_copilot
from jackfield.config.save import edit_config
from jackfield.credential import Profile
from jackfield.errors import MissingKey, UsageError
from jackfield.setup.forget import forget, is_named
from jackfield.setup.profile import render_profile, shown_key


@click.group(short_help="Add, list, order and remove credentials.")
def auth() -> None:
    """Add, list, order and remove credentials.

    Keys are kept in auth-profiles.json in Jackfield's home, readable by you only.
    """


@auth.command("list")
@click.option("--provider", metavar="ID", help="Only this provider's.")
@json_option
@pass_context
def list_(context: Context, provider: str | None, as_json: bool) -> None:
    """List the stored credentials; keys are never shown in full."""
    wanted = context.catalog.normalise(provider) if provider else None
    profiles = [each for each in context.store.list() if wanted in (None, context.catalog.normalise(each.provider))]
    if warning := context.store.warning():
        ui.warn(warning)
    now_ms = context.now_ms()
    if as_json:
        rows = [render_profile(profile, now_ms) for profile in profiles]
        ui.as_json({"count": len(rows), "profiles": rows, "authStorePath": str(context.store.path)})
    elif profiles:
        header = ("Profile", "Type", "Key", "State", "Expires")
        ui.table(header, [_as_cells(profile, now_ms) for profile in profiles])
    else:
        ui.note("no credentials stored; add one: jackfield onboard")


def _as_cells(profile: Profile, now_ms: int) -> tuple[str, ...]:
    expires = (
        "-"
        if profile.expires_ms is None
        else datetime.fromtimestamp(profile.expires_ms / 1000, UTC).strftime("%Y-%m-%d %H:%MZ")
    )
    return profile.id, profile.type, shown_key(profile), judge(profile, now_ms), expires


@auth.command()
@click.argument("profile_id", metavar="PROFILE")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def logout(context: Context, profile_id: str, yes: bool, as_json: bool) -> None:
    """Remove a stored credential."""
    if profile_id not in {profile.id for profile in context.store.list()}:
        raise MissingKey(f'no credentials found for profile "{profile_id}"', hint="see: jackfield models auth list")
    if not yes:
        if not ui.can_ask():
            raise UsageError("nobody is there to confirm", hint=f"run: jackfield models auth logout {profile_id} --yes")
        click.confirm(f"Remove {profile_id} from {context.store.path}?", abort=True, err=True)
    context.store.delete(profile_id)
    if is_named(context, profile_id):
        edit_config(context.paths, lambda raw: forget(raw, profile_id), environ=context.environ)
        ui.note(f"updated {context.paths.config}")
    if as_json:
        ui.as_json({"ok": True, "removed": profile_id, "authStorePath": str(context.store.path)})
    else:
        ui.out(f"Removed auth profile: {profile_id}")


for command in (add, paste_api_key, paste_token, setup_token, login, login_github_copilot, order):
    auth.add_command(command)
