"""`health`: the list, its JSON, and resets, as a person runs them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from jackfield import errors
from jackfield.health.file import StateFile
from jackfield.health.kept import KeptHealth
from jackfield.health.server import open_server
from jackfield.health.store import DAY_MS
from jackfield.providers.quota import Window
from tests.commands import run, write_config
from tests.health.conftest import Server
from tests.patience import PATIENCE_S

MARK = "0123abcd"


def home() -> Path:
    return Path(os.environ["HOME"]) / ".jackfield"


def now_ms() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def failures() -> None:
    store = KeptHealth(StateFile(home() / "state.sqlite", now_ms), now_ms, DAY_MS)
    store.note_failure("venice", f"env: VENICE_API_KEY#{MARK}", "m1", errors.RateLimit("slow down", status=429))
    store.note_failure("venice", f"env: VENICE_API_KEY#{MARK}", "m2", errors.Overloaded("busy " * 40, status=503))
    store.note_failure("openai", f"profile:openai:work#{MARK}", "x", errors.Quota("no money", status=402))
    store.note_quotas(
        "openai", f"profile:openai:work#{MARK}", [Window(name="weekly", left_percent=20, resets_in_s=9e5)]
    )
    store.close()


def test_without_failures_it_says_so_in_a_line_and_makes_no_file() -> None:
    shown = run("health")
    assert (shown.code, shown.out) == (0, "Nothing rests: no failure is remembered.\n")
    assert run("health", "list", "--json").json() == {"ok": True, "rests": [], "quotas": []}
    assert not (home() / "state.sqlite").exists()


@pytest.mark.usefixtures("failures")
def test_the_list_names_place_cause_end_and_the_providers_words() -> None:
    shown = run("health")
    header, spent, slow, busy, _, quota_header, quota = shown.out.splitlines()
    assert header.split()[:5] == ["Provider", "Credential", "Model", "Cause", "Until"]
    assert spent.split()[:5] == ["openai", "openai:work", "all", "billing", "(402)"]
    assert slow.split()[:6] == ["venice", "env:", "VENICE_API_KEY", "m1", "rate_limit", "(429)"]
    assert slow.endswith("slow down")
    assert busy.endswith("…")
    assert quota_header.split() == ["Provider", "Credential", "Quota", "Used", "Resets"]
    assert quota.split()[:4] == ["openai", "openai:work", "weekly", "80%"]
    assert MARK not in shown.out


@pytest.mark.usefixtures("failures")
def test_json_has_every_field_and_no_mark_of_a_key() -> None:
    shown = run("health", "--json")
    said = shown.json()
    assert MARK not in shown.out
    (first, *_), (quota,) = said["rests"], said["quotas"]
    until, since = first.pop("untilMs"), first.pop("sinceMs")
    assert until == since + 300_000
    assert 0 < first.pop("secondsLeft") <= 300
    assert first == {
        "provider": "openai", "credential": "openai:work", "model": None, "cause": "billing", "status": 402,
        "state": "resting", "failures": 1, "says": "no money",
    }  # fmt: skip
    assert quota["used"] == pytest.approx(0.8)


@pytest.mark.usefixtures("failures")
@pytest.mark.parametrize(
    ("place", "left"),
    [
        ("venice", {"openai"}),
        ("venice/m1", {"openai", "venice/m2"}),
        ("openai:work", {"venice/m1", "venice/m2"}),
        ("openai", {"venice/m1", "venice/m2"}),
        ("--all", set()),
    ],
)
def test_a_reset_ends_the_rests_of_a_place(place: str, left: set[str]) -> None:
    assert run("health", "reset", place, "--json").json() == {"ok": True, "reset": 3 - len(left)}
    rests = run("health", "--json").json()["rests"]
    assert {f"{rest['provider']}/{rest['model']}" if rest["model"] else rest["provider"] for rest in rests} == left


@pytest.mark.usefixtures("failures")
def test_a_reset_without_a_place_ends_every_rest() -> None:
    assert run("health", "reset").out == "3 rests ended.\n"
    assert run("health", "reset", "venice").out == "Nothing rests at venice.\n"


def test_a_place_that_is_none_is_wrong_usage() -> None:
    assert run("health", "reset", "nobody").code == 2
    assert run("health", "reset", "venice", "--all").code == 2
    assert run("health", "--shared").code == 2


def test_rests_of_the_credential_store_are_shown_and_ended() -> None:
    store = {
        "version": 1,
        "profiles": {"venice:old": {"type": "api_key", "provider": "venice", "key": "k"}},
        "usageStats": {
            "venice:old": {"disabledUntil": now_ms() + 3_600_000, "disabledReason": "billing", "lastUsed": 7}
        },
    }
    home().mkdir(mode=0o700)
    path = home() / "auth-profiles.json"
    path.write_text(json.dumps(store), encoding="utf-8")
    path.chmod(0o600)
    (rest,) = run("health", "--json").json()["rests"]
    assert (rest["provider"], rest["credential"], rest["cause"]) == ("venice", "venice:old", "billing")
    assert run("health", "reset", "venice:old").out == "1 rest at venice:old ended.\n"
    assert json.loads(path.read_text(encoding="utf-8"))["usageStats"] == {
        "venice:old": {"lastUsed": 7, "errorCount": 0}
    }
    assert run("health", "--json").json()["rests"] == []


def test_the_common_store_of_gateways_is_shown_on_demand(redis_server: Server) -> None:
    url = f"{redis_server.url}/9"
    store = KeptHealth(open_server(url, now_ms, timeout_s=PATIENCE_S), now_ms, DAY_MS)
    store.note_failure("venice", "k", "m", errors.AuthError("no"))
    write_config(json.dumps({"gateway": {"sharedState": url}}))
    assert run("health", "--json").json()["rests"] == []
    assert [rest["cause"] for rest in run("health", "--shared", "--json").json()["rests"]] == ["auth"]
    assert run("health", "reset", "--shared").out == "1 rest ended.\n"
    store.close()


def test_a_broken_state_file_costs_a_warning() -> None:
    home().mkdir(mode=0o700)
    (home() / "state.sqlite").write_text("no database", encoding="utf-8")
    shown = run("health")
    assert shown.code == 0
    assert "state.sqlite.corrupt-1" in shown.err
    assert run("health").err == ""
