"""A reply that broke and that another goes on from: what may be joined, how the seam looks, and what both cost."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

import jackfield
from jackfield import ChatRequest, Message, Tool
from jackfield.errors import StreamBroken
from jackfield.message import ResponseFormat
from tests.cli.test_chat import chunk
from tests.commands import run, write_config
from tests.pulse import Day
from tests.servers import CUT, Server, serve, sse_reply

USED = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def config(server: Server, on_break: str = "continue", **models: Any) -> dict[str, Any]:
    rows = [
        {"id": name, "compat": {"assistantPrefill": True}, "cost": {"input": 1, "output": 10}}
        for name in ("one", "two")
    ]
    box = {"baseUrl": server.url, "api": "openai-completions", "apiKey": "sk-box-0123456789", "models": rows}
    route = {"primary": "box/one", "fallbacks": ["box/two"], "onStreamBreak": on_break}
    return {"models": {"providers": {"box": box}, "routes": {"both": route}, **models}}


def ask(**more: Any) -> ChatRequest:
    return ChatRequest(model="both", messages=[Message.user("Hello")], max_tokens=100, **more)


def said(*texts: str) -> list[dict[str, Any]]:
    return [chunk({"content": text}) for text in texts]


def ended() -> list[Any]:
    return [chunk({}, "stop"), {"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": USED}, "[DONE]"]


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        (["Hello wor"], ["ld."], "Hello world."),
        (["Hello "], [" world."], "Hello world."),
        (["Hello "], ["world."], "Hello world."),
        (["Hello"], [" world."], "Hello world."),
        (["Hello\n\n"], ["\n\nworld."], "Hello\n\nworld."),
        (["  Hello "], ["world. "], "  Hello world. "),
        (["你好，世"], ["界。🎉"], "你好，世界。🎉"),
        (["👩"], ["\u200d💻 codes"], "👩\u200d💻 codes"),
    ],
)
async def test_the_seam_of_two_replies_is_not_seen(first: list[str], second: list[str], whole: str) -> None:
    with serve(sse_reply(*said(*first), CUT), sse_reply(*said(*second), *ended())) as server:
        async with jackfield.AsyncClient(config(server), pulse=Day().pulse) as client:
            events = [event async for event in client.stream(ask())]
    told = "".join(event.text for event in events if isinstance(event, jackfield.BlockDelta))
    assert told == whole
    assert len(server.journal) == 2
    assert server.journal[1].json()["messages"][-1] == {"role": "assistant", "content": "".join(first).rstrip()}


CALL = {"index": 0, "id": "t1", "type": "function", "function": {"name": "add", "arguments": '{"a": '}}


@pytest.mark.parametrize(
    ("pieces", "asked"),
    [
        ([{"tool_calls": [CALL]}], {"tools": [Tool("add")]}),
        ([{"content": "Let me see"}, {"tool_calls": [CALL]}], {"tools": [Tool("add")]}),
        ([{"reasoning_content": "hm"}], {}),
        ([{"reasoning_content": "hm"}, {"content": "I think"}], {}),
        ([{"content": '{"a": '}], {"response_format": ResponseFormat()}),
        ([{"content": "  \n"}], {}),
    ],
    ids=["a call", "words and a call", "a thought", "a thought and words", "JSON", "white space"],
)
async def test_what_means_nothing_without_its_rest_is_never_joined(
    pieces: list[dict[str, Any]], asked: dict[str, Any]
) -> None:
    broken = sse_reply(*(chunk(piece) for piece in pieces), CUT)
    with serve(broken, sse_reply(*said("the rest"), *ended())) as server:
        async with jackfield.AsyncClient(config(server), pulse=Day().pulse) as client:
            with pytest.raises(StreamBroken) as failed:
                await client.stream(ask(**asked)).response()
    assert failed.value.partial is not None
    assert len(server.journal) == 1


@pytest.mark.parametrize("on_break", ["error", "restart", "continue"])
async def test_every_try_is_held_and_settled_and_none_is_left(on_break: str) -> None:
    broken, whole = sse_reply(*said("Hello"), CUT), sse_reply(*said(" world"), *ended())
    with serve(broken, broken, whole) as server:
        path = write_config(json.dumps(config(server, on_break, budget={"perDay": 1})))
        async with jackfield.AsyncClient(path, pulse=Day().pulse) as client:
            stream = client.stream(ask())
            try:
                reply = await stream.response()
            except StreamBroken:
                reply = stream.heard()
    today = run("budget", "--json").json()["today"]
    assert Decimal(today["reservedUsd"]) == 0
    assert reply.cost_usd is not None
    assert Decimal(today["spentUsd"]) == reply.cost_usd
    assert len(server.journal) == len([each for each in reply.attempts if each.ms is not None])
    assert reply.usage.output == sum(each.usage.output or 0 for each in reply.attempts if each.usage)


@pytest.mark.parametrize("characters", [1_000_000, 10_000_000])
async def test_a_reply_that_is_held_until_it_is_whole_may_be_long(characters: int) -> None:
    piece = "x" * 100_000
    many = said(*[piece] * (characters // len(piece)))
    with serve(sse_reply(*many, CUT), sse_reply(*many, CUT), sse_reply(*many, *ended())) as server:
        async with jackfield.AsyncClient(config(server, "restart"), pulse=Day().pulse) as client:
            stream = client.stream(ask())
            if characters < 8_000_000:
                assert len((await stream.response()).text) == characters
                return
            with pytest.raises(StreamBroken) as failed:
                await stream.response()
    assert failed.value.partial is not None
    assert len(failed.value.partial.text) == characters, "too long to be held: handed on, and broken as any other"


async def test_a_turn_that_another_answered_is_told_of_once_and_once_that_the_first_is_back() -> None:
    day = Day(still=True)
    good = sse_reply(*said("Hi"), *ended())
    refused = [b"HTTP/1.1 429 No\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n"]
    with serve(good, good, refused, good, good, good) as server:
        async with jackfield.AsyncClient(config(server), pulse=day.pulse) as client:
            turns = []
            for _ in range(5):
                reply = await client.stream(ask(), session="s").response()
                turns.append((reply.model, reply.notice))
                day.passed_s += 61
    assert [model for model, _ in turns] == ["box/one", "box/one", "box/two", "box/one", "box/one"]
    assert [notice for _, notice in turns if notice] == [
        "box/two answers in place of box/one (rate_limit)",
        "box/one answers again, after box/two",
    ]
