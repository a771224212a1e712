"""Comments that an edit would take along: put back where they stood, as lines of their own."""

from __future__ import annotations

from collections import Counter

from jackfield.config.json5 import Json5Error, is_blank, parse
from jackfield.config.lex import find_comments


def keep_comments(before: str, after: str) -> str:
    """Return the text after an edit with every comment that the text before had; its values stay as they are."""
    lost = _lost(before, after)
    if not lost or is_blank(after):
        return after
    newline = "\r\n" if "\r\n" in before else "\n"
    at = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), len(after))
    start = after.rfind("\n", 0, at) + 1
    while start >= 0:
        line = after[start:]
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        kept = f"{after[:start]}{''.join(f'{indent}{each}{newline}' for each in lost)}{line}"
        # Inside of a text or a comment of several lines nothing can be put.
        if _says_the_same(kept, after) and not _lost(before, kept):
            return kept
        start = after.rfind("\n", 0, start - 1) + 1 if start else -1
    return after + "".join(f"{newline}{each}" for each in lost) + newline


def _lost(before: str, after: str) -> list[str]:
    stays = Counter(find_comments(after))
    lost = []
    for each in find_comments(before):
        if stays[each]:
            stays[each] -= 1
        else:
            lost.append(each)
    return lost


def _says_the_same(text: str, other: str) -> bool:
    try:
        return bool(parse(text).plain() == parse(other).plain())
    except Json5Error:
        return False
