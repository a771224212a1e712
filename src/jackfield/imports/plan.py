"""What an import adds to a config and to the credential store: pure, and never over what is there.

Everything that stays as the user has it is named in `kept`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from jackfield.config.keypath import render_path
from jackfield.config.save import Append, Edit, Set
from jackfield.credential import Profile
from jackfield.imports.found import Credential, Imported, Known
from jackfield.message import JsonObject

ALIAS = re.compile(r"[^/@\x00-\x1f]*[^/@\x00-\x20]")  # a slash would make it provider/model
DEFAULTS = ("agents", "defaults")
PROVIDERS = ("models", "providers")


class Wishes(Struct, frozen=True, kw_only=True):
    """What of an import is wanted."""

    models: bool = True
    keys: bool = True
    logins: bool = False
    set_default: bool = False  # the tool's default model becomes ours even where there is one


class Plan(Struct, frozen=True):
    """What would be written, and what stays as it is and why."""

    edits: tuple[Edit, ...] = ()
    credentials: tuple[Credential, ...] = ()
    kept: tuple[str, ...] = ()


def plan_import(imported: Imported, raw: JsonObject, stored: Sequence[Profile], known: Known, wishes: Wishes) -> Plan:
    """Return the edits of a config as authored (`raw`) and the credentials that the store has not yet."""
    kept: list[str] = []
    refused = {name.lower() for name, entry in imported.providers.items() if _stands_elsewhere(name, entry, raw)}
    kept += [f"models.providers.{name}: it stands at another address" for name in sorted(refused)]
    imported = _without_providers(imported, refused)
    fresh = [each for each in imported.credentials if _is_wanted(each, wishes) and _is_new(each, stored, kept)]
    edits: list[Edit] = []
    if wishes.models:
        for name, entry in imported.providers.items():
            edits += _provider_edits(name, entry, raw, kept)
        edits += _selection_edits(imported, raw, wishes, kept)
        edits += _name_edits(imported, raw, kept)
    if fresh:
        edits += _order_edits(imported, raw, fresh, kept)
        edits += _plugin_edits(raw, fresh, known, kept)
    return Plan(tuple(edits), tuple(fresh), tuple(dict.fromkeys(kept)))


def _stands_elsewhere(name: str, entry: JsonObject, raw: JsonObject) -> bool:
    """Tell whether the user's own provider of that name is another server."""
    entries = _at(raw, *PROVIDERS)
    old = next((entries[each] for each in entries if each.strip().lower() == name.lower()), None)
    said = old.get("baseUrl") if isinstance(old, dict) else None
    return bool(said and entry.get("baseUrl") and str(said).rstrip("/") != str(entry["baseUrl"]).rstrip("/"))


def _without_providers(imported: Imported, refused: AbstractSet[str]) -> Imported:
    """Return an import without some providers: neither their keys nor their models may go to another server."""

    def is_ours(ref: str) -> bool:
        return bool(ref) and ref.partition("/")[0].strip().lower() not in refused

    def with_primary(ref: str) -> str:
        return ref if is_ours(ref) else ""

    return replace(
        imported,
        providers={name: entry for name, entry in imported.providers.items() if name.lower() not in refused},
        primary=with_primary(imported.primary),
        image_primary=with_primary(imported.image_primary),
        fallbacks=tuple(filter(is_ours, imported.fallbacks)),
        image_fallbacks=tuple(filter(is_ours, imported.image_fallbacks)),
        aliases={name: ref for name, ref in imported.aliases.items() if is_ours(ref)},
        routes={name: route for name, route in imported.routes.items() if is_ours(str(route.get("primary", "")))},
        credentials=tuple(each for each in imported.credentials if each.profile.provider.lower() not in refused),
    )


# -- credentials -------------------------------------------------------------------


def _is_wanted(credential: Credential, wishes: Wishes) -> bool:
    return wishes.logins if credential.is_login else wishes.keys


def _is_new(credential: Credential, stored: Sequence[Profile], kept: list[str]) -> bool:
    new = credential.profile
    for old in stored:
        if old.provider == new.provider and old.secret == new.secret and new.secret:
            return False  # the same under whatever name
        if old.id == new.id:
            kept.append(f"credential {old.id} ({credential.origin}): another one has that name")
            return False
    return True


# -- providers ---------------------------------------------------------------------


def _provider_edits(name: str, entry: JsonObject, raw: JsonObject, kept: list[str]) -> Iterator[Edit]:
    entries = _at(raw, *PROVIDERS)
    there = next((each for each in entries if each.strip().lower() == name.lower()), None)
    if there is None:
        yield from [Set((*PROVIDERS, name), entry)] if entry else []
        return
    old = entries[there] if isinstance(entries[there], dict) else {}
    for key, value in entry.items():
        path = (*PROVIDERS, there, key)
        if key == "models" and isinstance(old.get(key), list):
            ids = {row.get("id") for row in old[key] if isinstance(row, dict)}
            yield from (Append(path, row) for row in value if row.get("id") not in ids)
        elif key not in old:
            yield Set(path, value)
        elif old[key] != value:
            kept.append(render_path(path))


# -- selection ---------------------------------------------------------------------


def _selection_edits(imported: Imported, raw: JsonObject, wishes: Wishes, kept: list[str]) -> Iterator[Edit]:
    chosen = (
        ("model", imported.primary, imported.fallbacks),
        ("imageModel", imported.image_primary, imported.image_fallbacks),
    )
    for key, primary, fallbacks in chosen:
        said = _at(raw, *DEFAULTS).get(key)
        old = said.get("primary") if isinstance(said, dict) else said
        path = (*DEFAULTS, key)
        if primary and old and old != primary and not wishes.set_default:
            kept.append(f"{render_path(path)}: {old}; --set-default makes it {primary}")
            continue
        if primary and old != primary:
            yield Set(path if isinstance(said, str) else (*path, "primary"), primary)
        listed = said.get("fallbacks") if isinstance(said, dict) else None
        ours = wishes.set_default or not old or old == primary
        if fallbacks and listed is None and ours and not isinstance(said, str):
            yield Set((*path, "fallbacks"), [*fallbacks])
        elif fallbacks and listed != [*fallbacks]:
            kept.append(f"{render_path((*path, 'fallbacks'))}: not {', '.join(fallbacks)}")
    yield from _allow_edits(imported, raw, kept)


def _allow_edits(imported: Imported, raw: JsonObject, kept: list[str]) -> Iterator[Edit]:
    """Bring an allowlist into a config that names no models yet; extend one that is there by the default only."""
    path = (*DEFAULTS, "models")
    allowed = _at(raw, *path)
    if _brings_allowlist(imported, raw):
        yield Set(path, dict(imported.allowed))
    elif imported.allowed and not imported.allowed.keys() <= allowed.keys():
        kept.append(f"{render_path(path)}: an allowlist of {len(imported.allowed)} models would shut out yours")
    if allowed and imported.primary and imported.primary not in allowed:
        kept.append(
            f"{render_path(path)}: it does not admit {imported.primary}; run: jackfield models set {imported.primary}"
        )


def _brings_allowlist(imported: Imported, raw: JsonObject) -> bool:
    return bool(imported.allowed) and not _at(raw, "models") and not _at(raw, *DEFAULTS)


# -- names -------------------------------------------------------------------------


def _name_edits(imported: Imported, raw: JsonObject, kept: list[str]) -> Iterator[Edit]:
    old_names = {str(name).lower(): ref for name, ref in _at(raw, "models", "aliases").items()}
    rows = imported.allowed if _brings_allowlist(imported, raw) else _at(raw, *DEFAULTS, "models")
    for row_ref, row in rows.items():
        if isinstance(row, dict) and isinstance(row.get("alias"), str):
            old_names[row["alias"].lower()] = row_ref
    routes = {name.lower() for name in _at(raw, "models", "routes")}
    for alias, ref in imported.aliases.items():
        old = old_names.get(alias.lower())
        if not ALIAS.fullmatch(alias):
            kept.append(f"alias {alias}: a name with a slash or an @ means something else here")
        elif old is None and alias.lower() not in routes:
            yield Set(("models", "aliases", alias), ref)
        elif old != ref:
            kept.append(f"alias {alias}: it means {old or 'a route'}, not {ref}")
    for name, route in imported.routes.items():
        if name.lower() not in routes and name.lower() not in old_names:
            yield Set(("models", "routes", name), route)
        elif _at(raw, "models", "routes").get(name) != route:
            kept.append(f"models.routes.{name}")


def _order_edits(imported: Imported, raw: JsonObject, fresh: Sequence[Credential], kept: list[str]) -> Iterator[Edit]:
    orders = _at(raw, "auth", "order")
    known = {each.profile.id for each in fresh}
    for provider, listed in imported.order.items():
        ids = [each for each in listed if each in known]  # an order of strangers would forbid every other profile
        if provider not in orders and ids:
            yield Set(("auth", "order", provider), [*ids])
        elif ids and orders.get(provider) != ids:
            kept.append(f"auth.order.{provider}")
    new: dict[str, list[str]] = {}
    for each in fresh:
        new.setdefault(each.profile.provider, []).append(each.profile.id)
    for provider, added in new.items():
        order = orders.get(provider)
        # An order is a filter too: what it does not list is never tried. The user's own come first.
        if isinstance(order, list) and not set(added) <= set(order):
            yield Set(("auth", "order", provider), [*order, *(each for each in added if each not in order)])


def _plugin_edits(raw: JsonObject, fresh: Sequence[Credential], known: Known, kept: list[str]) -> Iterator[Edit]:
    for provider in dict.fromkeys(each.profile.provider for each in fresh if each.is_login):
        plugin = known.plugins.get(provider)
        said = _at(raw, "plugins", "entries", plugin).get("enabled") if plugin else True
        if plugin and said is None:
            yield Set(("plugins", "entries", plugin, "enabled"), True)
        elif said is False:
            kept.append(f"plugin {plugin}: it is disabled; run: jackfield plugins enable {plugin}")


def drop_path(edits: Sequence[Edit], path: Sequence[str | int]) -> tuple[Edit, ...]:
    """Return the edits without the value at a path: a part of one edit's value, or the whole edit."""
    kept: list[Edit] = []
    for edit in edits:
        below = tuple(path[len(edit.path) :])
        if not isinstance(edit, Set) or tuple(path[: len(edit.path)]) != tuple(edit.path):
            if not (isinstance(edit, Append) and tuple(path[: len(edit.path)]) == tuple(edit.path)):
                kept.append(edit)
        elif below and isinstance(edit.value, Mapping | list):
            kept.append(Set(edit.path, _without(edit.value, below)))
    return tuple(kept)


def _without(value: Any, path: tuple[str | int, ...]) -> Any:
    step, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(step, int):
        return [
            _without(each, rest) if rest and number == step else each
            for number, each in enumerate(value)
            if rest or number != step
        ]
    if not isinstance(value, dict) or step not in value:
        return value
    return {
        key: _without(each, rest) if key == step and rest else each
        for key, each in value.items()
        if rest or key != step
    }


def _at(raw: JsonObject, *path: str) -> JsonObject:
    value: Any = raw
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
