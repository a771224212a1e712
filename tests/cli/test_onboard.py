"""`onboard` without a person: every way to name a provider and its key, and what is written where."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from jackfield.cli.choices import CHOICES, OFFERED
from jackfield.cli.main import run as run_here
from tests.commands import Result, run, write_config
from tests.servers import json_reply, serve

TOKEN = "sk-ant-oat01-" + "a" * 80
KEYED = [choice for choice in CHOICES if choice.method.flag and choice.method.kind == "api-key"]
UNATTENDED = [choice for choice in CHOICES if choice.method.kind not in OFFERED]
LOCAL = [choice for choice in CHOICES if choice.method.kind == "none"]


def folder() -> Path:
    return Path(os.environ["HOME"]) / ".jackfield"


def store() -> dict[str, Any]:
    path = folder() / "auth-profiles.json"
    return json.loads(path.read_text(encoding="utf-8"))["profiles"] if path.exists() else {}


def config() -> dict[str, Any]:
    path = folder() / "jackfield.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def primary() -> str | None:
    return config().get("agents", {}).get("defaults", {}).get("model", {}).get("primary")


def onboard(*args: str, env: dict[str, str] | None = None) -> Result:
    return run("onboard", *args, env=env)


# -- what is written ---------------------------------------------------------------


def test_a_key_goes_into_the_store_and_nowhere_else() -> None:
    result = onboard("--non-interactive", "--auth-choice", "venice-api-key", "--venice-api-key", "vapi_1234567890abcd")
    assert result.code == 0
    assert store() == {"venice:default": {"type": "api_key", "provider": "venice", "key": "vapi_1234567890abcd"}}
    assert config() == {
        "agents": {"defaults": {"model": {"primary": "venice/llama-3.3-70b"}}},
        "models": {"aliases": {"Llama 3.3 70B": "venice/llama-3.3-70b"}},
    }
    assert "vapi_1234567890abcd" not in result.out + result.err
    assert not (folder() / ".env").exists()
    if os.name == "posix":
        modes = {stat.S_IMODE(path.stat().st_mode) for path in folder().rglob("*") if path.is_file()}
        assert modes == {0o600}
        assert stat.S_IMODE(folder().stat().st_mode) == 0o700


def test_what_was_done_and_what_to_type_next_is_said() -> None:
    result = onboard("--venice-api-key", "vapi_1234567890abcd")
    assert result.out.splitlines() == [
        "Auth profile: venice:default (venice/api_key)",
        f"Updated {folder() / 'jackfield.json'}",
        "Default model: venice/llama-3.3-70b",
    ]
    assert str(folder() / "auth-profiles.json") in result.err
    assert 'next: jackfield chat "Hello"' in result.err


def test_a_second_provider_leaves_the_default_alone_unless_told() -> None:
    onboard("--venice-api-key", "vapi_1234567890abcd")
    said = onboard("--openai-api-key", "sk-1234567890abcd")
    assert primary() == "venice/llama-3.3-70b"
    assert "Default model available: openai/gpt-5.2 (use --set-default to apply" in said.out
    onboard("--openai-api-key", "sk-1234567890abcd", "--set-default")
    assert primary() == "openai/gpt-5.2"
    assert set(store()) == {"venice:default", "openai:default"}


def test_an_allowlist_is_never_begun_but_extended_where_there_is_one() -> None:
    path = write_config('{ agents: { defaults: { models: { "groq/x": { alias: "x" } } } } }')
    onboard("--venice-api-key", "vapi_1234567890abcd")
    said = run("config", "get", "agents.defaults.models", "--json").json()
    assert said == {"groq/x": {"alias": "x"}, "venice/llama-3.3-70b": {}}
    assert "vapi" not in path.read_text(encoding="utf-8")


def test_an_allowlist_elsewhere_that_keeps_the_model_out_is_named() -> None:
    write_config('{ agents: { defaults: { modelPolicy: { allow: ["groq/*"] } } } }')
    result = onboard("--venice-api-key", "vapi_1234567890abcd")
    assert result.code == 0
    assert "'venice/llama-3.3-70b' is not allowed by agents.defaults.modelPolicy.allow" in result.err


def test_a_new_key_leaves_the_rest_of_the_stored_profile_alone() -> None:
    onboard("--venice-api-key", "vapi_1234567890abcd")
    path = folder() / "auth-profiles.json"
    known = {**store()["venice:default"], "email": "me@example.com", "metadata": {"team": 7}}
    path.write_text(json.dumps({"version": 1, "profiles": {"venice:default": known}}), encoding="utf-8")
    onboard("--venice-api-key", "vapi_new_67890abcd")
    assert store()["venice:default"] == {**known, "key": "vapi_new_67890abcd"}


def test_comments_order_and_unknown_keys_of_the_config_survive() -> None:
    before = (
        "// my set-up\n{\n  channels: { irc: { nick: 'me' } }, // not ours\n"
        "  agents: {\n    defaults: {\n      model: { fallbacks: ['groq/a'] },\n    },\n  },\n}\n"
    )
    path = write_config(before)
    onboard("--venice-api-key", "vapi_1234567890abcd")
    after = path.read_text(encoding="utf-8")
    kept = [line for line in before.splitlines() if "fallbacks" not in line]
    assert [line for line in kept if line not in after.splitlines()] == []
    assert "fallbacks: ['groq/a']" in after
    assert "venice/llama-3.3-70b" in after


def test_a_default_written_as_plain_text_stays_plain_text() -> None:
    write_config('{ "agents": { "defaults": { "model": "groq/a" } } }')
    onboard("--venice-api-key", "vapi_1234567890abcd", "--set-default")
    assert config()["agents"]["defaults"]["model"] == "venice/llama-3.3-70b"


def test_a_name_that_is_taken_is_not_taken_over() -> None:
    write_config('{ "models": { "aliases": { "llama 3.3 70b": "groq/a" } } }')
    onboard("--venice-api-key", "vapi_1234567890abcd")
    assert config()["models"]["aliases"] == {"llama 3.3 70b": "groq/a"}


def test_an_order_in_the_config_takes_the_new_profile_in_first() -> None:
    write_config('{ "auth": { "order": { "venice": ["venice:work"] } } }')
    onboard("--venice-api-key", "vapi_1234567890abcd")
    assert config()["auth"]["order"]["venice"] == ["venice:default", "venice:work"]


def test_the_configs_word_on_a_profile_follows_what_is_stored() -> None:
    write_config('{ "auth": { "profiles": { "anthropic:default": { "provider": "anthropic", "mode": "oauth" } } } }')
    onboard("--anthropic-api-key", "sk-ant-api03-1234567890")
    assert config()["auth"]["profiles"]["anthropic:default"]["mode"] == "api_key"


def test_a_second_run_changes_nothing() -> None:
    onboard("--venice-api-key", "vapi_1234567890abcd")
    before = {path: path.read_bytes() for path in folder().rglob("*") if path.is_file()}
    assert onboard("--venice-api-key", "vapi_1234567890abcd").code == 0
    assert {path: path.read_bytes() for path in folder().rglob("*") if path.is_file()} == before


def test_a_config_that_cannot_be_read_stops_us_before_the_key_is_stored() -> None:
    path = write_config("{ agents: ")
    assert onboard("--venice-api-key", "vapi_1234567890abcd").code == 1
    assert path.read_text(encoding="utf-8") == "{ agents: "
    assert store() == {}


# -- where the key comes from ------------------------------------------------------


def test_a_key_flag_alone_names_the_choice() -> None:
    assert onboard("--synthetic-api-key", "abcdefgh12345678").code == 0
    assert primary() == "synthetic/hf:MiniMaxAI/MiniMax-M2.5"


def test_a_variable_serves_where_no_flag_is_given_even_as_an_empty_flag() -> None:
    env = {"OPENAI_API_KEY": "sk-1234567890abcd"}
    assert onboard("--auth-choice", "openai-api-key", env=env).code == 0
    assert onboard("--openai-api-key", "", "--set-default", env=env).code == 0
    assert store()["openai:default"]["key"] == "sk-1234567890abcd"


def test_the_stored_key_serves_where_nothing_else_is_given() -> None:
    onboard("--venice-api-key", "vapi_1234567890abcd")
    said = onboard("--auth-choice", "venice-api-key", "--json").json()
    assert (said["profileId"], said["keySource"]) == ("venice:default", "profile:venice:default")


def test_a_flag_beats_a_variable_and_a_variable_beats_the_stored_key() -> None:
    onboard("--venice-api-key", "vapi_stored_12345")
    onboard("--auth-choice", "venice-api-key", env={"VENICE_API_KEY": "vapi_env_12345"})
    assert store()["venice:default"]["key"] == "vapi_env_12345"
    onboard("--venice-api-key", "vapi_flag_12345", env={"VENICE_API_KEY": "vapi_env_12345"})
    assert store()["venice:default"]["key"] == "vapi_flag_12345"


def test_a_missing_key_names_its_flag_its_variable_and_its_profile() -> None:
    said = onboard("--non-interactive", "--auth-choice", "venice-api-key", "--json")
    assert said.code == 1
    assert said.json()["error"]["type"] == "missing_key"
    assert (
        said.json()["error"]["message"]
        == "Missing --venice-api-key (or VENICE_API_KEY in env, or existing venice API-key profile)."
    )
    assert not folder().exists()


def test_a_reference_keeps_the_variables_name_and_not_its_value() -> None:
    line = ("--auth-choice", "venice-api-key", "--secret-input-mode", "ref")
    assert onboard(*line).code == 1
    assert onboard(*line, env={"VENICE_API_KEY": "vapi_1234567890abcd"}).code == 0
    assert store()["venice:default"] == {
        "type": "api_key",
        "provider": "venice",
        "keyRef": {"source": "env", "provider": "default", "id": "VENICE_API_KEY"},
    }


@pytest.mark.parametrize("key", ["vapi_a\x01b", "vapi_…abcd"])
def test_a_key_that_cannot_be_sent_is_refused(key: str) -> None:
    result = onboard("--venice-api-key", key)
    assert result.code == 1
    assert key not in result.err
    assert not folder().exists()


def test_an_odd_start_is_a_warning() -> None:
    result = onboard("--venice-api-key", "sk-1234567890abcd")
    assert result.code == 0
    assert "'vapi_'" in result.err


def test_a_key_may_be_pasted_with_its_wrapping() -> None:
    onboard("--venice-api-key", 'export VENICE_API_KEY="vapi_1234567890abcd";')
    assert store()["venice:default"]["key"] == "vapi_1234567890abcd"


# -- choices -----------------------------------------------------------------------


@pytest.mark.parametrize("choice", KEYED, ids=lambda choice: choice.id)
def test_every_key_choice_of_the_catalog_works(choice, capsys: pytest.CaptureFixture[str]) -> None:
    key = f"{choice.info.key_prefix}abcdefgh-12345678"
    place = ["--custom-base-url", "http://127.0.0.1:8000/v1", "--custom-model-id", "m"]
    more = place if choice.id == "custom-api-key" else []
    code = run_here(["onboard", "--auth-choice", choice.id, choice.method.flag, key, "--json", *more])
    said = json.loads(capsys.readouterr().out)
    assert (code, said["authChoice"]) == (0, choice.id)
    assert store()[f"{said['provider']}:default"]["key"] == key
    assert primary() == said["model"]
    if choice.info.default_model:
        assert said["model"] == f"{choice.info.id}/{choice.info.default_model}"


@pytest.mark.parametrize("choice", UNATTENDED, ids=lambda choice: choice.id)
def test_a_sign_in_that_needs_a_browser_says_so_and_what_works(choice, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(["onboard", "--auth-choice", choice.id, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)["error"]
    browser = choice.method.kind in {"oauth", "device-code"}
    assert (
        said["message"] == "OAuth requires interactive mode." if browser else "not in this version" in said["message"]
    )
    assert "jackfield onboard" in said["hint"]
    assert not folder().exists()


@pytest.mark.parametrize("choice", LOCAL, ids=lambda choice: choice.id)
def test_a_server_on_this_machine_needs_no_key(choice, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_here(["onboard", "--auth-choice", choice.id, "--non-interactive", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["profileId"] is None
    assert store() == {}


@pytest.mark.parametrize(
    ("old", "model"),
    [
        ("minimax-cloud", "minimax/MiniMax-M2.1"),
        ("minimax-api-lightning", "minimax/MiniMax-M2.1-lightning"),
        ("zai-coding-global", "zai/glm-4.7"),
        ("openai", "openai/gpt-5.2"),
    ],
)
def test_older_names_and_variants_of_a_choice_work(old: str, model: str) -> None:
    flag = f"--{model.split('/', maxsplit=1)[0]}-api-key"
    assert onboard("--auth-choice", old, flag, "abcdefgh-12345678").code == 0
    assert primary() == model


def test_a_choice_at_another_address_writes_that_address() -> None:
    onboard("--auth-choice", "moonshot-api-key-cn", "--moonshot-api-key", "sk-1234567890")
    assert config()["models"]["providers"]["moonshot"] == {"baseUrl": "https://api.moonshot.cn/v1"}


def test_a_key_with_the_name_of_its_provider_works_for_any_provider() -> None:
    result = onboard("--auth-choice", "apiKey", "--token-provider", "openrouter", "--token", "sk-or-1234567890")
    assert result.code == 0
    assert store()["openrouter:default"] == {"type": "api_key", "provider": "openrouter", "key": "sk-or-1234567890"}
    assert primary() == "openrouter/auto"


def test_a_setup_token_is_checked_and_stored_as_a_token() -> None:
    line = ("--auth-choice", "token", "--token-provider", "anthropic", "--token")
    assert "at least 80" in onboard(*line, "sk-ant-oat01-short").err
    assert "sk-ant-oat01-" in onboard(*line, "sk-ant-api03-" + "a" * 80).err
    assert store() == {}
    result = onboard(*line, TOKEN, "--token-expires-in", "365d", "--token-profile-id", "anthropic:work")
    assert result.code == 0
    assert store()["anthropic:work"]["token"] == TOKEN
    assert store()["anthropic:work"]["expires"] > 1_700_000_000_000
    assert primary() == "anthropic/claude-opus-4-5"


@pytest.mark.parametrize("choice", ["token", "setup-token", "oauth", "claude-cli"])
def test_a_missing_token_names_its_flag(choice: str) -> None:
    result = onboard("--auth-choice", choice)
    assert result.code == 1
    assert "Missing --token (or ANTHROPIC_OAUTH_TOKEN in env, or existing anthropic token profile)." in result.err
    assert onboard("--auth-choice", choice, env={"ANTHROPIC_OAUTH_TOKEN": TOKEN}).code == 0
    assert store()["anthropic:default"]["type"] == "token"


def test_a_token_without_its_provider_is_wrong_usage() -> None:
    assert onboard("--token", TOKEN).code == 2
    assert onboard("--token-provider", "nope", "--token", TOKEN).code == 1


def test_a_token_with_its_provider_needs_no_choice() -> None:
    assert onboard("--token-provider", "anthropic", "--token", TOKEN).code == 0
    assert store()["anthropic:default"]["type"] == "token"
    assert onboard("--token-provider", "anthropic", "--token", "sk-ant-api03-1234567890").code == 0
    assert store()["anthropic:default"]["type"] == "api_key"


def test_an_unknown_choice_offers_the_nearest_and_lists_all() -> None:
    result = onboard("--auth-choice", "venise-api-key")
    assert result.code == 1
    assert "did you mean venice-api-key" in result.err
    assert "skip" in result.err


def test_two_keys_at_once_contradict_each_other() -> None:
    result = onboard("--openai-api-key", "a", "--venice-api-key", "b")
    assert result.code == 1
    assert "--openai-api-key and --venice-api-key" in result.err


def test_a_key_of_another_choice_is_not_silently_dropped() -> None:
    assert onboard("--auth-choice", "venice-api-key", "--openai-api-key", "sk-1234567890").code == 2


def test_skipping_changes_nothing() -> None:
    assert onboard("--auth-choice", "skip").code == 0
    assert not folder().exists()


def test_without_a_person_and_without_a_key_the_way_out_is_named() -> None:
    result = onboard()
    assert result.code == 1
    assert "--venice-api-key KEY" in result.err


def test_flags_for_parts_that_are_not_here_are_taken_with_one_note() -> None:
    line = "--accept-risk --workspace /tmp/w --gateway-port 18789 --skip-skills --install-daemon --mode local"
    result = onboard("--venice-api-key", "vapi_1234567890abcd", *line.split())
    assert result.code == 0
    noted = [line for line in result.err.splitlines() if "nothing to set up here" in line]
    assert noted == ["nothing to set up here for --workspace, --mode, --gateway-port, --install-daemon, --skip-skills"]


# -- a server of one's own ---------------------------------------------------------


def test_a_server_of_ones_own_becomes_a_provider() -> None:
    line = "--custom-base-url http://127.0.0.1:8000/v1/ --custom-model-id qwen --custom-provider-id box"
    assert onboard(*line.split(), "--custom-compatibility", "anthropic", "--custom-image-input").code == 0
    assert config()["models"]["providers"] == {
        "box": {
            "baseUrl": "http://127.0.0.1:8000/v1",
            "api": "anthropic-messages",
            "models": [{"id": "qwen", "input": ["text", "image"]}],
        }
    }
    assert primary() == "box/qwen"


def test_its_key_goes_into_the_store_and_its_second_model_is_added() -> None:
    line = "--custom-base-url https://llm.example.com/v1 --custom-api-key sk-1234567890 --custom-model-id"
    onboard(*line.split(), "one")
    onboard(*line.split(), "two")
    assert store()["custom-llm-example-com:default"]["key"] == "sk-1234567890"
    rows = config()["models"]["providers"]["custom-llm-example-com"]["models"]
    assert [row["id"] for row in rows] == ["one", "two"]


def test_two_servers_at_one_host_stay_two_providers() -> None:
    for path in ("one/v1", "two/v1"):
        onboard("--custom-base-url", f"http://127.0.0.1:9/{path}", "--custom-model-id", "m")
    said = config()["models"]["providers"]
    assert {name: entry["baseUrl"] for name, entry in said.items()} == {
        "custom-127-0-0-1-9-one": "http://127.0.0.1:9/one/v1",
        "custom-127-0-0-1-9-two": "http://127.0.0.1:9/two/v1",
    }


def test_a_server_under_a_built_in_name_is_warned_of() -> None:
    line = "--custom-base-url http://127.0.0.1:9/v1 --custom-model-id m --custom-provider-id openai"
    assert "openai is a built-in provider" in onboard(*line.split()).err


@pytest.mark.parametrize(
    "line",
    [
        "--custom-model-id m",
        "--custom-base-url http://127.0.0.1:1/v1",
        "--custom-base-url ftp://x --custom-model-id m",
        "--custom-base-url nonsense --custom-model-id m",
        "--custom-base-url http://[::1 --custom-model-id m",
        "--custom-base-url http://x:99999 --custom-model-id m",
        "--custom-base-url http://127.0.0.1:1 --custom-model-id m --custom-provider-id a/b",
        "--custom-base-url http://127.0.0.1:1 --custom-model-id m --custom-compatibility grpc",
    ],
)
def test_a_server_that_cannot_be_reached_like_this_is_wrong_usage(line: str) -> None:
    assert onboard(*line.split()).code == 2
    assert not folder().exists()


def test_a_local_choice_takes_an_address_and_a_model() -> None:
    onboard("--auth-choice", "ollama", "--custom-base-url", "http://127.0.0.1:9/v1", "--custom-model-id", "llama3.3")
    assert config()["models"]["providers"]["ollama"] == {"baseUrl": "http://127.0.0.1:9/v1"}
    assert primary() == "ollama/llama3.3"


# -- the live check ----------------------------------------------------------------

REPLY = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "OK."}, "finish_reason": "stop"}],
}  # fmt: skip


def test_a_check_asks_the_model_with_the_new_key_before_anything_is_written() -> None:
    env = {"CUSTOM_API_KEY": "sk-env-1234567890", "BOX_API_KEY": "sk-stale-1234567890"}
    with serve(json_reply(REPLY)) as server:
        line = f"--custom-base-url {server.url}/v1 --custom-provider-id box --custom-model-id m --check"
        result = onboard(*line.split(), "--custom-api-key", "sk-new-1234567890", env=env)
    assert result.code == 0, result.err
    assert server.journal[0].headers["authorization"] == "Bearer sk-new-1234567890"
    assert primary() == "box/m"


def test_a_check_that_fails_writes_nothing() -> None:
    with serve(json_reply({"error": {"message": "invalid api key"}}, 401)) as server:
        line = f"--custom-base-url {server.url}/v1 --custom-provider-id box --custom-model-id m --check --json"
        result = onboard(*line.split(), "--custom-api-key", "sk-new-1234567890")
    assert (result.code, result.json()["error"]["type"]) == (1, "auth")
    assert not (folder() / "jackfield.json").exists()
    assert store() == {}


def test_a_password_in_an_address_is_never_written(home: Path) -> None:
    line = "--auth-choice custom-api-key --custom-model-id m --custom-base-url http://me:hunter2@127.0.0.1:9/v1"
    refused = run("onboard", *line.split())
    assert (refused.code, "hunter2" in refused.err) == (2, False)
    assert not (home / ".jackfield" / "jackfield.json").exists()


def test_a_choice_that_is_none_lists_the_valid_ones_as_a_hint() -> None:
    said = run("onboard", "--auth-choice", "bogus", "--json")
    assert (said.code, said.json()["error"]["message"]) == (1, "unknown auth choice 'bogus'")
    assert "venice-api-key" in said.json()["error"]["hint"]
