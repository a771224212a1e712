"""Changing the config on disk: the one way every command takes.

Under a lock the file is read anew, the change is made in its text, the result is checked,
and only then one file replaces the other; changes of other writers are never lost. What
is written is the text as authored: no variable's value ever gets into it.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from msgspec import Struct

from jackfield.config.disk import hold_lock, save_text
from jackfield.config.edit import append, set_value, unset
from jackfield.config.environment import load_environ
from jackfield.config.keypath import KeyPath
from jackfield.config.load import check_tree
from jackfield.config.mask import mask_text
from jackfield.config.node import Node
from jackfield.config.owner import find_owner
from jackfield.config.paths import Paths
from jackfield.config.render import Value
from jackfield.config.schema import Environ, InvalidConfig
from jackfield.config.source import load_tree, open_includes, read_text, real_path
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


class EditResult(Struct, frozen=True):
    """What an edit did, or would do."""

    path: Path  # the config
    files: tuple[Path, ...]  # the files whose text changed; empty: nothing to do
    diff: str  # unified, with keys masked
    warnings: tuple[str, ...] = ()  # those the change brings


def edit_config(
    paths: Paths, edits: Edits, *, environ: Mapping[str, str] | None = None, dry_run: bool = False
) -> EditResult:
    """Change the config by edits, all or none, and return what changed; `dry_run` writes nothing.

    Raises `InvalidConfig` when the result has a problem the old text had not, `ConfigError`
    when no single file owns a value or the disk refuses; the files then are as they were.
    """
    variables = Environ(os.environ if environ is None else environ)
    if not dry_run and variables.get("OPENCLAW_CONFIG_READONLY", "").strip() not in {"", "0", "false"}:
        raise ConfigError(
            f"{paths.config} is read-only: OPENCLAW_CONFIG_READONLY is set",
            hint="unset it, or change the file where it is made",
        )
    real = real_path(paths.config)
    with nullcontext() if dry_run else hold_lock(real.with_name(f".{real.name}.lock")):
        return _edit(paths, edits, variables, dry_run=dry_run)


def _edit(paths: Paths, edits: Edits, environ: Environ, *, dry_run: bool) -> EditResult:
    root, _ = load_tree(paths.config, environ)
    wanted = edits(root.plain()) if callable(edits) else edits
    before: dict[Path, str] = {}
    after: dict[Path, str] = {}
    for edit in wanted:
        includes = open_includes(paths.config, environ, after)
        file, path = find_owner(includes, edit.path, replaces=isinstance(edit, Set))
        old = before.setdefault(file, read_text(file) or "")
        after[file] = _apply(after.get(file, old), edit, path)
    changed = [file for file, text in after.items() if text != before[file]]
    warnings = _check(paths, environ, root, {file: after[file] for file in changed})
    for file in changed if not dry_run else ():
        _require_unchanged(file, before[file])
        if before[file]:
            save_text(file.with_name(f"{file.name}.bak"), before[file])
        save_text(file, after[file])
    diff = "".join(line for file in changed for line in _diff(file, before[file], after[file]))
    return EditResult(paths.config, tuple(changed), diff, warnings)


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


def _check(paths: Paths, environ: Environ, before: Node, texts: Mapping[Path, str]) -> tuple[str, ...]:
    """Return the warnings the change brings; raise for its issues. What was there before does not stop it."""
    effective, _ = load_environ(environ, paths.dotenv, paths.home)
    old = check_tree(paths, Environ(effective), before)
    new = check_tree(paths, Environ(effective), load_tree(paths.config, environ, texts)[0])
    known = {(issue.path, issue.message) for issue in old.issues}
    issues = tuple(issue for issue in new.issues if (issue.path, issue.message) not in known)
    if issues:
        raise InvalidConfig(issues, changed=True)
    heard = set(map(_without_line, old.config.warnings))
    return tuple(warning for warning in new.config.warnings if _without_line(warning) not in heard)


def _without_line(warning: str) -> str:
    return _LINE.sub("", warning)


def _diff(file: Path, before: str, after: str) -> Iterator[str]:
    old, new = (mask_text(text).splitlines() for text in (before, after))
    for line in difflib.unified_diff(old, new, str(file), str(file), lineterm=""):
        yield line + "\n"
