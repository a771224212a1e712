"""`models list`: the models you can use, as a table, as JSON, or as bare names."""

from __future__ import annotations

import click
import msgspec

from jackfield.catalog import defaults
from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context, refuse_both
from jackfield.setup.row_json import render_model
from jackfield.setup.rows import Listing, ModelRow

DAY_S = 24 * 3600
HEADER = ("Model", "Input", "Ctx", "Local", "Auth", "Tags")


@click.command("list")
@click.option("--all", "everything", is_flag=True, help="Every known model, with or without a credential.")
@click.option("--provider", metavar="ID", help="All models of this provider.")
@click.option("--local", is_flag=True, help="Only models that run on this machine or network.")
@click.option("--plain", is_flag=True, help="Print the names and nothing else.")
@json_option
@pass_context
def list_(context: Context, everything: bool, provider: str | None, local: bool, plain: bool, as_json: bool) -> None:
    """List the models you can use.

    These are the configured ones, all models of providers whose credentials are there, and
    what the model servers on this machine offer; an allowlist narrows them.
    """
    refuse_both(plain=plain, as_json=as_json)
    context.tell_warnings()
    listing = Listing(context, whole=as_json)
    if provider:
        rows = listing.of_provider(provider)
    elif everything:
        rows = listing.everything()
    else:
        rows = listing.usable()
    if local:
        rows = [row for row in rows if row.local]
    if not rows:
        _explain(context, provider)
    if as_json:
        # Thousands of rows: the standard library's encoder takes longer than all the rest.
        text = msgspec.json.encode({"count": len(rows), "models": [render_model(row) for row in rows]})
        ui.out(msgspec.json.format(text, indent=2).decode())
    elif plain:
        ui.out("".join(f"{row.key}\n" for row in rows), end="")
    elif rows:
        ui.table(HEADER, [_cells(row) for row in rows])
    for name, age_s in listing.old_lists(rows):
        ui.note(f"the list of {name} is {age_s / DAY_S:.0f} days old: jackfield models refresh {name}")


def _cells(row: ModelRow) -> tuple[str, ...]:
    if row.model is None:
        return (row.key, "-", "-", "-", "-", ",".join(row.tags))
    window = f"{round(defaults.context_window(row.model) / 1024)}k"
    kinds = "+".join(defaults.inputs(row.model))
    return (row.key, kinds, window, _yes(row.local), _yes(row.available), ",".join(row.tags))


def _yes(value: bool | None) -> str:
    return "-" if value is None else "yes" if value else "no"


def _explain(context: Context, provider: str | None) -> None:
    ui.note("No models found.")
    if provider is None:
        ui.note('no provider has a credential yet: run "jackfield onboard", or set a variable such as OPENAI_API_KEY')
        ui.note('"jackfield models list --all" shows what there is')
    elif (info := context.catalog.provider(provider)) and info.local:
        ui.note(f"no server answers at {info.base_url}: start it, or correct models.providers.{info.id}.baseUrl")
    elif info:
        ui.note(f"no models of {info.id} are known; any id is passed on: jackfield chat --model {info.id}/ID")
    else:
        near = context.catalog.near(provider)
        ui.note(f"unknown provider {provider!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))
