"""What the Responses wire asks of a server: to repeat the request, and to refuse what nobody remembers."""

from __future__ import annotations

import json

import pytest

from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.gateway.serving import configured, provider, running

TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
ASKED = {"model": "box/m", "input": "Hello", "temperature": 0.5, "tools": [TOOL], "text": {"verbosity": "low"}}


@pytest.fixture
def gateway():
    script = Script([{"text": "Hi.", "repeat": True}])
    with open_server(script) as address:
        box = provider(f"{address}/v1")
        other = provider(f"{address}/v1", "openai-responses")
        with running(configured(box=box, other=other)) as found:
            found.script = script
            yield found


def test_a_reply_repeats_its_request(gateway) -> None:
    said = gateway.post("/v1/responses", ASKED).json()
    assert (said["temperature"], said["top_p"], said["store"]) == (0.5, 1.0, False)
    assert said["tools"] == [{**TOOL, "description": None, "strict": None}]
    assert said["text"] == {"format": {"type": "text"}, "verbosity": "low"}


def test_every_frame_of_a_stream_repeats_the_request(gateway) -> None:
    text = gateway.post("/v1/responses", {**ASKED, "stream": True}).text
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    frames = [event["response"] for event in events if "response" in event]
    assert len(frames) == 3
    assert {frame["temperature"] for frame in frames} == {0.5}
    assert text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("asked", [{"previous_response_id": "resp_1"}, {"conversation": "c"}, {"background": True}])
def test_what_nobody_remembers_is_refused_and_not_forgotten(gateway, asked) -> None:
    answer = gateway.post("/v1/responses", {**ASKED, **asked})
    assert answer.status == 400
    assert next(iter(asked)) in answer.json()["error"]["message"]


def test_a_provider_that_remembers_is_asked_in_their_place(gateway) -> None:
    asked = {**ASKED, "previous_response_id": "resp_1", "fallbacks": ["other/m"]}
    assert gateway.post("/v1/responses", asked).json()["model"] == "other/m"


def test_a_piece_of_a_call_has_a_name_only_for_clients_that_need_one() -> None:
    call = {"toolCalls": [{"name": "weather", "arguments": {"city": "Lisbon"}}], "repeat": True}
    function = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    asked = {"model": "box/m", "messages": [{"role": "user", "content": "?"}], "tools": [function], "stream": True}
    with open_server(Script([call])) as address:
        config = configured(box=provider(f"{address}/v1", "anthropic-messages"))
        with running(config) as gateway:
            plain = gateway.post("/v1/chat/completions", asked).text
            named = gateway.post("/v1/chat/completions", asked, user_agent="speakeasy-sdk/python mistralai").text
    assert plain.count('"name":"weather"') == named.count('"name":"weather"') == 1
    assert plain.count('"name":""') == 0
    assert named.count('"name":""') > 0


def test_a_gemini_client_may_leave_models_out_before_a_slash(gateway) -> None:
    answer = gateway.post("/v1beta/box/m:generateContent", {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]})
    assert answer.json()["candidates"][0]["content"]["parts"][0]["text"] == "Hi."
