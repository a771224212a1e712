"""The command tree itself: help, versions, wrong usage."""

from __future__ import annotations

import re

import click
import pytest

from jackfield.cli.main import COMMANDS, LazyGroup, main
from tests.commands import run


def test_version_is_one_line() -> None:
    assert re.fullmatch(r"jackfield \d+\.\d+\.\d+\S*\n", run("--version").out)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_line_of_a_command_is_its_own(name: str) -> None:
    command = main.get_command(click.Context(main), name)  # type: ignore[attr-defined]  # LazyGroup by decoration
    assert command.get_short_help_str(200).rstrip(".") == COMMANDS[name][1].rstrip(".")


def test_an_unknown_command_offers_the_nearest() -> None:
    result = run("modles")
    assert result.code == 2
    assert "did you mean models?" in result.err


def test_wrong_usage_exits_2_and_speaks_json_when_asked() -> None:
    assert run("chat", "--nonsense").code == 2
    said = run("chat", "--json", "--nonsense").json()
    assert (said["ok"], said["error"]["type"]) == (False, "usage")


def test_every_command_has_help_and_a_first_line() -> None:
    def walk(command: click.Command, path: str) -> None:
        assert command.help, path
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                assert child is not None, f"{path} {name}"
                walk(child, f"{path} {name}")

    assert isinstance(main, LazyGroup)
    walk(main, "jackfield")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_serve_both_names(shell: str) -> None:
    script = run("completion", shell).out
    assert "_JACKFIELD_COMPLETE" in script
    assert "_OPENCLAW_COMPLETE" in script


def test_a_reader_that_leaves_early_is_no_error() -> None:
    import subprocess
    import sys

    done = subprocess.run(
        f"{sys.executable} -m jackfield models list --all --plain | head -1",
        shell=True,
        capture_output=True,
        check=False,
    )
    assert done.stderr == b""


def test_help_keeps_its_lines_and_bare_groups_show_it() -> None:
    shown = run("--help").out
    assert "  jackfield onboard                               set up a provider\n" in shown
    bare = run()
    assert (bare.code, bare.out) == (2, "")
    assert bare.err.strip() == shown.strip()
    assert run("models", "auth").err.startswith("Usage: jackfield models auth")
