"""`health`: what failed lately and rests for now, until when and why; and how to end a rest at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.cli.health_rows import render_cells, say_until, say_used
from jackfield.errors import UsageError
from jackfield.setup.rests import end_rests, list_rests, matches, name_credential, render_quotas, render_rest

if TYPE_CHECKING:
    from jackfield.health.record import Quota
    from jackfield.health.store import HealthStore

HEADER = ("Provider", "Credential", "Model", "Cause", "Until", "Next try", "Failures", "In its own words")
SHARED_OPTION = click.option("--shared", is_flag=True, help="The gateways' common store: gateway.sharedState.")


@click.group("health", invoke_without_command=True, short_help="Show what failed lately; end a rest.")
@SHARED_OPTION
@json_option
@click.pass_context
def health(ctx: click.Context, shared: bool, as_json: bool) -> None:
    """Show what failed lately and is not asked for now, and what is left of each quota.

    A rest ends by itself, after a quarter of an hour at most; then one request tries again.

    \b
      jackfield health reset                all may be asked again at once
      jackfield health reset venice         one provider
      jackfield health reset venice/MODEL   one model
      jackfield health reset venice:default one credential
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_, shared=shared, as_json=as_json)


@health.command("list")
@SHARED_OPTION
@json_option
@pass_context
def list_(context: Context, shared: bool, as_json: bool) -> None:
    """List what rests, what is to be tried again, and the quotas."""
    now_ms = context.now_ms()
    with _opened(context, shared=shared) as store:
        view, rows = store.view(), list_rests(store, context)
    quotas = sorted(view.every_quota, key=lambda quota: (quota.provider, quota.credential, quota.name))
    if as_json:
        ui.as_json(
            {
                "ok": True,
                "rests": [render_rest(row) for row in rows],
                "quotas": [
                    {**told, "credential": name_credential(quota.credential)}
                    for quota, told in zip(quotas, render_quotas(quotas, now_ms, context.config.spill_at), strict=True)
                ],
            }
        )
        return
    if rows:
        ui.table(HEADER, [render_cells(row) for row in rows])
    else:
        ui.out("Nothing rests: no failure is remembered.")
    _show_quotas(quotas, now_ms)


@health.command()
@click.argument("place", required=False)
@click.option("--all", "every", is_flag=True, help="All of them, as without PLACE.")
@SHARED_OPTION
@json_option
@pass_context
def reset(context: Context, place: str | None, every: bool, shared: bool, as_json: bool) -> None:
    """End every rest at once, or PLACE's alone.

    PLACE is a provider, provider/model or a profile's id.
    """
    if place is not None and every:
        raise UsageError("choose either PLACE or --all, not both")
    with _opened(context, shared=shared) as store:
        ended = end_rests(store, context, lambda row: place is None or matches(row, _normal(context, place)))
    if not ended and place is not None:
        _check_known(context, place)
    if as_json:
        ui.as_json({"ok": True, "reset": ended})
    else:
        ui.out(_say_ended(ended, place))


@contextmanager
def _opened(context: Context, *, shared: bool) -> Iterator[HealthStore]:
    from jackfield.health.store import open_health

    url = context.config.callers.shared_state
    if shared and url is None:
        raise UsageError("gateway.sharedState is not set", hint="leave --shared out to see this user's own state")
    store = open_health(context.config, context.now_ms, shared_url=url.reveal() if shared and url else "")
    try:
        yield store
    finally:
        store.close()
        for problem in store.problems:
            ui.warn(problem)


def _normal(context: Context, place: str) -> str:
    """Return a place with its provider under the name that is used here."""
    provider, slash, model = place.partition("/")
    return f"{context.catalog.normalise(provider)}{slash}{model}"


def _check_known(context: Context, place: str) -> None:
    """Raise `UsageError` for a place that is none, so that a slip of the pen does not pass for a reset."""
    provider = place.partition("/")[0]
    if context.catalog.provider(provider) or any(profile.id == place for profile in context.store.list()):
        return
    raise UsageError(
        f"no provider, model or profile {place!r} is known",
        hint="see: jackfield health list; a place is a provider, provider/model or a profile's id",
    )


def _say_ended(ended: int, place: str | None) -> str:
    at = f" at {place}" if place else ""
    if not ended:
        return f"Nothing rests{at}."
    return f"{ended} {'rest' if ended == 1 else 'rests'}{at} ended."


def _show_quotas(quotas: list[Quota], now_ms: int) -> None:
    if quotas:
        ui.out()
        cells = [
            (
                quota.provider,
                name_credential(quota.credential),
                quota.name,
                say_used(quota, now_ms),
                say_until(quota.resets_ms, now_ms),
            )
            for quota in quotas
        ]
        ui.table(("Provider", "Credential", "Quota", "Used", "Resets"), cells)
