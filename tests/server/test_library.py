"""The library against a real model server: what a program sees."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

import jackfield
from jackfield.demo.server import DemoServer
from jackfield.errors import AuthError, ConnectError, ContextLength, StreamBroken
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart
from jackfield.message import (
    ChatRequest,
    ChatResponse,
    Message,
    ResponseFormat,
    TextBlock,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
)
from tests.server.conftest import Config, to_config

ANSWER = "Hello from Jackfield. This answer came out of a real model server on your own machine."
THOUGHT = "One short thought before speaking"
WEATHER = Tool(
    "weather", "Tell the weather.", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
)
each_wire = pytest.mark.parametrize("model", ["demo/tiny", "claude/tiny", "answers/tiny"])


def question(model: str, *, text: str = "Hello", **more: Any) -> ChatRequest:
    return ChatRequest(model=model, messages=[Message.user(text)], max_tokens=256, **more)


async def ask(config: Config, request: ChatRequest) -> ChatResponse:
    async with jackfield.AsyncClient(config) as client:
        return await client.chat(request)


@each_wire
async def test_a_whole_reply_says_the_words_who_said_them_and_the_count(config: Config, model: str) -> None:
    reply = await ask(config, question(model))

    assert reply.text == ANSWER
    assert reply.model == reply.requested == model
    assert reply.finish_reason == "stop"
    assert reply.usage.output == 17
    assert [attempt.reason for attempt in reply.attempts] == [None]


@each_wire
async def test_a_stream_spells_the_same_reply_piece_by_piece(config: Config, model: str) -> None:
    async with jackfield.AsyncClient(config) as client:
        events = [event async for event in client.stream(question(model, stream=True))]

    kinds = [type(event) for event in events]
    assert kinds[:2] == [MessageStart, BlockStart]
    assert kinds[-2:] == [BlockEnd, MessageEnd]
    assert kinds.count(BlockDelta) > 10
    assert "".join(event.text for event in events if isinstance(event, BlockDelta)) == ANSWER


async def test_it_thinks_when_asked_and_only_then(config: Config) -> None:
    asked = await ask(config, question("demo/tiny", thinking=Thinking("high"), stream=True))
    unasked = await ask(config, question("demo/tiny", stream=True))

    assert (asked.thinking, asked.text) == (THOUGHT, ANSWER)
    assert (unasked.thinking, unasked.text) == ("", ANSWER)


@each_wire
@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_is_called_and_its_result_answered(config: Config, model: str, *, stream: bool) -> None:
    asked = question(model, tools=[WEATHER], stream=stream)
    async with jackfield.AsyncClient(config) as client:
        called = await client.stream(asked).response()
        (call,) = called.tool_calls
        result = Message("user", [ToolResult(call.id, [TextBlock("sunny")], name=call.name)])
        turns = [*asked.messages, Message("assistant", called.content), result]
        answered = await client.stream(
            ChatRequest(model=model, messages=turns, tools=[WEATHER], stream=stream)
        ).response()

    assert called.finish_reason == "tool_calls"
    assert (call.name, json.loads(call.arguments)) == ("weather", {"city": "Lisbon"})
    assert answered.text == "The tool's reply has reached me."


async def test_a_required_tool_is_called(config: Config) -> None:
    reply = await ask(config, question("demo/tiny", tools=[WEATHER], tool_choice=ToolChoice("required")))

    assert [call.name for call in reply.tool_calls] == ["weather"]


async def test_an_answer_fits_the_schema_it_was_asked_for(config: Config) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "sky": {"enum": ["clear", "grey"]}},
        "required": ["city", "days", "sky"],
        "additionalProperties": False,
    }

    reply = await ask(config, question("demo/tiny", response_format=ResponseFormat(schema)))

    jsonschema.validate(json.loads(reply.text), schema)


@each_wire
async def test_a_question_longer_than_the_window_is_a_context_overflow(config: Config, model: str) -> None:
    with pytest.raises(ContextLength) as overflow:
        await ask(config, question(model, text="word " * 12_000))

    assert overflow.value.type == "context_overflow"
    assert overflow.value.status == 400


@each_wire
async def test_a_refused_key_is_named_by_where_it_stands(config: Config, model: str) -> None:
    provider = model.partition("/")[0]
    config["models"]["providers"][provider]["apiKey"] = "sk-not-the-one-0123456789"

    with pytest.raises(AuthError) as refused:
        await ask(config, question(model))

    assert f"models.providers.{provider}.apiKey" in f"{refused.value.message} {refused.value.hint}"
    assert "sk-not-the-one" not in f"{refused.value.message} {refused.value.hint}"


async def test_a_server_that_dies_in_mid_sentence_breaks_the_stream(brittle: DemoServer) -> None:
    endless = question("demo/tiny", stream=True, extras={"ignore_eos": True})
    heard = ""

    async def listen(client: jackfield.AsyncClient) -> None:
        nonlocal heard
        async for event in client.stream(endless):
            if isinstance(event, BlockDelta):
                heard += event.text
                brittle.process.kill()

    async with jackfield.AsyncClient(to_config(brittle)) as client:
        with pytest.raises(StreamBroken) as broken:
            await listen(client)

    assert heard.startswith("Hello")
    assert broken.value.partial is not None
    assert broken.value.partial.text == heard


async def test_a_server_that_is_gone_is_a_failed_connection(brittle: DemoServer) -> None:
    brittle.process.kill()
    brittle.process.wait()

    with pytest.raises(ConnectError, match=brittle.root.removeprefix("http://")):
        await ask(to_config(brittle), question("demo/tiny"))


async def test_a_second_model_answers_when_the_first_server_is_gone(brittle: DemoServer, config: Config) -> None:
    brittle.process.kill()
    brittle.process.wait()
    config["models"]["providers"]["gone"] = brittle.provider()
    async with jackfield.AsyncClient(config) as client:
        reply = await client.chat(question("gone/tiny"), fallbacks=["demo/tiny"])

    assert reply.text == ANSWER
    assert (reply.requested, reply.model) == ("gone/tiny", "demo/tiny")
    assert [attempt.model for attempt in reply.attempts] == ["gone/tiny", "demo/tiny"]
    assert reply.attempts[0].reason == "connection"


def test_the_sync_client_asks_the_same_way(config: Config) -> None:
    with jackfield.Client(config) as client:
        reply = client.chat(question("demo/tiny"))
        pieces = [
            event.text for event in client.stream(question("demo/tiny", stream=True)) if isinstance(event, BlockDelta)
        ]

    assert reply.text == "".join(pieces) == ANSWER


async def test_many_questions_at_once_all_get_their_answer(config: Config) -> None:
    import asyncio

    async with jackfield.AsyncClient(config) as client:
        replies = await asyncio.gather(*[client.chat(question("demo/tiny", stream=True)) for _ in range(12)])

    assert {reply.text for reply in replies} == {ANSWER}
