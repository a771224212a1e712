"""`models audit`: what ends, of all that the config speaks of."""

from __future__ import annotations

import json

from tests.commands import run, write_config
from tests.servers import json_reply, serve

CONFIG = {
    "agents": {
        "defaults": {
            "model": {"primary": "old", "fallbacks": ["box/soon", "box/fine"]},
            "models": {"box/later": {"alias": "later"}, "box/*": {}},
        }
    },
    "models": {
        "aliases": {"old": "box/past"},
        "routes": {"work": {"primary": "box/fine", "fallbacks": ["openai/gpt-4"]}},
        "providers": {
            "box": {
                "baseUrl": "http://127.0.0.1:9/v1",
                "models": [
                    {"id": "past", "retires": "2020-01-01", "replacement": "fine"},
                    {"id": "soon", "retires": "2999-01-01"},
                    {"id": "later", "status": "deprecated"},
                    {"id": "fine"},
                ],
            }
        },
    },
}


def test_everything_the_config_names_is_looked_at() -> None:
    write_config(json.dumps(CONFIG))
    result = run("models", "audit", "--json")
    found = {each["model"]: each for each in result.json()["models"]}

    assert result.code == 1
    assert found["box/past"] == {
        "model": "box/past", "uses": ["default", "alias old", "configured"], "state": "retired",
        "retires": "2020-01-01", "replacement": "box/fine",
    }  # fmt: skip
    assert (found["openai/gpt-4"]["uses"], found["openai/gpt-4"]["state"]) == (["route work"], "retired")
    assert found["box/later"]["state"] == "deprecated"
    assert "box/soon" not in found
    assert result.json()["checked"] == 5


def test_a_longer_span_looks_further() -> None:
    write_config(json.dumps(CONFIG))
    assert "box/soon" in run("models", "audit", "--within", "2000y").out


def test_one_model_is_counted_as_one() -> None:
    provider = {"baseUrl": "http://127.0.0.1:9/v1", "apiKey": "k"}
    config = {"agents": {"defaults": {"model": {"primary": "box/one"}}}, "models": {"providers": {"box": provider}}}
    write_config(json.dumps(config))
    assert run("models", "audit").err == "1 model checked, none ends within 90d\n"


def test_what_a_provider_no_longer_lists_is_gone() -> None:
    with serve(json_reply({"data": [{"id": "here"}]})) as server:
        provider = {"baseUrl": f"{server.url}/v1", "apiKey": "k"}
        config = {"agents": {"defaults": {"model": {"primary": "box/lost", "fallbacks": ["box/here"]}}}}
        write_config(json.dumps({**config, "models": {"providers": {"box": provider}}}))
        before = run("models", "audit")
        refreshed = run("models", "refresh", "box")
        after = run("models", "audit")
    assert refreshed.out.startswith("box: 1 model, ")
    assert (before.code, before.err) == (0, "2 models checked, none ends within 90d\n")
    assert (after.code, after.out.splitlines()[1].split()) == (1, ["box/lost", "default", "not", "listed", "-", "-"])


def test_without_a_config_there_is_nothing_to_check() -> None:
    assert (run("models", "audit").code, run("models", "audit").err) == (0, "no model is configured\n")


def test_a_span_that_is_none_is_wrong_usage() -> None:
    assert run("models", "audit", "--within", "soon").code == 2


def test_a_chat_with_a_model_that_is_about_to_end_warns_once() -> None:
    reply = {"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}
    with serve(json_reply(reply)) as server:
        provider = {"baseUrl": f"{server.url}/v1", "models": [{"id": "m", "retires": "2020-01-01", "replacement": "n"}]}
        write_config(json.dumps({"models": {"providers": {"box": provider}}}))
        result = run("chat", "--model", "box/m", "Hello")
    assert (result.code, result.out) == (0, "Hi\n")
    assert result.err.count("box/m was to be retired on 2020-01-01; its provider names box/n in its place") == 1
