"""Every choice of the wizard, from the first question to an answer of its provider and the files on the disk."""

from __future__ import annotations

import json

import pytest

from tests.servers import json_reply, serve
from tests.wizard.internet import COMPLETION, internet
from tests.wizard.terminal import (
    CHECK,
    CTRL_C,
    ENTER,
    MODEL,
    WRITE,
    Step,
    drive,
    folder,
    load,
    primary,
    profiles,
    shown_diff,
)
from tests.wizard.ways import (
    AWS,
    CODES,
    GOOGLE,
    KEYED,
    PAGES,
    SERVERS,
    client,
    find,
    host,
    key,
    landing,
    sign_in,
    write_adc,
)

SECRET = "typed unseen"
ANOTHER = ("invalid api key[^?]*What now", "another key" + ENTER)
ANSWERS = ("it answers", "")


@pytest.mark.parametrize("choice_id", KEYED)
def test_a_wrong_key_is_said_and_the_right_one_is_kept(choice_id: str) -> None:
    choice = find(choice_id)
    wrong, right = key(choice, "wrong"), key(choice, "right")
    steps = [(SECRET, wrong + ENTER), MODEL, CHECK, ANOTHER, (SECRET, right + ENTER), ANSWERS, WRITE]
    with internet() as net:
        ended = drive("onboard", "--auth-choice", choice_id, steps=steps, env=net.environ)
        asked = net.calls(host(choice))
    assert (ended.code, len(asked)) == (0, 2), ended.shown
    assert [word in str(call.headers.values()) for call, word in zip(asked, (wrong, right), strict=True)] == [
        True,
        True,
    ]
    [kept] = profiles().values()
    assert right in (kept.get("key"), kept.get("token"))
    assert wrong not in ended.shown
    assert right not in ended.shown
    model = choice.method.default_model or choice.info.default_model
    assert (primary() or "").startswith(f"{choice.info.id}/{model}")
    assert "models" not in load("jackfield.json")["agents"]["defaults"]


@pytest.mark.parametrize("choice_id", PAGES + CODES)
def test_a_sign_in_leads_to_an_answer_with_its_token(choice_id: str) -> None:
    choice = find(choice_id)
    steps = [*sign_in(choice), MODEL, CHECK, ANSWERS, WRITE]
    with internet() as net:
        env = {**net.environ, **client(choice)}
        ended = drive("onboard", "--auth-choice", choice_id, steps=steps, env=env)
        asked = [call for call in net.server.journal if call.method == "POST"][-1]
    assert ended.code == 0, ended.shown
    [(name, kept)] = profiles().items()
    token = kept.get("access") or kept["token"]
    # Copilot's token is changed into a short one before it is used.
    sent = "tid=copilot-1" if choice.method.flow.exchange_url else token
    assert asked.headers["authorization"] == f"Bearer {sent}"
    assert token not in ended.shown
    assert primary().startswith(f"{choice.info.id}/")
    assert name.partition(":")[0] == kept["provider"] == choice.info.id
    if choice.method.flow.notice:
        assert choice.method.flow.notice[:40] in ended.shown
    if plugin := choice.method.plugin:
        assert load("jackfield.json")["plugins"] == {"entries": {plugin: {"enabled": True}}}


def test_a_sign_in_that_fails_can_be_tried_again() -> None:
    choice = find("openai-codex")
    refused = ("paste the address", landing(error="access_denied"))
    again = ("no sign-in: .*consent was refused[^?]*What now", "again" + ENTER)
    steps = [refused, again, *sign_in(choice), MODEL, CHECK, ANSWERS, WRITE]
    with internet() as net:
        env = {**net.environ, **client(choice)}
        ended = drive("onboard", "--auth-choice", "openai-codex", steps=steps, env=env)
    assert (ended.code, list(profiles())) == (0, ["openai-codex:default"]), ended.shown
    steps = [refused, ("What now", ENTER)]
    with internet() as net:
        ended = drive("onboard", "--auth-choice", "openai-codex", steps=steps, env={**net.environ, **client(choice)})
    assert "nothing was written" in ended.shown


@pytest.mark.parametrize("choice_id", SERVERS)
def test_a_server_of_this_machine_is_asked_where_it_is_and_what_it_has(choice_id: str) -> None:
    choice = find(choice_id)
    takes_key = choice.flag != ""
    listed = json_reply({"object": "list", "data": [{"id": "small-1"}, {"id": "large-1"}]})

    def answer(received):
        if takes_key and received.headers.get("authorization") != "Bearer sk-server-0123456789":
            return json_reply({"error": {"message": "a key is needed"}}, 401)
        return listed if received.method == "GET" else json_reply(COMPLETION)

    with serve(answer) as server:
        secret: list[Step] = [(SECRET, "sk-server-0123456789" + ENTER)] if takes_key else []
        steps = [
            ("Address of the server", f"{server.url}/v1{ENTER}"),
            *secret,
            ("large-1.*Default model", "large-1" + ENTER),
            CHECK,
            ANSWERS,
            WRITE,
        ]
        ended = drive("onboard", "--auth-choice", choice_id, steps=steps)
    assert (ended.code, primary()) == (0, f"{choice.info.id}/large-1"), ended.shown
    assert load("jackfield.json")["models"]["providers"] == {choice.info.id: {"baseUrl": f"{server.url}/v1"}}
    assert len(profiles()) == takes_key


def test_a_provider_whose_models_do_not_ship_is_asked_for_them_with_the_new_key() -> None:
    choice = find("sambanova-api-key")
    line, right = ("onboard", "--auth-choice", choice.id), key(choice, "right")
    with internet() as net:
        steps = [(SECRET, right + ENTER), ("Default model", "listed-2" + ENTER), CHECK, ANSWERS, WRITE]
        ended = drive(*line, steps=steps, env=net.environ)
        asked = net.calls(host(choice))
        assert (ended.code, primary()) == (0, "sambanova/listed-2"), ended.shown
        assert (asked[0].method, asked[0].headers["authorization"]) == ("GET", f"Bearer {right}")
        steps = [("Use the stored", "n" + ENTER), (SECRET, key(choice, "wrong") + ENTER), ("holds another", ENTER)]
        ended = drive(*line, steps=[*steps, ("no list of models: .*Default model", CTRL_C)], env=net.environ)
    assert ended.code == 130, ended.shown


@pytest.mark.parametrize("compatibility", ["openai", "openai-responses", "anthropic"])
def test_a_server_of_ones_own_is_asked_in_its_own_words(compatibility: str) -> None:
    with internet() as net:
        steps = [
            ("Base URL", "https://llm.box.example/v1" + ENTER),
            ("What does it speak", f"{('openai', 'openai-responses', 'anthropic').index(compatibility) + 1}{ENTER}"),
            ("Model id", "mine" + ENTER),
            (SECRET, "sk-mine-0123456789" + ENTER),
            MODEL,
            CHECK,
            ANSWERS,
            WRITE,
        ]
        ended = drive("onboard", "--auth-choice", "custom-api-key", steps=steps, env=net.environ)
        asked = net.calls("llm.box.example")
    assert (ended.code, primary()) == (0, "custom-llm-box-example/mine"), ended.shown
    assert asked[-1].json()["model"] == "mine"


def test_the_keys_of_aws_are_used_where_they_are() -> None:
    with internet() as net:
        steps = [MODEL, CHECK, ANSWERS, WRITE]
        ended = drive("onboard", "--auth-choice", "amazon-bedrock", steps=steps, env={**net.environ, **AWS})
        [asked] = net.calls("bedrock-runtime.eu-west-1.amazonaws.com")
    assert (ended.code, profiles()) == (0, {}), ended.shown
    assert "Credential=AKIDEXAMPLE" in asked.headers["authorization"]
    assert primary().startswith("amazon-bedrock/")


def test_gclouds_sign_in_is_used_where_it_is() -> None:
    write_adc()
    with internet() as net:
        steps = [MODEL, CHECK, ANSWERS, WRITE]
        ended = drive("onboard", "--auth-choice", "google-vertex", steps=steps, env={**net.environ, **GOOGLE})
        asked = [call.headers["host"] for call in net.server.journal]
    assert (ended.code, profiles()) == (0, {}), ended.shown
    assert asked == ["oauth2.googleapis.com", "us-east5-aiplatform.googleapis.com"]


@pytest.mark.parametrize(
    ("choice_id", "said"), [("amazon-bedrock", "AWS_PROFILE"), ("google-vertex", "gcloud auth application-default")]
)
def test_a_machine_without_such_keys_is_told_what_works(choice_id: str, said: str) -> None:
    ended = drive("onboard", "--auth-choice", choice_id, steps=[])
    assert ended.code == 1
    assert said in ended.shown
    assert not folder().exists()


def test_the_diff_shown_is_the_change_made_and_all_else_stays() -> None:
    folder().mkdir(mode=0o700)
    path = folder() / "jackfield.json"
    before = """{
  // my own words
  agents: { defaults: { model: { primary: "groq/a", fallbacks: ["groq/b"] } } }, // and here
  ours: { unknown: [1, 2], },
}
"""
    path.write_text(before, encoding="utf-8")
    steps = [(SECRET, "vapi_right-0123456789" + ENTER), ("Default model", "opus" + ENTER), CHECK, ANSWERS, WRITE]
    with internet() as net:
        ended = drive("onboard", "--auth-choice", "venice-api-key", steps=steps, env=net.environ)
    after = path.read_text(encoding="utf-8")
    old, new = before.splitlines(), after.splitlines()
    changed = [f"-{line}" for line in old if line not in new] + [f"+{line}" for line in new if line not in old]
    assert (ended.code, sorted(shown_diff(ended.shown))) == (0, sorted(changed)), ended.shown
    assert "  // my own words" in new
    assert "// and here" in after
    assert "ours: { unknown: [1, 2], }," in after
    assert 'fallbacks: ["groq/b"]' in after


def test_an_existing_default_and_the_absence_of_an_allowlist_stay_unless_asked_for() -> None:
    folder().mkdir(mode=0o700)
    path = folder() / "jackfield.json"
    path.write_text('{ "agents": { "defaults": { "model": "groq/a" } } }', encoding="utf-8")
    steps = [(SECRET, "vapi_right-0123456789" + ENTER), MODEL, CHECK, ANSWERS, WRITE]
    with internet() as net:
        drive("onboard", "--auth-choice", "venice-api-key", steps=steps, env=net.environ)
    assert json.loads(path.read_text(encoding="utf-8"))["agents"] == {"defaults": {"model": "groq/a"}}
    assert list(profiles()) == ["venice:default"]
