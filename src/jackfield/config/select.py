"""Which models are chosen, named and allowed: the selection half of a config."""

from __future__ import annotations

from msgspec import Struct

from jackfield.config.keypath import KeyPath, render_path
from jackfield.config.node import Node
from jackfield.config.read import Reader, place
from jackfield.config.schema import AllowList, PluginRules, ProfileMeta
from jackfield.config.table import CHOICE, DEFAULT_MODELS
from jackfield.message import JsonObject

# Names that stand for a model as soon as `agents.defaults.models` lists it without an alias.
BUILT_IN_ALIASES = {
    "opus": "anthropic/claude-opus-4-5",
    "sonnet": "anthropic/claude-sonnet-4-5",
    "gpt": "openai/gpt-5.2",
    "gpt-mini": "openai/gpt-5-mini",
    "gemini": "google/gemini-3-pro-preview",
    "gemini-flash": "google/gemini-3-flash-preview",
}
_DEFAULTS: KeyPath = ("agents", "defaults")
_LEGACY = (("model", CHOICE), ("imageModel", CHOICE), ("models", DEFAULT_MODELS))


class Choice(Struct, frozen=True):
    """A first model and those asked after it."""

    primary: str | None = None
    fallbacks: tuple[str, ...] = ()


def read_defaults(root: Node, said: JsonObject, reader: Reader) -> JsonObject:
    """Return `agents.defaults`, completed from the older root section `agent`."""
    defaults: JsonObject = dict(said.get("agents", {}).get("defaults", {}))
    legacy = root.value.get("agent")
    if legacy is None or legacy.kind != "object":
        return defaults
    for key, shape in _LEGACY:
        node = legacy.value.get(key)
        if node is not None:
            reader.warn(node, ("agent", key), f"is the older place of agents.defaults.{key}; move it there")
            value = reader.read(node, shape, ("agent", key))
            if isinstance(value, str | dict):
                defaults.setdefault(key, value)
    return defaults


def read_choice(defaults: JsonObject, key: str, root: Node, reader: Reader) -> Choice:
    """Return a model choice, written as a text or as an object."""
    said = defaults.get(key)
    if not isinstance(said, dict):
        return Choice(said.strip() or None if said else None)
    if "fallback" in said:
        path = (*_DEFAULTS, key, "fallback")
        node = root.find(path)
        if node:
            reader.warn(node, path, 'is an older spelling; write "fallbacks"')
    listed = said["fallbacks"] if "fallbacks" in said else said.get("fallback", ())
    return Choice(said.get("primary", "").strip() or None, tuple(listed))


def read_aliases(defaults: JsonObject, models: JsonObject, root: Node, reader: Reader) -> dict[str, str]:
    """Return names in lower case with what they stand for; `agents.defaults.models` beats `models.aliases`."""
    rows: JsonObject = defaults.get("models", {})
    aliases = {alias: ref for alias, ref in BUILT_IN_ALIASES.items() if ref in rows and "alias" not in rows[ref]}
    given: list[tuple[KeyPath, str, str]] = [
        (("models", "aliases", alias), alias, ref) for alias, ref in models.get("aliases", {}).items()
    ]
    given += [((*_DEFAULTS, "models", ref, "alias"), row["alias"], ref) for ref, row in rows.items() if "alias" in row]
    seen: dict[str, str] = {}
    for path, alias, ref in given:
        name = alias.strip().lower()
        node = root.find(path)
        if node and seen.get(name, ref) != ref:
            reader.warn(node, path, f'takes the name "{alias}" from {seen[name]}')
        if name and ref.strip():
            seen[name] = ref.strip()
    return aliases | seen


def read_allow(defaults: JsonObject, root: Node) -> AllowList | None:
    """Return the list of models that may be used; `modelPolicy.allow`, where present, decides alone."""
    if "allow" in defaults.get("modelPolicy", {}):
        return _allow(defaults["modelPolicy"]["allow"], root, (*_DEFAULTS, "modelPolicy", "allow"))
    return _allow(list(defaults.get("models", {})), root, (*_DEFAULTS, "models"))


def _allow(patterns: list[str], root: Node, path: KeyPath) -> AllowList | None:
    node = root.find(path) or root.find(("agent", *path[2:]))
    # A list whose every entry waits for a missing variable still restricts: to nothing.
    if not patterns and not (node and node.value):
        return None
    return AllowList(tuple(patterns), f"{render_path(path)} ({place(node)})" if node else render_path(path))


def read_params(defaults: JsonObject) -> dict[str, JsonObject]:
    """Return request fields by ref; those of every model stand under the empty text."""
    found = {ref: row["params"] for ref, row in defaults.get("models", {}).items() if row.get("params")}
    return found | ({"": defaults["params"]} if defaults.get("params") else {})


def read_profiles(auth: JsonObject) -> dict[str, ProfileMeta]:
    """Return what the config says of credential profiles; incomplete entries are left out."""
    return {
        id_: ProfileMeta(id_, said["provider"].strip().lower(), said["mode"], said.get("email"))
        for id_, said in auth.get("profiles", {}).items()
        if {"provider", "mode"} <= said.keys()
    }


def read_plugin_rules(plugins: JsonObject) -> PluginRules:
    """Return what the config says of all plugins."""
    allow, entries = plugins.get("allow"), plugins.get("entries", {})
    return PluginRules(
        switched_on=plugins.get("enabled", True),
        allow=None if allow is None else tuple(allow),
        deny=tuple(plugins.get("deny", ())),
        paths=tuple(plugins.get("load", {}).get("paths", ())),
        settings={id_: said["config"] for id_, said in entries.items() if said.get("config")},
    )


def read_plugins(plugins: JsonObject) -> dict[str, bool]:
    """Return the plugins the config names and whether each may run; `deny` beats everything, then the master switch."""
    rules, entries = read_plugin_rules(plugins), plugins.get("entries", {})
    named = dict.fromkeys((*(rules.allow or ()), *entries, *rules.deny))
    return {id_: entries.get(id_, {}).get("enabled", False) and not rules.refusal(id_) for id_ in named}
