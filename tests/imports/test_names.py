"""The names of other tools lead to providers that the catalog has, and each tool's place to its parser."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from jackfield.catalog.index import load_index
from jackfield.imports.draft import is_secret_header
from jackfield.imports.kilo import PROVIDERS
from jackfield.imports.names import FAMILIES, OTHER_NAMES, RESTRICTED, family_of
from jackfield.imports.opencode import GITHUB, SIGNED_IN
from jackfield.imports.places import PLACES, folders_of


def test_every_provider_named_is_in_the_catalog() -> None:
    named = {*OTHER_NAMES.values(), *(each for _, each in FAMILIES), *RESTRICTED, *SIGNED_IN.values(), *GITHUB}
    named |= {each.provider for each in PROVIDERS.values()}
    assert named - {""} - load_index().providers.keys() == set()


def test_every_place_has_its_parser() -> None:
    for place in PLACES.values():
        module, _, name = place.parser.partition(":")
        assert callable(getattr(import_module(f"jackfield.imports.{module}"), name))


@pytest.mark.parametrize(
    ("tool", "platform", "folder"),
    [
        ("llm", "linux", "/h/.config/io.datasette.llm"),
        ("llm", "darwin", "/h/Library/Application Support/io.datasette.llm"),
        ("llm", "win32", "/h/AppData/Roaming/io.datasette.llm"),
        ("opencode", "darwin", "/h/.config/opencode"),
        ("codex", "win32", "/h/.codex"),
        ("litellm", "linux", "/w"),
    ],
)
def test_a_tool_is_looked_for_where_its_platform_keeps_it(tool: str, platform: str, folder: str) -> None:
    assert folders_of(PLACES[tool], {"HOME": "/h"}, Path("/w"), platform)[0] == Path(folder)


def test_a_tools_own_variable_names_the_only_directory() -> None:
    assert folders_of(PLACES["codex"], {"HOME": "/h", "CODEX_HOME": "/x"}, Path("/w"), "linux") == (Path("/x"),)


def test_a_bare_models_name_tells_its_maker_or_nothing() -> None:
    assert [family_of(name) for name in ("gpt-5", "Claude-3", "o3", "gpt-oss-120b", "llama-3")] == [
        "openai",
        "anthropic",
        "openai",
        "",
        "",
    ]


def test_no_name_is_repeated_that_the_catalog_knows() -> None:
    index = load_index()
    assert [name for name in OTHER_NAMES if name in index.providers or name in index.aliases] == []


@pytest.mark.parametrize("name", ["X-Passphrase", "x-api-key-id", "Authorization", "Cookie"])
def test_a_header_that_tells_of_a_secret_is_one(name: str) -> None:
    assert is_secret_header(name, "word")
    assert not is_secret_header(name, "${NAME}")
    assert not is_secret_header("x-team", "word")
