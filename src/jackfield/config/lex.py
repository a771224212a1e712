"""A JSON5 text in pieces, also where it is broken: comments, and single values with the keys they stand under.

For whoever must find something in a text that cannot be parsed, or the comments of one that can. Of a broken
text the keys are a guess. Knows no schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

# A text that is never closed ends with its line, a comment that is never closed with the file.
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n\r\u2028\u2029]*|/\*(?s:.*?)(?:\*/|\Z))
    |(?P<text>"(?:[^"\\\n\r]|\\(?:\r\n|[\s\S]))*"?|'(?:[^'\\\n\r]|\\(?:\r\n|[\s\S]))*'?)
    |(?P<mark>[{}\[\]:,])|(?P<word>[^\s{}\[\]:,"'/]+(?:/(?![/*])[^\s{}\[\]:,"'/]*)*)""",
    re.VERBOSE,
)
DEEPEST = 200  # keys above a value that are told; no text that can be parsed has more
_OPEN, _CLOSE = "{[", "}]"


class Piece(Struct, frozen=True):
    """A comment, or a single value: `text[start:end]`, quotes included."""

    start: int
    end: int
    is_comment: bool = False
    keys: tuple[str, ...] = ()  # those above a value, its own last; items of a list have the list's


def split_pieces(text: str) -> Iterator[Piece]:
    """Yield the comments and single values of a text, in its order."""
    above: list[str] = []
    key, held = "", (0, 0)

    def value(start: int, end: int) -> Iterator[Piece]:
        if end:
            yield Piece(start, end, keys=tuple(filter(None, (*above[-DEEPEST:], key))))

    for match in _TOKEN.finditer(text):
        mark = match["mark"]
        if match["comment"] is not None:
            yield Piece(match.start(), match.end(), is_comment=True)
        elif mark is None:
            # Two in a row: what is between them is missing.
            yield from value(*held)
            held = match.span()
        elif mark == ":":
            key, held = text[slice(*held)].strip("\"'"), (0, 0)
        else:
            yield from value(*held)
            held = (0, 0)
            if mark in _OPEN:
                above.append(key)
            elif mark in _CLOSE and above:
                above.pop()
            key = ""
    yield from value(*held)


def find_comments(text: str) -> list[str]:
    """Return the comments of a text, in its order."""
    return [text[piece.start : piece.end].rstrip() for piece in split_pieces(text) if piece.is_comment]
