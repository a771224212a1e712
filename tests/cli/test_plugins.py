"""`plugins`: bundled plugins by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import run, write_config
from tests.plugins.folder import plugin_home, switched_on, write_code, write_row


def test_enabling_is_written_said_and_repeatable() -> None:
    for _ in range(2):
        result = run("plugins", "enable", "qwen-portal-auth")
        assert (result.code, result.out) == (0, 'Enabled plugin "qwen-portal-auth".\n')
    assert "jackfield models auth login --provider qwen-portal" in result.err
    said = run("plugins", "list", "--json").json()["plugins"]
    assert {row["id"]: row["enabled"] for row in said} == {
        "copilot-proxy": False,
        "google-antigravity-auth": False,
        "google-gemini-cli-auth": False,
        "minimax-portal-auth": False,
        "qwen-portal-auth": True,
    }
    assert run("plugins", "disable", "qwen-portal-auth").out == 'Disabled plugin "qwen-portal-auth".\n'
    assert run("plugins", "info", "qwen-portal-auth").out == "qwen-portal-auth: disabled, bundled, for qwen-portal\n"


def test_a_plugin_without_a_page_names_the_choice_that_sets_it_up() -> None:
    assert "jackfield onboard --auth-choice copilot-proxy" in run("plugins", "enable", "copilot-proxy").err


def test_an_unknown_plugin_is_an_error_that_lists_the_known() -> None:
    result = run("plugins", "enable", "nope")
    assert result.code == 1
    assert "qwen-portal-auth" in result.err


def test_a_list_of_allowed_plugins_is_extended() -> None:
    path = write_config('{ "plugins": { "allow": ["other"] } }')
    assert run("plugins", "enable", "copilot-proxy").code == 0
    assert json.loads(path.read_text(encoding="utf-8"))["plugins"]["allow"] == ["other", "copilot-proxy"]


@pytest.mark.parametrize("section", ['{ "deny": ["copilot-proxy"] }', '{ "enabled": false }'])
def test_what_the_config_forbids_is_not_enabled(section: str) -> None:
    path = write_config(f'{{ "plugins": {section} }}')
    before = path.read_bytes()
    assert run("plugins", "enable", "copilot-proxy").code == 1
    assert path.read_bytes() == before


def test_the_list_says_where_a_plugin_is_and_why_it_does_not_run(home: Path) -> None:
    folder = plugin_home(home)
    write_row(folder)
    write_code(folder, "1 / 0", "worse", version="0.1", description="Fails.")
    write_config(json.dumps(switched_on("acme", "worse", deny=["acme"])))
    listed = run("plugins", "list", "--verbose")
    assert str(folder / "acme.toml") in listed.out
    assert "acme: plugins.deny names it" in listed.err
    assert "worse: ZeroDivisionError: division by zero" in listed.err
    assert [row["id"] for row in run("plugins", "list", "--enabled", "--json").json()["plugins"]] == ["worse"]
    assert run("plugins", "info", "worse").out == (
        "worse 0.1: error, home, for no provider that is known\n"
        f"  Fails.\n  {folder / 'worse'}\n  ZeroDivisionError: division by zero\n"
    )


def test_doctor_names_what_is_broken_and_what_is_not_there(home: Path) -> None:
    assert run("plugins", "doctor").out == "No plugin issues.\n"
    write_row(plugin_home(home), "id = 1")
    write_config(json.dumps(switched_on("nope")))
    said = run("plugins", "doctor", "--json").json()
    assert (said["ok"], said["unknown"]) == (False, ["nope"])
    assert said["issues"][1].startswith("broken plugin: acme: acme.toml: ")
    assert run("plugins", "disable", "nope").code == 0
