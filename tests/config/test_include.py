"""Configs put together from several files, and edits that find the right one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from jackfield.config.load import check_config
from jackfield.config.save import Append, Edit, Set, Unset, edit_config
from jackfield.config.schema import InvalidConfig
from jackfield.config.source import load_tree
from jackfield.errors import ConfigError
from tests.config.setup import write

MAIN = """{
  // everything else is in parts
  $include: ["./base.json5", "./parts/keys.json5"],
  models: { mode: "replace" },
}
"""
BASE = (
    '{ models: { mode: "merge", providers: { a: { baseUrl: "http://a" } } }, agents: { defaults: { model: "a/m" } } }\n'
)
KEYS = '{ models: { providers: { a: { apiKey: "${A_KEY}" }, b: { $include: "b.json5" } } } }\n'
B = '{ baseUrl: "http://b", models: [{ id: "m" }] } // b\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "parts").mkdir()
    write(tmp_path, MAIN)
    write(tmp_path, BASE, "base.json5")
    write(tmp_path, KEYS, "parts/keys.json5")
    write(tmp_path, B, "parts/b.json5")
    return tmp_path


def tree(folder: Path, **environ: str) -> object:
    return load_tree(folder / "jackfield.json", environ)[0].plain()


def test_later_files_win_and_siblings_win_over_all(home: Path) -> None:
    assert tree(home) == {
        "models": {
            "mode": "replace",
            "providers": {
                "a": {"baseUrl": "http://a", "apiKey": "${A_KEY}"},
                "b": {"baseUrl": "http://b", "models": [{"id": "m"}]},
            },
        },
        "agents": {"defaults": {"model": "a/m"}},
    }


def test_lists_are_joined(tmp_path: Path) -> None:
    write(tmp_path, "{ l: { $include: ['a.json', 'b.json'], x: [5] } }")
    write(tmp_path, "{ x: [1, 2], y: 1 }", "a.json")
    write(tmp_path, "{ x: [3], y: { z: 1 } }", "b.json")

    assert tree(tmp_path) == {"l": {"x": [1, 2, 3, 5], "y": {"z": 1}}}


def test_an_include_alone_may_hold_any_value(tmp_path: Path) -> None:
    write(tmp_path, "{ l: { $include: 'a.json' } }")
    write(tmp_path, "[1, 2]", "a.json")

    assert tree(tmp_path) == {"l": [1, 2]}


def test_an_issue_names_the_file_it_is_in(home: Path) -> None:
    paths = write(home, '{ baseUrl: "http://b",\n apy: "x" }', "parts/b.json5")
    issue = check_config(paths, {}, cwd=home).issues[0]

    assert (issue.path, issue.file, issue.line) == ("models.providers.b.apy", f"{home}/parts/b.json5", 2)


def refusal(folder: Path, **environ: str) -> str:
    with pytest.raises(InvalidConfig) as caught:
        tree(folder, **environ)
    return str(caught.value.issues[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ $include: 'none.json' }", "the included file {0}/none.json does not exist"),
        ("{ a: { $include: 'jackfield.json' } }", "files include each other: {0}/jackfield.json → {0}/jackfield.json"),
        ("{ $include: '../out.json' }", "{1}/out.json lies outside {0}; name its directory in OPENCLAW_INCLUDE_ROOTS to allow it"),
        ("{ $include: '/etc/passwd' }", "/etc/passwd lies outside {0}; name its directory in OPENCLAW_INCLUDE_ROOTS to allow it"),
        ("{ $include: 'list.json', a: 1 }", "'list.json' holds a list; beside other content it must be an object"),
        ("{ $include: 5 }", "expected a file name or a list of them, found a number"),
        ("{ $include: ['list.json', 5] }", "expected a file name or a list of them, found a number"),
        ("{ $include: 'a\\0b' }", "this is no file name"),
        ("{ $include: 'bad.json' }", "the text ends before"),
        ("{ $include: 'large.json' }", "is 3 MB large; the limit is 2 MB"),
    ],
)  # fmt: skip
def test_an_include_that_cannot_be_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text)
    write(tmp_path, "[]", "list.json")
    write(tmp_path, "{", "bad.json")
    write(tmp_path, b" " * (3 << 20), "large.json")

    assert message.format(tmp_path, tmp_path.parent) in refusal(tmp_path)


def test_a_long_cycle_is_shown_as_a_chain(tmp_path: Path) -> None:
    write(tmp_path, "{ $include: 'a.json' }")
    write(tmp_path, "{ x: { $include: 'b.json' } }", "a.json")
    write(tmp_path, "{ $include: './a.json' }", "b.json")

    assert refusal(tmp_path).endswith(
        f"files include each other: {tmp_path}/jackfield.json → {tmp_path}/a.json → {tmp_path}/b.json → {tmp_path}/a.json"
    )


def test_includes_go_ten_deep_and_no_deeper(tmp_path: Path) -> None:
    names = ["jackfield.json", *(f"{n}.json" for n in range(1, 12))]
    for name, following in pairwise(names):
        write(tmp_path, f"{{ $include: '{following}' }}", name)
    write(tmp_path, "{ a: 1 }", "10.json")
    assert tree(tmp_path) == {"a": 1}

    write(tmp_path, "{ $include: '11.json' }", "10.json")
    write(tmp_path, "{ a: 1 }", "11.json")
    assert "more than 10 deep" in refusal(tmp_path)


def test_a_link_does_not_lead_outside(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "out.json").write_text("{ a: 1 }", encoding="utf-8")
    (home / "in.json").symlink_to(tmp_path / "out.json")
    write(home, "{ $include: 'in.json' }")

    assert "lies outside" in refusal(home)
    assert tree(home, OPENCLAW_INCLUDE_ROOTS=str(tmp_path)) == {"a": 1}


# -- edits -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "file", "line"),
    [
        (Set(("models", "providers", "b", "baseUrl"), "http://c"), "parts/b.json5", 'baseUrl: "http://c"'),
        (Set(("models", "providers", "b", "api"), "ollama"), "parts/b.json5", 'api: "ollama"'),
        (Set(("models", "providers", "a", "apiKey"), "${X}"), "parts/keys.json5", "${X}"),
        (Set(("agents", "defaults", "model"), "a/x"), "base.json5", "a/x"),
        (Set(("models", "mode"), "merge"), "jackfield.json", 'mode: "merge"'),
        (Set(("models", "providers", "c"), {"baseUrl": "http://c"}), "parts/keys.json5", "c: {"),
        (Set(("auth", "order", "a"), []), "jackfield.json", "auth: {"),
        (Append(("models", "providers", "b", "models"), {"id": "n"}), "parts/b.json5", 'id: "n"'),
    ],
)
def test_an_edit_goes_to_the_file_that_owns_the_value(home: Path, edit: Edit, file: str, line: str) -> None:
    before = {path: path.read_text("utf-8") for path in home.rglob("*.json*")}
    result = edit_config(write(home, MAIN), [edit], environ={})

    assert result.files == (home / file,)
    assert line in (home / file).read_text("utf-8")
    assert (home / file).with_name(Path(file).name + ".bak").read_text("utf-8") == before.pop(home / file)
    assert all(path.read_text("utf-8") == text for path, text in before.items())


@pytest.mark.parametrize(
    "edit",
    [
        Unset(("models", "mode")),
        Set(("models", "providers", "a"), {"baseUrl": "http://x"}),
        Unset(("models", "providers")),
    ],
)
def test_an_edit_that_no_single_file_owns_is_refused(home: Path, edit: Edit) -> None:
    with pytest.raises(ConfigError, match="is put together from"):
        edit_config(write(home, MAIN), [edit], environ={})
    assert (home / "base.json5").read_text("utf-8") == BASE


def test_a_place_in_a_joined_list_belongs_to_no_file(tmp_path: Path) -> None:
    write(tmp_path, "{ x: [3] }", "a.json")
    paths = write(tmp_path, "{ $include: 'a.json', x: [1] }")

    for edit in (Set(("x", 0), 2), Append(("x",), 2)):
        with pytest.raises(ConfigError, match=r"x is put together from .*a.json and .*jackfield.json"):
            edit_config(paths, [edit], environ={})


def test_edits_of_several_files_are_made_together(home: Path) -> None:
    edits = [Set(("models", "mode"), "merge"), Unset(("models", "providers", "b", "models"))]
    result = edit_config(write(home, MAIN), edits, environ={})

    assert result.files == (home / "jackfield.json", home / "parts/b.json5")
    assert (home / "parts/b.json5").read_text("utf-8") == '{ baseUrl: "http://b" } // b\n'


def test_includes_are_never_flattened(home: Path) -> None:
    edit_config(write(home, MAIN), [Set(("auth", "order", "a"), ["x"])], environ={})

    assert (home / "jackfield.json").read_text("utf-8").startswith(MAIN[:-3])
