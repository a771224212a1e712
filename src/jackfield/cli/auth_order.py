"""`models auth order`: which of a provider's credentials are used, and in which order."""

from __future__ import annotations

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.signin import find_provider, provider_option
from jackfield.errors import MissingKey, UsageError
from jackfield.model import ProviderInfo


@click.group()
def order() -> None:
    """Say which of a provider's credentials are used, and in which order."""


@order.command("get")
@provider_option
@json_option
@pass_context
def order_get(context: Context, provider: str, as_json: bool) -> None:
    """Print a provider's order."""
    info = find_provider(context, provider)
    _show_order(context, info, as_json=as_json)


@order.command("set")
@provider_option
@click.argument("ids", metavar="PROFILE...", nargs=-1, required=True)
@json_option
@pass_context
def order_set(context: Context, provider: str, ids: tuple[str, ...], as_json: bool) -> None:
    """Use these credentials in this order, and no others."""
    info = find_provider(context, provider)
    stored = {profile.id: profile for profile in context.store.list()}
    for profile_id in ids:
        if profile_id not in stored:
            raise MissingKey(f'no credentials found for profile "{profile_id}"', hint="see: jackfield models auth list")
        if context.catalog.normalise(stored[profile_id].provider) != info.id:
            raise UsageError(f"profile {profile_id!r} belongs to {stored[profile_id].provider}, not to {info.id}")
    context.store.set_order(info.id, tuple(dict.fromkeys(ids)))
    _show_order(context, info, as_json=as_json)


@order.command("clear")
@provider_option
@json_option
@pass_context
def order_clear(context: Context, provider: str, as_json: bool) -> None:
    """Forget a provider's order; all its credentials are used again."""
    info = find_provider(context, provider)
    context.store.set_order(info.id, None)
    _show_order(context, info, as_json=as_json)


def _show_order(context: Context, info: ProviderInfo, *, as_json: bool) -> None:
    ids = context.store.order(info.id)
    if as_json:
        ui.as_json({"provider": info.id, "order": ids, "authStorePath": str(context.store.path)})
    elif ids is None:
        ui.out(f"{info.id}: no order set; sign-ins come first, then tokens, then keys")
    else:
        ui.out(f"{info.id}: {', '.join(ids) or 'no profile is used'}")
