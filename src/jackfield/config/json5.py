"""JSON5 text → tree, after the JSON5 specification (spec.json5.org, 1.0.0).

Errors say what was expected, where, and which bracket is still open. Knows no file and no
schema.
"""

from __future__ import annotations

import re
from typing import NoReturn

from jackfield.config.node import Kind, Node, Source

GLIMPSE = 12  # letters of a word that are quoted
MAX_DEPTH = 200  # deeper than any real config; keeps the recursion below Python's own limit
# Python's blanks are JSON5's and six control characters more, which nobody writes.
# Atomic groups: in the Python of Debian 12 (3.11.2) a possessive group that fails half-way keeps what it took.
GAP = re.compile(r"(?>(?:\s+|\ufeff|//[^\n\r\u2028\u2029]*|/\*(?s:.*?)\*/)*)")
_STRING = r"""(?:"(?>(?:[^"\\\n\r]+|\\(?:\r\n|[\s\S]))*)"|'(?>(?:[^'\\\n\r]+|\\(?:\r\n|[\s\S]))*)')"""
_NUMBER = (
    r"[+-]?(?:0[xX][0-9a-fA-F]+|Infinity|NaN|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?![\w$.])"
)
# Almost every key and every single value stands between blanks alone; what `_RARE` follows is read again, with care.
_match_key = re.compile(r"""(?:"([^"\\\n\r]*+)"|'([^'\\\n\r]*+)'|([A-Za-z_$][\w$]*+))\s*+:\s*+(?![/\ufeff])""").match
_match_item = re.compile(rf"(?:({_STRING})|({_NUMBER})|(true|false|null)(?![\w$]))\s*+(,?)\s*+").match
_RARE = "/\ufeff"
# Compiled where a text needs them. Letters and marks; escapes are read, and refused where they are none, by `unquote`.
_NAME = r"(?:[^\W\d]|[$\\])[\w$\\\u0300-\u036f\u200c\u200d]*+"
_ESCAPE = r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(\r\n|[\s\S]))"
_UNICODE = r"\\u[0-9a-fA-F]{4}"
_ESCAPED = {
    "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0",
    "\n": "", "\r\n": "", "\r": "", "\u2028": "", "\u2029": "",
}  # fmt: skip
_WORDS: dict[str, tuple[Kind, bool | None]] = {
    "true": ("boolean", True),
    "false": ("boolean", False),
    "null": ("null", None),
}


class Json5Error(ValueError):
    """A text that is not JSON5; the message says what was expected, `line` and `column` count from 1."""

    def __init__(self, message: str, source: Source, offset: int) -> None:
        self.message = message
        self.line, self.column = source.locate(offset)
        super().__init__(f"line {self.line}, column {self.column}: {message}")


def parse(text: str, name: str = "") -> Node:
    """Return the tree of a JSON5 text; a later mention of a key wins and is noted in `source.repeated`.

    Raises `Json5Error`. Numbers become int or float; `node.text` keeps their digits.
    """
    source = Source(text, name)
    reader = _Reader(source)
    node, _, _ = reader.item(reader.skip(0), 0)
    end = reader.skip(node.end)
    if end != len(text):
        raise Json5Error(f"expected the end of the text, found {_glimpse(text, end)}", source, end)
    return node


def is_blank(text: str) -> bool:
    """Tell whether a text says nothing at all, not even a remark: a file just made, which stands for `{}`."""
    return not text.strip("\ufeff \t\r\n")


class _Reader:
    """Reads one text; each method takes an offset and returns a node, whose `end` is where to go on."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text

    def skip(self, at: int) -> int:
        match = GAP.match(self.text, at)
        end = match.end() if match else at
        if self.text.startswith("/*", end):
            self.fail("this comment is never closed", end)
        return end

    def item(self, at: int, depth: int, key_at: int = -1) -> tuple[Node, str, int]:
        """Return a value, the comma that follows or nothing, and where what comes after it stands."""
        match = _match_item(self.text, at)
        if not match:
            node = self.container(at, depth, key_at)
            return node, *self.after(node.end)
        string, number, word, comma = match.groups()
        if string is not None:
            text = self.unquote(string, at) if "\\" in string else string[1:-1]
            node = Node(self.source, "string", text, at, at + len(string), key_at)
        elif number:
            node = Node(self.source, "number", self.number(number, at), at, at + len(number), key_at)
        else:
            kind, value = _WORDS[word]
            node = Node(self.source, kind, value, at, at + len(word), key_at)
        end = match.end()
        return (node, *self.after(node.end)) if self.text[end : end + 1] in _RARE else (node, comma, end)

    def container(self, at: int, depth: int, key_at: int) -> Node:
        if depth >= MAX_DEPTH:
            self.fail(f"nested deeper than {MAX_DEPTH} levels", at)
        if self.text.startswith("{", at):
            return self.object(at, depth, key_at)
        if self.text.startswith("[", at):
            return self.array(at, depth, key_at)
        return self.fail(self.no_value(at), at)

    def object(self, start: int, depth: int, key_at: int) -> Node:
        text, values, members = self.text, dict[str, Node](), list[tuple[str, Node]]()
        at = self.skip(start + 1)
        while not text.startswith("}", at):
            key, value_at = self.key(at, start)
            if value_at == len(text):
                self.fail_open(start, value_at)
            child, comma, end = self.item(value_at, depth + 1, at)
            if key in values:
                self.source.repeated.append((key, at))
            values[key] = child
            members.append((key, child))
            at = end if comma or text.startswith("}", end) else self.fail_after(end, start, "}")
        return Node(self.source, "object", values, start, at + 1, key_at, members)

    def key(self, at: int, opened: int) -> tuple[str, int]:
        """Return a key and where its value stands."""
        match = _match_key(self.text, at)
        return (match[match.lastindex or 0], match.end()) if match else self.rare_key(at, opened)

    def rare_key(self, at: int, opened: int) -> tuple[str, int]:
        """Read a key that has escapes or uncommon letters, that a comment follows, or that is none."""
        match = re.compile(f"{_STRING}|{_NAME}").match(self.text, at)
        if not match:
            self.fail_key(at, opened)
        said, colon = match[0], self.skip(match.end())
        if not self.text.startswith(":", colon):
            self.fail(f'expected ":" after the key {said}, found {_glimpse(self.text, colon)}', colon)
        is_quoted = said[0] in "\"'"
        if not is_quoted and "\\" in re.sub(_UNICODE, "", said):
            self.fail(f"unknown escape in the key {said}", at)
        return self.unquote(said if is_quoted else f'"{said}"', at), self.skip(colon + 1)

    def array(self, start: int, depth: int, key_at: int) -> Node:
        text, values = self.text, list[Node]()
        at = self.skip(start + 1)
        while not text.startswith("]", at):
            if at == len(text):
                self.fail_open(start, at)
            child, comma, end = self.item(at, depth + 1)
            values.append(child)
            at = end if comma or text.startswith("]", end) else self.fail_after(end, start, "]")
        return Node(self.source, "array", values, start, at + 1, key_at)

    def after(self, at: int) -> tuple[str, int]:
        """Return the comma that follows or nothing, and where what comes after it stands."""
        end = at if self.text.startswith(",", at) else self.skip(at)
        return (",", self.skip(end + 1)) if self.text.startswith(",", end) else ("", end)

    def fail_after(self, at: int, opened: int, closer: str) -> NoReturn:
        at = self.skip(at)
        if at == len(self.text):
            self.fail_open(opened, at)
        line, column = self.source.locate(opened)
        place = f'for the "{self.text[opened]}" of line {line}, column {column}'
        self.fail(f'expected "," or "{closer}" {place}, found {_glimpse(self.text, at)}', at)

    def unquote(self, quoted: str, at: int) -> str:
        inner = quoted[1:-1]

        def replace(match: re.Match[str]) -> str:
            hexadecimal = match[1] or match[2]
            if hexadecimal:
                return chr(int(hexadecimal, 16))
            if match[3] in "xu123456789" or (match[3] == "0" and inner[match.end() : match.end() + 1].isdigit()):
                self.fail(f"unknown escape {match[0]}", at + 1 + match.start())
            return _ESCAPED.get(match[3], match[3])

        text = re.sub(_ESCAPE, replace, inner)
        # Two escapes may make one character; half a pair alone has no UTF-8 and becomes U+FFFD.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if "\\u" in inner else text

    def number(self, text: str, at: int) -> int | float:
        if text.isdigit() and len(text) < 16:
            return int(text)
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
        self.skip(at)  # what stands there may be an unclosed comment
        if self.text[at : at + 1] in {'"', "'"}:
            return "this text is never closed on its line"
        return f"expected a value, found {_glimpse(self.text, at)}"

    def fail_key(self, at: int, opened: int) -> NoReturn:
        if at == len(self.text):
            self.fail_open(opened, at)
        if self.text[at] in "\"'":
            self.fail("this key is never closed on its line", at)
        self.fail(f'expected a key or "}}", found {_glimpse(self.text, at)}', at)

    def fail_open(self, opened: int, at: int) -> NoReturn:
        line, column = self.source.locate(opened)
        self.fail(f'the text ends before the "{self.text[opened]}" of line {line}, column {column} is closed', at)

    def fail(self, message: str, at: int) -> NoReturn:
        raise Json5Error(message, self.source, at)


def past(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return the offset after what a pattern matches here; where it matches nothing, the same offset."""
    match = pattern.match(text, at)
    return match.end() if match else at


def _glimpse(text: str, at: int) -> str:
    if at >= len(text):
        return "the end of the text"
    word = re.compile(_NAME).match(text, at)
    if word:
        # It may be a key without its quotes: its beginning is enough to find it.
        return f'"{word[0]}"' if len(word[0]) <= GLIMPSE else f'"{word[0][:GLIMPSE]}…"'
    return "a typographic quote; use \" or '" if text[at] in "“”„‟‘’‚«»" else repr(text[at])
