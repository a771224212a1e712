"""The command tree itself: help, versions, wrong usage."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from jackfield.cli.main import COMMANDS, LazyGroup, main
from tests.commands import run
from tests.patience import PATIENCE_S


def test_version_is_one_line() -> None:
    assert re.fullmatch(r"jackfield \d+\.\d+\.\d+\S*\n", run("--version").out)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_line_of_a_command_is_its_own(name: str) -> None:
    command = main.get_command(click.Context(main), name)  # type: ignore[attr-defined]  # LazyGroup by decoration
    assert command.get_short_help_str(200).rstrip(".") == COMMANDS[name][1].rstrip(".")


def test_an_unknown_command_offers_the_nearest() -> None:
    result = run("modles")
    assert result.code == 2
    assert "did you mean models" in result.err


def test_wrong_usage_exits_2_and_speaks_json_when_asked() -> None:
    assert run("chat", "--nonsense").code == 2
    said = run("chat", "--json", "--nonsense").json()
    assert (said["ok"], said["error"]["type"]) == (False, "usage")


def test_what_is_missing_is_said_on_one_line() -> None:
    said, hint = run("import").err.splitlines()
    assert said.startswith("error: Missing argument 'SOURCE'. Choose from: openclaw, kilo, ")
    assert hint == "hint: see 'jackfield import --help'"


def test_the_help_of_import_names_every_source() -> None:
    from jackfield.imports.places import PLACES

    assert all(name in run("import", "--help").out for name in PLACES)


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

    with subprocess.Popen(
        [sys.executable, "-m", "jackfield", "models", "list", "--all", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as done:
        assert done.stdout
        assert done.stderr
        done.stdout.readline()
        done.stdout.close()
        assert (done.wait(PATIENCE_S), done.stderr.read()) == (0, b"")


def test_help_keeps_its_lines_and_bare_groups_show_it() -> None:
    shown = run("--help").out
    assert "  jackfield onboard                               set up a provider\n" in shown
    bare = run()
    assert (bare.code, bare.out) == (2, "")
    assert bare.err.strip() == shown.strip()
    assert run("models", "auth").err.startswith("Usage: jackfield models auth")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["models list", "chat", "onboard", "models auth paste-api-key --provider openai"])
def test_a_closed_stream_is_no_crash(command: str, closed: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m jackfield {command} {closed}", shell=True, input=b"", capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode in (0, 1, 2)


def test_arguments_that_are_no_utf8_are_no_crash() -> None:
    for args in (["chat", "--model", b"openai/\xff", b"\xff"], ["models", "aliases", "add", b"\xff", "openai/gpt-5.2"]):
        assert "\ufffd" not in run(*args).out  # type: ignore[arg-type]  # a shell passes any bytes


@pytest.mark.parametrize("args", [("--profile", ""), ("--profile", "../x"), ("--profile", "a/b"), ("--config", "")])
def test_a_name_that_leads_elsewhere_is_wrong_usage(args: tuple[str, str]) -> None:
    result = run(*args, "models", "list")
    assert (result.code, args[0] in result.err) == (2, True)


def test_a_config_that_is_not_there_is_told_by_whoever_reads_it() -> None:
    for command in (("models", "list"), ("models", "status"), ("chat", "Hello")):
        assert "nowhere.json does not exist" in run("--config", "nowhere.json", *command).err


def test_words_that_begin_with_a_dash_are_explained() -> None:
    for args in (("chat", "-dash"), ("config", "set", "agents.defaults.timeoutSeconds", "-5")):
        result = run(*args)
        assert (result.code, "put -- before words that begin with a dash" in result.err) == (2, True)
    assert "put --" not in run("models", "list", "--bogus").err


def test_json_and_plain_exclude_each_other() -> None:
    for line in ("models list", "models status", "models aliases list", "models fallbacks list"):
        said = run(*line.split(), "--json", "--plain")
        assert (said.code, said.json()["error"]["message"]) == (2, "choose either --json or --plain, not both")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("line", ["--version", "--help", "models list --all"])
def test_output_that_cannot_be_written_is_one_error(line: str) -> None:
    done = subprocess.run(
        f"{sys.executable} -m jackfield {line} > /dev/full", shell=True, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"error:")
    assert b"No space left" in done.stderr
