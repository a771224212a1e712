"""Two changes of one text put together, line by line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from msgspec import Struct

LONG = 2000  # lines


class Merged(Struct, frozen=True):
    """Both changes in one text; where both changed the same lines, the first one's stand, at these lines."""

    text: str
    overlaps: tuple[int, ...] = ()


class _Hunk(Struct, frozen=True):
    start: int  # lines of the base
    end: int
    lines: list[str]  # what stands there instead
    is_mine: bool


def merge_texts(base: str, mine: str, theirs: str) -> Merged:
    """Put the changes from `base` to `mine` on top of `theirs`."""
    old = base.splitlines(keepends=True)
    hunks = sorted([*_find_hunks(old, mine, is_mine=True), *_find_hunks(old, theirs, is_mine=False)], key=_place)
    lines: list[str] = []
    overlaps: list[int] = []
    at = 0
    for group in _group(hunks):
        start, end = group[0].start, max(hunk.end for hunk in group)
        lines += old[at:start]
        own, other = ([hunk for hunk in group if hunk.is_mine is which] for which in (True, False))
        ways = [_apply(old, start, end, hunks) for hunks in (own, other) if hunks]
        if len(ways) > 1 and ways[0] != ways[1]:
            overlaps.append(len(lines) + 1)
        lines += ways[0]
        at = end
    return Merged("".join([*lines, *old[at:]]), tuple(overlaps))


def _find_hunks(old: list[str], text: str, *, is_mine: bool) -> Iterator[_Hunk]:
    new = text.splitlines(keepends=True)
    # In a long text lines that come often (brackets) are no landmarks: each would be compared with each.
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=len(old) > LONG)
    for kind, start, end, since, until in matcher.get_opcodes():
        if kind != "equal":
            yield _Hunk(start, end, new[since:until], is_mine)


def _place(hunk: _Hunk) -> tuple[int, int]:
    return hunk.start, hunk.end


def _group(hunks: list[_Hunk]) -> Iterator[list[_Hunk]]:
    """Yield the hunks that touch the same lines together."""
    group: list[_Hunk] = []
    for hunk in hunks:
        if group and hunk.start >= max(each.end for each in group) and hunk.start != group[0].start:
            yield group
            group = []
        group.append(hunk)
    if group:
        yield group


def _apply(old: list[str], start: int, end: int, hunks: list[_Hunk]) -> list[str]:
    lines, at = [], start
    for hunk in hunks:
        lines += [*old[at : hunk.start], *hunk.lines]
        at = hunk.end
    return [*lines, *old[at:end]]
