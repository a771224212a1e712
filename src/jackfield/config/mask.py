"""Hides secrets in a config that is shown: keys, tokens, header values, the `env` block.

`${NAME}` and references say where a secret is, not what it is, and stay readable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jackfield.config.environment import VARIABLE
from jackfield.config.json5 import Json5Error, parse
from jackfield.config.keypath import KeyPath
from jackfield.config.node import Node
from jackfield.config.shape import Anything, Either, Key, ListOf, MapOf, SecretText, Shape, Table
from jackfield.config.table import ROOT, SOURCES
from jackfield.credential import Secret

# In sections nobody here knows, the key's name is all there is to go by.
TELLING = "key|token|secret|password|passphrase|authorization|cookie|credential"
_TELLING = re.compile(rf"(?i).*(?:{TELLING})s?")
# In a URL: whoever stands before the host, and fields of the query that are more than the name of a variable.
_PASSWORD = re.compile(
    rf"(?i)[a-z][a-z0-9+.-]*://(?:[^/?#]*@|[^?]*\?(?:[^#]*&)?[\w.-]*(?:{TELLING}|sig|signature)s?=(?!\$\{{\w+\}}(?:[&#]|$))[^&#])"
)
_BAGS = frozenset({"headers", "env"})  # where nobody knows the section, whatever stands in there is a secret


def mask_text(text: str) -> str:
    """Return a config's text with its secrets masked; a text that cannot be parsed is returned whole."""
    try:
        nodes = (
            sorted(find_secrets(parse(text), ROOT, overridden=True), key=lambda node: node.start, reverse=True)
            if text.strip()
            else []
        )
    except Json5Error:
        return text
    for node in nodes:
        text = f"{text[: node.start]}{json.dumps(mask(node), ensure_ascii=False)}{text[node.end :]}"
    return text


def mask_plain(root: Node) -> Any:
    """Return a whole config as plain values with its secrets masked."""
    for node in find_secrets(root, ROOT):
        node.value = mask(node)
    return root.plain()


def mask(node: Node) -> str:
    """Return a secret's text as it may be shown."""
    return Secret(node.value).masked()


def find_secrets(node: Node, shape: Shape | None, key: str = "", *, overridden: bool = False) -> Iterator[Node]:
    """Yield the texts that are secrets, below a node of a shape (`None`: nobody knows it).

    With `overridden` also those under a key that is said again: they stand in the text all the same.
    """
    if node.kind == "string":
        if _is_secret(node, shape, key):
            yield node
    elif node.kind == "array":
        for child in node.value:
            yield from find_secrets(child, _shape_of_items(shape), key, overridden=overridden)
    elif node.kind == "object":
        told = None if _is_reference(node) and isinstance(shape, SecretText | Key) else shape
        for name, child in node.members if overridden else node.value.items():
            yield from find_secrets(child, _shape_below(told, name), name, overridden=overridden)


def shape_at(shape: Shape | None, path: KeyPath) -> Shape | None:
    """Return what may stand at a path below a shape; `None` where nobody knows."""
    for step in path:
        shape = (
            _shape_below(shape, step) if isinstance(step, str) else shape.item if isinstance(shape, ListOf) else None
        )
    return shape


def is_telling(key: str) -> bool:
    """Tell whether a key's or a header's name says that a secret stands there."""
    return bool(_TELLING.fullmatch(key))


def _is_secret(node: Node, shape: Shape | None, key: str) -> bool:
    known = isinstance(_instead(shape), SecretText | Key)
    told = (shape is None or isinstance(shape, Anything)) and is_telling(key)
    hidden = known or told or _PASSWORD.match(node.value)
    named = VARIABLE.fullmatch(node.value)
    # What stands in for a variable that is not set is a secret as it is.
    return bool(hidden and node.value and not (named and not named[3]))


# A secret may stand where the table expects something else: the text is shown, and refused, all the same.


def _instead(shape: Shape | None) -> Shape | None:
    match shape:
        case MapOf(SecretText() as value) | Table(others=SecretText() as value):
            return value
    return shape


def _shape_of_items(shape: Shape | None) -> Shape | None:
    if isinstance(shape, ListOf):
        return shape.item
    found = _instead(shape)
    return found if isinstance(found, SecretText | Key) else None


def _is_reference(node: Node) -> bool:
    source = node.value.get("source")
    return source is not None and source.kind == "string" and source.value in SOURCES


def _shape_below(shape: Shape | None, key: str) -> Shape | None:
    match shape:
        case Table():
            field = shape.by_name.get(key)
            return field.shape if field else shape.others
        case MapOf():
            return shape.value
        case Either():
            return _shape_below(shape.other, key)
        case SecretText() | Key():
            return shape
        case None | Anything() if key.lower() in _BAGS:
            return MapOf(SecretText())
    return None
