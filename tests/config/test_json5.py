"""JSON5 as specified, with places in the text and errors that help."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.config.json5 import MAX_DEPTH, Json5Error, parse

VALUES = [
    ("null", None),
    ("true", True),
    ("0", 0),
    ("-0x1F", -31),
    ("0XdeadBEEF", 0xDEADBEEF),
    ("+7", 7),
    (".5", 0.5),
    ("5.", 5.0),
    ("1e3", 1000.0),
    ("1.5E-2", 0.015),
    ("Infinity", math.inf),
    ("-Infinity", -math.inf),
    ("'single \"quotes\"'", 'single "quotes"'),
    (r'"tab\t nul\0 \x41 \u00e9 \v\a"', "tab\t nul\0 A é \va"),
    ('"one \\\n line \\\r\n more"', "one  line  more"),
    (r'"\ud83d\ude00"', "😀"),
    (r'"half \ud83d"', "half \ufffd"),
    ("[]", []),
    ("[1, 'a', [], {},]", [1, "a", [], {}]),
    ("{}", {}),
    ("{a: 1, $b_2: 2, 'c d': 3, \"e\": 4,}", {"a": 1, "$b_2": 2, "c d": 3, "e": 4}),
    ("{ключ: 1, größe: 2, 模型: 3}", {"ключ": 1, "größe": 2, "模型": 3}),
    (r"{\u0061b: 1}", {"ab": 1}),
    ("{null: 1, true: 2, NaN: 3}", {"null": 1, "true": 2, "NaN": 3}),
    ("// c\n/* d **/ { /* e */ a // f\n : /* g */ 1 /* h */ , /**/ } // end", {"a": 1}),
    ("\ufeff\u00a0\u2003{a:1}\u2028", {"a": 1}),
    ('{a: "// no comment", b: "/* none */"}', {"a": "// no comment", "b": "/* none */"}),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_json5_reads_as_specified(text: str, value: object) -> None:
    assert parse(text).plain() == value


def test_nan_is_a_number() -> None:
    assert math.isnan(parse("-NaN").plain())


ERRORS = [
    ("", 1, 1, "expected a value, found the end of the text"),
    ("{a: 1", 1, 6, 'the text ends before the "{" of line 1, column 1 is closed'),
    ("{\n  a: ", 2, 6, 'the text ends before the "{" of line 1, column 1 is closed'),
    ("{\n  a: [1,\n", 3, 1, 'the text ends before the "[" of line 2, column 6 is closed'),
    ("{a: 1 b: 2}", 1, 7, 'expected "," or "}" for the "{" of line 1, column 1, found "b"'),
    ("[1 2]", 1, 4, 'expected "," or "]" for the "[" of line 1, column 1, found \'2\''),
    ("{a 1}", 1, 4, "expected \":\" after the key a, found '1'"),
    ("{a:}", 1, 4, "expected a value, found '}'"),
    ("{,}", 1, 2, "expected a key or \"}\", found ','"),
    ("{a:1,,}", 1, 6, "expected a key or \"}\", found ','"),
    ("{1: 2}", 1, 2, "expected a key or \"}\", found '1'"),
    ("[1,,2]", 1, 4, "expected a value, found ','"),
    ("{a: yes}", 1, 5, 'expected a value, found "yes"'),
    ("{a: 'x\n'}", 1, 5, "this text is never closed on its line"),
    ("{'a\n': 1}", 1, 2, "this key is never closed on its line"),
    ("{a: 1} {", 1, 8, "expected the end of the text, found '{'"),
    ("{a: 1 /* b }", 1, 7, "this comment is never closed"),
    ("/*", 1, 1, "this comment is never closed"),
    ("{a: /* ", 1, 5, "this comment is never closed"),
    ("[1, /*", 1, 5, "this comment is never closed"),
    ("{a: 010}", 1, 5, "expected a value, found '0'"),
    (r'{a: "\x4"}', 1, 6, r"unknown escape \x"),
    (r'{a: "b\u12"}', 1, 7, r"unknown escape \u"),
    (r'{a: "\1"}', 1, 6, r"unknown escape \1"),
    (r"{a\x41: 1}", 1, 2, r"unknown escape in the key a\x41"),
    ("{a: “x”}", 1, 5, "expected a value, found a typographic quote; use \" or '"),
    ("{a: " + "9" * 2000 + "}", 1, 5, "this number has more than 1000 digits"),
    ("\ufeff{a:\n  ?}", 2, 3, "expected a value, found '?'"),
    ("\ufeff{?", 1, 2, "expected a key or \"}\", found '?'"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), ERRORS)
def test_an_error_says_where_and_what_was_expected(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(Json5Error) as caught:
        parse(text)

    assert (caught.value.line, caught.value.column, caught.value.message) == (line, column, message)


@pytest.mark.parametrize("opener", ["[", "{a:"])
def test_deep_nesting_is_refused_and_never_a_crash(opener: str) -> None:
    with pytest.raises(Json5Error, match="nested deeper than 200 levels"):
        parse(opener * 100_000)
    assert parse("[" * MAX_DEPTH + "]" * MAX_DEPTH).kind == "array"


def test_the_later_of_two_equal_keys_wins_and_is_noted() -> None:
    node = parse("{a: 1,\n b: 2,\n 'a': 3}")

    assert node.plain() == {"a": 3, "b": 2}
    assert [(key, node.source.locate(at)) for key, at in node.source.repeated] == [("a", (3, 2))]


def test_a_node_knows_its_text_and_line() -> None:
    node = parse("{\r\n  price: 0.30000000000000000000001, // exact\r\n}").value["price"]

    assert (node.text, node.line) == ("0.30000000000000000000001", 2)


def test_a_long_unclosed_text_fails_quickly() -> None:
    with pytest.raises(Json5Error):
        parse("{a: '" + "\\x41" * 100_000)
    with pytest.raises(Json5Error):
        parse("{" + "/* * */ // \n" * 50_000)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_every_json_text_reads_as_json_does(value: object, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    assert parse(text).plain() == json.loads(text)


@given(st.text(alphabet="{}[]:,'\"\\/*\n ab1-.x", max_size=30))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    try:
        place = parse(text).source.locate(0)
    except Json5Error as error:
        place = (error.line, error.column)
    assert min(place) >= 1
