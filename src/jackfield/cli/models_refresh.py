"""`models refresh`: ask providers which models they have, and keep their lists."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context

if TYPE_CHECKING:
    from jackfield.providers.refresh import Refreshed

SHOWN = 5  # ids of a change that are named


@click.command("refresh")
@click.argument("providers", metavar="[PROVIDER]...", nargs=-1)
@json_option
@pass_context
def refresh(context: Context, providers: tuple[str, ...], as_json: bool) -> int:
    """Ask providers which models they have now.

    Without names: every provider with a credential, and the model servers on this machine that
    run. A list that cannot be had leaves the last one as it is. Fails when none could be had.
    """
    import asyncio

    from jackfield.setup.refreshed import render_refreshed

    context.tell_warnings()
    results = asyncio.run(_refresh(context, providers))
    if as_json:
        ui.as_json({"providers": [render_refreshed(each) for each in results]})
    else:
        for each in results:
            _tell(each)
    if not results:
        ui.note("no provider has a credential and no model server runs here")
        ui.note("run: jackfield onboard, or name one: jackfield models refresh venice")
    return 1 if results and all(each.error for each in results) else 0


def age(seconds: float) -> str:
    """Say in a word or two how long ago something was."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (count := int(seconds // length)) >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "a moment"


async def _refresh(context: Context, providers: tuple[str, ...]) -> tuple[Refreshed, ...]:
    async with context.open_client() as client:
        return await client.refresh_models(providers)


def _tell(result: Refreshed) -> None:
    if result.error is None:
        changes = [*_change("new", result.new), *_change("gone", result.gone)]
        ui.out(
            ", ".join([f"{result.provider}: {ui.count(len(result.models), 'model')}", *(changes or ["nothing new"])])
        )
        return
    kept = f"; the list of {age(time.time() - result.head.fetched_at)} ago is kept" if result.head.fetched_at else ""
    ui.out(f"{result.provider}: failed: {result.error.message}{kept}")
    for line in result.error.hint.splitlines():
        ui.note(f"  {line}")


def _change(word: str, ids: tuple[str, ...]) -> list[str]:
    if not ids:
        return []
    more = f", and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
    return [f"{len(ids)} {word} ({', '.join(ids[:SHOWN])}{more})"]
