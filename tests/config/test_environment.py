"""Where variables come from, and what becomes of `${NAME}`."""

from pathlib import Path

import pytest

from jackfield.config.environment import add_block, fill, load_environ, parse_dotenv
from jackfield.config.schema import Environ

DOTENV = """\ufeff# keys
PLAIN=value
export EXPORTED = spaced out  # remark
HASH=a#b
SINGLE='as $IS \\n ${X} # all'
DOUBLE="two\\nlines \\"quoted\\" \\$X" # remark
MULTI="first
second"
EMPTY=
EMPTY_REMARK= # nothing
dotted.name=1
not a line
=nothing
URL=https://h/p?a=b
CRLF=x\r
"""


def test_a_dotenv_file_reads_as_shells_and_people_write_it() -> None:
    assert parse_dotenv(DOTENV) == {
        "PLAIN": "value",
        "EXPORTED": "spaced out",
        "HASH": "a#b",
        "SINGLE": "as $IS \\n ${X} # all",
        "DOUBLE": 'two\nlines "quoted" $X',
        "MULTI": "first\nsecond",
        "EMPTY": "",
        "EMPTY_REMARK": "",
        "dotted.name": "1",
        "URL": "https://h/p?a=b",
        "CRLF": "x",
    }


def test_nearer_sources_win(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=near\nB=near\n", encoding="utf-8")
    (tmp_path / "home.env").write_text("A=home\nB=home\nC=home\n", encoding="utf-8")
    environ, warnings = load_environ({"A": "process"}, tmp_path / "home.env", tmp_path)
    add_block(environ, {"C": "block", "D": "block", "E": "  "})

    assert environ == {"A": "process", "B": "near", "C": "home", "D": "block"}
    assert warnings == []


def test_the_block_fills_blank_variables_and_dotenv_does_not(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=near\n", encoding="utf-8")
    environ, _ = load_environ({"A": "", "B": " "}, tmp_path / "none", tmp_path)
    add_block(environ, {"B": "block"})

    assert environ == {"A": "", "B": "block"}


def test_a_repository_cannot_redirect_keys(tmp_path: Path) -> None:
    names = ["OPENAI_BASE_URL", "X_ENDPOINT", "Y_API_HOST", "OPENCLAW_STATE_DIR", "JACKFIELD_HOME"]
    text = "".join(f"{name}=https://evil.test\n" for name in names) + "OPENAI_API_KEY=k\n"
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    environ, warnings = load_environ({}, tmp_path / "home.env", tmp_path)

    assert environ == {"OPENAI_API_KEY": "k"}
    assert len(warnings) == 1
    assert all(name in warnings[0] for name in names)
    assert "evil" not in warnings[0]


def test_the_users_own_dotenv_may_name_an_endpoint(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OPENAI_BASE_URL=http://localhost\n", encoding="utf-8")
    environ, warnings = load_environ({}, tmp_path / ".env", tmp_path)

    assert environ == {"OPENAI_BASE_URL": "http://localhost"}
    assert warnings == []


@pytest.mark.parametrize(("data", "reason"), [(b"A=\xff", "not UTF-8"), (b"A=" + b"x" * (1 << 20), "larger than 1 MB")])
def test_an_unusable_dotenv_is_ignored_with_a_word(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / ".env").write_bytes(data)
    environ, warnings = load_environ({}, tmp_path / "none", tmp_path)

    assert environ == {}
    assert warnings == [f"{tmp_path / '.env'} is ignored: {reason}"]


def test_a_directory_named_dotenv_is_ignored_with_a_word(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()

    assert "is ignored" in load_environ({}, tmp_path / "none", tmp_path)[1][0]


VARIABLES = {"A": "1", "B_2": "two", "EMPTY": "", "BLANK": " ", "NESTED": "${A}"}


@pytest.mark.parametrize(
    ("text", "result", "missing"),
    [
        ("${A}", "1", ()),
        ("x${A}/${B_2}y${A}", "x1/twoy1", ()),
        ("$${A}", "${A}", ()),
        ("$${a} $$${A}", "$${a} $${A}", ()),
        ("${a} $A ${A-B} ${ A } ${", "${a} $A ${A-B} ${ A } ${", ()),
        ("${NESTED}", "${A}", ()),
        ("${NO}${EMPTY}${BLANK}${NO}", "", ("NO", "EMPTY", "BLANK")),
        ("${NO:-default}", "default", ()),
        ("${NO:-}", "", ()),
        ("${EMPTY:-http://h:1/${A}", "http://h:1/${A", ()),
        ("${A:-default}", "1", ()),
        ("$${NO:-x}", "${NO:-x}", ()),
    ],
)
def test_variables_are_filled_in_once(text: str, result: str, missing: tuple[str, ...]) -> None:
    filled = fill(text, VARIABLES)

    assert (filled.text, filled.missing) == (result, missing)


def test_variables_do_not_show() -> None:
    assert "sk-1" not in repr(Environ({"K": "sk-1"}))
    assert "sk-1" not in f"{Environ({'K': 'sk-1'})}"
