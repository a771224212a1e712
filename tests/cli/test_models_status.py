"""`models status`: how good credentials are, what a check says, and probes against real servers."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from jackfield.config.default import load_default
from jackfield.health.store import open_health
from jackfield.providers.quota import Window
from tests.commands import local_provider, run, write_config
from tests.patience import PATIENCE_S
from tests.servers import HANG, Received, json_reply, serve

HOUR, DAY = 3_600_000, 86_400_000
REPLY = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "OK"}, "finish_reason": "stop"}],
}  # fmt: skip
# A refusal of which a chat learns, and after which it asks again.
TEACHING = {
    "message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "param": "max_tokens", "code": "unsupported_parameter",
}  # fmt: skip


def keep(profiles: dict[str, Any], **more: Any) -> Path:
    """Write the credential store of the test's home."""
    path = Path(os.environ["HOME"]) / ".jackfield" / "auth-profiles.json"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_text(json.dumps({"version": 1, "profiles": profiles, **more}), encoding="utf-8")
    path.chmod(0o600)
    return path


def key(name: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "api_key", "provider": "box", "key": f"sk-{name}-0123456789", **more}


def token(left_ms: int | None = None, **more: Any) -> dict[str, Any]:
    dated = {} if left_ms is None else {"expires": now_ms() + left_ms}
    return {"type": "token", "provider": "anthropic", "token": "sk-ant-oat01-" + "a" * 80, **dated, **more}


def oauth(left_ms: int, **more: Any) -> dict[str, Any]:
    return {"type": "oauth", "provider": "anthropic", "access": "a-0123456789", "expires": now_ms() + left_ms, **more}


def now_ms() -> int:
    return int(time.time() * 1000)


def check() -> int:
    return run("models", "status", "--check").code


# -- how good they are -------------------------------------------------------------


def test_each_profile_is_judged_and_its_provider_by_the_worst() -> None:
    keep(
        {
            "anthropic:a": token(HOUR),
            "anthropic:b": token(),
            "anthropic:c": oauth(-HOUR, refresh="r-0123456789"),
            "box:k": key(),
        }
    )
    write_config(local_provider("http://127.0.0.1:9"))
    auth = run("models", "status", "--json").json()["auth"]
    assert auth["oauth"]["warnAfterMs"] == DAY
    assert [(row["profileId"], row["type"], row["status"]) for row in auth["oauth"]["profiles"]] == [
        ("anthropic:c", "oauth", "ok"), ("anthropic:a", "token", "expiring"), ("anthropic:b", "token", "static"),
    ]  # fmt: skip
    states = {row["provider"]: row for row in auth["oauth"]["providers"]}
    assert (states["anthropic"]["status"], states["box"]["status"]) == ("expiring", "static")
    assert auth["providersWithOAuth"] == ["anthropic (3)"]
    shown = run("models", "status").out
    assert "OAuth/token status" in shown
    assert "in 59 min" in shown


def test_who_rests_is_listed_with_the_reason_and_the_time_left() -> None:
    use = {
        "box:a": {"disabledUntil": now_ms() + 2 * DAY, "disabledReason": "billing"},
        "box:b": {"cooldownUntil": now_ms() + HOUR},
        "box:c": {"cooldownUntil": now_ms() - HOUR},
    }
    keep({f"box:{name}": key(name) for name in "abc"}, usageStats=use)
    write_config(local_provider("http://127.0.0.1:9"))
    rows = run("models", "status", "--json").json()["auth"]["unusableProfiles"]
    assert [(row["profileId"], row["kind"], row.get("reason")) for row in rows] == [
        ("box:b", "cooldown", None), ("box:a", "disabled", "billing"),
    ]  # fmt: skip
    assert 0 < rows[0]["remainingMs"] <= HOUR
    assert "disabled (billing)" in run("models", "status").out


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        ({}, 1),
        (token(), 0),
        (token(2 * DAY), 0),
        (token(HOUR), 2),
        (token(-HOUR), 1),
        (token(token=""), 1),
        (oauth(-HOUR), 1),
        (oauth(HOUR), 2),
    ],
    ids=["none", "static", "good", "expiring", "expired", "empty", "oauth expired", "oauth expiring"],
)
def test_a_check_tells_by_its_code(profile: dict[str, Any], code: int) -> None:
    write_config('{ "agents": { "defaults": { "model": "anthropic/claude-opus-4-5" } } }')
    keep({"anthropic:a": profile} if profile else {})
    assert check() == code


def test_a_sign_in_that_renews_itself_is_well_though_its_access_has_ended() -> None:
    write_config('{ "agents": { "defaults": { "model": "openai-codex/gpt-5.2" } } }')
    details = {"provider": "openai-codex", "refresh": "r-0123456789", "accountId": "acc"}
    keep({"openai-codex:default": oauth(-HOUR, **details)})
    assert check() == 0


def test_an_expired_token_fails_a_check_though_another_credential_is_there() -> None:
    keep({"anthropic:a": token(-HOUR), "anthropic:b": token()})
    assert check() == 1


@pytest.mark.parametrize("use", ["fallbacks", "image", "image fallbacks"])
def test_every_provider_in_use_must_have_a_credential(use: str) -> None:
    model = {"primary": "box/m", "fallbacks": ["venice/x"] if use == "fallbacks" else []}
    image = {
        "image": {"primary": "venice/x"},
        "image fallbacks": {"primary": "box/m", "fallbacks": ["venice/x"]},
    }
    text = json.loads(local_provider("http://127.0.0.1:9"))
    text["agents"]["defaults"] = {"model": model, **({"imageModel": image[use]} if use in image else {})}
    write_config(json.dumps(text))
    assert check() == 1
    keep({"venice:default": {"type": "api_key", "provider": "venice", "key": "vapi_1234567890"}})
    assert check() == 0


# -- probes ------------------------------------------------------------------------


def probe(*args: str) -> dict[str, Any]:
    result = run("models", "status", "--probe", "--json", *args)
    assert result.code == 0, result.err
    return result.json()["auth"]["probes"]


def answer_by_key(call: Received) -> Any:
    """Answer as a provider would to the key that came."""
    name = call.headers["authorization"].removeprefix("Bearer sk-").split("-")[0]
    refusals = {"wrong": 401, "poor": 402, "much": 429, "odd": 400, "broken": 500}
    if name == "slow":
        return [HANG]
    if name in refusals:
        echoed = f"bad thing about {call.headers['authorization']}"
        return json_reply({"error": {"message": echoed, **(TEACHING if name == "odd" else {})}}, refusals[name])
    return json_reply(REPLY, **{"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "4"})


def test_each_stored_profile_is_asked_and_told_apart() -> None:
    names = {"good": "ok", "wrong": "auth", "poor": "billing", "much": "rate_limit", "odd": "format",
             "broken": "unknown"}  # fmt: skip
    path = keep({f"box:{name}": key(name) for name in names})
    before = path.read_text(encoding="utf-8")
    with serve(answer_by_key) as server:
        write_config(local_provider(f"{server.url}/v1"))
        done = probe("--probe-timeout", str(int(PATIENCE_S * 1000)), "--probe-concurrency", "6")
    rows = {row["label"].removeprefix("box:"): row for row in done["results"]}
    assert {name: row["status"] for name, row in rows.items()} == names
    assert rows["good"] | {"latencyMs": 0, "quota": 0} == {
        "provider": "box", "model": "box/m", "profileId": "box:good", "label": "box:good", "source": "profile",
        "mode": "api_key", "status": "ok", "latencyMs": 0, "quota": 0,
    }  # fmt: skip
    assert rows["good"]["quota"][0]["text"] == "requests: 40% left"
    assert "0123456789" not in json.dumps(done)
    asked = server.journal[0].json()
    assert asked["messages"] == [{"role": "user", "content": "Reply with OK. Do not use tools."}]
    assert (asked["max_tokens"], asked.get("stream", False), "tools" in asked) == (8, False, False)
    # No account is counted as used, put to rest or taught anything.
    assert path.read_text(encoding="utf-8") == before
    assert len(server.journal) == len(names)
    assert not list(path.parent.rglob("*lesson*"))


def test_who_answers_too_late_is_given_up() -> None:
    keep({"box:slow": key("slow")})
    with serve(answer_by_key) as server:
        write_config(local_provider(f"{server.url}/v1"))
        [row] = probe("--probe-timeout", "300")["results"]
    assert row["status"] == "timeout"


def test_an_order_leaves_out_and_an_expired_token_is_reported_unasked() -> None:
    profiles = {
        "box:a": key(),
        "box:b": key("b"),
        "box:t": {"type": "token", "provider": "box", "token": "t", "expires": 1},
    }
    keep(profiles, order={"box": ["box:a", "box:t"]})
    with serve(json_reply(REPLY)) as server:
        write_config(local_provider(f"{server.url}/v1"))
        rows = {row["profileId"]: row for row in probe()["results"]}
    assert rows["box:b"]["reasonCode"] == "excluded_by_auth_order"
    assert rows["box:b"]["error"] == "Excluded by auth.order for this provider."
    assert (rows["box:t"]["status"], rows["box:t"]["reasonCode"]) == ("unknown", "expired")
    assert rows["box:t"]["error"].startswith(
        "Auth profile credentials are missing or expired.\n↳ Auth reason [expired]"
    )
    assert (rows["box:a"]["status"], len(server.journal)) == ("ok", 1)


def test_without_profiles_the_variable_is_asked_else_the_config() -> None:
    with serve(json_reply(REPLY)) as server:
        write_config(local_provider(f"{server.url}/v1"))
        [row] = probe()["results"]
        assert (row["source"], row["label"]) == ("models.json", "config: models.providers.box.apiKey")
        write_config(local_provider(f"{server.url}/v1", apiKey="${BOX_KEY}"))
        os.environ["BOX_API_KEY"] = "sk-env-0123456789"
        try:
            result = run("models", "status", "--probe", "--json", env={"BOX_KEY": "x"})
        finally:
            del os.environ["BOX_API_KEY"]
    [row] = result.json()["auth"]["probes"]["results"]
    assert (row["source"], row["label"], row["status"]) == ("env", "env: BOX_API_KEY", "ok")
    assert server.journal[-1].headers["authorization"] == "Bearer sk-env-0123456789"


def test_probes_are_narrowed_by_provider_and_by_profile() -> None:
    keep({"box:a": key(), "box:b": key("b"), "anthropic:a": token()})
    with serve(json_reply(REPLY)) as server:
        write_config(local_provider(f"{server.url}/v1"))
        done = probe("--probe-provider", "box", "--probe-profile", "box:b", "--probe-max-tokens", "3")
    assert [row["profileId"] for row in done["results"]] == ["box:b"]
    assert server.journal[0].json()["max_tokens"] == 3


def test_a_provider_without_a_model_is_said_and_a_person_gets_a_table() -> None:
    with serve(answer_by_key) as server:
        config = json.loads(local_provider(f"{server.url}/v1"))
        config["models"]["providers"]["bare"] = {"baseUrl": server.url, "apiKey": "sk-0123456789", "models": []}
        write_config(json.dumps(config))
        keep({"box:good": key("good"), "box:wrong": key("wrong")})
        rows = {row["provider"]: row for row in probe()["results"]}
        shown = run("models", "status", "--probe").out
    assert (rows["bare"]["status"], rows["bare"]["reasonCode"]) == ("no_model", "no_model")
    assert "Auth probes" in shown
    assert "box:good: requests: 40% left" in shown
    assert "No model available for probe." in shown


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("--plain",), 2),
        (("--probe-timeout", "0"), 2),
        (("--probe-timeout", "nan"), 2),
        (("--probe-concurrency", "0"), 2),
        (("--probe-max-tokens", "1.5"), 2),
        (("--probe-profile", "box:gone"), 1),
        (("--probe-provider", "nobody"), 1),
    ],
)
def test_a_probe_that_makes_no_sense_is_refused_before_anything_is_sent(args: tuple[str, ...], code: int) -> None:
    with serve(json_reply(REPLY)) as server:
        write_config(local_provider(f"{server.url}/v1"))
        result = run("models", "status", "--probe", *args)
    assert (result.code, server.journal) == (code, [])


@pytest.mark.parametrize("how", [(), ("--no-stream",)])
def test_who_wants_to_know_more_of_an_answer_is_told_what_is_left(how: tuple[str, ...]) -> None:
    with serve(answer_by_key) as server:
        write_config(local_provider(f"{server.url}/v1", apiKey="sk-good-0123456789"))
        assert "quota requests: 40% left" in run("-v", "chat", *how, "Hi").err
        assert "quota" not in run("chat", *how, "Hi").err


# -- quotas ------------------------------------------------------------------------


def note_quotas(*told: tuple[str, str, float | None, float | None], ago_ms: int = 0) -> None:
    """Keep what a reply told of windows: (credential, window, percent left, seconds until it is full)."""
    home = Path(os.environ["HOME"]) / ".jackfield"
    health = open_health(load_default(home / "jackfield.json"), lambda: now_ms() - ago_ms)
    for credential, name, left, resets in told:
        health.note_quotas("box", credential, [Window(name=name, left_percent=left, resets_in_s=resets)])
    health.close()


def test_the_windows_that_replies_told_of_are_shown_with_their_age() -> None:
    write_config("{ auth: { spillAt: 0.8 } }")
    note_quotas(("profile:box:a#12345678", "5h", 12.0, 7300.0), ("profile:box:a#12345678", "weekly", 70.0, None))
    note_quotas(
        ("env: BOX_KEY#12345678", "requests", None, None), ("env: BOX_KEY#12345678", "5h", 1.0, 60.0), ago_ms=120_000
    )

    lines = run("models", "status").out.partition("Quotas\n")[2].splitlines()

    assert [line.split("  ")[0] for line in lines] == ["Provider", "box", "box", "box"]
    cells = [cell.strip() for cell in lines[1].split("  ") if cell.strip()]
    assert cells == ["box", "env: BOX_KEY", "requests", "-", "-", "2 min ago"]
    assert "88% (others go first)" in lines[2]
    assert "in 2 h" in lines[2]
    assert "30%" in lines[3]
    assert "others go first" not in lines[3]


def test_the_windows_are_in_the_json_with_their_moments() -> None:
    write_config("{}")
    note_quotas(("profile:box:a#12345678", "5h", 12.0, 7200.0), ago_ms=60_000)

    [told] = run("models", "status", "--json").json()["auth"]["quotas"]

    assert told["credential"] == "profile:box:a#12345678"
    assert told["used"] == pytest.approx(0.88)
    assert told["resetsMs"] - told["readMs"] == 7_200_000
    assert 60_000 <= told["ageMs"] < 120_000
    assert told["nearlyUsed"] is False


def test_without_a_memory_of_replies_none_is_made() -> None:
    write_config("{}")

    assert run("models", "status", "--json").json()["auth"]["quotas"] == []
    assert "Quotas" not in run("models", "status").out
    assert not (Path(os.environ["HOME"]) / ".jackfield" / "state.sqlite").exists()
