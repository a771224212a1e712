"""Which models may be used, as edits of the config: the list on, off, and one model more or less."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from jackfield.config.keypath import KeyPath
from jackfield.config.save import Append, Edit, Set, Unset
from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject
from jackfield.setup.choose import DEFAULTS, MakeEdits, said

MODELS: KeyPath = (*DEFAULTS, "models")
POLICY: KeyPath = (*DEFAULTS, "modelPolicy", "allow")
ALL = "*"
Same = Callable[[str], str]  # the name under which a ref counts, however it is spelt


def make_edits(before: tuple[str, ...], chosen: list[str]) -> list[Edit]:
    """Return what turns one allowlist into another; entries that stay keep their aliases and params."""
    if not chosen:
        return [Unset(MODELS)]
    removed: list[Edit] = [Unset((*MODELS, ref)) for ref in before if ref not in chosen]
    return removed + [Set((*MODELS, ref), {}) for ref in chosen if ref not in before]


def list_patterns(root: JsonObject) -> tuple[KeyPath, list[str]] | None:
    """Return where the list that decides stands, and its entries; `None` where every model may be used."""
    policy = said(root, POLICY)
    if isinstance(policy, list):
        return None if ALL in policy else (POLICY, policy)
    models = said(root, MODELS)
    return (MODELS, list(models)) if models else None


def switch_on(in_use: Iterable[str]) -> MakeEdits:
    """Return the edits after which only listed models may be used: those in use, and what the list holds already."""

    def edits(root: JsonObject) -> Sequence[Edit]:
        if list_patterns(root):
            return []
        models = said(root, MODELS) or {}
        added: list[Edit] = [Set((*MODELS, ref), {}) for ref in dict.fromkeys(in_use) if ref not in models]
        if not added and not models:
            raise InvalidRequest("a list of no models would allow every one", hint="choose a default model first")
        return [*([Unset(POLICY)] if said(root, POLICY) is not None else []), *added]

    return edits


def switch_off(root: JsonObject) -> Sequence[Edit]:
    """Return the edits after which every model may be used; what the list says besides (aliases, params) stays."""
    if not list_patterns(root):
        return []
    models = said(root, MODELS) or {}
    edits: list[Edit] = [Unset(MODELS)] if models and not any(models.values()) else []
    if said(root, POLICY) is not None or (models and not edits):
        edits.append(Set(POLICY, [ALL]) if any(models.values()) else Unset(POLICY))
    return edits


def allow(ref: str, same: Same = str) -> MakeEdits:
    """Return the edit that lets one model more be used, where a list decides."""

    def edits(root: JsonObject) -> Sequence[Edit]:
        found = list_patterns(root)
        if not found or same(ref) in map(same, found[1]):
            return []
        return [Append(POLICY, ref)] if found[0] == POLICY else [Set((*MODELS, ref), {})]

    return edits


def forbid(ref: str, in_use: Iterable[str], same: Same = str) -> MakeEdits:
    """Return the edit that takes one model off the list; raise `InvalidRequest` where that cannot be."""

    def edits(root: JsonObject) -> Sequence[Edit]:
        place, patterns = list_patterns(root) or (MODELS, [])
        named = [each for each in patterns if same(each) == same(ref)]
        if not named:
            wide = next((each for each in patterns if each.endswith("*") and same(ref).startswith(each[:-1])), "")
            hint = f'the pattern "{wide}" allows it; change that in the config' if wide else "switch the list on first"
            raise InvalidRequest(f"{ref} is not on the list by its name", hint=hint)
        if same(ref) in map(same, in_use):
            raise InvalidRequest(f"{ref} is in use as the default or a fallback", hint="choose another one first")
        if len(patterns) == len(named):
            raise InvalidRequest("a list of no models would allow every one", hint="switch the list off instead")
        if place == POLICY:
            return [Unset((*POLICY, at)) for at in reversed(range(len(patterns))) if patterns[at] in named]
        return [Unset((*MODELS, each)) for each in named]

    return edits
