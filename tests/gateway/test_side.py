"""Lists of models, counts of tokens, vectors and plans."""

from __future__ import annotations

import anthropic
import openai
import pytest
from google import genai

from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.gateway.serving import TOKEN, configured, provider, running
from tests.pulse import Day
from tests.servers import json_reply, serve

HELLO = [{"role": "user", "content": "Hello, how are you?"}]
VECTORS = {
    "object": "list",
    "model": "m",
    "data": [{"index": 0, "embedding": [0.25, -1.0]}, {"index": 1, "embedding": [0.5, 2.0]}],
    "usage": {"prompt_tokens": 6, "total_tokens": 6},
}


@pytest.fixture
def gateway():
    config = configured(
        routes={"team": {"primary": "box/m", "fallbacks": ["box/other"]}},
        box=provider(
            "http://127.0.0.1:1/v1", models=[{"id": "m", "name": "Em", "contextWindow": 9000}, {"id": "other"}]
        ),
    )
    config["models"]["aliases"] = {"quick": "box/other"}
    with running(config) as found:
        yield found


def chat(gateway):
    return gateway.held.enter_context(openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=TOKEN, max_retries=0))


def claude(gateway):
    return gateway.held.enter_context(anthropic.Anthropic(base_url=gateway.url, api_key=TOKEN, max_retries=0))


def gemini(gateway):
    return gateway.held.enter_context(genai.Client(api_key=TOKEN, http_options={"base_url": gateway.url}))


def test_the_list_has_each_clients_shape(gateway) -> None:
    names = {"default", "team", "quick", "box/m", "box/other"}
    assert {row.id for row in chat(gateway).models.list()} == names
    assert chat(gateway).models.retrieve("box/m").owned_by == "box"
    rows = list(claude(gateway).models.list())
    assert {row.id for row in rows} == names
    assert next(row for row in rows if row.id == "box/m").display_name == "Em"
    assert claude(gateway).models.retrieve("box/m").type == "model"
    client = gemini(gateway)
    assert {row.name.removeprefix("models/") for row in client.models.list()} == names
    assert client.models.get(model="box/m").input_token_limit == 9000


def test_a_name_nobody_has_is_not_found(gateway) -> None:
    with pytest.raises(openai.NotFoundError):
        chat(gateway).models.retrieve("box/none")
    with pytest.raises(anthropic.NotFoundError):
        claude(gateway).models.retrieve("box/none")


def test_tokens_are_counted_for_every_client(gateway) -> None:
    assert claude(gateway).messages.count_tokens(model="box/m", messages=HELLO).input_tokens > 3
    assert gemini(gateway).models.count_tokens(model="box/m", contents="Hello, how are you?").total_tokens > 3
    answer = gateway.post("/v1/responses/input_tokens", {"model": "box/m", "input": "Hello, how are you?"})
    assert answer.json()["input_tokens"] > 3
    assert answer.headers["x-jackfield-loss"].startswith("an estimate")


def test_vectors_come_for_openais_and_googles_client() -> None:
    one_vector = {**VECTORS, "data": VECTORS["data"][:1]}
    two = json_reply(VECTORS)
    with (
        serve(two, two, two, json_reply(one_vector)) as server,
        running(configured(box=provider(f"{server.url}/v1"))) as gateway,
    ):
        said = chat(gateway).embeddings.create(model="box/m", input=["a", "b"], encoding_format="float")
        assert [row.embedding for row in said.data] == [[0.25, -1.0], [0.5, 2.0]]
        # Without a word the client asks for base64 and unpacks it.
        assert chat(gateway).embeddings.create(model="box/m", input=["a", "b"]).data[1].embedding == [0.5, 2.0]
        given = gemini(gateway).models.embed_content(model="box/m", contents=["a", "b"])
        assert [row.values for row in given.embeddings] == [[0.25, -1.0], [0.5, 2.0]]
        one = gateway.post("/v1beta/models/box/m:embedContent", {"content": {"parts": [{"text": "a"}]}})
        assert one.json()["embedding"]["values"] == [0.25, -1.0]
        assert gateway.last_call().usage.input == 6


def test_a_plan_is_told_and_nobody_asked(gateway) -> None:
    said = gateway.post("/v1/route/explain", {"model": "team", "messages": HELLO}).json()
    assert [each["model"] for each in said["candidates"]] == ["box/m", "box/other"]
    assert said["requested"] == "team"
    said = gateway.post("/v1/route/explain", {"model": "box/m", "input": "x", "fallbacks": ["quick"]}).json()
    assert [each["model"] for each in said["candidates"]] == ["box/m", "box/other"]


def test_a_plan_tells_what_it_would_cost_and_why_others_are_left_out(gateway) -> None:
    long = [{"role": "user", "content": "word " * 12_000}]
    said = gateway.post("/v1/route/explain", {"model": "team", "messages": long}).json()
    assert [each["model"] for each in said["candidates"]] == ["box/other"]
    assert [(each["model"], each["cause"]) for each in said["skipped"]] == [("box/m", "context_window")]
    assert (said["resolved"], said["onStreamBreak"]) == (["route team"], "error")
    assert said["candidates"][0]["inputTokens"] > 10_000


def test_a_plan_knows_that_nobody_keeps_what_a_request_refers_to(gateway) -> None:
    body = {"model": "box/m", "input": "x", "previous_response_id": "resp_1"}
    refused = gateway.post("/v1/route/explain", body)
    assert (refused.status, "previous_response_id" in refused.json()["error"]["message"]) == (400, True)


def test_of_a_chain_those_who_keep_what_a_request_refers_to_are_planned() -> None:
    keeper = provider("http://127.0.0.1:1/v1", "openai-responses")
    config = configured(
        routes={"team": {"primary": "box/m", "fallbacks": ["own/m"]}}, box=provider("http://127.0.0.1:1/v1"), own=keeper
    )
    with running(config) as gateway:
        body = {"model": "team", "input": "x", "previous_response_id": "resp_1"}
        said = gateway.post("/v1/route/explain", body).json()
    assert [each["model"] for each in said["candidates"]] == ["own/m"]
    assert [(each["model"], each["cause"]) for each in said["skipped"]] == [("box/m", "not_kept")]


@pytest.mark.parametrize("name", ["default", "auto", "openclaw", "openclaw/main", "openclaw:main", "agent:main"])
def test_openclaws_names_mean_the_default(gateway, name) -> None:
    said = gateway.post("/v1/route/explain", {"model": name, "messages": HELLO}).json()
    assert said["candidates"][0]["model"] == "box/m"
    said = gateway.post("/v1/route/explain", {"model": "x", "messages": HELLO}, x_openclaw_model="quick").json()
    assert said["candidates"][0]["model"] == "box/other"


def test_who_stands_in_is_named() -> None:
    script = Script(
        [
            {"when": {"model": "m"}, "error": "overloaded", "repeat": True},
            {"when": {"model": "other"}, "text": "Hi", "repeat": True},
        ]
    )
    with open_server(script) as address:
        config = configured(box=provider(f"{address}/v1", models=[{"id": "m"}, {"id": "other"}]))
        with running(config, pulse=Day().pulse) as gateway:
            body = {"model": "box/m", "messages": HELLO, "fallbacks": ["box/other"]}
            first = gateway.post("/v1/chat/completions", body)
            assert (first.json()["model"], first.headers["x-jackfield-model"]) == ("box/other", "box/other")
            assert int(first.headers["x-jackfield-attempts"]) >= 2
            del body["fallbacks"]
            second = gateway.post("/v1/chat/completions", {**body, "stream": True}, x_jackfield_fallbacks="box/other")
            assert '"model":"box/other"' in second.text
            assert second.headers["x-jackfield-model"] == "box/other"
            assert gateway.post("/v1/messages", {**body, "max_tokens": 9}).status == 529


def test_a_loss_is_told_or_refused() -> None:
    with (
        open_server(Script([{"text": "Hi", "repeat": True}])) as address,
        running(configured(box=provider(f"{address}/v1", "anthropic-messages"))) as gateway,
    ):
        body = {"model": "box/m", "messages": HELLO, "seed": 7}
        answer = gateway.post("/v1/chat/completions", body)
        assert "seed" in answer.headers["x-jackfield-loss"]
        refused = gateway.post("/v1/chat/completions", body, x_jackfield_strict="1")
        assert (refused.status, "seed" in refused.json()["error"]["message"]) == (400, True)


def test_what_else_there_is_to_say_is_no_loss() -> None:
    with (
        open_server(Script([{"text": "Hi", "repeat": True}])) as address,
        running(
            configured(box=provider(f"{address}/v1"), routes={"r": {"primary": "box/m", "fallbacks": ["nope/x"]}})
        ) as gateway,
    ):
        for path in ("/v1/chat/completions", "/v1/messages"):
            for stream in (True, False):
                body = {"model": "r", "messages": HELLO, "max_tokens": 9, "stream": stream}
                answer = gateway.post(path, body)
                assert answer.status == 200
                assert "x-jackfield-loss" not in answer.headers


def test_a_refused_key_of_ours_is_not_the_callers_fault() -> None:
    with (
        open_server(Script([{"error": "auth", "repeat": True}])) as address,
        running(configured(box=provider(f"{address}/v1"))) as gateway,
    ):
        first = gateway.post("/v1/chat/completions", {"model": "box/m", "messages": HELLO})
        assert (first.status, first.json()["error"]["code"]) == (502, "provider_auth")
        assert first.headers["x-should-retry"] == "false"
        assert "sk-up" not in first.text
        second = gateway.post("/v1/messages", {"model": "box/m", "messages": HELLO, "max_tokens": 9})
        assert (second.status, second.json()["error"]["type"]) == (502, "api_error")
