"""Files as trees: lines kept, and nothing that unfolds, loops or executes."""

from __future__ import annotations

import pytest

from jackfield.config.node import Source
from jackfield.errors import ConfigError
from jackfield.imports.tree import MAX_YAML_CHARS, parse_tree
from tests.imports.trees import file


def test_yaml_values_know_their_line() -> None:
    tree = parse_tree(file("a.yaml", "# remark\na:\n  - b: 1\n    c: 'x'\n"))
    found = tree.find(("a", 0, "c"))
    assert found is not None
    assert (found.value, found.line, tree.plain()) == ("x", 4, {"a": [{"b": 1, "c": "x"}]})


def test_a_merge_key_stands_behind_the_mappings_own() -> None:
    tree = parse_tree(file("a.yml", "d: &d {x: 1, y: 2}\ne:\n  <<: *d\n  y: 3\n"))
    assert tree.plain()["e"] == {"x": 1, "y": 3}


def test_yaml_scalars_are_what_they_look_like() -> None:
    tree = parse_tree(file("a.yaml", "[1, 0x10, 2.5, true, ~, 2026-01-01, 'no', !!python/object:os.system x]"))
    assert tree.plain() == [1, 16, 2.5, True, None, "2026-01-01", "no", "x"]


def laughs(levels: int) -> str:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (laughs(9), "unfold to more than"),
        ("a: &a\n  b: *a\n", "holds itself"),
        ("a: [1, 2\nb: 3\n", ":2:"),
        ("a: *nowhere\n", ":1:4"),
        ("\t- a", ":1:1"),
        ("[" * 5000, "nested too deep"),
        ("a: \x01", "a character that YAML forbids"),
        ("x" * (MAX_YAML_CHARS + 1), "is over 1 MB"),
        ("a: " + "9" * 5000, ":1:4"),
    ],
    ids=["laughs", "loop", "open", "unknown", "tab", "deep", "control", "huge", "digits"],
)  # fmt: skip
def test_hostile_yaml_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")) as caught:
        parse_tree(Source(text, "a.yaml"))
    assert caught.value.message.startswith("a.yaml")


def test_toml_values_know_their_line() -> None:
    tree = parse_tree(file("a.toml", 'model = "m"\n\n[model_providers.x]\nbase_url = "u"\n'))
    found = tree.find(("model_providers", "x", "base_url"))
    assert found is not None
    assert (found.value, found.line) == ("u", 4)


def test_broken_toml_is_refused_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"^a\.toml:2:5: not TOML"):
        parse_tree(file("a.toml", 'a = 1\nb = "x\n'.replace('"x', "@")))


def test_an_empty_file_is_an_empty_object() -> None:
    assert [parse_tree(file(name, "\n")).plain() for name in ("a.json", "a.yaml", "a.toml")] == [{}, {}, {}]
    assert parse_tree(file("a.yaml", "# only a remark\n")).plain() == {}
