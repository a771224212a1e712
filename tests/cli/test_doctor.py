"""`jackfield doctor`: what it finds, what it mends, what it leaves alone."""

from __future__ import annotations

import json
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from jackfield.auth.store import FileStore
from jackfield.credential import Profile, Secret
from tests.commands import run, write_config
from tests.plugins.folder import plugin_home, switched_on, write_code
from tests.servers import HANG, free_port, json_reply, serve, text_reply

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


# -- sign-ins, rests, plugins ------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "says"), [("refused", "takes the refresh token no more"), ("lost", "may be spent"), ("", "")]
)
def test_a_sign_in_that_cannot_be_renewed_is_found(home: Path, store: Path, word: str, says: str) -> None:
    prepare("{}")
    profile = Profile(
        id="acme:me", provider="acme", type="oauth", secret=Secret("a"), refresh=Secret("r"), expires_ms=1, renewal=word
    )
    FileStore(store).modify(profile.id, lambda _: profile)
    found = findings()
    assert [each["kind"] for each in found] == (["renewal"] if word else [])
    if word:
        assert says in found[0]["message"]
        assert found[0]["hint"] == "sign in again: jackfield models auth login --provider acme"
        assert run("doctor").code == 1


def test_a_profile_that_rests_is_told(home: Path, store: Path) -> None:
    prepare("{}")
    run("models", "auth", "paste-api-key", "--provider", "venice", stdin=KEY)
    root = json.loads(store.read_text("utf-8"))
    until = int(time.time() * 1000) + 90_000
    root["usageStats"] = {"venice:default": {"disabledUntil": until, "disabledReason": "billing", "lastUsed": 1}}
    store.write_text(json.dumps(root), encoding="utf-8")
    assert messages("rest") == ["venice:default is not used for the next 2 min (billing)"]


def test_broken_plugins_and_those_that_a_model_in_use_waits_for_are_found(home: Path) -> None:
    write_code(plugin_home(home), "1 / 0", "worse")
    config = {**switched_on("worse"), "agents": {"defaults": {"model": "google-antigravity/gemini-3-pro"}}}
    prepare(json.dumps(config))
    assert messages("plugin") == [
        "plugin worse is broken: ZeroDivisionError: division by zero",
        "google-antigravity is in use, and its plugin google-antigravity-auth is disabled",
    ]


# -- the way to providers ----------------------------------------------------------


def reach(primary: str = "", **urls: Any) -> dict[str, Any]:
    """Return what `doctor --net --json` says of providers at some addresses."""
    entries = {name: entry if isinstance(entry, dict) else {"baseUrl": entry} for name, entry in urls.items()}
    entries = {name: {"apiKey": KEY, "models": [{"id": "m"}], **entry} for name, entry in entries.items()}
    root: dict[str, Any] = {"models": {"providers": entries}}
    if primary:
        root["agents"] = {"defaults": {"model": primary}}
    prepare(json.dumps(root))
    return run("doctor", "--net", "--json").json()


def test_a_provider_that_answers_is_fine_and_gets_no_key(home: Path) -> None:
    with serve(json_reply({"error": "who are you"}, 401)) as server:
        said = reach(box=f"{server.url}/v1", primary="box/m")
        told = run("doctor", "--net")
    [way] = said["net"]
    assert (way["ok"], way["status"], way["keySent"], way["proxy"]) == (True, 401, False, None)
    assert list(way["stepsMs"]) == ["name", "tcp", "http"]
    assert f"ok       box: {server.url}/v1/models answers HTTP 401 and wants a key (name " in told.out
    assert "no key was sent" in told.err
    asked = server.journal[0]
    assert (asked.method, asked.target, "authorization" in asked.headers) == ("GET", "/v1/models", False)


def test_where_the_way_ends_is_said_and_only_what_is_in_use_is_a_problem(home: Path) -> None:
    with serve(text_reply("down", 503)) as server:
        refused = f"http://127.0.0.1:{free_port()}/v1"
        said = reach(
            primary="gone/m",
            gone=refused,
            unknown="https://no.such.invalid/v1",
            ill=server.url,
            plain=f"{server.url.replace('http', 'https')}/v1",
        )
    ways = {each["provider"]: each for each in said["net"]}
    assert "connection refused" in ways["gone"]["message"]
    assert "the name no.such.invalid is unknown" in ways["unknown"]["message"]
    assert "answers HTTP 503" in ways["ill"]["message"]
    assert "does not speak TLS" in ways["plain"]["message"]
    assert [list(ways[name]["stepsMs"])[-1] for name in ("gone", "unknown", "ill", "plain")] == [
        "tcp",
        "name",
        "http",
        "tls",
    ]
    levels = {each["message"].partition(":")[0]: each["level"] for each in said["findings"] if each["kind"] == "net"}
    assert levels == {"gone": "problem", "unknown": "note", "ill": "note", "plain": "note"}
    assert not said["ok"]


def test_the_authority_and_the_proxy_of_the_config_are_used(home: Path, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serve(json_reply({"data": []}), tls=context) as server, serve(json_reply({"data": []})) as proxy:
        said = reach(
            trusted={"baseUrl": server.url, "network": {"ca": str(tmp_path / "ca.pem")}},
            distrusted=server.url,
            far={
                "baseUrl": "http://models.example/v1",
                "network": {"proxy": f"http://me:hunter2@127.0.0.1:{proxy.port}"},
            },
        )
    ways = {each["provider"]: each for each in said["net"]}
    assert list(ways["trusted"]["stepsMs"]) == ["name", "tcp", "tls", "http"]
    assert (ways["trusted"]["ok"], ways["distrusted"]["ok"], ways["far"]["ok"]) == (True, False, True)
    assert "authority" in ways["distrusted"]["message"]
    assert ways["far"]["proxy"] == f"http://127.0.0.1:{proxy.port}"
    assert "hunter2" not in json.dumps(said)
    assert proxy.journal[0].target == "http://models.example/v1/models"


def test_silent_providers_are_asked_together_and_given_up(home: Path) -> None:
    with serve([HANG]) as server:
        begun = time.monotonic()
        said = reach(**{f"box{number}": f"{server.url}/v1" for number in range(8)})
    assert time.monotonic() - begun < 8 * 5
    assert [("5 s" in each["message"], each["ok"]) for each in said["net"]] == [(True, False)] * 8


def test_offline_nobody_elsewhere_is_asked(home: Path) -> None:
    prepare('{ models: { providers: { far: { baseUrl: "https://models.example/v1" } } } }')
    [way] = run("--offline", "doctor", "--net", "--json").json()["net"]
    assert (way["ok"], way["stepsMs"]) == (False, {})
    assert "--offline" in way["message"]
