"""llm (llm.datasette.io, read 2026-11-21): `keys.json`, `extra-openai-models.yaml`, `aliases.json`, `default_model.txt`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from jackfield.config.node import Node, Source
from jackfield.imports.draft import Draft
from jackfield.imports.found import Imported, Known
from jackfield.imports.names import family_of

# llm's own short names, where they still mean a model.
SHORT_NAMES = {"4o": "gpt-4o", "4o-mini": "gpt-4o-mini", "4.1": "gpt-4.1", "4.1-mini": "gpt-4.1-mini"}


def parse_llm(files: Sequence[Source], known: Known) -> Imported:
    """Return what llm's directory says; a model goes by llm's id as an alias."""
    draft = Draft("llm", known)
    texts = {PurePath(file.name).name: file for file in files}
    trees = {name: draft.open(file) for name, file in texts.items() if not name.endswith(".txt")}
    keys = {name: node for name, node in _members(draft, trees.get("keys.json")) if not name.startswith("//")}
    models = trees.get("extra-openai-models.yaml")
    used = {_add_model(draft, row, keys) for row in (draft.objects(models) if models else ())}
    for name, node in keys.items():
        _add_key(draft, name, node, used)
    for alias, node in _members(draft, trees.get("aliases.json")):
        if ref := _find_ref(draft, draft.text(node)):
            draft.aliases[alias] = ref
        else:
            draft.leave(f"alias {alias}", "its model belongs to no provider that is known", node)
    default = texts["default_model.txt"].text.strip() if "default_model.txt" in texts else ""
    primary = _find_ref(draft, default)
    if default and not primary:
        draft.leave(f"default model {default[:80]}", "it belongs to no provider that is known")
    return draft.finish(primary=primary)


def _members(draft: Draft, root: Node | None) -> Sequence[tuple[str, Node]]:
    return tuple(draft.members(root).items()) if root else ()


def _add_model(draft: Draft, row: Node, keys: dict[str, Node]) -> str:
    """Add one extra model; return the name of the key it uses."""
    name, key = draft.text(row, "model_id"), draft.text(row, "api_key_name")
    id_ = draft.text(row, "model_name") or name
    url = draft.text(row, "api_base")
    if not id_ or (row.find(("completion",)) is not None and draft.at(row, "boolean", "completion")):
        draft.leave(f"model {name}", "it is a text completion model, or has no name", row)
        return ""
    provider = draft.place(key or ("openai" if not url else ""), url, node=row)
    if not provider:
        return ""
    vision = row.find(("vision",))
    draft.add_model(provider, {"id": id_, "input": ["text", "image"] if vision and vision.value is True else None})
    draft.add_headers(provider, draft.members(row, "headers"))
    for alias in (name, *(draft.text(each) for each in draft.items(row, "aliases"))):
        if alias and alias != f"{provider}/{id_}":
            draft.aliases[alias] = f"{provider}/{id_}"
    if key in keys:
        draft.add_key(provider, draft.text(keys[key]), keys[key])
    return key


def _add_key(draft: Draft, name: str, node: Node, used: set[str]) -> None:
    provider = draft.ours(name)
    if provider and name not in used:
        draft.add_key(provider, draft.text(node), node)
    elif not provider:
        draft.leave(
            f"key {name}", "no provider of that name is known; add it: jackfield models auth paste-api-key", node
        )


def _find_ref(draft: Draft, name: str) -> str:
    """Return `provider/model` for a name of llm's; empty when it cannot be told."""
    name = SHORT_NAMES.get(name, name)
    if name in draft.aliases:
        return draft.aliases[name]
    start, slash, rest = name.partition("/")
    if slash and rest and draft.ours(start):
        return f"{draft.ours(start)}/{rest}"
    family = family_of(name)
    return f"{family}/{name}" if family and not slash else ""
