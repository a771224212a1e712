"""Choosing and naming models on the command line, and what it leaves in the config."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run, write_config


def config() -> Any:
    path = Path(os.environ["HOME"]) / ".jackfield" / "jackfield.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def defaults(**sections: Any) -> None:
    write_config(json.dumps({"agents": {"defaults": sections}}))


# -- set ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "ref"),
    [
        ("venice/claude-opus-45", "venice/claude-opus-45"),
        ("z.ai/glm-4.7", "zai/glm-4.7"),
        ("openrouter/anthropic/claude-sonnet-4-5", "openrouter/anthropic/claude-sonnet-4-5"),
        ("ollama/llama3.3", "ollama/llama3.3"),
    ],
)
def test_a_default_is_chosen_and_written(typed: str, ref: str) -> None:
    result = run("models", "set", typed)
    assert (result.code, result.out) == (0, f"Default model: {ref}\n")
    assert result.err.startswith("Updated ")
    assert "warning" not in result.err
    assert config() == {"agents": {"defaults": {"model": {"primary": ref}}}}


def test_the_image_model_is_a_choice_of_its_own() -> None:
    assert run("models", "set-image", "openai/gpt-4o").out == "Image model: openai/gpt-4o\n"
    assert config()["agents"]["defaults"] == {"imageModel": {"primary": "openai/gpt-4o"}}


def test_an_unknown_provider_changes_nothing_and_the_nearest_is_offered() -> None:
    result = run("models", "set", "opnai/gpt-4o", "--json")
    error = result.json()["error"]
    assert (result.code, error["type"]) == (1, "model_not_found")
    assert "openai/gpt-4o" in error["hint"]
    assert config() is None


def test_an_unknown_model_of_a_known_provider_is_kept_with_a_warning() -> None:
    result = run("models", "set", "venice/llama-3.3-70")
    assert (result.code, result.out) == (0, "Default model: venice/llama-3.3-70\n")
    assert "venice/llama-3.3-70b" in result.err


def test_fallbacks_comments_and_a_plain_text_choice_survive() -> None:
    write_config(
        '{\n  // mine\n  agents: { defaults: { model: { primary: "a/b", fallbacks: ["openai/gpt-5.2"] } } },\n}\n'
    )
    run("models", "set", "venice/qwen3-4b")
    path = Path(os.environ["HOME"]) / ".jackfield" / "jackfield.json"
    text = path.read_text(encoding="utf-8")
    assert text == (
        '{\n  // mine\n  agents: { defaults: { model: { primary: "venice/qwen3-4b", fallbacks: ["openai/gpt-5.2"] } } },\n}\n'
    )
    defaults(model="openai/gpt-5.2")
    run("models", "set", "venice/qwen3-4b")
    assert config()["agents"]["defaults"]["model"] == {"primary": "venice/qwen3-4b"}


def test_a_map_in_use_gains_the_model_and_an_unused_one_is_not_begun() -> None:
    defaults(models={"openai/gpt-5.2": {}})
    run("models", "set", "venice/qwen3-4b")
    assert config()["agents"]["defaults"]["models"] == {"openai/gpt-5.2": {}, "venice/qwen3-4b": {}}


def test_an_alias_and_a_route_may_be_chosen() -> None:
    write_config(json.dumps({"models": {
        "aliases": {"Fast": "groq/llama-3.1-8b-instant"}, "routes": {"work": {"primary": "openai/gpt-5.2"}},
    }}))  # fmt: skip
    assert run("models", "set", "fast").out == "Default model: groq/llama-3.1-8b-instant\n"
    assert run("models", "set", "work", "--json").json()["defaultModel"] == "work"


# -- aliases -----------------------------------------------------------------------


def test_an_alias_is_added_listed_and_removed() -> None:
    assert run("models", "aliases", "list").out == "Aliases (0):\n- none\n"
    assert (
        run("models", "aliases", "add", "Best", "venice/claude-opus-45").out == "Alias: Best -> venice/claude-opus-45\n"
    )
    assert config() == {"models": {"aliases": {"Best": "venice/claude-opus-45"}}}
    assert run("models", "aliases", "list", "--json").json() == {"aliases": {"best": "venice/claude-opus-45"}}
    assert run("models", "aliases", "list", "--plain").out == "best venice/claude-opus-45\n"
    assert run("models", "aliases", "list").out == "Aliases (1):\n- best -> venice/claude-opus-45\n"
    assert run("models", "aliases", "remove", "BEST").code == 0
    assert run("models", "aliases", "list", "--json").json() == {"aliases": {}}


def test_an_alias_belongs_to_one_model() -> None:
    run("models", "aliases", "add", "best", "venice/claude-opus-45")
    again = run("models", "aliases", "add", "best", "venice/claude-opus-45")
    other = run("models", "aliases", "add", "best", "venice/qwen3-4b")
    assert again.code == 0
    assert (other.code, "Alias best already points to venice/claude-opus-45." in other.err) == (1, True)


def test_an_unknown_or_impossible_alias_is_refused() -> None:
    missing = run("models", "aliases", "remove", "nope")
    assert (missing.code, "Alias not found: nope" in missing.err) == (1, True)
    assert run("models", "aliases", "add", "no good", "venice/qwen3-4b").code == 2


def test_with_a_map_in_use_its_rows_hold_the_aliases() -> None:
    defaults(models={"anthropic/claude-opus-4-5": {}})
    assert run("models", "aliases", "list", "--json").json() == {"aliases": {"opus": "anthropic/claude-opus-4-5"}}
    run("models", "aliases", "add", "Best", "anthropic/claude-opus-4-5")
    assert config()["agents"]["defaults"]["models"] == {"anthropic/claude-opus-4-5": {"alias": "Best"}}
    run("models", "aliases", "remove", "best")
    run("models", "aliases", "remove", "opus")
    assert run("models", "aliases", "list", "--json").json() == {"aliases": {}}


# -- fallbacks ---------------------------------------------------------------------


@pytest.mark.parametrize(("name", "key"), [("fallbacks", "model"), ("image-fallbacks", "imageModel")])
def test_fallbacks_are_added_once_removed_and_cleared(name: str, key: str) -> None:
    defaults(**{key: "openai/gpt-5.2"})
    run("models", name, "add", "z.ai/glm-4.7")
    run("models", name, "add", "zai/glm-4.7")
    run("models", name, "add", "venice/qwen3-4b")
    assert config()["agents"]["defaults"][key] == {
        "primary": "openai/gpt-5.2",
        "fallbacks": ["zai/glm-4.7", "venice/qwen3-4b"],
    }
    assert run("models", name, "list", "--json").json() == {"fallbacks": ["zai/glm-4.7", "venice/qwen3-4b"]}
    assert run("models", name, "list", "--plain").out == "zai/glm-4.7\nvenice/qwen3-4b\n"
    assert run("models", name, "remove", "z.ai/glm-4.7").code == 0
    assert run("models", name, "list").out.endswith("allbacks (1):\n- venice/qwen3-4b\n")
    assert run("models", name, "remove", "zai/glm-4.7").code == 1
    assert run("models", name, "clear").code == 0
    assert run("models", name, "list", "--json").json() == {"fallbacks": []}


def test_a_fallback_without_a_default_is_kept_for_later() -> None:
    run("models", "fallbacks", "add", "venice/qwen3-4b")
    run("models", "set", "openai/gpt-5.2")
    assert config()["agents"]["defaults"]["model"] == {"primary": "openai/gpt-5.2", "fallbacks": ["venice/qwen3-4b"]}


# -- status ------------------------------------------------------------------------


def test_alone_the_command_shows_the_status() -> None:
    run("models", "set", "venice/llama-3.3-70b")
    result = run("models", env={"VENICE_API_KEY": "vapi_1234567890123456"})
    assert result.code == 0
    for words in (
        "venice/llama-3.3-70b",
        "env: VENICE_API_KEY (vapi…3456)",
        "https://api.venice.ai/api/v1/chat/completions",
    ):
        assert words in result.out
    assert "vapi_1234567890123456" not in result.out + result.err


def test_the_status_tells_each_provider_in_use() -> None:
    run("models", "set", "venice/llama-3.3-70b")
    run("models", "fallbacks", "add", "openai/gpt-5.2")
    value = run("models", "status", "--json", env={"VENICE_API_KEY": "vapi_1234567890123456"}).json()
    assert (value["defaultModel"], value["resolvedDefault"], value["fallbacks"]) == (
        "venice/llama-3.3-70b", "venice/llama-3.3-70b", ["openai/gpt-5.2"],
    )  # fmt: skip
    assert value["auth"]["missingProvidersInUse"] == ["openai"]
    states = {each["provider"]: each for each in value["auth"]["providers"]}
    assert states["venice"]["effective"] == {"kind": "env", "detail": "env: VENICE_API_KEY"}
    assert states["venice"]["env"] == {"value": "vapi…3456", "source": "env: VENICE_API_KEY"}
    assert states["openai"]["effective"]["kind"] == "missing"
    assert states["openai"]["url"] == "https://api.openai.com/v1/responses"


def test_plain_prints_the_default_and_nothing_else() -> None:
    assert run("models", "status", "--plain").out == "\n"
    run("models", "set", "venice/llama-3.3-70b")
    assert run("models", "--status-plain").out == "venice/llama-3.3-70b\n"


def test_a_check_fails_when_a_provider_in_use_has_no_credential() -> None:
    assert run("models", "status", "--check").code == 0
    run("models", "set", "venice/llama-3.3-70b")
    assert run("models", "status", "--check").code == 1
    assert run("models", "status", "--check", env={"VENICE_API_KEY": "vapi_1234567890123456"}).code == 0


def test_a_default_that_leads_nowhere_fails_the_check() -> None:
    defaults(model="nobody/x")
    assert run("models", "status", "--check").code == 1
