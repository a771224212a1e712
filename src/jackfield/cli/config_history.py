"""`config history` and `config undo`: the changes of the config, and taking them back."""

from __future__ import annotations

from datetime import datetime

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context

SHOWN = 3  # keys of a change that are named


@click.command()
@json_option
@pass_context
def history(context: Context, as_json: bool) -> None:
    """List the changes of the config that can be undone, the last one first."""
    from jackfield.config.history import load_changes, render_entry

    changes = load_changes(context.paths)
    if as_json:
        ui.as_json({"changes": [render_entry(each) for each in changes]})
    elif changes:
        rows = [(str(each.number), _moment(each.at_ms), each.by, _name(each.keys)) for each in changes]
        ui.table(("Change", "Time", "By", "What"), rows)
    else:
        ui.note("no change is kept yet")


@click.command()
@click.argument("number", type=click.IntRange(1), required=False, default=None)
@click.option("--dry-run", is_flag=True, help="Show the change, write nothing.")
@json_option
@pass_context
def undo(context: Context, number: int | None, dry_run: bool, as_json: bool) -> None:
    """Make the config what it was before change NUMBER, or before the last one.

    "jackfield config history" has the numbers. Changes after it are taken back too; all of it is one new change,
    which can be undone in its turn.
    """
    from jackfield.config.history import find_change
    from jackfield.config.save import replace_texts
    from jackfield.setup.undo import make_undo

    change = find_change(context.paths, number or 0)
    followers = _find_followers(context, change.number)
    result = replace_texts(
        context.paths,
        lambda _: make_undo(context.paths, context.environ, change.number),
        environ=context.environ,
        dry_run=dry_run,
    )
    if as_json:
        said = {"ok": True, "undone": change.number, "changed": bool(result.files), "diff": result.diff}
        ui.as_json({**said, "warnings": [*result.warnings, *followers]})
        return
    ui.out(result.diff, end="")
    for warning in followers:
        ui.warn(warning)
    if not result.files:
        ui.note(f"nothing to change: the config is as it was before change {change.number}")
    elif not dry_run:
        ui.note(f"Undid change {change.number}; updated " + ", ".join(map(str, result.files)))


def _find_followers(context: Context, number: int) -> list[str]:
    from jackfield.config.schema import InvalidConfig
    from jackfield.setup.undo import warn_of_undo

    try:
        return warn_of_undo(context, number)
    except InvalidConfig:
        return []  # undoing is a way to mend it, and nobody knows where it leads now


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _name(keys: tuple[str, ...]) -> str:
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return f"{', '.join(keys[:SHOWN])}{more}" if keys else "the text"
