"""Chats through the gateway, asked with the vendors' own clients."""

from __future__ import annotations

import anthropic
import openai
import pytest
from google import genai

from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.gateway.serving import TOKEN, configured, provider, running

APIS = ("openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai")
REPLY = {"text": "It is 18 °C.", "thinking": "Look outside.", "usage": {"input": 7, "output": 5}, "repeat": True}
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def base_of(address: str, api: str) -> str:
    return f"{address}/{'v1beta' if api == 'google-generative-ai' else 'v1'}"


@pytest.fixture(params=APIS)
def gateway(request):
    script = Script(
        [
            {
                "when": {"user": "weather"},
                "toolCalls": [{"name": "weather", "arguments": {"city": "Lisbon"}}],
                "repeat": True,
            },
            {"when": {"user": "busy"}, "error": "rate_limit", "headers": {"retry-after": "3000"}, "repeat": True},
            {"when": {"user": "break"}, "text": "one two three four", "cutAfter": 2, "repeat": True},
            REPLY,
        ]
    )
    with open_server(script) as address:
        config = configured(box=provider(base_of(address, request.param), request.param))
        with running(config) as found:
            yield found


def chat(gateway):
    made = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=TOKEN, max_retries=0)
    return gateway.held.enter_context(made)


def claude(gateway, path=""):
    made = anthropic.Anthropic(base_url=gateway.url + path, api_key=TOKEN, max_retries=0)
    return gateway.held.enter_context(made)


def gemini(gateway):
    return gateway.held.enter_context(genai.Client(api_key=TOKEN, http_options={"base_url": gateway.url}))


def test_openai_chats_whole_and_streamed(gateway) -> None:
    asked = [{"role": "user", "content": "Hello"}]
    whole = chat(gateway).chat.completions.create(model="box/m", messages=asked)
    assert whole.choices[0].message.content == "It is 18 °C."
    assert (whole.model, whole.usage.prompt_tokens, whole.usage.completion_tokens) == ("box/m", 7, 5)
    assert whole.id
    pieces = list(
        chat(gateway).chat.completions.create(
            model="box/m", messages=asked, stream=True, stream_options={"include_usage": True}
        )
    )
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices) == "It is 18 °C."
    assert pieces[-1].usage.completion_tokens == 5
    assert {piece.model for piece in pieces} == {"box/m"}


def test_openai_responds_whole_and_streamed(gateway) -> None:
    whole = chat(gateway).responses.create(model="box/m", input="Hello")
    assert whole.output_text == "It is 18 °C."
    with chat(gateway).responses.stream(model="box/m", input="Hello") as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_text == "It is 18 °C."
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"


def test_openai_completes_a_text_in_the_older_way(gateway) -> None:
    whole = chat(gateway).completions.create(model="box/m", prompt="Hello")
    assert (whole.choices[0].text, whole.object, whole.choices[0].finish_reason) == (
        "It is 18 °C.",
        "text_completion",
        "stop",
    )
    pieces = list(chat(gateway).completions.create(model="box/m", prompt="Hello", stream=True))
    assert "".join(piece.choices[0].text for piece in pieces) == "It is 18 °C."


@pytest.mark.parametrize("path", ["", "/anthropic"])
def test_anthropic_answers_whole_and_streamed(gateway, path) -> None:
    asked = {"model": "box/m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
    whole = claude(gateway, path).messages.create(**asked)
    assert [block.text for block in whole.content if block.type == "text"] == ["It is 18 °C."]
    assert (whole.model, whole.usage.output_tokens) == ("box/m", 5)
    with claude(gateway, path).messages.stream(**asked) as stream:
        assert "".join(stream.text_stream) == "It is 18 °C."
        assert stream.get_final_message().stop_reason == "end_turn"


def test_gemini_answers_whole_and_streamed(gateway) -> None:
    client = gemini(gateway)
    whole = client.models.generate_content(model="box/m", contents="Hello")
    assert whole.text == "It is 18 °C."
    assert whole.model_version == "box/m"
    pieces = list(client.models.generate_content_stream(model="box/m", contents="Hello"))
    assert "".join(piece.text or "" for piece in pieces) == "It is 18 °C."
    assert pieces[-1].candidates[0].finish_reason == "STOP"


def test_tools_are_called_on_every_wire(gateway) -> None:
    function = {"name": "weather", "description": "tells it", "parameters": WEATHER}
    asked = [{"role": "user", "content": "the weather?"}]
    said = chat(gateway).chat.completions.create(
        model="box/m", messages=asked, tools=[{"type": "function", "function": function}]
    )
    assert said.choices[0].message.tool_calls[0].function.name == "weather"
    assert said.choices[0].finish_reason == "tool_calls"
    block = claude(gateway).messages.create(
        model="box/m", max_tokens=99, messages=asked,
        tools=[{"name": "weather", "description": "tells it", "input_schema": WEATHER}],
    ).content[-1]  # fmt: skip
    assert (block.type, block.input) == ("tool_use", {"city": "Lisbon"})
    tools = [{"function_declarations": [{**function, "parameters": {**WEATHER, "type": "OBJECT"}}]}]
    client = gemini(gateway)
    given = client.models.generate_content(model="box/m", contents="the weather?", config={"tools": tools})
    assert given.function_calls[0].args == {"city": "Lisbon"}


def test_a_provider_that_is_busy_is_told_in_the_callers_words(gateway) -> None:
    asked = [{"role": "user", "content": "busy"}]
    with pytest.raises(openai.RateLimitError) as first:
        chat(gateway).chat.completions.create(model="box/m", messages=asked)
    assert int(first.value.response.headers["retry-after"]) >= 1
    with pytest.raises(anthropic.RateLimitError):
        claude(gateway).messages.create(model="box/m", max_tokens=9, messages=asked)
    client = gemini(gateway)
    with pytest.raises(genai.errors.ClientError) as last:
        client.models.generate_content(model="box/m", contents="busy")
    assert last.value.code == 429


def test_a_stream_that_breaks_never_ends_well(gateway) -> None:
    asked = [{"role": "user", "content": "break"}]
    with pytest.raises(openai.APIError):
        list(chat(gateway).chat.completions.create(model="box/m", messages=asked, stream=True))
    with (
        pytest.raises(anthropic.APIStatusError),
        claude(gateway).messages.stream(model="box/m", max_tokens=9, messages=asked) as stream,
    ):
        list(stream.text_stream)
    said = gateway.post("/v1/chat/completions", {"model": "box/m", "messages": asked, "stream": True}).text
    assert "[DONE]" not in said
    assert '"finish_reason":"stop"' not in said
    assert gateway.last_call().outcome == "stream_broken"
