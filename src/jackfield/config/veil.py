"""A config's text as a browser may have it: each secret is a word that stands for it, and comes back for it.

The word is good at one place alone: the same key in the same file (`unveil`).
Comments may hold secrets too, and texts that cannot be parsed; there, what looks like one counts as one.
Knows which texts are secrets (`mask`); whose host a key may go to is for others to judge.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from jackfield.config.json5 import Json5Error, parse
from jackfield.config.keypath import KeyPath, render_path
from jackfield.config.lex import Piece, split_pieces
from jackfield.config.likely import find_likely
from jackfield.config.mask import find_secrets, is_telling
from jackfield.config.node import Node
from jackfield.config.shape import Shape
from jackfield.config.table import ROOT

MARK = "••••"
_WORD = re.compile(rf"{MARK}[A-Za-z0-9]{{0,4}} kept #[0-9a-f]{{8}}")
_QUIET = frozenset({"true", "false", "null"})  # single values that are no text
_BAGS = frozenset({"headers", "env", "vars"})  # whatever stands in there is a secret


class Kept(Struct, frozen=True):
    """One secret of a text: where it stands, what it says, and the word that is shown for it."""

    start: int
    end: int
    literal: str  # as it stands in the text
    word: str  # as it is shown, quotes included where the text has them
    place: str  # its key path; of a comment, nothing
    text: str  # what it says


class Veil(Struct, frozen=True):
    """A text and what is shown of it."""

    text: str
    shown: str
    kept: tuple[Kept, ...]
    is_broken: bool = False

    @property
    def by_place(self) -> Mapping[str, Kept]:
        """What is kept, by the place where it is good."""
        return {each.place: each for each in self.kept if each.place}


def draw_veil(text: str, name: str, shapes: Collection[Shape] = (ROOT,), known: Collection[str] = ()) -> Veil:
    """Return a text with its secrets veiled; `shapes` are what the file may be, `known` secrets seen before.

    Without a shape nobody knows what the file is, and every text in it counts as a secret. `name` is the file's:
    equal texts of two files have words of their own.
    """
    try:
        spans = list(_find(parse(text), shapes)) if text.strip() else []
        is_broken = False
    except Json5Error:
        spans, is_broken = list(_guess(text)), True
    taken = [(start, end) for start, end, *_ in spans]
    spans += [(*span, "", text[slice(*span)]) for span in _find_loose(text, known, everywhere=is_broken, but=taken)]
    kept, shown, at, seen = [], [], 0, Counter[str]()
    for start, end, place, said in sorted(spans):
        # Of a broken text, or a comment, nobody knows more than how many there are.
        word = _word_for(f"{name}\0{place}\0{seen[place] or ''}", said)
        seen[place] += 1
        literal = text[start:end]
        quote = literal[0] if literal[0] in "\"'" else ""
        kept.append(Kept(start, end, literal, f"{quote}{word}{quote}", place, said))
        shown += [text[at:start], kept[-1].word]
        at = end
    return Veil(text, "".join([*shown, text[at:]]), tuple(kept), is_broken)


def list_spots(root: Node) -> Iterator[tuple[KeyPath, int, Node]]:
    """Yield the texts of a file's own tree with their key paths; one that is said again counts from 1."""
    seen = Counter[KeyPath]()
    for path, node in _walk(root):
        if node.kind == "string":
            yield path, seen[path], node
            seen[path] += 1


def name_place(path: KeyPath, again: int) -> str:
    """Return the name of a place: its key path, and of keys said again a number besides."""
    return f"{render_path(path)}~{again}" if again else render_path(path)


def loosen(place: str) -> str:
    """Return a place as far as a broken text tells it: the last two keys."""
    return ".".join(re.split(r"[.\[]", place.partition("~")[0])[-2:])


def is_word(text: str) -> bool:
    """Tell whether a text stands for a secret, or once did."""
    return MARK in text


def find_words(text: str) -> Iterator[re.Match[str]]:
    """Yield the words that stand for secrets."""
    return _WORD.finditer(text)


def _word_for(place: str, secret: str) -> str:
    tail = secret[-4:] if len(secret) >= 16 and secret[-4:].isalnum() and secret.isascii() else ""
    return f"{MARK}{tail} kept #{hashlib.sha256(place.encode()).hexdigest()[:8]}"


# -- finding -----------------------------------------------------------------------


def _walk(node: Node, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Node]]:
    yield path, node
    children = node.members if node.kind == "object" else enumerate(node.value) if node.kind == "array" else ()
    for step, child in children:
        yield from _walk(child, (*path, step))


def _find(root: Node, shapes: Collection[Shape]) -> Iterator[tuple[int, int, str, str]]:
    secrets = {id(node) for shape in shapes for node in find_secrets(root, shape, overridden=True)}
    for path, again, node in list_spots(root):
        if id(node) in secrets or (node.value and not shapes):
            yield node.start, node.end, name_place(path, again), node.value


def _guess(text: str) -> Iterator[tuple[int, int, str, str]]:
    for piece in split_pieces(text):
        literal = text[piece.start : piece.end]
        if piece.is_comment or not piece.keys or not _is_telling(piece, literal):
            continue
        is_whole = len(literal) > 1 and literal[0] in "\"'" and literal[-1] == literal[0]
        # What is not closed cannot be put back: where it ends is a guess.
        place = ".".join(piece.keys[-2:]) if is_whole else ""
        said = literal[1:-1] if is_whole else literal
        if said:
            yield piece.start, piece.end, place, said


def _is_telling(piece: Piece, literal: str) -> bool:
    if literal in _QUIET or re.fullmatch(r"[+-]?[\d.]+|[\"']?\$\{[A-Z_0-9]+\}[\"']?", literal):
        return False
    return (
        is_telling(piece.keys[-1])
        or not _BAGS.isdisjoint(piece.keys)
        or (literal[0] in "\"'" and bool(find_likely(literal)))
    )


def _find_loose(
    text: str, known: Collection[str], *, everywhere: bool, but: Collection[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield what looks like a secret in comments, or everywhere, and what is known as one."""
    areas = [(0, len(text))] if everywhere else [(p.start, p.end) for p in split_pieces(text) if p.is_comment]
    found = [(start + a, start + b) for start, end in areas for a, b in find_likely(text[start:end])]
    for secret in sorted(known, key=len, reverse=True):
        for start, end in areas:
            found += [(start + m.start(), start + m.end()) for m in re.finditer(re.escape(secret), text[start:end])]
    apart = sorted(but)
    for start, end in found:
        at = bisect(apart, (start, end))
        is_free = (at == 0 or apart[at - 1][1] <= start) and (at == len(apart) or apart[at][0] >= end)
        if is_free and not is_word(text[start:end]):
            apart.insert(at, (start, end))
            yield start, end
