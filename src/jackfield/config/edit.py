"""Changing one value in a JSON5 text and nothing else.

Comments, order, unknown keys, `${NAME}`, line ends, indent and comma habits stay as they
are: only the value meant, and the commas it makes necessary or needless, change. Pure
text to text.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from jackfield.config.json5 import GAP, is_blank, parse, past
from jackfield.config.keypath import KeyPath, render_path
from jackfield.config.node import Node
from jackfield.config.render import Manner, Value, observe, render_key, render_value
from jackfield.errors import ConfigError

# Remarks that follow on the same line and belong to what stands before them.
_REMARK = re.compile(r"(?:[^\S\r\n]*/\*[^\r\n]*?\*/)*(?:[^\S\r\n]*//[^\r\n]*)?")
_BLANKS = re.compile(r"[^\S\r\n]*")
_LINE_END = re.compile(r"[^\S\r\n]*(\r?\n|$)")


def set_value(text: str, path: KeyPath, value: Value) -> str:
    """Return the text with `value` at `path`; missing parents are made, an equal value changes nothing.

    A number one past a list's end adds to it. Raises `ConfigError` where a step leads into
    something that is no object or list.
    """
    if is_blank(text):
        return render_value(_wrap(path, value), Manner(), "") + "\n"
    root = parse(text)
    node, parent = root, None
    for depth, step in enumerate(path):
        child = _child(node, step, path[:depth])
        if child is None:
            return _insert(root, node, parent, step, _wrap(path[depth + 1 :], value))
        node, parent = child, node
    if _same(node.plain(), value):
        return text
    inline = parent is not None and not _own_line(text, _start(parent, node))
    indent = None if inline and node.line == _last_line(node) else _indent_at(text, node.start)
    return text[: node.start] + render_value(value, observe(root), indent) + text[node.end :]


def append(text: str, path: KeyPath, value: Value) -> str:
    """Return the text with `value` at the end of the list at `path`, which is made when absent."""
    node = None if is_blank(text) else parse(text).find(path)
    if node is None:
        return set_value(text, path, [value])
    if node.kind != "array":
        raise ConfigError(f"{render_path(path)} is {node.shown}, not a list")
    return set_value(text, (*path, len(node.value)), value)


def unset(text: str, path: KeyPath) -> str:
    """Return the text without the value at `path`, its key, and the remark on its line; no value there changes nothing."""
    while path and not is_blank(text):
        root = parse(text)
        parent = root.find(path[:-1])
        node = root.find(path)
        if parent is None or node is None:
            return text
        text = _remove(parent, _spans(parent), node)
        if isinstance(path[-1], int):
            break
    return text


# -- inserting ---------------------------------------------------------------------


def _insert(root: Node, into: Node, parent: Node | None, step: str | int, value: Value) -> str:
    text, manner = into.source.text, observe(root)
    head = f"{render_key(step, manner)}: " if isinstance(step, str) else ""
    spans = _spans(into)
    if not spans:
        return _fill(into, parent, head, value, manner)
    start, end = spans[-1]
    comma = _comma(text, end)
    if not _own_line(text, start):
        piece = head + render_value(value, manner, None)
        return f"{text[:comma]} {piece},{text[comma:]}" if comma else f"{text[:end]}, {piece}{text[end:]}"
    indent = _indent_at(text, start)
    piece = manner.newline + indent + head + render_value(value, replace(manner, last_comma=bool(comma)), indent)
    remark = past(_REMARK, text, comma or end)
    if comma:
        return f"{text[:remark]}{piece},{text[remark:]}"
    return f"{text[:end]},{text[end:remark]}{piece}{text[remark:]}"


def _fill(into: Node, parent: Node | None, head: str, value: Value, manner: Manner) -> str:
    """Put the first member between brackets that hold nothing but remarks."""
    text = into.source.text
    before, inner, after = text[: into.start + 1], text[into.start + 1 : into.end - 1].rstrip(), text[into.end - 1 :]
    whole = text[into.start : into.end]
    if "\n" not in whole and parent is not None and "\n" not in text[parent.start : into.start]:
        pad = " " if into.kind == "object" else ""
        return f"{before}{inner}{pad}{head}{render_value(value, manner, None)}{pad}{after}"
    indent = _indent_at(text, into.start)
    piece = head + render_value(value, manner, indent + manner.unit)
    comma = "," if manner.last_comma else ""
    return f"{before}{inner}{manner.newline}{indent}{manner.unit}{piece}{comma}{manner.newline}{indent}{after}"


# -- removing ----------------------------------------------------------------------


def _remove(parent: Node, spans: list[tuple[int, int]], node: Node) -> str:
    text = parent.source.text
    index = next(index for index, (_, end) in enumerate(spans) if end == node.end)
    start, end = spans[index]
    comma = _comma(text, end)
    if index and index == len(spans) - 1 and not comma:
        # The last member takes the comma before it along, so that plain JSON stays plain JSON.
        before = _comma(text, spans[index - 1][1])
        head, tail = _cut(text, start, end)
        return text[: before - 1] + head[before:] + tail
    head, tail = _cut(text, start, comma or end)
    closer = text[parent.end - 1 :]
    if len(spans) == 1 and not (head + tail)[parent.start + 1 : -len(closer)].strip():
        return head[: parent.start + 1] + closer
    return head + tail


def _cut(text: str, start: int, end: int) -> tuple[str, str]:
    """Return what stays before and after a member that ends, comma included, at `end`."""
    if _own_line(text, start):
        remark = past(_REMARK, text, end)
        line_end = _LINE_END.match(text, remark)
        if line_end:
            return text[: text.rfind("\n", 0, start) + 1], text[line_end.end() :]
        return text[:start], text[past(_BLANKS, text, end) :]
    head = text[:start].rstrip(" \t")
    return head, text[end:]


# -- places ------------------------------------------------------------------------


def _child(node: Node, step: str | int, path: KeyPath) -> Node | None:
    """Return what is at a step; `None` where it can be put there, an error where it cannot."""
    if node.kind != ("object" if isinstance(step, str) else "array"):
        wanted = "an object" if isinstance(step, str) else "a list"
        raise ConfigError(f"{render_path(path) or 'the config'} is {node.shown}, not {wanted}")
    if isinstance(step, int) and step > len(node.value):
        raise ConfigError(f"{render_path((*path, step))} is beyond the list's end: it has {len(node.value)} items")
    return node.find((step,))


def _spans(node: Node) -> list[tuple[int, int]]:
    """Return where each member or item starts and ends, in the text's order."""
    if node.kind == "object":
        return [(child.key_start, child.end) for _, child in node.members]
    return [(child.start, child.end) for child in node.value]


def _start(parent: Node, node: Node) -> int:
    return node.key_start if parent.kind == "object" else node.start


def _comma(text: str, end: int) -> int:
    """Return the offset after the comma that follows a member; 0 when none does."""
    at = past(GAP, text, end)
    return at + 1 if text.startswith(",", at) else 0


def _own_line(text: str, start: int) -> bool:
    return not text[text.rfind("\n", 0, start) + 1 : start].strip()


def _indent_at(text: str, offset: int) -> str:
    line = text.rfind("\n", 0, offset) + 1
    return text[line : past(_BLANKS, text, line)]


def _last_line(node: Node) -> int:
    return node.source.locate(node.end)[0]


def _wrap(path: KeyPath, value: Value) -> Value:
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [value]
    return value


def _same(old: Any, new: Value) -> bool:
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list | tuple):
        return len(old) == len(new) and all(map(_same, old, new))
    return type(old) is type(new) and old == new
