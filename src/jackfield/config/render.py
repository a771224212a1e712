"""Writes values as JSON5 in the manner of the text around them: line ends, indent, quotes, commas."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import TypeAlias, Union

from msgspec import Struct

from jackfield.config.node import Node
from jackfield.errors import ConfigError

# What can be written into a config.
Value: TypeAlias = Union[bool, int, float, Decimal, str, "list[Value]", "tuple[Value, ...]", "dict[str, Value]", None]

_BARE_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
ONE_LINE = 80  # a list of single values up to this long stays on its line


class Manner(Struct, frozen=True):
    """How a text is written."""

    newline: str = "\n"
    unit: str = "  "  # one level of indent
    quote: str = '"'
    quoted_keys: bool = True
    last_comma: bool = False  # a comma after the last member


def observe(root: Node) -> Manner:
    """Return the manner of a text; one that shows none is plain JSON, indented by two."""
    text = root.source.text
    nodes = list(root.walk())
    keys = [child.key_start for node in nodes for key, child in node.members if _BARE_KEY.fullmatch(key)]
    quotes = [text[node.start] for node in nodes if node.kind == "string"]
    indent = _indent_of(root)
    return Manner(
        newline="\r\n" if "\r\n" in text else "\n",
        unit=indent or "  ",
        quote="'" if quotes.count("'") > quotes.count('"') else '"',
        quoted_keys=text[keys[0]] in "\"'" if keys else True,
        last_comma=bool(root.members and re.match(r"\s*,", text[root.members[-1][1].end :])),
    )


def _indent_of(root: Node) -> str:
    """Return what stands before the first member on its line; empty when that is not just blanks."""
    if not root.members:
        return ""
    text, start = root.source.text, root.members[0][1].key_start
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return before if before.strip(" \t") == "" else ""


def render_key(key: str, manner: Manner) -> str:
    """Write a key, quoted where the text's habit or the key asks for it."""
    return render_text(key, manner) if manner.quoted_keys or not _BARE_KEY.fullmatch(key) else key


def render_text(text: str, manner: Manner) -> str:
    """Write a text in the habitual quotes."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ConfigError(f"{text!a} is not a text that can be written as UTF-8") from error
    quoted = json.dumps(text, ensure_ascii=False)
    if manner.quote == '"' or "'" in text:
        return quoted
    return "'" + quoted[1:-1].replace('\\"', '"') + "'"


def render_value(value: Value, manner: Manner, indent: str | None) -> str:
    """Write a value; `indent` is that of the line it starts on, `None` keeps it all on one line."""
    match value:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return render_text(value, manner)
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case float():
            return (
                repr(value)
                if math.isfinite(value)
                else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
            )
        case dict():
            parts = [(f"{render_key(key, manner)}: ", child) for key, child in value.items()]
            return _container("{}", parts, manner, indent)
        case _:
            line = _container("[]", [("", child) for child in value], manner, None)
            single = not any(isinstance(child, dict | list | tuple) for child in value)
            if indent is None or (single and len(line) <= ONE_LINE):
                return line
            return _container("[]", [("", child) for child in value], manner, indent)


def _container(brackets: str, parts: list[tuple[str, Value]], manner: Manner, indent: str | None) -> str:
    if not parts:
        return brackets
    if indent is None:
        pad = " " if brackets == "{}" else ""
        return (
            brackets[0]
            + pad
            + ", ".join(head + render_value(child, manner, None) for head, child in parts)
            + pad
            + brackets[1]
        )
    inner = indent + manner.unit
    lines = [inner + head + render_value(child, manner, inner) for head, child in parts]
    body = f",{manner.newline}".join(lines) + ("," if manner.last_comma else "")
    return f"{brackets[0]}{manner.newline}{body}{manner.newline}{indent}{brackets[1]}"
