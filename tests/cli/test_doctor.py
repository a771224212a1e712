"""`jackfield doctor`: what it finds, what it mends, what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run, write_config
from tests.servers import json_reply, serve

KEY = "sk-canary-4242424242424242"
HI = {"choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}


@pytest.fixture
def store(home: Path) -> Path:
    return home / ".jackfield" / "auth-profiles.json"


def prepare(text: str) -> Path:
    path = write_config(text)
    path.chmod(0o600)
    return path


def findings(*args: str, **env: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run("doctor", "--json", *args, env=env).json()["findings"]
    return found


def messages(kind: str, **env: str) -> list[str]:
    return [each["message"] for each in findings(**env) if each["kind"] == kind]


def test_nothing_is_wrong_with_a_sound_set_up(home: Path) -> None:
    prepare('{ agents: { defaults: { model: "venice/llama-3.3-70b" } } }')
    result = run("doctor", env={"VENICE_API_KEY": KEY})
    assert (result.code, result.out, result.err) == (0, "", "nothing is wrong\n")


def test_every_finding_is_named_with_what_to_do(home: Path) -> None:
    path = prepare(
        """{
  agents: { defaults: { model: "venice/llama-3.3-70b", models: { "zai/glm-4.7": {} }, imageModel: "nobody/m" } },
  models: { providers: {
    zai: { apiKey: "${NOT_SET}" },
    box: { baseUrl: "https://box.example/v1/chat/completions" },
    bad: { baseUrl: "ftp://x.example" },
  } },
  auth: { order: { zai: ["zai:gone"] }, profiles: { "zai:old": { provider: "zai", mode: "api_key" } } },
}"""
    )
    path.chmod(0o644)
    kinds = {each["kind"]: each for each in findings()}
    assert set(kinds) == {"mode", "variable", "model", "allowlist", "auth", "order", "address"}
    assert kinds["mode"]["hint"] == f"run: chmod 600 {path}"
    assert kinds["allowlist"]["level"] == kinds["auth"]["level"] == "problem"
    assert messages("order") == [
        "auth.order.zai names zai:gone, which is not stored",
        "auth.profiles names zai:old, which is not stored",
    ]
    assert "box: requests go to https://box.example/v1/chat/completions" in messages("address")
    assert run("doctor").code == 1


def test_a_config_that_cannot_be_used_is_told_line_by_line(home: Path) -> None:
    prepare("{\n  models: { mode: 'x' } }")
    result = run("doctor")
    assert result.code == 1
    assert "jackfield.json:2:19" in result.out
    assert run("doctor", "--json").json()["findings"][0]["kind"] == "config"


def test_expired_profiles_and_dead_references_are_found(home: Path, store: Path) -> None:
    prepare("{}")
    run(
        "models",
        "auth",
        "paste-token",
        "--provider",
        "anthropic",
        "--expires-in",
        "1h",
        stdin="sk-ant-oat01-" + "x" * 80,
    )
    root = json.loads(store.read_text("utf-8"))
    root["profiles"]["venice:a"] = {
        "type": "api_key", "provider": "venice", "keyRef": {"source": "file", "provider": "default", "id": "~/gone"},
    }  # fmt: skip
    store.write_text(json.dumps(root), encoding="utf-8")
    assert messages("expired") == ["anthropic:manual ends within a day"]
    assert messages("reference") == ["venice:a refers to file: ~/gone, which leads nowhere"]


def test_a_broken_cache_is_removed(home: Path) -> None:
    prepare("{}")
    cache = home / ".jackfield" / "cache"
    cache.mkdir(mode=0o700)
    (cache / "learned.json").write_text("{", encoding="utf-8")
    (cache / "good.json").write_text("{}\n{}\n", encoding="utf-8")
    assert messages("cache") == [f"the cache {cache / 'learned.json'} cannot be read"]
    assert run("doctor", "--fix", "--yes").code == 0
    assert [path.name for path in cache.iterdir()] == ["good.json"]


@pytest.mark.parametrize(
    "text",
    [
        '{ models: { providers: { box: { baseUrl: "URL", apiKey: "CANARY", models: [{ id: "m" }] } } } }',
        '{ env: { BOX: "CANARY" }, models: { providers: { box: { baseUrl: "URL", apiKey: "${BOX}", models: [{ id: "m" }] } } } }',
        '{ env: { vars: { BOX: "CANARY" } }, models: { providers: { box: { baseUrl: "URL", apiKey: "BOX", models: [{ id: "m" }] } } } }',
        '{ env: { BOX_API_KEY: "CANARY" }, models: { providers: { box: { baseUrl: "URL", models: [{ id: "m" }] } } } }',
    ],
    ids=["literal", "block", "vars", "implied"],
)
def test_a_plain_key_is_moved_and_goes_on_working(home: Path, store: Path, text: str) -> None:
    path = prepare("// mine\n" + text.replace("CANARY", KEY).replace("URL", "https://box.example/v1"))
    assert messages("plain-key")[0].endswith(": sk-c…4242")
    refused = run("doctor", "--fix")
    assert refused.code == 2
    assert KEY in path.read_text("utf-8")
    result = run("doctor", "--fix", "--yes")
    assert KEY not in result.out + result.err
    assert "to box:default in" in result.err
    assert path.read_text("utf-8").startswith("// mine\n")
    holders = [file for file in home.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]
    assert holders == [store]
    assert messages("plain-key") == messages("variable") == []


def test_a_moved_key_is_the_one_that_is_sent(home: Path) -> None:
    with serve(json_reply(HI)) as server:
        text = {
            "agents": {"defaults": {"model": "box/m"}},
            "models": {"providers": {"box": {"baseUrl": server.url, "models": [{"id": "m"}]}}},
        }
        prepare(json.dumps(text))
        dotenv = home / ".jackfield" / ".env"
        dotenv.write_text(f"# keys\nexport BOX_API_KEY='{KEY}'\nOTHER=kept-as-it-is\n", encoding="utf-8")
        result = run("doctor", "--fix", "--yes")
        assert KEY not in dotenv.read_text("utf-8") + result.out + result.err
        assert dotenv.read_text("utf-8") == "# keys\nOTHER=kept-as-it-is\n"
        assert run("chat", "Hello").out == "hi\n"
    assert server.journal[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_key_that_several_places_use_is_told_and_stays(home: Path) -> None:
    path = prepare(
        '{ env: { K: "KEY" }, models: { providers: { a: { baseUrl: "https://a.example", apiKey: "${K}" },'
        ' b: { baseUrl: "https://b.example", apiKey: "${K}" } } } }'.replace("KEY", KEY)
    )
    assert len(messages("plain-key")) == 1
    assert run("doctor", "--fix", "--yes").code == 1
    assert KEY in path.read_text("utf-8")


def test_a_key_never_replaces_another_one(home: Path, store: Path) -> None:
    run("models", "auth", "paste-api-key", "--provider", "venice", stdin="first-key-of-mine")
    prepare(
        '{ models: { providers: { venice: { apiKey: "second-key-of-mine" } } }, auth: { order: { venice: ["venice:default"] } } }'
    )
    assert run("doctor", "--fix", "--yes").code == 0
    profiles = json.loads(store.read_text("utf-8"))["profiles"]
    assert {name: each["key"] for name, each in profiles.items()} == {
        "venice:default": "first-key-of-mine",
        "venice:moved": "second-key-of-mine",
    }
    assert run("config", "get", "auth.order.venice", "--json").json() == ["venice:default", "venice:moved"]


def test_words_that_are_no_keys_are_left_alone(home: Path) -> None:
    prepare(
        '{ env: { NAME: "a-long-word-of-mine" }, models: { providers: { ollama: { apiKey: "ollama-local" },'
        ' venice: { apiKey: "VENICE_WORK_KEY", headers: { "HTTP-Referer": "https://me.example" } } } } }'
    )
    assert messages("plain-key", VENICE_WORK_KEY=KEY) == []


def test_open_files_are_closed(home: Path) -> None:
    path = write_config("{}")
    path.chmod(0o664)
    (home / ".jackfield").chmod(0o755)
    assert run("doctor", "--fix", "--yes").code == 0
    assert (path.stat().st_mode & 0o777, (home / ".jackfield").stat().st_mode & 0o777) == (0o600, 0o700)
