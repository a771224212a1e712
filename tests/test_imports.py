"""What a quick command leaves unimported, read from the modules of a real process."""

import subprocess
import sys

import pytest

from tests.commands import write_config

# Each costs between half a bare interpreter's start and fifteen of them.
HEAVY = {
    "asyncio",
    "aiohttp",
    "importlib.metadata",
    "logging",
    "prompt_toolkit",
    "questionary",
    "rich",
    "ssl",
    "unittest",
}
CONFIG = '{ models: { providers: { box: { baseUrl: "http://127.0.0.1:1/v1", apiKey: "k", models: [{ id: "m" }] } } } }'


def modules_after(program: str) -> set[str]:
    """Return the names of all modules a process of its own has imported in the end."""
    program = f"import sys\n{program}\nprint('\\n', *sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    return set(done.stdout.splitlines())


def command(*args: str) -> str:
    return f"from jackfield.cli.main import run\nassert run({list(args)!r}) == 0"


def test_importing_the_package_imports_nothing_else() -> None:
    without = modules_after("")

    assert modules_after("import jackfield") - without == {"__future__", "jackfield"}


def test_the_version_costs_no_click() -> None:
    program = "sys.argv[1:] = ['--version']\nfrom jackfield.__main__ import main\nmain()"

    assert not modules_after(program) & {"click", "re", "typing", "jackfield.cli"}


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["models", "--help"],
        ["models", "list"],
        ["models", "list", "--all", "--json"],
        ["config", "get", "models"],
    ],
    ids=" ".join,
)
def test_a_quick_command_imports_no_network_and_no_prompts(args: list[str]) -> None:
    write_config(CONFIG)

    assert modules_after(command(*args)) & HEAVY == set()


@pytest.mark.parametrize("args", [["models", "list"], ["models", "status"], ["health", "list"]], ids=" ".join)
def test_a_look_imports_neither_what_changes_the_config_nor_the_gateway(args: list[str]) -> None:
    write_config(CONFIG)
    imported = {name for name in modules_after(command(*args)) if name.startswith("jackfield.")}

    assert [
        name for name in imported if name.startswith(("jackfield.config.save", "jackfield.gateway", "jackfield.admin"))
    ] == []


def test_help_imports_no_command() -> None:
    imported = {name for name in modules_after(command("--help")) if name.startswith("jackfield.")}

    assert imported == {"jackfield.cli", "jackfield.cli.main", "jackfield.cli.ui", "jackfield.errors"}


def test_a_protocol_is_imported_when_it_is_used() -> None:
    names = modules_after("from jackfield.protocols import load\nload('anthropic-messages')")

    assert "jackfield.protocols.anthropic_messages" in names
    assert "jackfield.protocols.openai_completions" not in names
