"""Providers and credentials over the page's API: what is told, what is written, and that no key is in an answer."""

from __future__ import annotations

import json
import os
import pathlib
import time

import pytest

from tests.commands import write_config
from tests.gateway.command import gateway_process
from tests.servers import json_reply, serve

WHOLE = {
    "id": "c", "model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
}  # fmt: skip
REFUSED = json_reply({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, 401)
KEY, OTHER = "sk-canary-0123456789abcdef", "sk-other-0123456789abwxyz"


def config(url: str, **more: object) -> str:
    entry = {"baseUrl": f"{url}/v1", "api": "openai-completions", "models": [{"id": "m"}], **more}
    return json.dumps({
        "agents": {"defaults": {"model": {"primary": "box/m"}}}, "models": {"providers": {"box": entry}},
    })  # fmt: skip


def store() -> dict:
    path = pathlib.Path(os.environ["HOME"]) / ".jackfield" / "auth-profiles.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"profiles": {}}


def authored() -> dict:
    return json.loads((pathlib.Path(os.environ["HOME"]) / ".jackfield" / "jackfield.json").read_text(encoding="utf-8"))


class Desk:
    """The API as the page uses it; what it ever answered is kept."""

    def __init__(self, process) -> None:
        self.process = process
        self.said: list[str] = []

    def ask(self, path: str, body: object = None, *, edits: bool = False, status: int = 200) -> dict:
        head = {"if_match": self.process.admin("status")[1]["configHash"]} if edits else {}
        found, said = self.process.admin(path, body, **head)
        self.said.append(json.dumps(said))
        assert found == status, said
        return said

    def card(self, provider: str = "box") -> dict:
        return next(each for each in self.ask("providers")["providers"] if each["id"] == provider)


@pytest.fixture
def server():
    with serve(json_reply(WHOLE)) as found:
        yield found


@pytest.fixture
def desk(home, server):
    write_config(config(server.url))
    with gateway_process() as process:
        found = Desk(process)
        yield found
        for key in (KEY, OTHER):
            assert not [said for said in found.said if key in said]
            assert key not in (pathlib.Path(home) / "stderr").read_text(encoding="utf-8")


def test_a_key_is_kept_in_the_store_and_shown_masked(desk) -> None:
    said = desk.ask("providers/key", {"provider": "venice", "key": f'export VENICE_API_KEY="{KEY}"'})
    assert (said["profileId"], said["hasDefault"]) == ("venice:default", True)
    assert store()["profiles"]["venice:default"] == {"type": "api_key", "provider": "venice", "key": KEY}
    card = desk.card("venice")
    assert card["status"] == {"kind": "ready"}
    [credential] = card["credentials"]
    assert (credential["label"], credential["shown"], credential["isChosen"]) == (
        "profile:venice:default",
        "sk-c…cdef",
        True,
    )
    assert "canary" not in (pathlib.Path(os.environ["HOME"]) / ".jackfield/jackfield.json").read_text(encoding="utf-8")


def test_a_second_key_never_takes_the_first_ones_place_unasked(desk) -> None:
    desk.ask("providers/key", {"provider": "venice", "key": KEY})
    assert desk.ask("providers/key", {"provider": "venice", "key": OTHER})["profileId"] == "venice:account-2"
    wrong = desk.ask("providers/key", {"provider": "venice", "key": OTHER, "profileId": "default"}, status=400)
    assert "is there already, with another key" in wrong["error"]["message"]
    desk.ask("providers/key", {"provider": "venice", "key": OTHER, "profileId": "venice:default", "replaces": True})
    assert {name: each["key"] for name, each in store()["profiles"].items()} == {
        "venice:default": OTHER, "venice:account-2": OTHER,
    }  # fmt: skip
    desk.ask("providers/key/remove", {"profileId": "venice:account-2"})
    assert list(store()["profiles"]) == ["venice:default"]
    assert "look again" in desk.ask("providers/key/remove", {"profileId": "venice:nobody"}, status=400)["error"]["hint"]


@pytest.mark.parametrize("key", ["", "  ", "sk-\u2026masked", "a\nb\x01c"])
def test_what_cannot_be_a_key_is_refused_and_nobody_is_signed_out(desk, key) -> None:
    said = desk.ask("providers/key", {"provider": "venice", "key": key}, status=400)
    assert "the key from the form" in said["error"]["message"]
    assert store()["profiles"] == {}


def test_a_provider_that_is_none_is_told_with_what_is_near(desk) -> None:
    said = desk.ask("providers/key", {"provider": "venise", "key": KEY}, status=400)["error"]
    assert "unknown provider" in said["message"]
    assert "venice" in said["hint"]


def test_profiles_take_turns_as_they_are_told(desk) -> None:
    for name in ("a", "b", "c"):
        desk.ask("providers/key", {"provider": "box", "key": f"{KEY}{name}", "profileId": name})
    desk.ask("providers/order", {"provider": "box", "ids": ["box:c", "box:a"]})
    card = desk.card()
    assert (card["order"], card["orderIsStored"]) == (["box:c", "box:a"], True)
    assert [(each["label"], each["reason"]) for each in card["credentials"]] == [
        ("profile:box:c", ""), ("profile:box:a", ""), ("profile:box:b", "excluded_by_auth_order"),
    ]  # fmt: skip
    assert desk.ask("providers/order", {"provider": "box", "ids": ["venice:x"]}, status=400)
    desk.ask("providers/order", {"provider": "box", "ids": None})
    assert desk.card()["order"] is None
    desk.ask("providers/order", {"provider": "box", "ids": ["box:a"]})
    desk.ask("providers/key", {"provider": "box", "key": f"{KEY}d", "profileId": "d"})
    assert desk.card()["order"] == ["box:d", "box:a"]


def test_a_key_that_the_config_names_goes_out_of_it_with_the_profile(home, server) -> None:
    said = json.loads(config(server.url))
    said["auth"] = {"profiles": {"box:a": {"provider": "box", "mode": "api_key"}}, "order": {"box": ["box:a"]}}
    write_config(json.dumps(said))
    with gateway_process() as process:
        desk = Desk(process)
        desk.ask("providers/key", {"provider": "box", "key": KEY, "profileId": "a"})
        assert desk.process.admin("providers/key/remove", {"profileId": "box:a"}, if_match="another")[0] == 409
        assert "box:a" in store()["profiles"]
        desk.ask("providers/key/remove", {"profileId": "box:a"}, edits=True)
        assert store()["profiles"] == {}
        assert authored()["auth"] == {"profiles": {}, "order": {}}


def test_a_key_of_the_config_is_changed_where_it_stands(home, server) -> None:
    write_config(config(server.url, apiKey=KEY))
    with gateway_process() as process:
        desk = Desk(process)
        [credential] = desk.card()["credentials"]
        assert (credential["kind"], credential["shown"]) == ("config", "sk-c…cdef")
        desk.ask("providers/key/config", {"provider": "box", "key": "${VENICE_API_KEY}"}, edits=True, status=400)
        diff = desk.ask("providers/key/config", {"provider": "box", "key": OTHER}, edits=True)["diff"]
        assert ("••••cdef kept" in diff, "••••wxyz kept" in diff) == (True, True)
        assert authored()["models"]["providers"]["box"]["apiKey"] == OTHER
        process.ask("default")
        assert server.journal[-1].headers["authorization"] == f"Bearer {OTHER}"
        desk.ask("providers/key/config", {"provider": "box"}, edits=True)
        assert "apiKey" not in authored()["models"]["providers"]["box"]
        assert not [said for said in desk.said if KEY in said or OTHER in said]


def test_a_key_of_the_environment_is_shown_with_its_variable(home, server, monkeypatch) -> None:
    monkeypatch.setenv("VENICE_API_KEY", KEY)
    write_config(config(server.url))
    with gateway_process() as process:
        [credential] = Desk(process).card("venice")["credentials"]
        assert (credential["kind"], credential["label"], credential["shown"]) == (
            "env",
            "env: VENICE_API_KEY",
            "sk-c…cdef",
        )


def test_a_test_asks_the_provider_and_says_how_it_went(desk, server) -> None:
    desk.ask("providers/key", {"provider": "box", "key": KEY})
    [row] = desk.ask("providers/test", {"provider": "box"})["results"]
    assert (row["status"], row["model"], row["label"]) == ("ok", "box/m", "profile:box:default")
    assert row["ms"] >= 0
    assert server.journal[-1].headers["authorization"] == f"Bearer {KEY}"
    assert desk.card()["status"]["kind"] == "works"
    server.replies = [REFUSED]
    [row] = desk.ask("providers/test", {"provider": "box"})["results"]
    assert (row["status"], row["type"]) == ("auth", "auth")
    assert desk.card()["status"] == {"kind": "failed", "why": "auth", "atMs": row["atMs"]}
    assert desk.ask("health")["rests"] == []


def test_what_rests_is_told_and_ended(desk, server) -> None:
    desk.ask("providers/key", {"provider": "box", "key": KEY})
    server.replies = [json_reply({"error": {"message": "no credit", "code": "insufficient_quota"}}, 402)]
    desk.process.ask("box/m")
    status = desk.card()["status"]
    assert (status["kind"], status["why"]) == ("rests", "billing")
    assert status["untilMs"] > time.time() * 1000
    # A test asks what rests, and changes nothing of it.
    server.replies = [json_reply(WHOLE)]
    assert desk.ask("providers/test", {"provider": "box"})["results"][0]["status"] == "ok"
    assert desk.card()["status"]["kind"] == "rests"
    assert desk.ask("providers/rests/end", {"provider": "box", "label": "profile:box:nobody"})["ended"] == 0
    assert desk.ask("providers/rests/end", {"provider": "box", "label": "profile:box:default"})["ended"] >= 1
    assert desk.card()["status"]["kind"] == "works"


def test_adding_a_key_never_changes_the_default_model(desk) -> None:
    before = authored()
    desk.ask("providers/key", {"provider": "anthropic", "key": KEY})
    assert authored() == before


def test_a_way_with_an_address_of_its_own_writes_it_and_takes_no_other_key_along(desk) -> None:
    body = {"provider": "zai", "choice": "zai-cn", "key": KEY}
    assert desk.process.admin("providers/key", body, if_match="")[0] == 400
    desk.ask("providers/key", body, edits=True)
    assert authored()["models"]["providers"]["zai"]["baseUrl"] == "https://open.bigmodel.cn/api/paas/v4"
    assert desk.card("zai")["url"] == "https://open.bigmodel.cn/api/paas/v4/chat/completions"
    wrong = desk.ask("providers/key", {**body, "choice": "zai-coding-cn", "key": OTHER}, edits=True, status=400)[
        "error"
    ]
    assert "zai has credentials for https://open.bigmodel.cn" in wrong["message"]
    assert list(store()["profiles"]) == ["zai:default"]


def test_the_catalog_is_named_with_its_ways_to_sign_in(desk) -> None:
    said = {each["id"]: each for each in desk.ask("providers/catalog")["providers"]}
    assert len(said) > 150
    assert "box" not in said
    assert said["venice"]["ways"] == ["Venice API key"]
    assert len(desk.said[-1]) < 40_000
    ways = desk.ask("providers/ways?provider=github-copilot")["ways"]
    assert {way["kind"] for way in ways} == {"browser"}
    assert desk.ask("providers/ways?provider=vllm")["isLocal"] is True


def test_what_runs_here_comes_first_and_then_one_provider_of_each_known_house(home) -> None:
    with serve(json_reply({"models": [{"name": "tiny"}]})) as local:
        write_config(json.dumps({"models": {"providers": {"ollama": {"baseUrl": f"{local.url}/v1"}}}}))
        with gateway_process() as process:
            rows = Desk(process).ask("providers/catalog")["providers"]
    running = [row["id"] for row in rows if row.get("isRunning")]
    assert "ollama" in running
    assert [row["id"] for row in rows[: len(running)]] == running
    first = [row["id"] for row in rows[len(running) :][:12]]
    assert {"anthropic", "google", "mistral", "openai"} <= set(first)
    assert not {"google-vertex", "google-gemini-cli", "minimax-cn"} & set(first)


def test_every_view_answers_who_has_the_token_alone(desk) -> None:
    for path in ("providers", "providers/catalog", "providers/ways?provider=venice", "custom?provider=box", "signins"):
        assert desk.process.admin(path, authorization="")[0] == 401
    for path in ("providers/key", "custom", "custom/url", "custom/models", "custom/test", "signins"):
        assert desk.process.admin(path, {"provider": "venice"}, authorization="")[0] == 401
