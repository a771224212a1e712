"""Servers of the user's own over the page's API: where keys go and where they never go, and what is written."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

from tests.admin.test_providers import KEY, OTHER, REFUSED, WHOLE, Desk, config, store
from tests.commands import write_config
from tests.gateway.command import gateway_process
from tests.servers import Received, head, json_reply, serve

LIST = {"object": "list", "data": [{"id": "tiny", "context_length": 4096}, {"id": "<img src=x onerror=alert(1)>"}]}


def answer(received: Received) -> list:
    return json_reply(LIST if received.target.endswith("/models") else WHOLE)


@pytest.fixture
def other():
    with serve(answer) as found:
        yield found


@pytest.fixture
def desk(home, other):
    with serve(answer) as server:
        write_config("// mine\n" + config(server.url))
        with gateway_process() as process:
            found = Desk(process)
            found.server = server
            yield found
            for key in (KEY, OTHER):
                assert not [said for said in found.said if key in said]


def form(url: str, **more: object) -> dict:
    return {"id": "mine", "baseUrl": f"{url}/v1", "api": "openai-completions", "model": "tiny", **more}


def keys_at(server) -> list[str]:
    return [each.headers.get("authorization", "") for each in server.journal]


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://h", "http://h/v1/chat/completions"),
        ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
        ("http://h/api/v2/models/chat", "http://h/api/v2/models/chat"),
        ("http://h/v1?key=secret&api-version=1", "http://h/v1/chat/completions?key=****&api-version=1"),
    ],
)
def test_the_request_url_is_told_while_it_is_typed(desk, typed, url) -> None:
    assert desk.ask("custom/url", {"baseUrl": typed})["url"] == url
    assert desk.ask("custom/url", {"baseUrl": ""})["url"] == ""
    wrong = desk.ask("custom/url", {"baseUrl": "htp://h"})
    assert "invalid base URL" in wrong["error"]["message"]
    assert desk.ask("custom/url", {"baseUrl": "http://h", "api": "anthropic-messages"})["url"] == "http://h/v1/messages"


def test_models_are_listed_with_the_typed_key_and_nothing_is_written(desk, other) -> None:
    before = authored_text()
    said = desk.ask("custom/models", form(other.url, model="", key=KEY))
    assert [each["id"] for each in said["models"]] == ["tiny", "<img src=x onerror=alert(1)>"]
    assert said["models"][0]["contextWindow"] == 4096
    assert keys_at(other) == [f"Bearer {KEY}"]
    assert (authored_text(), store()["profiles"]) == (before, {})


def test_a_list_that_cannot_be_had_says_why(desk, other) -> None:
    other.replies = [REFUSED]
    assert desk.ask("custom/models", form(other.url, key=KEY))["error"]["type"] == "auth"
    other.replies = [json_reply({"error": "nothing here"}, 404)]
    assert desk.ask("custom/models", form(other.url))["error"]["type"] == "connection"
    assert desk.ask("custom/models", form("http://127.0.0.1:1"))["error"]["type"] == "connection"


def test_a_server_that_never_ends_its_answer_is_given_up(desk, other) -> None:
    # A letter now and then keeps every other timer quiet.
    other.replies = [[head(200, content_type="application/json", content_length="99"), *(b" ", 0.5) * 60]]
    said = desk.ask("custom/models", form(other.url))
    assert (said["error"]["type"], said["error"]["message"]) == ("timeout", "no list of models within 10 s")


def test_a_redirect_is_not_followed_with_the_key(desk, other) -> None:
    with serve(answer) as thief:
        other.replies = [json_reply({}, 302, location=f"{thief.url}/v1/models")]
        assert "redirects are not followed" in desk.ask("custom/models", form(other.url, key=KEY))["error"]["message"]
        assert "redirect" in desk.ask("custom/test", form(other.url, key=KEY))["result"]["message"]
        assert thief.journal == []


def test_a_test_asks_as_the_saved_form_would_and_writes_nothing(desk, other) -> None:
    before = authored_text()
    result = desk.ask("custom/test", form(other.url, key=KEY))["result"]
    assert (result["status"], result["model"]) == ("ok", "mine/tiny")
    assert (other.journal[-1].target, other.journal[-1].json()["model"]) == ("/v1/chat/completions", "tiny")
    assert keys_at(other) == [f"Bearer {KEY}"]
    other.replies = [REFUSED]
    assert desk.ask("custom/test", form(other.url, key=KEY))["result"]["type"] == "auth"
    assert desk.ask("custom/test", form("http://127.0.0.1:1"))["result"]["type"] == "connection"
    assert desk.ask("custom/test", form("https://llm.invalid"))["result"]["type"] == "missing_key"
    assert (authored_text(), store()["profiles"]) == (before, {})


def test_a_server_is_saved_with_its_key_in_the_store_and_comments_kept(desk, other) -> None:
    said = desk.ask(
        "custom",
        form(
            other.url, key=KEY, isNew=True, name="Mine", contextWindow=128000, maxTokens=-1, images=True,
            computerUse=True, inputPrice="0.15", outputPrice="0.6",
        ),
        edits=True,
    )  # fmt: skip
    assert (said["id"], said["ref"]) == ("mine", "mine/tiny")
    text = authored_text()
    assert text.startswith("// mine")
    assert KEY not in text
    assert json.loads(text.split("\n", 1)[1])["models"]["providers"]["mine"] == {
        "name": "Mine", "baseUrl": f"{other.url}/v1", "api": "openai-completions",
        "models": [{
            "id": "tiny", "input": ["text", "image"], "contextWindow": 128000,
            "cost": {"input": 0.15, "output": 0.6}, "computerUse": True,
        }],
    }  # fmt: skip
    assert store()["profiles"]["mine:default"]["key"] == KEY
    assert desk.process.ask("mine/tiny")["choices"]
    assert keys_at(other)[-1] == f"Bearer {KEY}"
    shown = desk.ask("custom?provider=mine")
    assert shown["models"] == [{
        "id": "tiny", "contextWindow": 128000, "images": True, "computerUse": True, "inputPrice": "0.15", "outputPrice": "0.6",
    }]  # fmt: skip
    assert desk.card("mine")["isCustom"]


def test_editing_keeps_what_the_form_does_not_speak_of(desk, other) -> None:
    desk.ask("custom", form(other.url, key=KEY, images=True, inputPrice="1"), edits=True)
    assert "already" in desk.ask("custom", form(other.url, isNew=True), edits=True, status=400)["error"]["message"]
    desk.ask("custom", form(other.url, images=False, maxTokens=99), edits=True)
    desk.ask("custom", form(other.url, model="second"), edits=True)
    rows = read_authored()["models"]["providers"]["mine"]["models"]
    assert rows == [{"id": "tiny", "input": ["text"], "maxTokens": 99, "cost": {}}, {"id": "second"}]
    assert store()["profiles"]["mine:default"]["key"] == KEY


def test_a_stored_key_never_goes_to_another_host(desk, other) -> None:
    desk.ask("custom", form(other.url, key=KEY), edits=True)
    with serve(answer) as thief:
        for path in ("custom/models", "custom/test"):
            assert "was not sent" in desk.ask(path, form(thief.url))["withheld"]
        assert "is not sent to" in desk.ask("custom", form(thief.url), edits=True, status=400)["error"]["message"]
        assert not [key for key in keys_at(thief) if key]
        assert read_authored()["models"]["providers"]["mine"]["baseUrl"] == f"{other.url}/v1"
        # The same host, another path: it is theirs.
        desk.ask("custom/test", form(f"{other.url}/deeper"))
        assert keys_at(other)[-1] == f"Bearer {KEY}"
        desk.ask("custom", form(thief.url, key=OTHER), edits=True)
        desk.process.ask("mine/tiny")
        assert {key for key in keys_at(thief) if key} == {f"Bearer {OTHER}"}
        assert store()["profiles"]["mine:default"]["key"] == OTHER


def test_an_address_that_needs_no_key_gets_none_of_the_old_ones(desk, other) -> None:
    desk.ask("custom", form(other.url, key=KEY), edits=True)
    desk.ask("providers/key", {"provider": "mine", "key": OTHER, "profileId": "work"})
    with serve(answer) as thief:
        desk.ask("custom", form(thief.url, needsNoKey=True), edits=True)
        desk.process.ask("mine/tiny")
        assert keys_at(thief) == [""]


def test_what_cannot_be_taken_along_stops_a_move(home, other, monkeypatch) -> None:
    monkeypatch.setenv("MINE_API_KEY", KEY)
    said = json.loads(config("http://127.0.0.1:1"))
    said["models"]["providers"]["mine"] = {"baseUrl": "http://127.0.0.1:2/v1", "models": [{"id": "tiny"}]}
    said["models"]["providers"]["head"] = {
        "baseUrl": "http://127.0.0.1:2/v1", "headers": {"x-api-token": OTHER}, "models": [{"id": "tiny"}],
    }  # fmt: skip
    said["models"]["providers"]["row"] = {
        "baseUrl": "http://127.0.0.1:2/v1", "headers": {"X-Title": "mine"}, "models": [{"id": "a", "headers": {"X-Team": OTHER}}],
    }  # fmt: skip
    write_config(json.dumps(said))
    with gateway_process() as process:
        desk = Desk(process)
        for provider, what in (
            ("mine", "$MINE_API_KEY"),
            ("head", "the header x-api-token"),
            ("row", "the header X-Team would"),
        ):
            wrong = desk.ask("custom", form(other.url, id=provider, key="sk-new-0123456789"), edits=True, status=400)[
                "error"
            ]
            assert what in wrong["message"]
            desk.ask("custom/test", form(other.url, id=provider))
            desk.ask("custom/models", form(other.url, id=provider))
        assert other.journal
        for each in other.journal:
            assert not {each.headers.get("authorization"), each.headers.get("x-api-token")} & {f"Bearer {KEY}", OTHER}


def test_a_server_of_ones_own_never_gets_what_a_provider_of_the_catalog_has(home, other, monkeypatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    write_config(config("http://127.0.0.1:1"))
    with gateway_process() as process:
        desk = Desk(process)
        for name in ("google", "gemini"):
            for path in ("custom/models", "custom/test", "custom"):
                wrong = desk.ask(path, form(other.url, id=name), edits=path == "custom", status=400)["error"]
                assert "is a provider of the catalog" in wrong["message"]
        assert other.journal == []


def test_a_server_that_says_the_key_back_is_not_quoted(desk, other) -> None:
    def echo(received: Received) -> list:
        return json_reply({"error": {"message": f"no good: {received.headers.get('authorization')}"}}, 401)

    other.replies = [echo]
    for path in ("custom/models", "custom/test"):
        said = desk.ask(path, form(other.url, key=KEY))
        assert "no good" in json.dumps(said)
    desk.ask("custom", form(other.url, key=KEY), edits=True)
    assert "no good" in json.dumps(desk.ask("providers/test", {"provider": "mine"}))


def test_a_key_that_the_config_only_refers_to_stays_a_reference(home, other, monkeypatch) -> None:
    monkeypatch.setenv("MINE_KEY", KEY)
    said = json.loads(config("http://127.0.0.1:1"))
    for name, key in (("filled", "${MINE_KEY}"), ("named", "MINE_KEY")):
        said["models"]["providers"][name] = {
            "baseUrl": "http://127.0.0.1:2/v1",
            "apiKey": key,
            "models": [{"id": "tiny"}],
        }
    write_config(json.dumps(said))
    with gateway_process() as process:
        desk = Desk(process)
        for name in ("filled", "named"):
            assert desk.card(name)["keyIsPlain"] is False
            desk.ask("providers/key/config", {"provider": name, "key": OTHER}, edits=True, status=400)
            wrong = desk.ask("custom", form(other.url, id=name, key=OTHER), edits=True, status=400)["error"]
            assert "the key that the config refers to" in wrong["message"]
            for path in ("custom/test", "custom/models"):
                desk.ask(path, form(other.url, id=name))
            # At its own address it goes on as it was, and a typed key comes first, out of the store.
            desk.ask("custom", form("http://127.0.0.1:2", id=name, maxTokens=5, key=OTHER), edits=True)
            assert read_authored()["models"]["providers"][name]["apiKey"] in {"${MINE_KEY}", "MINE_KEY"}
            assert store()["profiles"][f"{name}:default"]["key"] == OTHER
        assert not [each for each in other.journal if each.headers.get("authorization")]
        assert not [said for said in desk.said if KEY in said or OTHER in said]


def test_a_name_from_a_list_never_becomes_a_variable(desk, other, monkeypatch) -> None:
    for more in ({"model": "${MINE_API_KEY}"}, {"baseUrl": "http://h/${MINE_API_KEY}"}, {"name": "${HOME}"}):
        said = desk.ask("custom", form(other.url, **{"key": KEY, **more}), edits=True, status=400)
        assert "names a variable" in said["error"]["message"]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"inputPrice": "-1"}, "price"), ({"outputPrice": "x"}, "decimal"), ({"maxTokens": 0}, "tokens"),
        ({"contextWindow": -5}, "context window"), ({"id": "a b"}, "provider id"), ({"id": "openai"}, "catalog"),
        ({"model": ""}, "model"), ({"baseUrl": "ftp://h"}, "base URL"), ({"baseUrl": "http://u:p@h/v1"}, "user name"),
        ({"apiKey": "x"}, "unknown field"), ({"api": "soap"}, "api"),
    ],
)  # fmt: skip
def test_what_a_form_cannot_mean_is_refused(desk, other, wrong, word) -> None:
    before = authored_text()
    said = desk.ask("custom", form(other.url, **{"key": KEY, **wrong}), edits=True, status=400)
    assert word in json.dumps(said)
    assert (authored_text(), store()["profiles"]) == (before, {})


def test_two_who_edit_at_once_lose_nothing(desk, other) -> None:
    stale = desk.process.admin("status")[1]["configHash"]
    desk.ask("custom", form(other.url, key=KEY), edits=True)
    status, said = desk.process.admin("custom", form(other.url, id="theirs", key=OTHER), if_match=stale)
    assert (status, said["error"]["type"]) == (409, "conflict")
    assert "theirs:default" not in store()["profiles"]


def test_a_server_is_removed_with_its_keys(desk, other) -> None:
    desk.ask("custom", form(other.url, key=KEY), edits=True)
    assert desk.ask("custom/remove", {"provider": "venice"}, edits=True, status=400)
    desk.ask("custom/remove", {"provider": "mine", "keys": True}, edits=True)
    assert ("mine" in read_authored()["models"]["providers"], store()["profiles"]) == (False, {})


def test_offline_nothing_elsewhere_is_asked(home, other) -> None:
    write_config(config(other.url))
    with gateway_process(before=("--offline",)) as process:
        desk = Desk(process)
        said = desk.ask("custom/models", form("https://llm.example.com", key=KEY))
        assert "offline" in json.dumps(said["error"])
        assert "offline" in desk.ask("custom/test", form("https://llm.example.com", key=KEY))["result"]["message"]


def authored_text() -> str:
    return (pathlib.Path(os.environ["HOME"]) / ".jackfield" / "jackfield.json").read_text(encoding="utf-8")


def read_authored() -> dict:
    return json.loads(authored_text().removeprefix("// mine\n"))


def test_a_server_that_was_tested_before_it_is_saved_counts_as_tested(desk, other) -> None:
    assert desk.ask("custom/test", form(other.url, key=KEY))["result"]["status"] == "ok"
    desk.ask("custom", form(other.url, key=KEY, isNew=True), edits=True)
    card = desk.card("mine")
    assert card["status"]["kind"] == "works"
    assert [each["test"]["status"] for each in card["credentials"] if each["isChosen"]] == ["ok"]
    desk.ask("custom", form(other.url, name="Mine"), edits=True)
    assert desk.card("mine")["status"]["kind"] == "ready", "that form was not tested"
    assert desk.ask("custom/test", form(other.url, model="tiny", name="Mine"))["result"]["status"] == "ok"
    desk.ask("custom", form(other.url, model="other", name="Mine"), edits=True)
    assert desk.card("mine")["status"]["kind"] == "ready", "nor was that model"
    desk.ask("custom", form(other.url, model="tiny", name="Mine"), edits=True)
    assert desk.card("mine")["status"]["kind"] == "works"
