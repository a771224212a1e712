"""Where files are looked for."""

from pathlib import Path

import pytest

from jackfield.config.keypath import parse_path, render_path
from jackfield.config.paths import locate
from jackfield.errors import UsageError

HOME = {"HOME": "/srv/u"}


def test_everything_lies_under_one_home() -> None:
    paths = locate(HOME)

    assert paths.home == Path("/srv/u/.jackfield")
    assert paths.config == paths.home / "jackfield.json"
    assert paths.auth == paths.home / "auth-profiles.json"
    assert paths.dotenv == paths.home / ".env"
    assert paths.cache == paths.home / "cache"


@pytest.mark.parametrize(
    ("environ", "home", "config"),
    [
        ({"JACKFIELD_HOME": "/j", "OPENCLAW_STATE_DIR": "/o"}, "/j", "/j/jackfield.json"),
        ({"OPENCLAW_STATE_DIR": "/o"}, "/o", "/o/jackfield.json"),
        ({"JACKFIELD_HOME": "~/j"}, "/srv/u/j", "/srv/u/j/jackfield.json"),
        ({"JACKFIELD_HOME": " "}, "/srv/u/.jackfield", "/srv/u/.jackfield/jackfield.json"),
        ({"JACKFIELD_HOME": "undefined"}, "/srv/u/.jackfield", "/srv/u/.jackfield/jackfield.json"),
        ({"JACKFIELD_CONFIG": "/c.json", "OPENCLAW_CONFIG_PATH": "/o.json"}, "/srv/u/.jackfield", "/c.json"),
        ({"OPENCLAW_CONFIG_PATH": "/o.json"}, "/srv/u/.jackfield", "/o.json"),
    ],
)
def test_variables_move_it(environ: dict[str, str], home: str, config: str) -> None:
    paths = locate(HOME | environ)

    assert (str(paths.home), str(paths.config)) == (home, config)


def test_the_command_line_beats_the_variables() -> None:
    assert locate(HOME | {"JACKFIELD_CONFIG": "/c.json"}, config="~/mine.json5").config == Path("/srv/u/mine.json5")
    assert locate(HOME, config="mine.json5").config == Path.cwd() / "mine.json5"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.b-c.d", ("a", "b-c", "d")),
        ("models[0].id", ("models", 0, "id")),
        ('models["openai/gpt-5.2"].alias', ("models", "openai/gpt-5.2", "alias")),
        ("models['a.b']", ("models", "a.b")),
        (r"a\.b.c", ("a.b", "c")),
        ("a/b:c.d", ("a/b:c", "d")),
        ('["a \\" b"][1][2]', ('a " b', 1, 2)),
    ],
)
def test_a_key_path_is_written_as_people_do(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path
    assert parse_path(render_path(path)) == path


@pytest.mark.parametrize("text", ["", "a..b", ".a", "a.", "a[", "a[x]", "a[-1]", "a]b", "a b", 'a["b]', "a[0]b"])
def test_a_broken_key_path_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_path(text)
