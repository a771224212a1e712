"""`models aliases`, `models fallbacks`, `models image-fallbacks`: lists of names in the config."""

from __future__ import annotations

from collections.abc import Sequence

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context, refuse_both
from jackfield.cli.models_set import resolve_name, save
from jackfield.message import JsonObject
from jackfield.setup import choose

plain_option = click.option("--plain", is_flag=True, help="Print bare lines.")


# -- aliases -----------------------------------------------------------------------


@click.group()
def aliases() -> None:
    """List, add and remove short names of models."""


@aliases.command("list")
@plain_option
@json_option
@pass_context
def list_aliases(context: Context, plain: bool, as_json: bool) -> None:
    """List the short names and what each stands for."""
    refuse_both(plain=plain, as_json=as_json)
    names = dict(sorted(context.config.aliases.items()))
    if as_json:
        ui.as_json({"aliases": names})
    elif plain:
        ui.out("".join(f"{name} {ref}\n" for name, ref in names.items()), end="")
    else:
        _print_list("Aliases", [f"{name} -> {ref}" for name, ref in names.items()])


@aliases.command("add")
@click.argument("alias")
@click.argument("model", metavar="MODEL")
@json_option
@pass_context
def add_alias(context: Context, alias: str, model: str, as_json: bool) -> None:
    """Let ALIAS stand for a model; names are the same in upper and lower case."""
    choose.require_alias(alias)
    ref = resolve_name(context, model)
    if choose.is_free(alias, ref, context.config):
        save(context, choose.add_alias(alias, ref))
    _report(f"Alias: {alias} -> {ref}", {"alias": alias, "model": ref}, as_json=as_json)


@aliases.command("remove")
@click.argument("alias")
@json_option
@pass_context
def remove_alias(context: Context, alias: str, as_json: bool) -> None:
    """Take a short name away."""
    if alias.lower() not in context.config.aliases:
        raise click.ClickException(f"Alias not found: {alias}")
    save(context, choose.drop_alias(alias))
    _report(f"Removed alias {alias}", {"alias": alias}, as_json=as_json)


# -- fallbacks ---------------------------------------------------------------------

# The same commands on two lists; the group's name says on which: `agents.defaults.<key>.fallbacks`.
KEYS = {"fallbacks": "model", "image-fallbacks": "imageModel"}


def _key_of(ctx: click.Context) -> str:
    name = ctx.parent.command.name if ctx.parent else None
    return KEYS[name or "fallbacks"]


@click.command("list")
@plain_option
@json_option
@click.pass_context
@pass_context
def list_fallbacks(context: Context, ctx: click.Context, plain: bool, as_json: bool) -> None:
    """List the models in the order they are asked."""
    refuse_both(plain=plain, as_json=as_json)
    refs = _refs(context, _key_of(ctx))
    if as_json:
        ui.as_json({"fallbacks": refs})
    elif plain:
        ui.out("".join(f"{ref}\n" for ref in refs), end="")
    else:
        _print_list("Image fallbacks" if _key_of(ctx) == "imageModel" else "Fallbacks", refs)


@click.command("add")
@click.argument("model", metavar="MODEL")
@json_option
@click.pass_context
@pass_context
def add_fallback(context: Context, ctx: click.Context, model: str, as_json: bool) -> None:
    """Ask MODEL when those before it have failed."""
    key = _key_of(ctx)
    ref = resolve_name(context, model)
    if ref not in _refs(context, key):
        save(context, choose.add_fallback(key, ref))
    _report_list(_refs(context, key, ref), as_json=as_json)


@click.command("remove")
@click.argument("model", metavar="MODEL")
@json_option
@click.pass_context
@pass_context
def remove_fallback(context: Context, ctx: click.Context, model: str, as_json: bool) -> None:
    """Ask MODEL no longer."""
    key = _key_of(ctx)
    refs = _refs(context, key)
    ref = model if model in refs else resolve_name(context, model)
    if ref not in refs:
        raise click.ClickException(f"Fallback not found: {model}")
    save(context, choose.drop_fallback(key, ref))
    _report_list([each for each in refs if each != ref], as_json=as_json)


@click.command("clear")
@json_option
@click.pass_context
@pass_context
def clear_fallbacks(context: Context, ctx: click.Context, as_json: bool) -> None:
    """Ask nobody after the first model."""
    if _refs(context, _key_of(ctx)):
        save(context, choose.clear_fallbacks(_key_of(ctx)))
    _report_list([], as_json=as_json)


ON_FALLBACKS = [list_fallbacks, add_fallback, remove_fallback, clear_fallbacks]
fallbacks = click.Group("fallbacks", ON_FALLBACKS, help="Models asked when the default one fails, in order.")
image_fallbacks = click.Group(
    "image-fallbacks", ON_FALLBACKS, help="Models asked when the image model fails, in order."
)


def _refs(context: Context, key: str, *more: str) -> list[str]:
    known = context.config.fallbacks if key == "model" else context.config.image_fallbacks
    return list(dict.fromkeys([*known, *more]))


# -- printing ----------------------------------------------------------------------


def _print_list(title: str, lines: Sequence[str]) -> None:
    ui.out(f"{title} ({len(lines)}):")
    ui.out("\n".join(f"- {line}" for line in lines) or "- none")


def _report(text: str, value: JsonObject, *, as_json: bool) -> None:
    if as_json:
        ui.as_json({"ok": True, **value})
    else:
        ui.out(text)


def _report_list(refs: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        ui.as_json({"ok": True, "fallbacks": list(refs)})
    else:
        ui.out(f"Fallbacks: {', '.join(refs) or 'none'}")
