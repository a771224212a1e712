"""`models aliases`, `models fallbacks`, `models image-fallbacks`: lists of names in the config."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from jackfield.cli import ui
from jackfield.cli.context import Context, json_option, pass_context, refuse_both
from jackfield.cli.models_set import DEFAULTS, listed, resolve_name, said, save
from jackfield.config.keypath import KeyPath
from jackfield.config.save import Append, Edit, Set, Unset
from jackfield.config.select import BUILT_IN_ALIASES
from jackfield.errors import UsageError
from jackfield.message import JsonObject

ALIAS = re.compile(r"[A-Za-z0-9_.:-]+")
OWN: KeyPath = ("models", "aliases")
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
    if not ALIAS.fullmatch(alias):
        raise UsageError(f"{alias!r} is no alias", hint="use letters, digits and _ . : -")
    ref = resolve_name(context, model)
    if (known := context.config.aliases.get(alias.lower())) not in (None, ref):
        raise click.ClickException(f"Alias {alias} already points to {known}.")
    if known is None:
        save(context, lambda root: _name(root, alias, ref))
    _report(f"Alias: {alias} -> {ref}", {"alias": alias, "model": ref}, as_json=as_json)


@aliases.command("remove")
@click.argument("alias")
@json_option
@pass_context
def remove_alias(context: Context, alias: str, as_json: bool) -> None:
    """Take a short name away."""
    if alias.lower() not in context.config.aliases:
        raise click.ClickException(f"Alias not found: {alias}")
    save(context, lambda root: _unname(root, alias.lower()))
    _report(f"Removed alias {alias}", {"alias": alias}, as_json=as_json)


def _name(root: JsonObject, alias: str, ref: str) -> Sequence[Edit]:
    # A map in use is where its owner looks for aliases; one alias per model is all it holds.
    if said(root, (*DEFAULTS, "models")) and "/" in ref:
        return [Set((*DEFAULTS, "models", ref, "alias"), alias)]
    return [Set((*OWN, alias), ref)]


def _unname(root: JsonObject, alias: str) -> Sequence[Edit]:
    own = [Unset((*OWN, name)) for name in said(root, OWN) or () if name.strip().lower() == alias]
    rows = said(root, (*DEFAULTS, "models")) or {}
    path = (*DEFAULTS, "models")
    given = [
        Unset((*path, ref, "alias")) for ref, row in rows.items() if (row.get("alias") or "").strip().lower() == alias
    ]
    # A built-in alias stands in no file; an empty one turns it off.
    off = [Set((*path, ref, "alias"), "") for name, ref in BUILT_IN_ALIASES.items() if name == alias and ref in rows]
    return [*own, *given] or off


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
        save(context, lambda root: [*_put(root, (*DEFAULTS, key), ref), *listed(root, ref)])
    _report_list(_refs(context, key, ref), as_json=as_json)


@click.command("remove")
@click.argument("model", metavar="MODEL")
@json_option
@click.pass_context
@pass_context
def remove_fallback(context: Context, ctx: click.Context, model: str, as_json: bool) -> None:
    """Ask MODEL no longer."""
    path = (*DEFAULTS, _key_of(ctx))
    refs = _refs(context, _key_of(ctx))
    ref = model if model in refs else resolve_name(context, model)
    if ref not in refs:
        raise click.ClickException(f"Fallback not found: {model}")
    save(context, lambda root: [Unset((*path, _key(root, path), _list(root, path).index(ref)))])
    _report_list([each for each in refs if each != ref], as_json=as_json)


@click.command("clear")
@json_option
@click.pass_context
@pass_context
def clear_fallbacks(context: Context, ctx: click.Context, as_json: bool) -> None:
    """Ask nobody after the first model."""
    path = (*DEFAULTS, _key_of(ctx))
    if _refs(context, _key_of(ctx)):
        save(context, lambda root: [Unset((*path, _key(root, path)))])
    _report_list([], as_json=as_json)


ON_FALLBACKS = [list_fallbacks, add_fallback, remove_fallback, clear_fallbacks]
fallbacks = click.Group("fallbacks", ON_FALLBACKS, help="Models asked when the default one fails, in order.")
image_fallbacks = click.Group(
    "image-fallbacks", ON_FALLBACKS, help="Models asked when the image model fails, in order."
)


def _refs(context: Context, key: str, *more: str) -> list[str]:
    known = context.config.fallbacks if key == "model" else context.config.image_fallbacks
    return list(dict.fromkeys([*known, *more]))


def _put(root: JsonObject, path: KeyPath, ref: str) -> Sequence[Edit]:
    choice = said(root, path)
    if isinstance(choice, dict):
        return [Append((*path, _key(root, path)), ref)]
    return [Set(path, {**({"primary": choice} if choice else {}), "fallbacks": [ref]})]


def _key(root: JsonObject, path: KeyPath) -> str:
    """Return the list's key as this config spells it."""
    choice = said(root, path) or {}
    return "fallback" if "fallback" in choice and "fallbacks" not in choice else "fallbacks"


def _list(root: JsonObject, path: KeyPath) -> list[str]:
    found = said(root, (*path, _key(root, path)))
    return list(found) if isinstance(found, list) else []


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
