"""`models auth`: credentials in, listed, ordered and out again, through the installed command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.commands import Result, run, write_config

TOKEN = "sk-ant-oat01-" + "a" * 80


def store() -> dict:
    path = Path(os.environ["HOME"]) / ".jackfield" / "auth-profiles.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def auth(*args: str, stdin: str = "") -> Result:
    return run("models", "auth", *args, stdin=stdin)


def test_a_piped_token_is_stored_without_an_end() -> None:
    result = auth("paste-token", "--provider", "anthropic", stdin=f"{TOKEN}\n")
    assert (result.code, result.out) == (0, "Auth profile: anthropic:manual (anthropic/token)\n")
    assert store()["profiles"] == {"anthropic:manual": {"type": "token", "provider": "anthropic", "token": TOKEN}}
    assert TOKEN not in result.out + result.err


def test_a_token_that_a_terminal_wrapped_is_put_together() -> None:
    auth("paste-token", "--provider", "anthropic", stdin=f"{TOKEN[:60]}\n{TOKEN[60:]}\n")
    assert store()["profiles"]["anthropic:manual"]["token"] == TOKEN


def test_a_token_that_looks_wrong_is_stored_with_a_warning() -> None:
    result = auth("paste-token", "--provider", "anthropic", stdin="sk-ant-api03-1234567890")
    assert result.code == 0
    assert "sk-ant-oat01-" in result.err
    assert "at least 80 characters" in result.err


@pytest.mark.parametrize(
    ("text", "days"), [("365d", 365), ("12h", 0.5), ("30m", 1 / 48), ("7", 7)], ids=["days", "hours", "minutes", "bare"]
)
def test_a_tokens_end_is_kept_in_milliseconds(text: str, days: float) -> None:
    said = auth("paste-token", "--provider", "anthropic", "--expires-in", text, "--json", stdin=TOKEN).json()
    listed = auth("list", "--json").json()["profiles"][0]
    assert said["profile"]["expires"] == listed["expires"] == store()["profiles"]["anthropic:manual"]["expires"]
    now_ms = Path(os.environ["HOME"], ".jackfield", "auth-profiles.json").stat().st_mtime * 1000
    assert abs(listed["expires"] - now_ms - days * 86_400_000) < 60_000


@pytest.mark.parametrize("text", ["soon", "0", "-1d", "", "1y", "999999d"])
def test_a_duration_that_is_none_is_wrong_usage(text: str) -> None:
    assert auth("paste-token", "--provider", "anthropic", "--expires-in", text, stdin=TOKEN).code == 2
    assert store() == {}


def test_an_api_key_is_found_in_what_was_pasted_and_named_after_the_provider() -> None:
    result = auth("paste-api-key", "--provider", "z.ai", stdin="export ZAI_API_KEY='zai-1234567890';\n")
    assert result.out == "Auth profile: zai:default (zai/api_key)\n"
    assert store()["profiles"]["zai:default"]["key"] == "zai-1234567890"


@pytest.mark.parametrize(("given", "stored"), [("work", "venice:work"), ("venice:My Work!", "venice:my-work")])
def test_a_profile_gets_the_users_name(given: str, stored: str) -> None:
    auth("paste-api-key", "--provider", "venice", "--profile-id", given, stdin="vapi_1234567890")
    assert list(store()["profiles"]) == [stored]


def test_a_profile_is_not_kept_under_another_providers_name() -> None:
    assert auth("paste-api-key", "--provider", "venice", "--profile-id", "zai:x", stdin="vapi_1").code == 2
    assert store() == {}


@pytest.mark.parametrize("pasted", ["", "  \n", "two\x00parts", "sk-a…wxyz"])
def test_what_cannot_be_a_key_is_refused_and_nothing_is_written(pasted: str) -> None:
    result = auth("paste-api-key", "--provider", "venice", "--json", stdin=pasted)
    assert (result.code, result.json()["error"]["type"]) == (1, "auth")
    assert store() == {}


def test_bytes_that_are_no_text_are_refused() -> None:
    result = run("models", "auth", "paste-api-key", "--provider", "venice", stdin=b"\xff\xfevapi_1")
    assert result.code == 1
    assert store() == {}


def test_an_unknown_provider_offers_the_nearest() -> None:
    result = auth("paste-api-key", "--provider", "venise", stdin="k")
    assert result.code == 1
    assert "did you mean venice" in result.err


def test_a_list_shows_no_key() -> None:
    auth("paste-api-key", "--provider", "venice", stdin="vapi_1234567890abcdef")
    auth("paste-api-key", "--provider", "groq", stdin="gsk_x")
    shown, said = auth("list"), auth("list", "--json")
    assert "vapi…cdef" in shown.out
    for secret in ("vapi_1234567890abcdef", "gsk_x"):
        assert secret not in shown.out + said.out
    assert [(row["id"], row["status"]) for row in said.json()["profiles"]] == [
        ("venice:default", "static"),
        ("groq:default", "static"),
    ]
    assert auth("list", "--provider", "venice", "--json").json()["count"] == 1


def test_logging_out_removes_the_profile_and_its_place_in_the_order() -> None:
    auth("paste-api-key", "--provider", "venice", stdin="vapi_1234567890")
    auth("order", "set", "--provider", "venice", "venice:default")
    assert auth("logout", "venice:default").code == 2
    result = auth("logout", "venice:default", "--yes")
    assert (result.code, result.out) == (0, "Removed auth profile: venice:default\n")
    assert (store()["profiles"], store().get("order")) == ({}, None)
    assert auth("logout", "venice:default", "--yes").code == 1


def test_logging_out_takes_the_profile_out_of_the_config_too() -> None:
    auth("paste-api-key", "--provider", "venice", stdin="vapi_1234567890")
    path = write_config(
        '{\n  // mine\n  auth: {\n    profiles: { "venice:default": { provider: "venice", mode: "api_key" } },\n'
        '    order: { venice: ["venice:default", "venice:b"], zai: ["zai:default"] },\n  },\n}\n'
    )
    assert auth("logout", "venice:default", "--yes").code == 0
    text = path.read_text(encoding="utf-8")
    assert "venice:default" not in text
    assert "// mine" in text
    assert '["venice:b"]' in text
    assert "zai:default" in text


def test_an_order_is_set_read_and_cleared() -> None:
    for name in ("a", "b"):
        auth("paste-api-key", "--provider", "venice", "--profile-id", name, stdin=f"vapi_{name}_1234567890")
    said = auth("order", "set", "--provider", "venice", "venice:b", "venice:a", "--json").json()
    assert said["order"] == ["venice:b", "venice:a"]
    assert said["authStorePath"].endswith("auth-profiles.json")
    assert auth("order", "get", "--provider", "venice").out == "venice: venice:b, venice:a\n"
    assert auth("order", "clear", "--provider", "venice", "--json").json()["order"] is None


def test_an_order_takes_only_profiles_of_its_provider() -> None:
    auth("paste-api-key", "--provider", "zai", stdin="zai-1234567890")
    assert auth("order", "set", "--provider", "venice", "venice:none").code == 1
    assert auth("order", "set", "--provider", "venice", "zai:default").code == 2


def test_a_new_profile_goes_first_where_an_order_would_leave_it_out() -> None:
    auth("paste-api-key", "--provider", "venice", "--profile-id", "a", stdin="vapi_a_1234567890")
    auth("order", "set", "--provider", "venice", "venice:a")
    auth("paste-api-key", "--provider", "venice", "--profile-id", "b", stdin="vapi_b_1234567890")
    assert store()["order"] == {"venice": ["venice:b", "venice:a"]}


def test_an_order_in_the_config_that_leaves_a_new_profile_out_is_named() -> None:
    write_config('{ auth: { order: { venice: ["venice:other"] } } }')
    result = auth("paste-api-key", "--provider", "venice", stdin="vapi_1234567890")
    assert "models auth order set --provider venice venice:default venice:other" in result.err


@pytest.mark.parametrize(
    ("line", "helps"),
    [
        ("login --provider qwen-portal --set-default", "jackfield plugins enable qwen-portal-auth"),
        ("login --provider openai-codex", "jackfield onboard --auth-choice openai-api-key"),
        ("login --provider google-antigravity --set-default", "jackfield plugins enable google-antigravity-auth"),
        ("login --provider anthropic", "jackfield models auth paste-token --provider anthropic"),
        ("login --provider venice", "jackfield models auth paste-api-key --provider venice"),
        ("login-github-copilot", "jackfield onboard"),
    ],
)
def test_a_sign_in_with_nobody_at_a_terminal_says_what_works_instead(line: str, helps: str) -> None:
    result = auth(*line.split())
    assert result.code == 1
    assert helps in result.err


def test_a_broken_store_is_named_and_left_alone() -> None:
    auth("paste-api-key", "--provider", "venice", stdin="vapi_1234567890")
    path = Path(os.environ["HOME"]) / ".jackfield" / "auth-profiles.json"
    path.write_text('{"profiles": ', encoding="utf-8")
    result = auth("paste-api-key", "--provider", "zai", stdin="zai-1234567890")
    assert result.code == 1
    assert "auth-profiles.json:1:" in result.err
    assert path.read_text(encoding="utf-8") == '{"profiles": '


def test_adding_step_by_step_needs_a_terminal() -> None:
    result = auth("add")
    assert result.code == 1
    assert "needs a terminal" in result.err


def test_a_flood_is_no_key() -> None:
    refused = run("models", "auth", "paste-api-key", "--provider", "openai", stdin="a" * 70_000)
    assert (refused.code, "no key is that long" in refused.err) == (1, True)
