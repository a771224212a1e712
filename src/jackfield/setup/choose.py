"""Choosing models in the config: what a name is written as, and the edits behind `models set` and its kin.

Edits are made from the config as authored and printed by nobody; who makes them saves them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from jackfield.catalog.load import Catalog
from jackfield.config.keypath import KeyPath
from jackfield.config.save import Append, Edit, Set, Unset
from jackfield.config.schema import Config
from jackfield.config.select import BUILT_IN_ALIASES
from jackfield.errors import InvalidRequest, ModelNotFound, UsageError
from jackfield.message import JsonObject
from jackfield.model import ModelRef
from jackfield.routing.chain import resolve_ref

DEFAULTS: KeyPath = ("agents", "defaults")
OWN: KeyPath = ("models", "aliases")
ALIAS = re.compile(r"[A-Za-z0-9_.:-]+")
MakeEdits = Callable[[JsonObject], Sequence[Edit]]


def resolve_name(text: str, config: Config, catalog: Catalog) -> tuple[str, str]:
    """Return what to write for a model the user names, and a doubt in words, empty where there is none.

    That is a route's name, or a ref under the provider's own id. Raises `ModelNotFound` for an unknown provider;
    an unknown model of a known one is doubted.
    """
    name = text.strip()
    if name in config.routes:
        return name, ""
    ref, profile_id = resolve_ref(name, config, catalog)
    if profile_id:
        raise ModelNotFound(f"{name!r} pins a profile; name the model alone", hint=f"jackfield models set {ref}")
    # The id stays as the user spelt it: an alias of the catalog means the same tomorrow.
    written = ModelRef.parse(name)
    is_ref = written and name.lower() not in config.aliases
    said = str(ModelRef(ref.provider, written.model)) if written and is_ref else str(ref)
    return said, _doubt(ref, catalog)


def _doubt(ref: ModelRef, catalog: Catalog) -> str:
    if not catalog.models(ref.provider) or catalog.find(ref.provider, ref.model) is not None:
        return ""
    near = [each for each in catalog.near(str(ref)) if each.startswith(f"{ref.provider}/")]
    nearest = f"; nearest: {', '.join(near)}" if near else ""
    return f"{ref} is not in the catalog and is passed on as written{nearest}"


def choose(key: str, ref: str) -> MakeEdits:
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


# -- fallbacks ---------------------------------------------------------------------


def add_fallback(key: str, ref: str) -> MakeEdits:
    """Return the edits that put `ref` at the end of the fallbacks of `agents.defaults.<key>`."""

    def edits(root: JsonObject) -> Sequence[Edit]:
        path = (*DEFAULTS, key)
        choice = said(root, path)
        if ref in list_fallbacks(root, key):
            return []
        if isinstance(choice, dict):
            return [Append((*path, _spelling(root, path)), ref), *listed(root, ref)]
        return [Set(path, {**({"primary": choice} if choice else {}), "fallbacks": [ref]}), *listed(root, ref)]

    return edits


def drop_fallback(key: str, ref: str) -> MakeEdits:
    """Return the edit that takes `ref` out of the fallbacks; raise `InvalidRequest` where it is not among them."""

    def edits(root: JsonObject) -> Sequence[Edit]:
        path, refs = (*DEFAULTS, key), list_fallbacks(root, key)
        if ref not in refs:
            raise InvalidRequest(f"{ref} is no fallback", hint=f"there are: {', '.join(refs) or 'none'}")
        return [Unset((*path, _spelling(root, path), refs.index(ref)))]

    return edits


def order_fallbacks(key: str, refs: Sequence[str]) -> MakeEdits:
    """Return the edits that bring the fallbacks into another order; raise `InvalidRequest` where it is of others."""

    def edits(root: JsonObject) -> Sequence[Edit]:
        path, present = (*DEFAULTS, key), list_fallbacks(root, key)
        if sorted(present) != sorted(refs):
            raise InvalidRequest("the fallbacks are others by now", hint=f"they are: {', '.join(present) or 'none'}")
        spelling = _spelling(root, path)
        return [Set((*path, spelling, at), ref) for at, ref in enumerate(refs) if present[at] != ref]

    return edits


def clear_fallbacks(key: str) -> MakeEdits:
    """Return the edit that takes all fallbacks away."""
    path = (*DEFAULTS, key)
    return lambda root: [Unset((*path, _spelling(root, path)))]


def list_fallbacks(root: JsonObject, key: str) -> list[str]:
    """Return the fallbacks of `agents.defaults.<key>` as they are written."""
    path = (*DEFAULTS, key)
    found = said(root, (*path, _spelling(root, path)))
    return list(found) if isinstance(found, list) else []


def _spelling(root: JsonObject, path: KeyPath) -> str:
    """Return the list's key as this config spells it."""
    choice = said(root, path)
    keys = choice if isinstance(choice, dict) else {}
    return "fallback" if "fallback" in keys and "fallbacks" not in keys else "fallbacks"


# -- aliases -----------------------------------------------------------------------


def require_alias(alias: str) -> None:
    """Raise `UsageError` for what cannot be a short name."""
    if not ALIAS.fullmatch(alias):
        raise UsageError(f"{alias!r} is no alias", hint="use letters, digits and _ . : -")


def is_free(alias: str, ref: str, config: Config) -> bool:
    """Tell whether a short name is still to be written; raise `InvalidRequest` where it stands for another model."""
    known = config.aliases.get(alias.lower())
    if known not in {None, ref}:
        raise InvalidRequest(f"Alias {alias} already points to {known}.")
    return known is None


def add_alias(alias: str, ref: str) -> MakeEdits:
    """Return the edit that lets a short name stand for a model."""

    def edits(root: JsonObject) -> Sequence[Edit]:
        # A map in use is where its owner looks for aliases; one alias per model is all it holds.
        models = said(root, (*DEFAULTS, "models"))
        if models and "/" in ref:
            return [Set((*DEFAULTS, "models", ref, "alias"), alias)]
        return [Set((*OWN, alias), ref)]

    return edits


def drop_alias(alias: str) -> MakeEdits:
    """Return the edits that take a short name away."""
    name = alias.lower()

    def edits(root: JsonObject) -> Sequence[Edit]:
        own = [Unset((*OWN, each)) for each in said(root, OWN) or () if each.strip().lower() == name]
        rows, path = said(root, (*DEFAULTS, "models")) or {}, (*DEFAULTS, "models")
        given = [
            Unset((*path, ref, "alias"))
            for ref, row in rows.items()
            if (row.get("alias") or "").strip().lower() == name
        ]
        # A built-in alias stands in no file; an empty one turns it off.
        off = [Set((*path, ref, "alias"), "") for each, ref in BUILT_IN_ALIASES.items() if each == name and ref in rows]
        return [*own, *given] or off

    return edits
