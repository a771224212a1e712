"""Changing the file on disk: nothing is lost, nothing is half written, no secret is spilt."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jackfield.config.disk import hold_lock, save_text
from jackfield.config.json5 import parse
from jackfield.config.load import load_config
from jackfield.config.paths import locate
from jackfield.config.save import Append, Set, Unset, edit_config
from jackfield.config.schema import InvalidConfig
from jackfield.errors import ConfigError
from tests.config.setup import write

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX modes and links")
TEXT = '{\n  // mine\n  models: { providers: { x: { baseUrl: "http://x", apiKey: "${K}" } } },\n}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that nothing else is in."""
    path = tmp_path / "own"
    path.mkdir()
    return path


def test_a_first_edit_makes_the_home_and_the_file(folder: Path) -> None:
    paths = locate({"JACKFIELD_HOME": str(folder / "a" / "b")})
    result = edit_config(paths, [Set(("agents", "defaults", "model", "primary"), "a/b")], environ={})

    assert result.files == (paths.config,)
    assert load_config(paths, {}, cwd=folder).primary == "a/b"
    assert not paths.config.with_name("jackfield.json.bak").exists()
    if os.name == "posix":
        assert stat.S_IMODE(paths.config.stat().st_mode) == 0o600
        assert stat.S_IMODE(paths.home.stat().st_mode) == 0o700


def test_one_backup_holds_the_text_before(folder: Path) -> None:
    paths = write(folder, TEXT)
    edit_config(paths, [Set(("models", "mode"), "replace")], environ={})
    second = paths.config.read_bytes()
    edit_config(paths, [Unset(("models", "mode"))], environ={})

    assert paths.config.read_text("utf-8") == TEXT
    assert (folder / "jackfield.json.bak").read_bytes() == second
    assert sorted(path.name for path in folder.iterdir()) == [
        ".jackfield.json.lock",
        "config-history",
        "jackfield.json",
        "jackfield.json.bak",
    ]


@posix
def test_a_file_open_to_others_is_closed(folder: Path) -> None:
    paths = write(folder, TEXT)
    paths.config.chmod(0o644)
    edit_config(paths, [Set(("models", "mode"), "replace")], environ={})

    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o600}


def test_line_ends_and_byte_order_mark_stay(folder: Path) -> None:
    paths = write(folder, b"\xef\xbb\xbf{\r\n\ta: 1,\r\n}\r\n")
    edit_config(paths, [Set(("auth", "order", "x"), ["y"])], environ={})

    assert paths.config.read_bytes() == (
        b'\xef\xbb\xbf{\r\n\ta: 1,\r\n\tauth: {\r\n\t\torder: {\r\n\t\t\tx: ["y"],\r\n\t\t},\r\n\t},\r\n}\r\n'
    )


def test_edits_see_the_file_as_it_is_under_the_lock(folder: Path) -> None:
    paths = write(folder, TEXT)
    result = edit_config(
        paths,
        lambda said: [Set(("models", "aliases", name), f"{name}/m") for name in said["models"]["providers"]],
        environ={},
    )

    assert (
        '+  models: { providers: { x: { baseUrl: "http://x", apiKey: "${K}" } }, aliases: { x: "x/m" } },'
        in result.diff
    )


def test_an_edit_that_changes_nothing_writes_nothing(folder: Path) -> None:
    paths = write(folder, TEXT)
    before = paths.config.stat().st_mtime_ns
    result = edit_config(
        paths, [Set(("models", "providers", "x", "baseUrl"), "http://x"), Unset(("nope",))], environ={}
    )

    assert (result.files, result.diff) == ((), "")
    assert paths.config.stat().st_mtime_ns == before
    assert not (folder / "jackfield.json.bak").exists()


def test_a_dry_run_writes_nothing_at_all(folder: Path) -> None:
    paths = write(folder, TEXT)
    result = edit_config(paths, [Set(("models", "mode"), "replace")], environ={}, dry_run=True)

    assert "mode" in result.diff
    assert [path.name for path in folder.iterdir()] == ["jackfield.json"]
    assert paths.config.read_text("utf-8") == TEXT


def test_only_the_warnings_of_the_change_are_told(folder: Path) -> None:
    paths = write(folder, "{\n  models: { providers: { x: { apiKey: '${OLD}' } } },\n}\n")
    (folder / ".env").write_text("KNOWN=1\n", encoding="utf-8")
    edits = [
        Set(("models", "providers", "w"), {"baseUrl": "${KNOWN}", "apiKey": "${NEW}"}),
        Set(("env",), {"A": "b"}),
    ]

    assert edit_config(paths, edits, environ={}).warnings == (
        "models.providers.w.apiKey (jackfield.json:2): NEW is not set",
    )


def test_an_edit_that_would_break_the_config_is_refused(folder: Path) -> None:
    paths = write(folder, TEXT)
    with pytest.raises(InvalidConfig, match="the config would have 1 problem") as caught:
        edit_config(paths, [Set(("models", "mode"), "x"), Set(("models", "aliases", "a"), "b/c")], environ={})

    assert caught.value.hint == "nothing was changed"
    assert paths.config.read_text("utf-8") == TEXT


def test_a_broken_config_can_be_repaired_step_by_step(folder: Path) -> None:
    paths = write(folder, "{ models: { mode: 'x', modle: 1 } }")
    edit_config(paths, [Set(("models", "mode"), "merge")], environ={})
    edit_config(paths, [Unset(("models", "modle"))], environ={})

    assert paths.config.read_text("utf-8") == "{ models: { mode: 'merge' } }"


def test_an_unparsable_config_is_not_touched(folder: Path) -> None:
    paths = write(folder, "{ models: ")
    with pytest.raises(InvalidConfig):
        edit_config(paths, [Set(("a",), 1)], environ={})

    assert paths.config.read_text("utf-8") == "{ models: "


def test_a_readonly_config_is_refused(folder: Path) -> None:
    paths = write(folder, TEXT)
    with pytest.raises(ConfigError, match="OPENCLAW_CONFIG_READONLY is set"):
        edit_config(paths, [Set(("models", "mode"), "merge")], environ={"OPENCLAW_CONFIG_READONLY": "1"})
    edit_config(paths, [Set(("models", "mode"), "merge")], environ={"OPENCLAW_CONFIG_READONLY": "0"})


@posix
def test_a_linked_config_is_written_through_its_link(folder: Path) -> None:
    (folder / "dotfiles").mkdir()
    (folder / "dotfiles" / "real.json").write_text(TEXT, encoding="utf-8")
    (folder / "jackfield.json").symlink_to("dotfiles/real.json")
    edit_config(locate({"JACKFIELD_HOME": str(folder)}), [Unset(("models",))], environ={})

    assert (folder / "jackfield.json").is_symlink()
    assert (folder / "dotfiles" / "real.json").read_text("utf-8") == "{\n  // mine\n}\n"


@posix
def test_saving_follows_a_link(folder: Path) -> None:
    (folder / "link").symlink_to("real")
    save_text(folder / "link", "text")

    assert (folder / "link").is_symlink()
    assert (folder / "real").read_text("utf-8") == "text"


@posix
def test_a_disk_that_refuses_leaves_the_file_as_it_was(folder: Path) -> None:
    # A limit on file size is a full disk for one process, root or not.
    paths = write(folder, TEXT)
    code = f"""
import resource, signal, sys
from jackfield.config.disk import save_text
from jackfield.errors import ConfigError
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    save_text(Path({str(paths.config)!r}), "x" * 100)
except ConfigError as error:
    print(error, "|", error.hint)
"""
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout

    assert out == f"cannot write {paths.config}: file too large | the file is as it was\n"
    assert paths.config.read_text("utf-8") == TEXT
    assert [path.name for path in folder.iterdir()] == ["jackfield.json"]


def test_a_home_that_is_a_file_is_a_clear_error(folder: Path) -> None:
    (folder / "home").write_text("", encoding="utf-8")
    paths = locate({"JACKFIELD_HOME": str(folder / "home" / "deeper")})

    with pytest.raises(ConfigError, match=r"cannot write in .*deeper: not a directory"):
        edit_config(paths, [Set(("models", "mode"), "merge")], environ={})


def test_a_dead_writers_leftovers_are_swept(folder: Path) -> None:
    (folder / ".jackfield.json.0123.tmp").write_text("half", encoding="utf-8")
    save_text(folder / "jackfield.json", "{}")

    assert [path.name for path in folder.iterdir()] == ["jackfield.json"]


def test_a_held_lock_is_waited_for_and_then_named(folder: Path) -> None:
    with hold_lock(folder / "lock"), ThreadPoolExecutor() as pool:
        waiting = pool.submit(lambda: next(iter(_try(folder / "lock"))))
        assert "has been locked by another process for 0.05 s" in waiting.result()
    assert list(_try(folder / "lock")) == ["held"]


def _try(path: Path) -> Iterator[str]:
    try:
        with hold_lock(path, timeout_s=0.05):
            yield "held"
    except ConfigError as error:
        yield error.message


def test_many_writers_lose_no_change(folder: Path) -> None:
    paths = write(folder, TEXT)
    code = f"""
import sys
from jackfield.config.paths import locate
from jackfield.config.save import Append, Set, edit_config
paths = locate({{"JACKFIELD_HOME": {str(folder)!r}}})
for n in range(5):
    edit_config(paths, [Append(("agents", "defaults", "model", "fallbacks"), f"w{{sys.argv[1]}}/m{{n}}")], environ={{}})
"""
    writers = [subprocess.Popen([sys.executable, "-c", code, str(n)]) for n in range(4)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]

    assert set(load_config(paths, {}, cwd=folder).fallbacks) == {f"w{w}/m{n}" for w in range(4) for n in range(5)}
    assert parse(paths.config.read_text("utf-8")).value["models"].text in TEXT


# -- secrets -----------------------------------------------------------------------


def test_no_variables_value_is_ever_written(folder: Path) -> None:
    paths = write(
        folder,
        "{ env: { E: 'from-block' }, models: { providers: { x: { apiKey: '${K}-${E}', headers: { A: 'K' } } } } }",
    )
    environ = {"K": "canary-4242"}
    results = [
        edit_config(paths, [Set(("models", "providers", "x", "baseUrl"), "http://x")], environ=environ),
        edit_config(paths, [Append(("models", "providers", "x", "models"), {"id": "m"})], environ=environ),
        edit_config(paths, lambda said: [Set(("models",), said["models"] | {"mode": "merge"})], environ=environ),
    ]

    assert all(result.files for result in results)
    assert b"canary" not in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert "canary" not in str(results)
    assert "'${K}-${E}'" in paths.config.read_text("utf-8")


def test_a_diff_masks_what_the_file_says_openly(folder: Path) -> None:
    key, token, header = "sk-open-0123456789-canary", "gw-0123456789-canary", "Bearer 0123456789-canary"
    edits = [
        Set(("models", "providers", "x"), {"apiKey": key, "headers": {"Authorization": header}, "baseUrl": "http://x"}),
        Set(("gateway", "auth", "token"), token),
        Set(("env", "SOME_NAME"), key),
        Set(("channels", "telegram", "botToken"), token),
        Set(("models", "providers", "y", "apiKey"), "${Y}"),
    ]
    diff = edit_config(write(folder, TEXT), edits, environ={}).diff

    assert "canary" not in diff
    assert "0123456789" not in diff
    assert "http://x" in diff
    assert "${Y}" in diff
    assert key in (folder / "jackfield.json").read_text("utf-8")


def test_a_long_commented_config_keeps_every_line(folder: Path) -> None:
    lines = ["{", "  // four hundred lines of mine"]
    for n in range(130):
        lines += [f"  // section {n}", f"  x_custom_{n}: {{ 'keep': [1, 2, ], }}, // remark {n}", ""]
    lines += [
        "  models: {",
        "    providers: {",
        "      old: { baseUrl: 'http://old' }, // mine",
        "    },",
        "  },",
        "}",
        "",
    ]
    paths = write(folder, "\n".join(lines))
    edit_config(paths, [Set(("models", "providers", "new"), {"baseUrl": "http://new"})], environ={})

    after = paths.config.read_text("utf-8").splitlines()
    added = ["      new: {", "        baseUrl: 'http://new',", "      },"]
    place = lines.index("    },")
    assert after == [*lines[:place], *added, *lines[place:-1]]


def test_what_an_editor_saves_during_a_change_is_not_overwritten(folder: Path) -> None:
    paths = write(folder, TEXT)
    edited = TEXT.replace("mine", "mine, and edited just now")

    def edits(_: object) -> Iterator[Set]:
        yield Set(("models", "mode"), "merge")
        paths.config.write_text(edited, encoding="utf-8")
        yield Set(("models", "mode"), "replace")

    with pytest.raises(ConfigError, match="changed by another program"):
        edit_config(paths, edits, environ={})  # type: ignore[arg-type]  # an editor's save between two edits
    assert paths.config.read_text("utf-8") == edited
    assert not paths.config.with_name("jackfield.json.bak").exists()
