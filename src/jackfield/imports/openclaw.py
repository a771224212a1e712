"""OpenClaw: `openclaw.json`, its agents' `auth-profiles.json`, the older `oauth.json`, and `.env`.

The config has our own format, so what belongs to models is taken as it stands; keys in words,
in the `env` block or in `.env` become credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from jackfield.auth.record import as_store, parse_profile
from jackfield.config.environment import VARIABLE, parse_dotenv
from jackfield.config.node import Node, Source
from jackfield.config.schema import InvalidConfig
from jackfield.config.source import Includes, real_path
from jackfield.config.table import PROVIDER
from jackfield.imports.draft import NO_SECRETS, Draft, is_secret_header
from jackfield.imports.found import Imported, Known
from jackfield.message import JsonObject

CREDENTIALS = frozenset({"auth-profiles.json", "oauth.json", "auth.json"})
BARE_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")  # a key so written is the name of a variable


def parse_openclaw(files: Sequence[Source], known: Known) -> Imported:
    """Return the models, the selection and the credentials of an OpenClaw installation."""
    draft = Draft("openclaw", known)
    variables: dict[str, Node] = {}
    more: dict[str, Any] = {}
    parts = {Path(file.name): file.text for file in files if file.is_part}
    # The stores first: their ids are the ones that an order names.
    for file in sorted(
        (each for each in files if not each.is_part), key=lambda each: PurePath(each.name).name not in CREDENTIALS
    ):
        name = PurePath(file.name).name
        if name == ".env":
            variables |= {key: Node(file, "string", value, 0, 0) for key, value in parse_dotenv(file.text).items()}
        elif root := draft.open(file):
            if name in CREDENTIALS:
                _add_profiles(draft, root)
            else:
                more |= _read_config(draft, _with_parts(draft, root, parts), variables)
    _add_variables(draft, variables)
    return draft.finish(**more)


def _with_parts(draft: Draft, root: Node, parts: Mapping[Path, str]) -> Node:
    """Return a config with the files it includes in place; as it is where one of them was not given."""
    if not parts:
        return root
    file = real_path(Path(root.source.name))
    try:
        return Includes(file, (file.parent,), parts, []).resolve(root, (), (file,))
    except InvalidConfig as error:
        draft.leave("$include", error.issues[0].message, root)
        return root


def _add_profiles(draft: Draft, root: Node) -> None:
    store = as_store(root.plain()) if root.kind == "object" else {}
    for id_, record in store.get("profiles", {}).items():
        node = root.find(("profiles", id_)) or root
        profile = parse_profile(id_, record)
        if profile is None:
            draft.leave(f"profile {id_}", "it names no provider or a kind nobody knows", node)
        elif all(each.profile.id != id_ for each in draft.credentials):
            draft.add(profile, node)


def _read_config(draft: Draft, root: Node, variables: dict[str, Node]) -> Mapping[str, Any]:
    """Put the providers into the draft; return the selection."""
    env = draft.members(root, "env")
    own = {name: node for name, node in {**draft.members(root, "env", "vars"), **env}.items() if node.kind == "string"}
    for name, node in own.items():
        variables.setdefault(name, node)
    for name, entry in draft.members(root, "models", "providers").items():
        if draft.at(entry, "object"):
            draft.providers[name] = _entry(draft, name, entry, variables)
    for path in (("$include",), ("models", "$include")):
        if (named := root.find(path)) is not None:
            draft.leave("$include", "what it names was not brought over; import it by its own path", named)
    allowed = draft.members(root, "agents", "defaults", "models")
    draft.aliases |= {
        alias: ref for ref, row in allowed.items() if row.kind == "object" and (alias := draft.text(row, "alias"))
    }
    draft.aliases |= {alias: draft.text(node) for alias, node in draft.members(root, "models", "aliases").items()}
    draft.routes |= {name: node.plain() for name, node in draft.members(root, "models", "routes").items()}
    orders = draft.members(root, "auth", "order")
    chosen = {key: _choice(draft, root, key) for key in ("model", "imageModel")}
    return {
        "primary": chosen["model"][0],
        "fallbacks": chosen["model"][1],
        "image_primary": chosen["imageModel"][0],
        "image_fallbacks": chosen["imageModel"][1],
        "allowed": {ref: row.plain() for ref, row in allowed.items() if row.kind == "object"},
        "order": {name: tuple(draft.text(each) for each in draft.items(node)) for name, node in orders.items()},
    }


def _choice(draft: Draft, root: Node, key: str) -> tuple[str, tuple[str, ...]]:
    node = root.find(("agents", "defaults", key))
    if node is None or node.kind == "string":
        return (str(node.value) if node else ""), ()
    return draft.text(node, "primary"), tuple(filter(None, map(draft.text, draft.items(node, "fallbacks"))))


def _entry(draft: Draft, name: str, entry: Node, variables: Mapping[str, Node]) -> JsonObject:
    """Return a provider's entry without what is secret or has no effect here."""
    kept: JsonObject = {}
    provider = draft.known.ids.get(name.strip().lower(), name.strip().lower())
    for key, node in entry.value.items():
        field = PROVIDER.by_name.get(key)
        if key == "apiKey" and node.kind == "string":
            kept |= _key(draft, provider, node, variables)
        elif key == "headers":
            draft.providers[name] = kept  # headers are added to the entry that is being made
            draft.add_headers(name, draft.members(node))
        elif key == "models":
            kept[key] = [_row(draft, row) for row in draft.objects(node)]
        elif field is None or field.idle:
            draft.leave(f"models.providers.{name}.{key}", field.doc if field else "Jackfield has no such setting", node)
        else:
            kept[key] = node.plain()
    return kept


def _row(draft: Draft, row: Node) -> JsonObject:
    """Return a model's row without headers that hold a secret in words."""
    said: JsonObject = row.plain()
    for name, node in draft.members(row, "headers").items():
        if is_secret_header(name, draft.text(node)):
            draft.leave(f"header {name}", NO_SECRETS, node)
            del said["headers"][name]
    return said


def _key(draft: Draft, provider: str, node: Node, variables: Mapping[str, Node]) -> JsonObject:
    """Return what an entry may say of its key; the key itself becomes a credential."""
    text = draft.text(node)
    whole = VARIABLE.fullmatch(text)
    variable = variables.get(whole[2] if whole else text)
    if variable is not None:
        draft.add_key(provider, draft.text(variable), variable, "default")
        return {}
    if whole or BARE_NAME.fullmatch(text):
        return {"apiKey": text}
    draft.add_key(provider, text, node, "default")
    return {}


def _add_variables(draft: Draft, variables: Mapping[str, Node]) -> None:
    """Add the keys that stand in variables under their provider's own name; others stay where they are."""
    for name, node in variables.items():
        provider = draft.known.variables.get(name)
        if provider:
            draft.add_key(provider, draft.text(node), node, "default")
        elif not name.startswith("OPENCLAW_") and not any(
            each.profile.secret.reveal() == node.value for each in draft.credentials
        ):
            draft.leave(f"variable {name}", "no provider's key goes by that name", node)
