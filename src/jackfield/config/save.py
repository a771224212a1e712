"""Changing the config on disk: the one way every command takes.

Under a lock the file is read anew, the change is made in its text, the result is checked,
and only then one file replaces the other; changes of other writers are never lost. What
is written is the text as authored: no variable's value ever gets into it. What was there is kept (`history`).
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from jackfield.config.disk import hold_lock, save_text
from jackfield.config.edit import append, set_value, unset
from jackfield.config.environment import load_environ
from jackfield.config.history import keep
from jackfield.config.keypath import KeyPath, render_path
from jackfield.config.load import Checked, check_tree
from jackfield.config.mask import mask_text
from jackfield.config.node import Node
from jackfield.config.owner import find_owner
from jackfield.config.paths import Paths
from jackfield.config.remarks import keep_comments
from jackfield.config.render import Value
from jackfield.config.schema import Environ, InvalidConfig
from jackfield.config.source import load_tree, open_includes, read_sources, read_text, real_path
from jackfield.errors import ConfigError
from jackfield.message import JsonObject

_LINE = re.compile(r":\d+\b")


class Set(Struct, frozen=True):
    """Put a value at a path; missing parents are made."""

    path: KeyPath
    value: Value


class Unset(Struct, frozen=True):
    """Take away what is at a path, if anything is."""

    path: KeyPath


class Append(Struct, frozen=True):
    """Put a value at the end of a list, which is made when absent."""

    path: KeyPath
    value: Value


Edit = Set | Unset | Append
# Edits, or what makes them from the config as it is under the lock (as authored, includes in place).
Edits = Sequence[Edit] | Callable[[JsonObject], Sequence[Edit]]
# Texts to write, made from those that are there.
MakeTexts = Callable[[Mapping[Path, str]], Mapping[Path, str]]
Check = Callable[[Mapping[Path, str]], tuple[str, ...]]


class EditResult(Struct, frozen=True):
    """What an edit did, or would do."""

    path: Path  # the config
    files: tuple[Path, ...]  # the files whose text changed; empty: nothing to do
    diff: str  # unified, with keys masked
    warnings: tuple[str, ...] = ()  # those the change brings


class Made(Struct, frozen=True):
    """Texts before and after a change, by file, and the keys it is about."""

    before: Mapping[Path, str]
    after: Mapping[Path, str]
    keys: tuple[str, ...] = ()


def edit_config(
    paths: Paths,
    edits: Edits,
    *,
    environ: Mapping[str, str] | None = None,
    dry_run: bool = False,
    keeps_comments: bool = False,
) -> EditResult:
    """Change the config by edits, all or none, and return what changed; `dry_run` writes nothing.

    With `keeps_comments` those stay that stand beside or inside what an edit takes away. Raises `InvalidConfig`
    when the result has a problem the old text had not, `ConfigError` when no single file owns a value or the
    disk refuses; the files then are as they were.
    """
    variables = Environ(os.environ if environ is None else environ)
    with _open(paths, variables, dry_run=dry_run):
        root, _ = load_tree(paths.config, variables)
        made = _make_texts(paths, edits(root.plain()) if callable(edits) else edits, variables, keeps=keeps_comments)
        return _save(paths, made, partial(_check_edit, paths, variables, root), dry_run=dry_run)


def replace_texts(
    paths: Paths, make: MakeTexts, *, environ: Mapping[str, str] | None = None, dry_run: bool = False
) -> EditResult:
    """Write whole texts of the config and its includes, all or none, and return what changed.

    `make` gets every file's text as it is under the lock, by its real path, and returns those to write; a text
    that is there need not be one that can be read. Raises `InvalidConfig` unless the result can be loaded.
    """
    variables = Environ(os.environ if environ is None else environ)
    with _open(paths, variables, dry_run=dry_run):
        sources = read_sources(paths.config, variables)
        after = dict(make({real_path(Path(source.name)): source.text for source in sources}))
        made = Made({file: read_text(file) or "" for file in after}, after)
        return _save(paths, made, partial(_check_text, paths, variables), dry_run=dry_run)


def _open(paths: Paths, environ: Environ, *, dry_run: bool) -> AbstractContextManager[None]:
    if not dry_run and environ.get("OPENCLAW_CONFIG_READONLY", "").strip() not in {"", "0", "false"}:
        raise ConfigError(
            f"{paths.config} is read-only: OPENCLAW_CONFIG_READONLY is set",
            hint="unset it, or change the file where it is made",
        )
    return nullcontext() if dry_run else hold_config(paths)


def hold_config(paths: Paths) -> AbstractContextManager[None]:
    """Hold the lock of whoever changes this config."""
    real = real_path(paths.config)
    return hold_lock(real.with_name(f".{real.name}.lock"))


def _make_texts(paths: Paths, edits: Iterable[Edit], environ: Environ, *, keeps: bool) -> Made:
    before: dict[Path, str] = {}
    after: dict[Path, str] = {}
    keys: dict[str, None] = {}
    for edit in edits:
        keys[render_path(edit.path)] = None
        includes = open_includes(paths.config, environ, after)
        file, path = find_owner(includes, edit.path, replaces=isinstance(edit, Set))
        old = after.get(file, before.setdefault(file, read_text(file) or ""))
        new = _apply(old, edit, path)
        after[file] = keep_comments(old, new) if keeps else new
    return Made(before, after, tuple(keys))


def _save(paths: Paths, made: Made, check: Check, *, dry_run: bool) -> EditResult:
    before, after = made.before, made.after
    changed = [file for file, text in after.items() if text != before[file]]
    warnings = check({file: after[file] for file in changed})
    diff = "".join(render_diff(str(file), mask_text(before[file]), mask_text(after[file])) for file in changed)
    result = EditResult(paths.config, tuple(changed), diff, warnings)
    if dry_run or not changed:
        return result
    for file in changed:
        _require_unchanged(file, before[file])
    try:
        keep(paths, {file: before[file] for file in changed}, made.keys)
    except ConfigError as error:
        # A home that cannot be written to need not keep anybody from a config that can.
        result = replace(result, warnings=(*warnings, f"this change cannot be undone: {error.message}"))
    for file in changed:
        if before[file]:
            save_text(file.with_name(f"{file.name}.bak"), before[file])
        save_text(file, after[file])
    return result


def _require_unchanged(file: Path, text: str) -> None:
    # The lock keeps our own processes apart; an editor does not know it.
    if (read_text(file) or "") != text:
        raise ConfigError(
            f"{file} was changed by another program at the same time; nothing was written", hint="run the command again"
        )


def _apply(text: str, edit: Edit, path: KeyPath) -> str:
    match edit:
        case Set():
            return set_value(text, path, edit.value)
        case Unset():
            return unset(text, path)
        case Append():
            return append(text, path, edit.value)


def _check_edit(paths: Paths, environ: Environ, before: Node, texts: Mapping[Path, str]) -> tuple[str, ...]:
    """Return the warnings the change brings; raise for its issues. What was there before does not stop it."""
    old = _look(paths, environ, before)
    new = _look(paths, environ, load_tree(paths.config, environ, texts)[0])
    known = {(issue.path, issue.message) for issue in old.issues}
    issues = tuple(issue for issue in new.issues if (issue.path, issue.message) not in known)
    if issues:
        raise InvalidConfig(issues, changed=True)
    heard = set(map(_without_line, old.config.warnings))
    return tuple(warning for warning in new.config.warnings if _without_line(warning) not in heard)


def _check_text(paths: Paths, environ: Environ, texts: Mapping[Path, str]) -> tuple[str, ...]:
    """Return the warnings of the whole config; raise for every issue: nobody would load it."""
    found = _look(paths, environ, load_tree(paths.config, environ, texts)[0])
    if found.issues:
        raise InvalidConfig(found.issues, changed=True)
    return found.config.warnings


def _look(paths: Paths, environ: Environ, root: Node) -> Checked:
    effective, _ = load_environ(environ, paths.dotenv, paths.home)
    return check_tree(paths, Environ(effective), root)


def _without_line(warning: str) -> str:
    return _LINE.sub("", warning)


def render_diff(name: str, before: str, after: str) -> str:
    """Return two texts' unified diff."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="")
    return "".join(f"{line}\n" for line in lines)
