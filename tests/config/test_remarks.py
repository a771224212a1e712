"""Comments that outlive what they stood beside, and two changes in one text."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.config.edit import set_value, unset
from jackfield.config.json5 import parse
from jackfield.config.keypath import KeyPath
from jackfield.config.lex import find_comments, split_pieces
from jackfield.config.merge import merge_texts
from jackfield.config.remarks import keep_comments

TEXT = """// head
{
  a: 1, // of a
  /* before b */ b: { c: [ 1, /* in */ 2, // second
    3 ], "d e": 'x // no comment', }, // of b
  f: "/* nor this */",
  // last
}
"""
PATHS: list[KeyPath] = [("a",), ("b",), ("b", "c"), ("b", "c", 0), ("b", "c", 1), ("b", "c", 2), ("b", "d e"), ("f",)]


def test_comments_are_told_from_texts_that_look_like_them() -> None:
    assert find_comments(TEXT) == [
        "// head",
        "// of a",
        "/* before b */",
        "/* in */",
        "// second",
        "// of b",
        "// last",
    ]


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_taking_a_value_away_leaves_every_comment(path: KeyPath) -> None:
    for after in (unset(TEXT, path), set_value(TEXT, path, {"new": 1})):
        kept = keep_comments(TEXT, after)
        assert Counter(find_comments(kept)) == Counter(find_comments(TEXT))
        assert parse(kept).plain() == parse(after).plain()


def test_a_comment_stays_about_where_it_was() -> None:
    assert keep_comments(TEXT, unset(TEXT, ("a",))).splitlines()[:4] == [
        "// head",
        "{",
        "  // of a",
        TEXT.splitlines()[3],
    ]


def test_a_text_of_one_line_keeps_its_comment_too() -> None:
    text = "{ a: 1 /* one */, b: 2 }"
    kept = keep_comments(text, unset(text, ("a",)))
    assert find_comments(kept) == ["/* one */"]
    assert parse(kept).plain() == {"b": 2}


def test_pieces_of_a_broken_text_know_their_keys() -> None:
    text = "{ a: { b: 'x', c 'y' // z\n d: [1, 'two"
    found = [(text[piece.start : piece.end], piece.keys) for piece in split_pieces(text)]
    assert ("'x'", ("a", "b")) in found
    assert ("// z", ()) in found
    assert ("'two", ("a", "d")) in found


# -- merging -----------------------------------------------------------------------

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "e\n"]), max_size=8).map("".join)


def test_changes_apart_are_put_together_and_the_same_line_is_told() -> None:
    base = "one\ntwo\nthree\nfour\n"
    merged = merge_texts(base, base.replace("one", "ONE"), base.replace("four", "4\n5"))
    assert (merged.text, merged.overlaps) == ("ONE\ntwo\nthree\n4\n5\n", ())
    merged = merge_texts(base, base.replace("two", "mine"), base.replace("two", "theirs"))
    assert (merged.text, merged.overlaps) == ("one\nmine\nthree\nfour\n", (2,))


@given(LINES, LINES)
def test_who_changed_nothing_gets_the_others_text(base: str, text: str) -> None:
    assert merge_texts(base, base, text) == merge_texts(base, text, base) == merge_texts(base, text, text)
    assert merge_texts(base, base, text).text == text


@given(LINES, LINES, LINES)
def test_nothing_of_mine_is_lost(base: str, mine: str, theirs: str) -> None:
    merged = merge_texts(base, mine, theirs)
    added = Counter(mine.splitlines()) - Counter(base.splitlines())
    assert not added - Counter(merged.text.splitlines())
