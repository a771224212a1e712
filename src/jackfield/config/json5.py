"""JSON5 text as a tree that remembers where each value stands.

Follows the JSON5 specification (spec.json5.org, 1.0.0). Every node keeps its span in the
text, so that errors name line and column and an edit can replace one value and nothing
else. Knows no file and no schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal, NoReturn

Kind = Literal["object", "array", "string", "number", "boolean", "null"]

MAX_DEPTH = 200  # deeper than any real config; keeps the recursion below Python's own limit
_BLANK = r"[\t\n\v\f\r \xa0\ufeff\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_GAP = rf"(?:{_BLANK}+|//[^\n\r\u2028\u2029]*|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)*+"
_STRING = r'"(?:[^"\\\n\r]|\\(?:\r\n|[\s\S]))*+"' + r"|'(?:[^'\\\n\r]|\\(?:\r\n|[\s\S]))*+'"
_MARKS = r"\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u064b-\u065f\u0900-\u0903\u093a-\u094f\u200c\u200d"
_NAME = rf"(?:[^\W\d]|\$|\\u[0-9a-fA-F]{{4}})(?:[\w${_MARKS}]|\\u[0-9a-fA-F]{{4}})*+"
_NUMBER = (
    r"[+-]?(?:0[xX][0-9a-fA-F]+|Infinity|NaN|(?:(?:0|[1-9][0-9]*)\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w$.])"
)

GAP = re.compile(_GAP)
NAME = re.compile(_NAME)
# A key with its colon and the gaps around; a value with the gap and the comma after it.
_KEY = re.compile(rf"(?:({_STRING})|({_NAME})){_GAP}(:?){_GAP}")
_SCALAR = re.compile(rf"(?:({_STRING})|({_NUMBER})|(true|false|null)(?![\w$]))")
_AFTER = re.compile(rf"{_GAP}(,?){_GAP}")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(\r\n|[\s\S]))")
_ESCAPED = {
    "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0",
    "\n": "", "\r\n": "", "\r": "", "\u2028": "", "\u2029": "",
}  # fmt: skip
_WORDS = {"true": True, "false": False, "null": None}
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

    __slots__ = ("name", "repeated", "text")

    def __init__(self, text: str, name: str = "") -> None:
        self.text = text
        self.name = name
        self.repeated: list[tuple[str, int]] = []  # key, offset of its later mention

    def locate(self, offset: int) -> tuple[int, int]:
        """Return line and column of an offset, both from 1; a byte-order mark takes no column."""
        start = self.text.rfind("\n", 0, offset) + 1
        mark = start == 0 and self.text.startswith("\ufeff") and offset > 0
        return self.text.count("\n", 0, offset) + 1, offset - start + 1 - mark


class Json5Error(ValueError):
    """A text that is not JSON5; the message says what was expected, `line` and `column` count from 1."""

    def __init__(self, message: str, source: Source, offset: int) -> None:
        self.message = message
        self.line, self.column = source.locate(offset)
        super().__init__(f"line {self.line}, column {self.column}: {message}")


class Node:
    """One value: `text[start:end]`. Objects hold nodes by key, arrays nodes in order, the rest plain values."""

    __slots__ = ("end", "kind", "members", "source", "start", "value")

    def __init__(self, source: Source, kind: Kind, value: Any, start: int, end: int) -> None:
        self.source = source
        self.kind = kind
        self.value = value
        self.start = start
        self.end = end
        self.members: list[Member] = []  # of an object, in the text's order, repeated keys too

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

    def walk(self) -> Iterator[Node]:
        """Yield this node and every node below it."""
        yield self
        children = self.value.values() if self.kind == "object" else self.value if self.kind == "array" else ()
        for child in children:
            yield from child.walk()


class Member:
    """One mention of a key; it stands at `start`."""

    __slots__ = ("key", "node", "start")

    def __init__(self, key: str, node: Node, start: int) -> None:
        self.key = key
        self.node = node
        self.start = start


def parse(text: str, name: str = "") -> Node:
    """Return the tree of a JSON5 text; a later mention of a key wins and is noted in `source.repeated`.

    Raises `Json5Error`. Numbers become int or float; `node.text` keeps their digits.
    """
    source = Source(text, name)
    reader = _Reader(source)
    node = reader.value(reader.skip(0), 0)
    end = reader.skip(node.end)
    if end != len(text):
        raise Json5Error(f"expected the end of the text, found {_glimpse(text, end)}", source, end)
    return node


class _Reader:
    """Reads one text; each method takes an offset and returns a node, whose `end` is where to go on."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text

    def skip(self, at: int) -> int:
        end = GAP.match(self.text, at).end()  # type: ignore[union-attr]  # matches the empty text too
        if self.text.startswith("/*", end):
            self.fail("this comment is never closed", end)
        return end

    def value(self, at: int, depth: int) -> Node:
        match = _SCALAR.match(self.text, at)
        if match:
            return self.scalar(match)
        if depth >= MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels", at)
        if self.text.startswith("{", at):
            return self.object(at, depth)
        if self.text.startswith("[", at):
            return self.array(at, depth)
        return self.fail(self.no_value(at), at)

    def scalar(self, match: re.Match[str]) -> Node:
        string, number, word = match.groups()
        start, end = match.span()
        if string is not None:
            return Node(self.source, "string", self.unquote(string, start), start, end)
        if number is not None:
            return Node(self.source, "number", self.number(number, start), start, end)
        return Node(self.source, "null" if word == "null" else "boolean", _WORDS[word], start, end)

    def object(self, start: int, depth: int) -> Node:
        values: dict[str, Node] = {}
        node = Node(self.source, "object", values, start, start)
        at = self.skip(start + 1)
        while not self.text.startswith("}", at):
            key, key_at, at = self.key(at, start)
            child = self.value(at, depth + 1)
            if key in values:
                self.source.repeated.append((key, key_at))
            values[key] = child
            node.members.append(Member(key, child, key_at))
            at = self.after(child.end, start, "}")
        node.end = at + 1
        return node

    def array(self, start: int, depth: int) -> Node:
        values: list[Node] = []
        node = Node(self.source, "array", values, start, start)
        at = self.skip(start + 1)
        while not self.text.startswith("]", at):
            if at == len(self.text):
                self.fail_open(start, at)
            child = self.value(at, depth + 1)
            values.append(child)
            at = self.after(child.end, start, "]")
        node.end = at + 1
        return node

    def key(self, at: int, opened: int) -> tuple[str, int, int]:
        match = _KEY.match(self.text, at)
        if not match:
            if at == len(self.text):
                self.fail_open(opened, at)
            self.fail(self.no_key(at), at)
        string, name, colon = match.groups()
        end = match.end()
        key = (
            self.unquote(string, at) if string is not None else self.unquote(f'"{name}"', at) if "\\" in name else name
        )
        if not colon:
            self.fail(f'expected ":" after the key {key}, found {_glimpse(self.text, end)}', end)
        return key, at, end if end < len(self.text) and self.text[end] != "/" else self.skip(end)

    def after(self, at: int, opened: int, closer: str) -> int:
        """Return where the next item or the closer stands; anything else is an error."""
        match = _AFTER.match(self.text, at)
        end = match.end()  # type: ignore[union-attr]  # matches the empty text too
        if match[1] or self.text.startswith(closer, end):  # type: ignore[index]
            return end if not self.text.startswith("/*", end) else self.skip(end)
        end = self.skip(end)
        if end == len(self.text):
            self.fail_open(opened, end)
        return self.fail(f'expected "," or "{closer}"{self.opened(opened)}, found {_glimpse(self.text, end)}', end)

    def unquote(self, quoted: str, at: int) -> str:
        inner = quoted[1:-1]
        if "\\" not in inner:
            return inner

        def replace(match: re.Match[str]) -> str:
            hexadecimal = match[1] or match[2]
            if hexadecimal:
                return chr(int(hexadecimal, 16))
            if match[3] in "xu123456789" or (match[3] == "0" and inner[match.end() : match.end() + 1].isdigit()):
                self.fail(f"unknown escape {match[0]}", at + 1 + match.start())
            return _ESCAPED.get(match[3], match[3])

        text = _ESCAPE.sub(replace, inner)
        # Two escapes may make one character; half a pair alone has no UTF-8 and becomes U+FFFD.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if "\\u" in inner else text

    def number(self, text: str, at: int) -> int | float:
        digits = text.lower().lstrip("+-")
        sign = -1 if text[0] == "-" else 1
        if digits.startswith("0x"):
            return sign * int(digits, 16)
        if digits in {"infinity", "nan"} or "." in digits or "e" in digits:
            return sign * float(digits)
        if len(digits) > 1000:
            self.fail("this number has more than 1000 digits", at)
        return sign * int(digits)

    def no_value(self, at: int) -> str:
        if self.text[at : at + 1] in {'"', "'"}:
            return "this text is never closed on its line"
        return f"expected a value, found {_glimpse(self.text, at)}"

    def no_key(self, at: int) -> str:
        if self.text[at : at + 1] in {'"', "'"}:
            return "this key is never closed on its line"
        return f'expected a key or "}}", found {_glimpse(self.text, at)}'

    def opened(self, at: int) -> str:
        line, column = self.source.locate(at)
        return f' for the "{self.text[at]}" of line {line}, column {column}'

    def fail_open(self, opened: int, at: int) -> NoReturn:
        line, column = self.source.locate(opened)
        self.fail(f'the text ends before the "{self.text[opened]}" of line {line}, column {column} is closed', at)

    def fail(self, message: str, at: int) -> NoReturn:
        raise Json5Error(message, self.source, at)


def _glimpse(text: str, at: int) -> str:
    if at >= len(text):
        return "the end of the text"
    word = NAME.match(text, at)
    if word:
        return f'"{word[0][:20]}"'
    return "a typographic quote; use \" or '" if text[at] in "“”„‟‘’‚«»" else repr(text[at])
