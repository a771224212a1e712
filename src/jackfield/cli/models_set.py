"""`models set` and `models set-image`: choose a model and write the choice into the config."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context
from jackfield.config.keypath import KeyPath
from jackfield.config.save import Edit, Set, edit_config
from jackfield.errors import ModelNotFound, NotAllowed
from jackfield.message import JsonObject
from jackfield.model import ModelRef
from jackfield.routing.chain import resolve_ref
from jackfield.routing.policy import check_allowed

DEFAULTS: KeyPath = ("agents", "defaults")


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
    save(context, choose(key, ref))
    return ref


def resolve_name(context: Context, text: str) -> str:
    """Return what to write for a model the user names: a route's name, or a ref under the provider's own id.

    Raises `ModelNotFound` for an unknown provider; an unknown model of a known one earns a warning.
    """
    name = text.strip()
    if name in context.config.routes:
        return name
    ref, profile_id = resolve_ref(name, context.config, context.catalog)
    if profile_id:
        raise ModelNotFound(f"{name!r} pins a profile; name the model alone", hint=f"jackfield models set {ref}")
    _doubt(context, ref)
    # The id stays as the user spelt it: an alias of the catalog means the same tomorrow.
    written = ModelRef.parse(name)
    return (
        str(ModelRef(ref.provider, written.model))
        if written and name.lower() not in context.config.aliases
        else str(ref)
    )


def _doubt(context: Context, ref: ModelRef) -> None:
    catalog = context.catalog
    if catalog.models(ref.provider) and catalog.find(ref.provider, ref.model) is None:
        near = [each for each in catalog.near(str(ref)) if each.startswith(f"{ref.provider}/")]
        nearest = f"; nearest: {', '.join(near)}" if near else ""
        ui.warn(f"{ref} is not in the catalog and is passed on as written{nearest}")


def choose(key: str, ref: str) -> Callable[[JsonObject], Sequence[Edit]]:
    """Return the edits that make `ref` the first choice of `agents.defaults.<key>`; fallbacks stay."""

    def edits(root: JsonObject) -> Sequence[Edit]:
        path = (*DEFAULTS, key)
        is_table = isinstance(said(root, path), dict)
        first = Set((*path, "primary"), ref) if is_table else Set(path, {"primary": ref})
        return [first, *listed(root, ref)]

    return edits


def listed(root: JsonObject, ref: str) -> list[Edit]:
    """Return the edit that adds a ref to `agents.defaults.models`, if that map is in use and lacks it.

    An empty map is left alone: one entry would turn it into an allowlist of one.
    """
    models = said(root, (*DEFAULTS, "models"))
    return [Set((*DEFAULTS, "models", ref), {})] if models and ref not in models and "/" in ref else []


def said(root: JsonObject, path: KeyPath) -> Any:
    """Return what the authored config has at a path; `None` when nothing."""
    value: Any = root
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def save(context: Context, edits: Callable[[JsonObject], Sequence[Edit]]) -> None:
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
