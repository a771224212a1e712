"""The vendors' clients through whole loops of tools, with a real llama.cpp server behind the gateway."""

from __future__ import annotations

import json
from importlib.util import find_spec

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from jackfield.demo.server import REF, open_server
from tests.gateway.serving import TOKEN, running

AFTER_TOOL = "The tool's reply has reached me."
HELLO = "Hello from Jackfield. This answer came out of a real model server on your own machine."
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "weather", "description": "Tell the weather.", "parameters": WEATHER}
streamed = pytest.mark.parametrize("is_streamed", [False, True], ids=["whole", "streamed"])
pytestmark = pytest.mark.skipif(find_spec("xllamacpp") is None, reason="no llama.cpp server is installed")


@pytest.fixture(scope="module")
def gateway():
    with open_server() as model, running(json.loads(model.config_text())) as found:
        yield found


@pytest.fixture(scope="module")
def chat(gateway):
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=TOKEN, max_retries=0) as made:
        yield made


@pytest.fixture(scope="module")
def claude(gateway):
    with anthropic.Anthropic(base_url=gateway.url, api_key=TOKEN, max_retries=0) as made:
        yield made


@pytest.fixture(scope="module")
def gemini(gateway):
    with genai.Client(api_key=TOKEN, http_options=types.HttpOptions(base_url=gateway.url)) as made:
        yield made


@streamed
def test_openai_chats_with_a_tool(chat, is_streamed) -> None:
    asked = {"model": REF, "tools": [{"type": "function", "function": FUNCTION}]}
    messages = [{"role": "user", "content": "The weather?"}]

    def ask():
        if not is_streamed:
            return chat.chat.completions.create(**asked, messages=messages).choices[0].message
        with chat.chat.completions.stream(**asked, messages=messages) as stream:
            return stream.get_final_completion().choices[0].message

    said = ask()
    (call,) = said.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Lisbon"}
    messages += [said, {"role": "tool", "tool_call_id": call.id, "content": "18 °C"}]
    assert ask().content == AFTER_TOOL


@streamed
def test_openai_responds_with_a_tool(chat, is_streamed) -> None:
    asked = {"model": REF, "tools": [{"type": "function", **FUNCTION, "strict": True}]}
    items = [{"role": "user", "content": "The weather?"}]

    def ask():
        if not is_streamed:
            return chat.responses.create(**asked, input=items)
        with chat.responses.stream(**asked, input=items) as stream:
            for _ in stream:
                pass
            return stream.get_final_response()

    said = ask()
    (call,) = [item for item in said.output if item.type == "function_call"]
    assert json.loads(call.arguments) == {"city": "Lisbon"}
    items += [*said.output, {"type": "function_call_output", "call_id": call.call_id, "output": "18 °C"}]
    assert ask().output_text == AFTER_TOOL


@streamed
def test_anthropic_answers_with_a_tool(claude, is_streamed) -> None:
    tool = {"name": "weather", "description": "Tell the weather.", "input_schema": WEATHER}
    messages = [{"role": "user", "content": "The weather?"}]

    def ask():
        asked = {"model": REF, "max_tokens": 200, "tools": [tool], "messages": messages}
        if not is_streamed:
            return claude.messages.create(**asked)
        with claude.messages.stream(**asked) as stream:
            return stream.get_final_message()

    said = ask()
    (call,) = [block for block in said.content if block.type == "tool_use"]
    assert (said.stop_reason, call.input) == ("tool_use", {"city": "Lisbon"})
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "18 °C"}
    messages += [{"role": "assistant", "content": said.content}, {"role": "user", "content": [result]}]
    assert ask().content[-1].text == AFTER_TOOL


@streamed
def test_gemini_calls_a_function_by_itself(gemini, is_streamed) -> None:
    cities = []

    def weather(city: str) -> str:
        """Tell the weather."""
        cities.append(city)
        return "18 °C"

    conversation = gemini.chats.create(model=REF, config=types.GenerateContentConfig(tools=[weather]))
    if is_streamed:
        text = "".join(piece.text or "" for piece in conversation.send_message_stream("The weather?"))
    else:
        text = conversation.send_message("The weather?").text
    assert (cities, text) == (["Lisbon"], AFTER_TOOL)


def test_every_client_lists_the_model(chat, claude, gemini) -> None:
    assert REF in [model.id for model in chat.models.list()]
    assert REF in [model.id for model in claude.models.list()]
    assert f"models/{REF}" in [model.name for model in gemini.models.list()]


def test_every_client_counts_tokens(chat, claude, gemini) -> None:
    asked = [{"role": "user", "content": "Hello"}]
    assert claude.messages.count_tokens(model=REF, messages=asked).input_tokens > 0
    assert chat.responses.input_tokens.count(model=REF, input="Hello").input_tokens > 0
    assert gemini.models.count_tokens(model=REF, contents="Hello").total_tokens > 0


def test_every_client_hears_of_a_wrong_key(gateway) -> None:
    wrong, asked = "gw-not-this-one", [{"role": "user", "content": "Hello"}]
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=wrong, max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model=REF, messages=asked)
        with pytest.raises(openai.AuthenticationError):
            client.responses.create(model=REF, input="Hello", stream=True)
    with (
        anthropic.Anthropic(base_url=gateway.url, api_key=wrong, max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError),
    ):
        client.messages.create(model=REF, max_tokens=9, messages=asked)
    with (
        genai.Client(api_key=wrong, http_options=types.HttpOptions(base_url=gateway.url)) as client,
        pytest.raises(genai.errors.ClientError, match="401"),
    ):
        client.models.generate_content(model=REF, contents="Hello")


def test_every_client_hears_of_a_field_that_is_wrong(chat, claude, gemini) -> None:
    asked = [{"role": "user", "content": "Hello"}]
    with pytest.raises(openai.BadRequestError):
        chat.chat.completions.create(model=REF, messages=asked, temperature="warm")
    with pytest.raises(anthropic.BadRequestError):
        claude.messages.create(model=REF, max_tokens=9, messages=asked, extra_body={"temperature": "warm"})
    with pytest.raises(genai.errors.ClientError, match="400"):
        gemini.models.generate_content(model=REF, contents=[types.Content(role="wizard", parts=[])])


def test_structured_answers_are_parsed_by_their_client(chat) -> None:
    from pydantic import BaseModel

    class City(BaseModel):
        name: str

    asked = [{"role": "user", "content": "A city"}]
    said = chat.chat.completions.parse(model=REF, messages=asked, response_format=City)
    assert said.choices[0].message.parsed == City(name="Lisbon")
    assert chat.responses.parse(model=REF, input="A city", text_format=City).output_parsed == City(name="Lisbon")
    with chat.responses.stream(model=REF, input="A city", text_format=City) as stream:
        assert stream.get_final_response().output_parsed == City(name="Lisbon")
