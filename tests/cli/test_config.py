"""`jackfield config` as a person runs it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.commands import run, write_config

TEXT = """{
  // mine
  models: { providers: { x: { baseUrl: "http://x", apiKey: "sk-0123456789abcdef" } } }, // x
  agents: { defaults: { models: { "openai/gpt-5.2": { alias: "g" } } } },
}
"""
KEY = "models.providers.x.apiKey"


def config_file() -> Path:
    return Path(os.environ["HOME"]) / ".jackfield" / "jackfield.json"


def test_get_prints_a_value_and_masks_a_key(home: Path) -> None:
    write_config(TEXT)

    assert run("config", "get", "models.providers.x.baseUrl").out == "http://x\n"
    assert run("config", "get", 'agents.defaults.models["openai/gpt-5.2"].alias', "--json").json() == "g"
    assert run("config", "get", KEY).out == "sk-0…cdef\n"
    assert run("config", "get", "models", "--json").json()["providers"]["x"]["apiKey"] == "sk-0…cdef"


def test_get_of_nothing_fails_with_the_path(home: Path) -> None:
    done = run("config", "get", "models.nope")

    assert (done.code, done.out) == (1, "")
    assert "config path not found: models.nope" in done.err
    assert "jackfield config get models" in done.err


def test_get_works_on_an_invalid_config(home: Path) -> None:
    write_config("{ models: { mode: 'x' } }")

    assert run("config", "get", "models.mode").out == "x\n"


@pytest.mark.parametrize(
    ("value", "read"),
    [("replace", "replace"), ("'replace'", "replace"), ('"replace"', "replace")],
)
def test_set_takes_json5_or_a_bare_text(home: Path, value: str, read: str) -> None:
    assert run("config", "set", "models.mode", value).code == 0
    assert run("config", "get", "models.mode").out == f"{read}\n"


def test_set_changes_one_line_and_keeps_the_rest(home: Path) -> None:
    write_config(TEXT)
    done = run("config", "set", "models.providers.x.maxTokens", "4096")

    assert done.code == 0
    assert config_file().read_text("utf-8") == TEXT.replace('abcdef" }', 'abcdef", maxTokens: 4096 }')


def test_set_with_json_refuses_what_is_none_and_reports_as_json(home: Path) -> None:
    refused = run("config", "set", "models.mode", "merge", "--json")
    done = run("config", "set", "models.mode", '"merge"', "--json")

    assert (refused.code, refused.json()["error"]["type"]) == (2, "usage")
    assert done.json()["ok"] is True
    assert done.json()["changed"] is True
    assert run("config", "set", "models.mode", '"merge"', "--json").json()["changed"] is False


def test_set_checks_before_it_writes(home: Path) -> None:
    write_config(TEXT)
    done = run("config", "set", "models.mode", "mergee", "--json")
    plain = run("config", "set", "models.providers.x.api", "openai")

    assert done.code == 2
    assert plain.code == 1
    assert "is not one of" in plain.err
    assert "nothing was changed" in plain.err
    assert config_file().read_text("utf-8") == TEXT


def test_a_dry_run_shows_the_change_with_keys_masked(home: Path) -> None:
    write_config(TEXT)
    done = run("config", "set", KEY, "sk-fedcba9876543210", "--dry-run")

    assert "-  models:" in done.out
    assert "sk-f…3210" in done.out
    assert "9876" not in done.out
    assert config_file().read_text("utf-8") == TEXT


def test_set_does_not_drop_providers_unasked(home: Path) -> None:
    write_config(TEXT)
    refused = run("config", "set", "models.providers", "{ y: { baseUrl: 'http://y' } }")
    merged = run("config", "set", "models.providers", "{ y: { baseUrl: 'http://y' } }", "--merge")
    kept = run("config", "get", "models.providers", "--json").json()
    replaced = run("config", "set", "models.providers", "{}", "--replace")

    assert refused.code == 1
    assert "this would drop x" in refused.err
    assert (merged.code, sorted(kept)) == (0, ["x", "y"])
    assert replaced.code == 0
    assert run("config", "get", "models.providers", "--json").json() == {}


def test_unset_takes_a_value_away(home: Path) -> None:
    write_config(TEXT)

    assert run("config", "unset", 'agents.defaults.models["openai/gpt-5.2"]').code == 0
    assert run("config", "unset", "agents.nope").code == 1
    assert "gpt-5.2" not in config_file().read_text("utf-8")


def test_validate_lists_every_issue_with_its_place(home: Path) -> None:
    path = write_config("{\n  models: {\n    mode: 'x',\n    modle: 1 } }")
    done = run("config", "validate", "--json")
    issue = {
        "path": "models.mode",
        "message": "'x' is not one of merge, replace",
        "file": str(path),
        "line": 3,
        "column": 11,
    }

    assert done.code == 1
    assert (done.json()["ok"], done.json()["path"]) == (False, str(path))
    assert done.json()["issues"][0] == issue
    assert len(done.json()["issues"]) == 2
    assert run("config", "validate").err.count("\n- ") + 1 == 2


def test_validate_reports_a_text_that_is_no_config(home: Path) -> None:
    write_config("{ models: ")
    done = run("config", "validate", "--json")

    assert done.code == 1
    assert done.json()["issues"][0]["line"] == 1
    assert "is closed" in done.json()["issues"][0]["message"]


def test_validate_of_a_good_config_succeeds(home: Path) -> None:
    path = write_config(TEXT)

    assert run("config", "validate").out == f"{path} is valid\n"
    assert run("config", "validate", "--json").json() == {"ok": True, "path": str(path), "issues": [], "warnings": []}


def test_validate_asks_where_an_unknown_provider_is(home: Path) -> None:
    write_config(
        "{ models: { providers: { venice: {}, venise: {}, mine: { baseUrl: 'http://x' }, gone: { baseUrl: '${GONE}' } } } }"
    )
    issues = run("config", "validate", "--json").json()["issues"]

    assert [issue["path"] for issue in issues] == ["models.providers.venise"]
    assert 'give it a "baseUrl"' in issues[0]["message"]


def test_a_missing_variable_is_a_warning_of_validate(home: Path) -> None:
    write_config(TEXT.replace("sk-0123456789abcdef", "${NOT_SET}"))
    done = run("config", "validate", "--json")

    assert done.code == 0
    assert "NOT_SET is not set" in done.json()["warnings"][0]


def test_file_prints_where_the_config_is(home: Path) -> None:
    assert run("config", "file").out == f"{config_file()}\n"
    assert run("--config", "/other.json5", "config", "file", "--json").json() == {
        "path": "/other.json5",
        "exists": False,
    }


def test_schema_prints_a_json_schema(home: Path) -> None:
    assert "models" in json.loads(run("config", "schema").out)["properties"]


@pytest.mark.parametrize("path", ["", "a..b", "models[", "models[x]"])
def test_a_broken_key_path_is_wrong_usage(home: Path, path: str) -> None:
    assert run("config", "set", path, "1").code == 2
