"""`models why` and `chat --dry-run`: the plan a person reads in one look; nothing is sent."""

from __future__ import annotations

import json
import os
import re
import time

from jackfield.config.paths import locate
from jackfield.config.schema import Config
from jackfield.errors import RateLimit
from jackfield.health.store import open_health
from tests.commands import run, write_config

ROW = {"contextWindow": 128_000, "maxTokens": 4_000, "input": ["text"], "cost": {"input": 1, "output": 2}}
NAMES = ("one", "two", "three", "four", "five", "six", "seven", "eight")
CONFIG = {
    "agents": {"defaults": {"model": {"primary": "p0/one", "fallbacks": [f"p{at}/{NAMES[at]}" for at in range(1, 8)]}}},
    "models": {
        "aliases": {"q": "quick"},
        "routes": {"quick": {"primary": "p1/two", "fallbacks": ["p2/three"], "onStreamBreak": "restart"}},
        "providers": {
            # Whoever listens on port 9 would be a stranger: nothing is sent there.
            f"p{at}": {
                "baseUrl": f"https://p{at}.example:9/v1",
                "apiKey": f"${{K{at}}}",
                "models": [{"id": name, **ROW}],
            }
            for at, name in enumerate(NAMES)
        },
    },
}
KEYS = {f"K{at}": f"secret-key-number-{at}" for at in range(8)}


def test_eight_candidates_are_read_in_one_look() -> None:
    write_config(json.dumps(CONFIG))
    result = run("models", "why", env=KEYS)
    lines = result.out.splitlines()

    assert (result.code, result.err) == (0, "")
    assert lines[0] == "default: the default → p0/one"
    assert lines[1].startswith("Question: about ")
    assert lines[2] == "If the reply breaks off in the middle: you get what came, and an error"
    assert "$0.0000" in lines[5]
    assert [line.split()[:2] for line in lines[5:]] == [[str(at + 1), f"p{at}/{name}"] for at, name in enumerate(NAMES)]
    assert "128,000" in lines[5]
    assert len(lines) < 24
    assert max(map(len, lines)) < 140
    assert "secret-key" not in result.out


def test_who_has_no_key_or_no_room_is_told_with_the_reason() -> None:
    write_config(json.dumps(CONFIG))
    result = run("models", "why", "q", "--tokens", "150000", "--json", env={**KEYS, "K1": ""})
    told = result.json()

    assert (told["ok"], told["resolved"], told["onStreamBreak"]) == (True, ["alias q", "route quick"], "restart")
    assert [each["cause"] for each in told["skipped"]] == ["context_window"]
    assert told["skipped"][0]["model"] == "p1/two"
    assert (told["candidates"][0]["model"], told["candidates"][0]["lastResort"]) == ("p2/three", True)


def test_what_the_question_needs_can_be_said() -> None:
    write_config(json.dumps(CONFIG))
    result = run("models", "why", "p0/one", "--image", env=KEYS)
    assert result.code == 1
    assert "p0/one takes no images" in result.err
    needs = run("models", "why", "p0/one", "--tools", "--schema", "--json", env=KEYS).json()["needs"]
    assert (needs["tools"], needs["schema"]) == (True, True)


def test_a_model_without_a_credential_says_so_and_what_to_do_is_said_when_it_is_asked() -> None:
    write_config(json.dumps(CONFIG))
    result = run("models", "why", "p0/one", env={})
    assert result.code == 0
    assert "K0 is not set" in result.out


def test_what_failed_lately_is_told_with_the_time_that_is_left() -> None:
    write_config(json.dumps(CONFIG))
    candidates = run("models", "why", "q", "--json", env=KEYS).json()["candidates"]
    store = open_health(Config(paths=locate(dict(os.environ))), lambda: int(time.time() * 1000))
    store.note_failure(
        "p1", candidates[0]["credentialId"], "two", RateLimit("slow down", status=429, retry_after_s=650)
    )
    store.close()
    found = run("models", "why", "q", env=KEYS)

    assert "1  p2/three" in found.out
    assert "p1/two" in found.out.split("Not asked")[1]
    assert "rate_limit 429, slow down; for another 10 min" in found.out


def test_several_keys_in_one_place_are_told_apart_by_their_marks() -> None:
    write_config("{}")
    found = run("models", "why", "venice/llama-3.3-70b", env={"VENICE_API_KEYS": "first-secret,second-secret"})
    assert len(set(re.findall(r"env: VENICE_API_KEYS#\w+", found.out))) == 2
    assert "secret" not in found.out


def test_a_dry_run_asks_nobody() -> None:
    write_config(json.dumps(CONFIG))
    result = run("chat", "--dry-run", "--model", "q", "--fallback", "p5/six", "--json", "Hello", env=KEYS)
    assert [each["model"] for each in result.json()["candidates"]] == ["p1/two", "p2/three", "p5/six"]
    assert result.err == ""
