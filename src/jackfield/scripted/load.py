"""Reading a script: JSON5 from a file, or Python's own lists and dicts. Says where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from jackfield.config.json5 import Json5Error, parse
from jackfield.config.node import Node
from jackfield.errors import ConfigError
from jackfield.scripted.faults import SCENARIOS
from jackfield.scripted.reply import Call, Counts, Reply, When

ECHO = (Reply(echo=True, repeat=True),)
GIVEN = "the script argument"
WRONG = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?", re.DOTALL)
UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
KEYS = sorted({field.encode_name for kind in (Reply, When, Call, Counts) for field in msgspec.structs.fields(kind)})
Given = str | Path | Sequence[str | Mapping[str, Any]] | None


def load_script(script: Given) -> tuple[Reply, ...]:
    """Return the replies of a script: a file's, those of a list, or an echo; a plain text is a reply.

    Raises `ConfigError` naming file, line and key.
    """
    if script is None:
        return ECHO
    if isinstance(script, str | Path):
        return _load_file(Path(script))
    return _convert([_plain(reply) for reply in script], GIVEN, None)


def _load_file(path: Path) -> tuple[Reply, ...]:
    try:
        node = parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"cannot read the script {path}: {reason}") from error
    except Json5Error as error:
        raise ConfigError(f"{path}:{error.line}:{error.column}: {error.message}") from error
    if node.kind != "array":
        raise ConfigError(f"{path}:{node.line}: a script is a list of replies, not {node.shown}")
    return _convert([_plain(each) for each in node.plain()], str(path), node)


def _plain(reply: object) -> object:
    return {"text": reply} if isinstance(reply, str) else reply


def _convert(values: list[object], name: str, node: Node | None) -> tuple[Reply, ...]:
    try:
        replies = msgspec.convert(values, tuple[Reply, ...])
    except msgspec.ValidationError as error:
        raise _explain(str(error), name, node) from error
    for index, reply in enumerate(replies):
        if reply.fault is not None and reply.fault not in SCENARIOS:
            raise _wrong(f"there is no fault {reply.fault!r}", "they are s01 to s16", (name, node), (index, "fault"))
        try:
            re.compile(reply.when.user or "")
        except re.error as error:
            raise _wrong(f"not a regular expression: {error}", "", (name, node), (index, "when", "user")) from error
    return replies


def _explain(said: str, name: str, node: Node | None) -> ConfigError:
    match = WRONG.fullmatch(said)
    what, place = (match["what"], match["path"] or "") if match else (said, "")
    path = tuple(int(step) if step.isdigit() else step for step in re.findall(r"\w+", place))
    if unknown := UNKNOWN.fullmatch(what):
        near = get_close_matches(unknown[1], KEYS, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"keys: {', '.join(KEYS)}"
        return _wrong("there is no such key", hint, (name, node), (*path, unknown[1]))
    return _wrong(what[:1].lower() + what[1:].replace("`", ""), "", (name, node), path)


def _wrong(what: str, hint: str, script: tuple[str, Node | None], path: tuple[str | int, ...]) -> ConfigError:
    name, node = script
    spot = node.find(path) if node else None
    line = f":{spot.source.locate(spot.key_start if spot.key_start >= 0 else spot.start)[0]}" if spot else ""
    key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return ConfigError(f"{name}{line}: replies{key}: {what}", hint=hint)
