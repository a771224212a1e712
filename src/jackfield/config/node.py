"""A parsed text as a tree that remembers where each value stands.

Every node keeps its span, so that errors name line and column and an edit can replace one
value and nothing else. Knows no grammar, no file and no schema.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

Kind = Literal["object", "array", "string", "number", "boolean", "null"]

_SHOWN = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


class Source:
    """A text with the name it goes by in messages, and the keys it says twice."""

    __slots__ = ("_lines", "is_part", "name", "repeated", "text")

    def __init__(self, text: str, name: str = "", *, is_part: bool = False) -> None:
        self.text = text
        self.name = name
        self.is_part = is_part  # it stands in another file's place, by `$include`
        self.repeated: list[tuple[str, int]] = []  # key, offset of its later mention
        self._lines: list[int] = []  # where each line starts, once asked for

    def locate(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both from 1; a byte-order mark takes no column."""
        if not self._lines:
            self._lines = [0, *(match.end() for match in re.finditer("\n", self.text))]
        line = bisect_right(self._lines, offset)
        mark = line == 1 and self.text.startswith("\ufeff") and offset > 0
        return line, offset - self._lines[line - 1] + 1 - mark


class Node(Struct, eq=False, gc=False):  # a tree has no cycles, and there are thousands
    """One value: `text[start:end]`. Objects hold nodes by key, arrays nodes in order, the rest plain values."""

    source: Source
    kind: Kind
    value: Any
    start: int
    end: int
    key_start: int = -1  # where its key stands; -1: it is no member
    members: Sequence[tuple[str, Node]] = ()  # of an object, in the text's order, repeated keys too

    @property
    def text(self) -> str:
        """The value as it stands in the text; a number's digits are exact only here."""
        return self.source.text[self.start : self.end]

    @property
    def shown(self) -> str:
        """The kind of value in words, for a message."""
        return _SHOWN[self.kind]

    @property
    def line(self) -> int:
        """The line it starts on, from 1."""
        return self.source.locate(self.start)[0]

    def plain(self) -> Any:
        """Return the value as Python's own dicts, lists, texts and numbers."""
        if self.kind == "object":
            return {key: node.plain() for key, node in self.value.items()}
        return [node.plain() for node in self.value] if self.kind == "array" else self.value

    def find(self, path: Iterable[str | int]) -> Node | None:
        """Return the node at a path below this one; `None` when there is none."""
        node = self
        for step in path:
            if (node.kind == "object" and step in node.value) or (
                node.kind == "array" and isinstance(step, int) and step < len(node.value)
            ):
                node = node.value[step]
            else:
                return None
        return node

    def walk(self) -> Iterator[Node]:
        """Yield this node and every node below it."""
        yield self
        children = self.value.values() if self.kind == "object" else self.value if self.kind == "array" else ()
        for child in children:
            yield from child.walk()
