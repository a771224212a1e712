"""`jackfield models list` as a user runs it."""

from __future__ import annotations

import json

import pytest

from tests.commands import local_provider, run, write_config
from tests.servers import json_reply, serve

VENICE = {"VENICE_API_KEY": "vapi_1234567890123456"}


def keys(*args: str, env: dict[str, str] | None = None) -> list[str]:
    result = run("models", "list", "--plain", *args, env=env)
    assert result.code == 0, result.err
    return result.out.splitlines()


def test_a_fresh_home_has_no_models_and_says_what_to_do() -> None:
    result = run("models", "list")
    assert (result.code, result.out) == (0, "")
    for words in ("No models found.", "jackfield onboard", "OPENAI_API_KEY", "models list --all"):
        assert words in result.err


def test_nothing_found_is_still_json() -> None:
    assert run("models", "list", "--json").json() == {"count": 0, "models": []}


def test_a_variable_brings_its_providers_models() -> None:
    found = keys(env=VENICE)
    assert len(found) == 25
    assert "venice/llama-3.3-70b" in found
    assert found == sorted(found)


def test_a_stored_key_a_configured_one_and_a_list_of_keys_do_too() -> None:
    assert run("models", "auth", "paste-api-key", "--provider", "z.ai", stdin="zai-0123456789abcdef").code == 0
    write_config(json.dumps({"models": {"providers": {"groq": {"apiKey": "gsk_0123456789abcdef"}}}}))
    found = {key.partition("/")[0] for key in keys(env={"MISTRAL_API_KEYS": "one-0123456789,two-0123456789"})}
    assert found == {"zai", "groq", "mistral"}


def test_an_empty_variable_brings_nothing() -> None:
    assert keys(env={"VENICE_API_KEY": ""}) == []


@pytest.mark.parametrize("spelling", ["zai", "z.ai", "Z-AI"])
def test_a_provider_is_listed_whole_under_any_of_its_names(spelling: str) -> None:
    assert "zai/glm-4.7" in keys("--provider", spelling)


def test_every_synthetic_model_of_the_page_is_listed_and_the_older_one_answers() -> None:
    found = keys("--provider", "synthetic")
    assert len(found) == 21
    assert "synthetic/hf:meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8" in found
    assert run("models", "set", "synthetic/hf:MiniMaxAI/MiniMax-M2.1").err.count("warning") == 0


def test_all_lists_everything_at_once() -> None:
    found = keys("--all")
    assert len(found) > 2_500
    assert len(set(found)) == len(found)
    assert {"anthropic/claude-opus-4-5", "openrouter/auto", "venice/venice-uncensored"} <= {*found}


def test_an_unknown_provider_is_empty_with_the_nearest_name() -> None:
    result = run("models", "list", "--provider", "venise")
    assert (result.code, result.out) == (0, "")
    assert "did you mean venice" in result.err


@pytest.mark.parametrize(
    ("provider", "words"), [("sglang", "no server answers at http://127.0.0.1:30000/v1"), ("arcee", "--model arcee/ID")]
)
def test_a_provider_without_rows_says_how_to_go_on(provider: str, words: str) -> None:
    result = run("models", "list", "--provider", provider)
    assert (result.code, result.out) == (0, "")
    assert words in result.err


def test_a_row_says_everything() -> None:
    [row] = [
        row
        for row in run("models", "list", "--provider", "venice", "--json").json()["models"]
        if row["id"] == "claude-opus-45"
    ]
    assert row == {
        "key": "venice/claude-opus-45", "name": "Claude Opus 4.5", "input": "text+image", "contextWindow": 202752,
        "local": False, "available": False, "tags": ["anonymized"], "missing": False, "provider": "venice",
        "id": "claude-opus-45", "maxTokens": 8192, "reasoning": True,
        "cost": {"input": "0", "output": "0", "cacheRead": "0", "cacheWrite": "0"}, "privacy": "anonymized", "source": "catalog",
    }  # fmt: skip


def test_unknown_prices_are_null_and_known_ones_text() -> None:
    rows = {row["key"]: row for row in run("models", "list", "--all", "--json").json()["models"]}
    assert rows["google-antigravity/claude-opus-4-5-thinking"]["cost"] is None
    assert rows["openai/gpt-5.2"]["cost"] == {"input": "1.75", "output": "14", "cacheRead": "0.175", "cacheWrite": None}


def test_a_long_name_is_never_cut_in_the_table() -> None:
    out = run("models", "list", "--provider", "synthetic").out
    assert "synthetic/hf:meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8 " in out
    assert out.splitlines()[0].split() == ["Model", "Input", "Ctx", "Local", "Auth", "Tags"]


def test_configured_models_carry_their_tags() -> None:
    config = {
        "agents": {"defaults": {
            "model": {"primary": "best", "fallbacks": ["groq/llama-3.1-8b-instant"]},
            "imageModel": "openai/gpt-4o",
            "models": {"venice/claude-opus-45": {"alias": "Best"}, "nobody/x": {}, "venice/*": {}},
        }}
    }  # fmt: skip
    write_config(json.dumps(config))
    rows = {row["key"]: row for row in run("models", "list", "--json").json()["models"]}
    assert rows["venice/claude-opus-45"]["tags"] == ["default", "configured", "alias:best", "anonymized"]
    assert rows["groq/llama-3.1-8b-instant"]["tags"] == ["fallback#1"]
    assert rows["openai/gpt-4o"]["tags"] == ["image"]
    assert rows["nobody/x"] == {
        "key": "nobody/x", "name": "nobody/x", "input": "-", "contextWindow": None, "local": None, "available": None,
        "tags": ["configured", "missing"], "missing": True,
    }  # fmt: skip


def test_an_allowlist_narrows_the_list_but_not_all_of_it() -> None:
    write_config(json.dumps({"agents": {"defaults": {"models": {"venice/llama-3.3-70b": {}, "venice/qwen3-4b": {}}}}}))
    assert keys(env=VENICE) == ["venice/llama-3.3-70b", "venice/qwen3-4b"]
    assert len(keys("--provider", "venice", env=VENICE)) == 25


def test_models_of_the_config_are_listed_without_a_catalog_row() -> None:
    write_config(local_provider("http://127.0.0.1:9/v1", model="own/m:1"))
    [row] = run("models", "list", "--json").json()["models"]
    assert (row["key"], row["local"], row["source"], row["contextWindow"], row["maxTokens"]) == (
        "box/own/m:1", True, "config", 200_000, 8192,
    )  # fmt: skip


def test_a_model_that_the_config_only_names_is_listed_too() -> None:
    write_config(json.dumps({"agents": {"defaults": {"model": "venice/brand-new"}}}))
    [row] = run("models", "list", "--json").json()["models"]
    assert (row["key"], row["source"], row["cost"]) == ("venice/brand-new", "unknown", None)


def test_a_running_server_offers_its_models() -> None:
    with serve(json_reply({"object": "list", "data": [{"id": "tiny"}, {"id": "m"}]})) as server:
        write_config(json.dumps({"models": {"providers": {"box": {"baseUrl": f"{server.url}/v1"}}}}))
        rows = {row["key"]: row for row in run("models", "list", "--local", "--json").json()["models"]}
    tiny = rows["box/tiny"]
    assert (tiny["source"], tiny["available"], tiny["local"]) == ("server", True, True)


def test_who_names_a_servers_models_sees_these_and_no_others() -> None:
    with serve(json_reply({"object": "list", "data": [{"id": "tiny"}, {"id": "m"}]})) as server:
        write_config(local_provider(f"{server.url}/v1"))
        rows = {row["key"]: row for row in run("models", "list", "--local", "--json").json()["models"]}
    assert (list(rows), rows["box/m"]["source"], rows["box/m"]["available"]) == (["box/m"], "config", True)


def test_replace_mode_lists_the_config_alone() -> None:
    write_config(
        json.dumps(
            {
                "models": {
                    "mode": "replace",
                    "providers": {"own": {"baseUrl": "https://own.example/v1", "models": [{"id": "m"}]}},
                }
            }
        )
    )
    assert keys("--all", env=VENICE) == ["own/m"]


def test_two_ways_to_print_are_one_too_many() -> None:
    result = run("models", "list", "--json", "--plain")
    assert (result.code, result.json()["error"]["type"]) == (2, "usage")
