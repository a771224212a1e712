"""What the config was: kept before each change, whoever makes it and whatever happens to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jackfield.config.history import KEPT, blot, find_change, load_changes, texts_before
from jackfield.config.paths import Paths
from jackfield.config.save import Set, Unset, edit_config, replace_texts
from jackfield.config.schema import InvalidConfig
from jackfield.config.source import real_path
from jackfield.errors import ConfigError
from tests.commands import run
from tests.config.setup import write


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    folder = tmp_path / "own"
    folder.mkdir()
    return write(folder, "{ n: 0 }")


def put(paths: Paths, number: int) -> None:
    edit_config(paths, [Set(("n",), number)], environ={})


def text(paths: Paths) -> str:
    return paths.config.read_text("utf-8")


def test_fifty_changes_are_kept_and_numbers_go_on(paths: Paths) -> None:
    for number in range(1, KEPT + 6):
        put(paths, number)
    changes = load_changes(paths)
    assert [change.number for change in changes] == list(range(KEPT + 5, 5, -1))
    assert [list(change.texts.values()) for change in changes[:2]] == [["{ n: 54 }"], ["{ n: 53 }"]]
    assert changes[0].keys == ("n",)
    with pytest.raises(ConfigError, match="change 3 is not kept") as caught:
        find_change(paths, 3)
    assert caught.value.hint == "kept are 6 to 55"


def test_many_writers_at_once_have_a_number_each(paths: Paths) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: put(paths, number), range(1, 25)))
    assert [change.number for change in load_changes(paths)] == list(range(24, 0, -1))
    assert len({*(next(iter(change.texts.values())) for change in load_changes(paths)), text(paths)}) == 25


def test_going_back_takes_every_file_to_its_oldest_text(paths: Paths) -> None:
    (paths.home / "more.json5").write_text("{ m: 0 }", encoding="utf-8")
    paths.config.write_text('{ $include: "./more.json5", n: 0 }', encoding="utf-8")
    for number in (1, 2):
        put(paths, number)
        edit_config(paths, [Set(("m",), number)], environ={})
    assert texts_before(paths, 2) == {
        real_path(paths.config): '{ $include: "./more.json5", n: 1 }',
        real_path(paths.home / "more.json5"): "{ m: 0 }",
    }


def test_what_changes_nothing_and_what_is_refused_is_not_kept(paths: Paths) -> None:
    put(paths, 0)
    edit_config(paths, [Set(("n",), 5)], environ={}, dry_run=True)
    for wrong in ("{", '{ models: { mode: "x" } }', '{ $include: "./nowhere.json5" }'):
        with pytest.raises(InvalidConfig):
            replace_texts(paths, lambda _, wrong=wrong: {real_path(paths.config): wrong}, environ={})  # type: ignore[misc]
    assert load_changes(paths) == ()
    assert text(paths) == "{ n: 0 }"


def test_a_broken_config_can_be_replaced_as_a_whole(paths: Paths) -> None:
    paths.config.write_text("{ broken", encoding="utf-8")
    replace_texts(paths, lambda texts: dict.fromkeys(texts, "{ n: 1 }"), environ={})
    assert (text(paths), list(load_changes(paths)[0].texts.values())) == ("{ n: 1 }", ["{ broken"])


def test_garbage_in_the_history_hides_nothing(paths: Paths) -> None:
    put(paths, 1)
    folder = paths.home / "config-history"
    own = next(folder.iterdir()).name
    (folder / own.replace("000001", "000002")).write_text("{", encoding="utf-8")
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    put(paths, 2)
    assert [change.number for change in load_changes(paths)] == [3, 1]


def test_several_configs_of_one_home_have_histories_of_their_own(paths: Paths) -> None:
    other = Paths(paths.home, paths.home / "other.json", paths.auth, paths.cache, paths.dotenv)
    put(paths, 1)
    put(other, 1)
    put(other, 2)
    assert ([each.number for each in load_changes(paths)], len(load_changes(other))) == ([1], 2)


def test_a_home_that_takes_nothing_does_not_stop_a_change(paths: Paths) -> None:
    (paths.home / "config-history").write_text("a file in the way", encoding="utf-8")
    result = edit_config(paths, [Set(("n",), 1)], environ={})
    assert text(paths) == "{ n: 1 }"
    assert "cannot be undone" in result.warnings[0]


def test_a_secret_is_blotted_out_of_all_that_is_kept(paths: Paths) -> None:
    edit_config(paths, [Set(("env", "A"), "sk-canary")], environ={})
    put(paths, 1)
    edit_config(paths, [Unset(("env",))], environ={})
    blot(paths, "sk-canary", "gone")
    kept = [file.read_text("utf-8") for file in (paths.home / "config-history").glob("*.json")]
    assert len(kept) == 3
    assert not any("sk-canary" in text for text in kept)
    assert len(load_changes(paths)) == 3


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
def test_a_writer_killed_at_any_moment_leaves_texts_that_can_be_undone(paths: Paths) -> None:
    code = f"""
from jackfield.config.paths import locate
from jackfield.config.save import Set, edit_config
paths = locate({{"JACKFIELD_HOME": {str(paths.home)!r}}})
print("ready", flush=True)
for n in range(1, 100000):
    edit_config(paths, [Set(("n",), n)], environ={{}})
"""
    put(paths, -1)
    for pause_s in (0.02, 0.05, 0.11):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            writer.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(pause_s)
            writer.send_signal(signal.SIGKILL)
        numbers = [change.number for change in load_changes(paths)]
        assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1))
        kept = next(iter(load_changes(paths)[0].texts.values()))
        assert kept.startswith("{ n: ")
        put(paths, -2 - round(pause_s * 100))
        assert load_changes(paths)[0].number == numbers[0] + 1


def test_the_command_line_names_itself_and_takes_changes_back(home: Path) -> None:
    assert run("config", "history").err.strip() == "no change is kept yet"
    assert run("config", "undo").code == 1
    run("config", "set", "env.API_TOKEN", "sk-canary-0123456789")
    run("models", "set", "openai/gpt-5.2")
    listed = run("config", "history", "--json").json()["changes"]
    assert [(each["by"], each["keys"]) for each in listed] == [
        ("jackfield models set", ["agents.defaults.model"]),
        ("jackfield config set", ["env.API_TOKEN"]),
    ]
    assert "jackfield models set" in run("config", "history").out
    shown = run("config", "undo", "1", "--dry-run")
    assert "API_TOKEN" in shown.out
    assert "canary" not in shown.out + run("config", "history", "--json").out
    assert len(run("config", "history", "--json").json()["changes"]) == 2
    assert "Undid change 2" in run("config", "undo").err
    assert run("config", "get", "env").code == 0
    assert run("config", "get", "agents").code == 1
    assert run("config", "undo", "3", "--json").json()["changed"]
    assert run("config", "get", "agents.defaults.model.primary").out == "openai/gpt-5.2\n"
    assert "change 77 is not kept" in run("config", "undo", "77").err


def test_moving_keys_to_the_store_takes_them_out_of_the_history(home: Path) -> None:
    run("config", "set", "models.providers.openai.apiKey", "sk-canary-0123456789abcdef")
    run("config", "set", "models.providers.openai.timeouts.total", "30")
    assert run("doctor", "--fix", "--yes").code in {0, 1}
    left = [file for file in (home / ".jackfield").rglob("*") if file.is_file() and b"sk-canary" in file.read_bytes()]
    assert [file.name for file in left] == ["auth-profiles.json"]
