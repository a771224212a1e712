"""The config as a text that a person edits: veiled on its way out, unveiled and checked on its way in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from jackfield.admin.desk import Desk
from jackfield.admin.seen import Look, known_secrets, veil_files
from jackfield.auth.plain import is_plain_key
from jackfield.config.keypath import parse_path
from jackfield.config.node import Node
from jackfield.config.schema import InvalidConfig, Issue
from jackfield.config.source import load_tree, real_path
from jackfield.config.unveil import Unveiled, find_travellers, lift_veil
from jackfield.config.veil import Veil
from jackfield.errors import InvalidRequest, UsageError
from jackfield.message import JsonObject
from jackfield.setup.config_check import find_faults
from jackfield.setup.moved import find_moved

# Warnings are sentences that name their place in one of two ways.
_PLACE = re.compile(r"\((?P<name>[^()\s]+):(?P<line>\d+)\)|^(?P<file>.+?):(?P<at>\d+):(?P<column>\d+): ")


class Text(Struct, frozen=True):
    """A file of the config as it came from the page."""

    path: str
    text: str


class Draft(Struct, frozen=True):
    """An edited config: the texts as they would be written, and what is wrong with them."""

    texts: Mapping[Path, str]
    unveiled: Mapping[Path, Unveiled]
    issues: tuple[Issue, ...]
    warnings: tuple[JsonObject, ...]
    shown: Mapping[str, str]  # all files as the page may see them


def make_draft(desk: Desk, now: Look, edited: tuple[Text, ...]) -> Draft:
    """Return what edited texts come to, over the config as it is; raise `InvalidRequest` for a file that is none of it."""
    config = desk.config
    kept: dict[Path, Unveiled] = {}
    names = {}
    for each in edited:
        if each.path not in now.veils:
            raise InvalidRequest(f"{each.path} is no file of the config", hint=f"its files: {', '.join(now.veils)}")
        names[real_path(Path(each.path))] = each.path
        kept[real_path(Path(each.path))] = lift_veil(each.text, each.path, now.veils[each.path], known_secrets(desk))
    texts = {file: found.text for file, found in kept.items()}
    issues, warnings = find_faults(config.paths, config.environ, cwd=config.paths.home, texts=texts)
    placed = [_as_shown(issue, kept) for issue in issues]
    lost = [issue for found in kept.values() for issue in found.issues]
    told = [*map(_as_warning, warnings)]
    whole = {**{name: veil.text for name, veil in now.veils.items()}, **{names[file]: texts[file] for file in texts}}
    veils = veil_files(config, whole, known_secrets(desk))
    if not issues:
        lost += _find_travellers(desk, now, kept)
        told += _find_new_keys(now, veils, kept)
        told += _find_moved(desk, kept)
    return Draft(texts, kept, (*lost, *placed), tuple(told), {name: veil.shown for name, veil in veils.items()})


def require_sound(draft: Draft) -> Draft:
    """Return a draft that can be written; raise `InvalidConfig` for one that cannot."""
    if draft.issues:
        raise InvalidConfig(draft.issues, changed=True)
    return draft


def _as_shown(issue: Issue, kept: Mapping[Path, Unveiled]) -> Issue:
    found = kept.get(real_path(Path(issue.file)))
    if not found or not issue.line:
        return issue
    line, column = found.locate(issue.line, issue.column)
    return Issue(issue.path, issue.message, issue.file, line, column)


def _as_warning(text: str) -> JsonObject:
    match = _PLACE.search(text)
    line = int((match["line"] or match["at"]) if match else 0)
    return {"message": text, "file": (match["name"] or match["file"]) if match else "", "line": line, "column": 1}


# -- keys --------------------------------------------------------------------------


def _find_travellers(desk: Desk, now: Look, kept: Mapping[Path, Unveiled]) -> Iterator[Issue]:
    config = desk.config
    texts = {file: found.text for file, found in kept.items()}
    after = load_tree(config.paths.config, config.environ, texts)[0]
    before: Node | list[str]
    try:
        before = load_tree(
            config.paths.config,
            config.environ,
            {real_path(Path(name)): veil.text for name, veil in now.veils.items()},
        )[0]
    except InvalidConfig:
        before = [veil.text for veil in now.veils.values()]
    yield from find_travellers(before, after, kept)


def _find_moved(desk: Desk, kept: Mapping[Path, Unveiled]) -> Iterator[JsonObject]:
    """Yield a warning for each address that stored credentials would follow to: who edits the text may mean it."""
    texts = {file: found.text for file, found in kept.items()}
    for node, words in find_moved(desk, load_tree(desk.config.paths.config, desk.config.environ, texts)[0]):
        found = kept.get(real_path(Path(node.source.name)))
        line = found.locate(*node.source.locate(node.start))[0] if found else node.line
        yield {"message": words, "file": node.source.name, "line": line, "column": 1}


def _find_new_keys(now: Look, veils: Mapping[str, Veil], kept: Mapping[Path, Unveiled]) -> Iterator[JsonObject]:
    """Yield a warning for each key that was typed into the text as it is."""
    for name, veil in veils.items():
        before = {each.text for each in now.veils[name].kept}
        found = kept.get(real_path(Path(name)))
        for place, each in veil.by_place.items():
            if found and is_plain_key(each.text) and each.text not in before:
                line = veil.text.count("\n", 0, each.start) + 1
                yield {"message": _say_new(place), "file": name, "line": found.locate(line, 1)[0], "column": 1}


def _say_new(place: str) -> str:
    try:
        path = parse_path(place.partition("~")[0])
    except UsageError:
        path = ()
    better = 'write "${NAME}" and set that variable'
    if path[:2] == ("models", "providers") and path[3:] == ("apiKey",):
        better = f"add it to {path[2]} under Providers, or {better}"
    return f"{place}: this key will stand in the file as it is; better: {better}"
