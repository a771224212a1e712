"""An edit changes the value meant and no other byte."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jackfield.config.edit import append, set_value, unset
from jackfield.config.json5 import parse
from jackfield.config.keypath import KeyPath
from jackfield.errors import ConfigError

TEXT = """\
// my set-up
{
  agents: { defaults: { model: { primary: "a/b" } } }, // keep
  channels: { telegram: {"botToken":'x',}, },
  models: {
    providers: {
      "x": { baseUrl: "http://x" }, // x
      y: {
        // from work
        apiKey: "${WORK_KEY}", // rotates
        baseUrl: "http://y" // last
      }
      /* end */
    }
  }
}
"""
Y = ("models", "providers", "y")


def changes(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that went and those that came, whatever is equal at both ends left out."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        old.pop(0), new.pop(0)
    while old and new and old[-1] == new[-1]:
        old.pop(), new.pop()
    return [line.strip() for line in old], [line.strip() for line in new]


def test_a_new_last_member_leaves_its_neighbours_remark_where_it_is() -> None:
    after = set_value(TEXT, (*Y, "api"), "ollama")

    assert changes(TEXT, after) == (
        ['baseUrl: "http://y" // last'],
        ['baseUrl: "http://y", // last', 'api: "ollama"'],
    )


def test_a_value_is_replaced_alone() -> None:
    after = set_value(TEXT, (*Y, "apiKey"), "${OTHER}")

    assert after == TEXT.replace("${WORK_KEY}", "${OTHER}")


def test_an_object_on_one_line_grows_on_its_line() -> None:
    after = set_value(TEXT, ("agents", "defaults", "model", "fallbacks"), ["c/d", "e/f"])

    assert after == TEXT.replace('"a/b" }', '"a/b", fallbacks: ["c/d", "e/f"] }')


def test_missing_parents_are_made() -> None:
    after = set_value(TEXT, ("agents", "defaults", "models", "q/r", "alias"), "quick")

    assert after == TEXT.replace('"a/b" } }', '"a/b" }, models: { "q/r": { alias: "quick" } } }')


def test_a_new_provider_is_written_over_lines() -> None:
    after = set_value(TEXT, ("models", "providers", "z"), {"baseUrl": "http://z", "models": [{"id": "m"}]})

    removed, added = changes(TEXT, after)
    assert removed == []
    assert added == ["},", "z: {", 'baseUrl: "http://z",', "models: [", "{", 'id: "m"', "}", "]"]
    assert after.replace(" ", "").endswith("}\n/*end*/\n}\n}\n}\n")


def test_an_equal_value_changes_nothing() -> None:
    for path in (Y, (*Y, "apiKey"), ("channels",)):
        node: Any = parse(TEXT).plain()
        for step in path:
            node = node[step]
        assert set_value(TEXT, path, node) == TEXT


def test_a_number_is_not_taken_for_true() -> None:
    assert set_value("{a: 1}", ("a",), True) == "{a: true}"
    assert set_value("{a: 1}", ("a",), 1.0) == "{a: 1.0}"


@pytest.mark.parametrize(
    ("path", "removed", "added"),
    [
        ((*Y, "apiKey"), ['apiKey: "${WORK_KEY}", // rotates'], []),
        (
            (*Y, "baseUrl"),
            ['apiKey: "${WORK_KEY}", // rotates', 'baseUrl: "http://y" // last'],
            ['apiKey: "${WORK_KEY}" // rotates'],
        ),
        (("agents",), ['agents: { defaults: { model: { primary: "a/b" } } }, // keep'], []),
        (
            ("agents", "defaults", "model", "primary"),
            ['agents: { defaults: { model: { primary: "a/b" } } }, // keep'],
            ["agents: { defaults: { model: {} } }, // keep"],
        ),
        (
            ("channels", "telegram", "botToken"),
            ["channels: { telegram: {\"botToken\":'x',}, },"],
            ["channels: { telegram: {}, },"],
        ),
        (("nope", "nothing"), [], []),
        (("agents", 3), [], []),
    ],
)
def test_unset_takes_a_member_and_its_line(path: KeyPath, removed: list[str], added: list[str]) -> None:
    assert changes(TEXT, unset(TEXT, path)) == (removed, added)


def test_unset_takes_every_mention_of_a_key() -> None:
    assert parse(unset("{a: 1, b: 2, a: 3}", ("a",))).plain() == {"b": 2}


@pytest.mark.parametrize(
    ("text", "path", "value", "after"),
    [
        ("", ("a", "b"), "x", '{\n  "a": {\n    "b": "x"\n  }\n}\n'),
        ("\ufeff \n", ("a",), 1, '{\n  "a": 1\n}\n'),
        ("{}", ("a",), 1, '{\n  "a": 1\n}'),
        ("{}\n", ("a", "b"), 1, '{\n  "a": {\n    "b": 1\n  }\n}\n'),
        ("{\n  // nothing yet\n}\n", ("a",), 1, '{\n  // nothing yet\n  "a": 1\n}\n'),
        ("{ a: {} }", ("a", "b"), 1, "{ a: { b: 1 } }"),
        ("{a:1,}", ("b",), 2, "{a:1, b: 2,}"),
        ("{a:1}", ("b-c",), 2, '{a:1, "b-c": 2}'),
        ("{'a': 'x'}", ("b",), "it", "{'a': 'x', 'b': 'it'}"),
        ("{'a': 'x'}", ("b",), "it's", "{'a': 'x', 'b': \"it's\"}"),
        ("{\r\n\ta: 1,\r\n}\r\n", ("b", "c"), 2, "{\r\n\ta: 1,\r\n\tb: {\r\n\t\tc: 2,\r\n\t},\r\n}\r\n"),
        ("{\n    a: 1 }", ("b",), 2, "{\n    a: 1,\n    b: 2 }"),
        ("{a: 1 // one\n}", ("b",), 2, "{a: 1, b: 2 // one\n}"),
        ("{\n  a: 1 /* one */, // uno\n}", ("b",), 2, "{\n  a: 1 /* one */, // uno\n  b: 2,\n}"),
        ("{\n  a: 1\n  , b: 2\n}", ("c",), 3, "{\n  a: 1\n  , b: 2, c: 3\n}"),
        ("{a: 1, a: 2}", ("a",), 3, "{a: 1, a: 3}"),
        ("[]", (0,), 1, None),
        ("{a: [1]}", ("a", 0), {"b": []}, "{a: [{ b: [] }]}"),
        ("{a: [1]}", ("a", 1), 2, "{a: [1, 2]}"),
        ("{a: [\n  1, // one\n  2\n]}", ("a", 2), 3, "{a: [\n  1, // one\n  2,\n  3\n]}"),
    ],
)
def test_the_manner_of_the_text_is_kept(text: str, path: KeyPath, value: Any, after: str | None) -> None:
    assert set_value(text, path, value) == (after if after is not None else "[\n  1\n]")


def test_append_makes_or_lengthens_a_list() -> None:
    assert append("", ("a",), "x") == '{\n  "a": ["x"]\n}\n'
    assert append("{a: ['x',]}", ("a",), "y") == "{a: ['x', 'y',]}"
    with pytest.raises(ConfigError, match="a is a text, not a list"):
        append("{a: 'x'}", ("a",), "y")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (("a", "b"), "a is a text, not an object"),
        (("l", "b"), "l is a list, not an object"),
        (("o", 0), "o is an object, not a list"),
        (("l", 2), r"l\[2\] is beyond the list's end: it has 1 items"),
    ],
)
def test_a_step_into_the_wrong_kind_is_refused(path: KeyPath, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        set_value("{a: 'x', l: [1], o: {}}", path, 1)


def test_a_text_that_is_no_utf8_is_refused() -> None:
    with pytest.raises(ConfigError, match="UTF-8"):
        set_value("{}", ("a",), "\udcff")


# -- for any text ------------------------------------------------------------------

GAPS = st.sampled_from(["", " ", "\n", "\n  ", "\r\n\t", " /* c, } */ ", " // c ] ,\n", "\n// d\n", "  /* e */\n    "])
KEYS = st.sampled_from(["a", "b", '"a b"', "'c'", "ключ", '"x/y.z"'])
SCALARS = st.sampled_from(["1", "-.5", "0x1f", "'s'", '"${K}"', "null", "true", "Infinity", '"//"'])


@st.composite
def documents(draw: st.DrawFn, depth: int = 3) -> str:
    kind = draw(st.sampled_from(["scalar", "object", "list"] if depth < 3 else ["object"])) if depth else "scalar"
    if kind == "scalar":
        return draw(SCALARS)
    count = draw(st.integers(0, 3))
    items = []
    keys = draw(st.lists(KEYS, min_size=count, max_size=count, unique=True))
    for key in keys:
        head = f"{key}{draw(GAPS)}:{draw(GAPS)}" if kind == "object" else ""
        items.append(draw(GAPS) + head + draw(documents(depth - 1)) + draw(GAPS))
    body = ",".join(items) + (draw(st.sampled_from(["", ","])) + draw(GAPS) if items else draw(GAPS))
    return "{" + body + "}" if kind == "object" else "[" + body + "]"


def paths_of(value: Any, base: KeyPath = ()) -> list[KeyPath]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [base, *(path for key, child in children for path in paths_of(child, (*base, key)))]


def with_value(value: Any, path: KeyPath, new: Any) -> Any:
    """Return a plain value with one place changed; the slow way."""
    if not path:
        return new
    if isinstance(value, list):
        copy = [*value, None] if path[0] == len(value) else list(value)
        copy[path[0]] = with_value(copy[path[0]], path[1:], new)
        return copy
    return {**value, path[0]: with_value(value.get(path[0], {}), path[1:], new)}


NEW = st.sampled_from([1, "t", None, True, [], ["u", 2], {}, {"k": {"l": [{"m": 1}]}}, "quote ' \" \\ \n"])


@given(documents(), NEW, st.data())
def test_set_changes_one_value_and_keeps_every_other_byte(text: str, value: Any, data: st.DataObject) -> None:
    before = parse(text).plain()
    path = data.draw(st.sampled_from([*paths_of(before), ("new", "er")][1:]))
    after = set_value(text, path, value)
    old = parse(text).find(path)

    assert parse(after).plain() == with_value(before, path, value)
    assert set_value(after, path, value) == after
    if old:
        assert after.startswith(text[: old.start])
        assert after.endswith(text[old.end :])
    else:
        assert is_within(text, after)


@given(documents(), NEW, st.data())
def test_append_adds_one_item(text: str, value: Any, data: st.DataObject) -> None:
    before = parse(text).plain()
    lists = [path for path in paths_of(before) if path and isinstance(at(before, path), list)]
    assume(lists)
    path = data.draw(st.sampled_from(lists))

    assert parse(append(text, path, value)).plain() == with_value(before, path, [*at(before, path), value])


@given(documents(), st.data())
def test_unset_takes_one_value_away(text: str, data: st.DataObject) -> None:
    before = parse(text).plain()
    paths = [path for path in paths_of(before) if path]
    assume(paths)
    path = data.draw(st.sampled_from(paths))
    parent = at(before, path[:-1])
    rest = {k: v for k, v in parent.items() if k != path[-1]} if isinstance(parent, dict) else list(parent)
    if isinstance(rest, list):
        del rest[path[-1]]

    assert parse(unset(text, path)).plain() == with_value(before, path[:-1], rest)


@given(documents(), st.data())
def test_what_set_adds_unset_takes_away(text: str, data: st.DataObject) -> None:
    before = parse(text).plain()
    objects = [path for path in paths_of(before) if isinstance(at(before, path), dict)]
    path = (*data.draw(st.sampled_from(objects)), "added")

    assert parse(unset(set_value(text, path, 1), path)).plain() == before


def at(value: Any, path: KeyPath) -> Any:
    for step in path:
        value = value[step]
    return value


def is_within(text: str, longer: str) -> bool:
    """Tell whether every character but blanks of a text comes in its order in a longer one."""
    rest = iter(longer)
    return all(character in rest for character in text if not character.isspace())
