"""`models set` and `models set-image`: choose a model and write the choice into the config."""

from __future__ import annotations

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.config.save import edit_config
from jackfield.errors import NotAllowed
from jackfield.model import ModelRef
from jackfield.routing.policy import check_allowed
from jackfield.setup import choose as choosing
from jackfield.setup.choose import MakeEdits


@click.command("set")
@click.argument("model", metavar="MODEL")
@json_option
@pass_context
def set_(context: Context, model: str, as_json: bool) -> None:
    """Choose the default model: a provider/model, an alias or a route."""
    ref = _choose(context, "model", model)
    _report(context, "Default model", "defaultModel", ref, as_json=as_json)


@click.command("set-image")
@click.argument("model", metavar="MODEL")
@json_option
@pass_context
def set_image(context: Context, model: str, as_json: bool) -> None:
    """Choose the model that is asked when the default one takes no pictures."""
    ref = _choose(context, "imageModel", model)
    _report(context, "Image model", "imageModel", ref, as_json=as_json)


def _choose(context: Context, key: str, model: str) -> str:
    ref = resolve_name(context, model)
    save(context, choosing.choose(key, ref))
    return ref


def resolve_name(context: Context, text: str) -> str:
    """Return what to write for a model the user names; warns of one that nobody knows."""
    ref, doubt = choosing.resolve_name(text, context.config, context.catalog)
    if doubt:
        ui.warn(doubt)
    return ref


def save(context: Context, edits: MakeEdits) -> None:
    """Write the edits and say on stderr which file changed."""
    result = edit_config(context.paths, edits, environ=context.environ)
    for file in result.files:
        ui.note(f"Updated {file}")


def _report(context: Context, title: str, key: str, ref: str, *, as_json: bool) -> None:
    parsed = ModelRef.parse(ref)
    allow = context.config.allow
    if parsed and allow and "modelPolicy" in allow.origin:
        try:
            check_allowed(parsed, context.config, context.catalog)
        except NotAllowed as error:
            ui.warn(error.message)
    if as_json:
        ui.as_json({"ok": True, key: ref, "configPath": str(context.paths.config)})
    else:
        ui.out(f"{title}: {ref}")
