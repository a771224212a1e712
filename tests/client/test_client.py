"""The library, sync and async, against scripted servers."""

from __future__ import annotations

import asyncio
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import jackfield
from jackfield import ChatRequest, Message, TextBlock, Thinking, ThinkingBlock, Tool, ToolCall, ToolChoice, ToolResult
from jackfield.errors import ConfigError, ContentFilter, Error, InvalidRequest, RateLimit, StreamBroken
from jackfield.providers.names import legal_name
from tests.cli.test_chat import HELLO, chunk, whole
from tests.commands import local_provider, write_config
from tests.pulse import Day
from tests.servers import CUT, HANG, Server, json_reply, serve, sse_reply


def config(server: Server, **more: Any) -> dict[str, Any]:
    return json.loads(local_provider(server.url, **more))  # type: ignore[no-any-return]  # JSON


def test_three_lines_give_an_answer_from_the_users_own_config() -> None:
    with serve(json_reply(whole())) as server:
        write_config(local_provider(server.url))
        reply = jackfield.chat("box/m", "Hello")
    assert reply.text == "Hi there"
    assert reply.usage.input == 6


def test_a_stream_can_be_iterated_and_then_asked_for_the_whole() -> None:
    with serve(HELLO) as server:
        write_config(local_provider(server.url))
        stream = jackfield.stream("box/m", "Hello")
        said = [event.text for event in stream if isinstance(event, jackfield.BlockDelta)]
    assert said == ["Hi", " there"]
    assert stream.response().text == "Hi there"


def test_a_client_keeps_its_connection() -> None:
    with serve(json_reply(whole())) as server, jackfield.Client(config(server)) as client:
        for _ in range(3):
            client.chat(ChatRequest(model="box/m", messages=[Message.user("Hello")]))
    assert server.connections == 1


def test_a_sync_client_works_inside_a_running_loop() -> None:
    async def inside() -> str:
        return jackfield.chat("box/m", "Hello").text

    with serve(json_reply(whole())) as server:
        write_config(local_provider(server.url))
        assert asyncio.run(inside()) == "Hi there"


async def test_an_async_client_streams_many_at_once() -> None:
    with serve(HELLO) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            request = ChatRequest(model="box/m", messages=[Message.user("Hello")])
            replies = await asyncio.gather(*(client.stream(request).response() for _ in range(20)))
    assert {reply.text for reply in replies} == {"Hi there"}
    assert replies[0].cost_usd is not None


async def test_a_config_may_be_a_path(home: Path) -> None:
    with serve(json_reply(whole())) as server:
        path = home / "elsewhere.json5"
        path.write_text(local_provider(server.url), encoding="utf-8")
        async with jackfield.AsyncClient(path) as client:
            assert (
                await client.chat(ChatRequest(model="default", messages=[Message.user("Hi")]))
            ).requested == "default"


def test_a_wrong_config_names_every_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        jackfield.AsyncClient({"models": {"mode": "merg", "providers": {"x": {"api": 5}}}})
    assert "models.mode" in caught.value.message
    assert "models.providers.x.api" in caught.value.message


async def test_cost_is_exact_money() -> None:
    row = {"id": "m", "cost": {"input": 3, "output": 15, "cacheRead": 0.3}}
    with serve(json_reply(whole())) as server:
        async with jackfield.AsyncClient(config(server, models=[row])) as client:
            reply = await client.chat(ChatRequest(model="box/m", messages=[Message.user("Hi")]))
    assert reply.cost_usd == Decimal("0.0000492")  # (6 × 3 + 4 × 0.3 + 2 × 15) / 10⁶


async def test_a_fallback_stands_in_before_the_first_content() -> None:
    day = Day()
    broken = sse_reply(chunk({"role": "assistant"}), CUT)
    with serve(broken, broken, HELLO) as server:
        async with jackfield.AsyncClient(config(server), pulse=day.pulse) as client:
            request = ChatRequest(model="box/m", messages=[Message.user("Hi")])
            reply = await client.stream(request, fallbacks=["box/two"]).response()
    assert reply.model == "box/two"
    assert [(attempt.model, attempt.reason) for attempt in reply.attempts] == [
        ("box/m", "stream_broken"),
        ("box/m", "stream_broken"),
        ("box/two", None),
    ]
    assert reply.notice == "box/two answers in place of box/m (stream_broken)"
    assert day.slept == [0.5]


async def test_after_the_first_content_a_break_is_the_callers() -> None:
    with serve(sse_reply(chunk({"content": "Hi"}), CUT), HELLO) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            request = ChatRequest(model="box/m", messages=[Message.user("Hi")])
            with pytest.raises(StreamBroken) as caught:
                await client.stream(request, fallbacks=["box/two"]).response()
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hi"
    assert len(server.journal) == 1


async def test_a_request_at_fault_moves_on_to_nobody() -> None:
    refusal = {"error": {"message": "your prompt is against our rules", "code": "content_policy_violation"}}
    with serve(json_reply(refusal, 400), HELLO) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            request = ChatRequest(model="box/m", messages=[Message.user("Hi")])
            with pytest.raises(ContentFilter):
                await client.stream(request, fallbacks=["box/two"]).response()
    assert len(server.journal) == 1


async def test_when_all_fail_the_error_tells_of_each() -> None:
    day = Day()
    with serve(json_reply({"error": {"message": "slow down"}}, 429, retry_after="70")) as server:
        async with jackfield.AsyncClient(config(server), pulse=day.pulse) as client:
            request = ChatRequest(model="box/m", messages=[Message.user("Hi")])
            with pytest.raises(RateLimit, match=r"all models failed \(2\)") as caught:
                await client.chat(request, fallbacks=["box/two"])
    assert caught.value.retry_after_s == 70
    assert [attempt.reason for attempt in caught.value.attempts] == ["rate_limit", "rate_limit"]
    assert day.slept == [], "more than a minute is no wait"


async def test_leaving_a_stream_closes_the_connection() -> None:
    with serve(sse_reply(chunk({"content": "Hi"}), HANG)) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            stream = client.stream(ChatRequest(model="box/m", messages=[Message.user("Hi")]))
            async for event in stream:
                if isinstance(event, jackfield.BlockDelta):
                    break
            await stream.aclose()
            assert await server.saw_drop()
    assert stream.heard().text == "Hi"


async def test_cancelling_the_task_closes_the_connection() -> None:
    with serve(sse_reply(chunk({"content": "Hi"}), HANG)) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            stream = client.stream(ChatRequest(model="box/m", messages=[Message.user("Hi")]))
            task = asyncio.create_task(stream.response())
            while not stream.heard().text:  # noqa: ASYNC110  a reply offers no such event
                await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await server.saw_drop()


async def test_a_tool_loop_goes_round() -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
    asks = whole(None, tool_calls=[call])
    asks["choices"][0]["finish_reason"] = "tool_calls"
    with serve(json_reply(asks), json_reply(whole("2"))) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            tools = [Tool("add", "adds", {"type": "object", "properties": {"a": {"type": "integer"}}})]
            turns = [Message.user("add")]
            first = await client.chat(ChatRequest(model="box/m", messages=turns, tools=tools))
            turns += [
                Message("assistant", first.content, model=first.model),
                Message.user(ToolResult("t1", [TextBlock("2")])),
            ]
            second = await client.chat(ChatRequest(model="box/m", messages=turns, tools=tools))
    assert first.finish_reason == "tool_calls"
    assert second.text == "2"
    assert [turn["role"] for turn in server.journal[1].json()["messages"]] == ["user", "assistant", "tool"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_function_with_a_name_the_wire_refuses_is_called_by_its_own_name(stream: bool) -> None:
    name = "mcp:files/read.all"
    legal = legal_name(name, "openai-completions")
    call = {"index": 0, "id": "t1", "type": "function", "function": {"name": legal, "arguments": "{}"}}
    answer = json_reply(whole(None, tool_calls=[call]))
    if stream:
        answer = sse_reply(chunk({"tool_calls": [call]}), chunk({}, "tool_calls"), "[DONE]")
    turns = [Message.assistant(ToolCall("t0", name, "{}")), Message.user(ToolResult("t0", [TextBlock("2")], name=name))]
    with serve(answer) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            request = ChatRequest(
                model="box/m", messages=[Message.user("Go"), *turns], tools=[Tool(name)],
                tool_choice=ToolChoice("tool", name), stream=stream,
            )  # fmt: skip
            reply = await (client.stream(request).response() if stream else client.chat(request))
    assert [call.name for call in reply.tool_calls] == [name]
    body = server.journal[0].json()
    assert body["tools"][0]["function"]["name"] == body["tool_choice"]["function"]["name"] == legal
    assert body["messages"][1]["tool_calls"][0]["function"]["name"] == legal


async def test_a_loss_is_a_warning_and_under_strict_an_error() -> None:
    with serve(json_reply(whole())) as server:
        async with jackfield.AsyncClient(config(server, api="anthropic-messages", baseUrl=server.url)) as client:
            request = ChatRequest(model="box/m", messages=[Message.user("Hi")], seed=7)
            with pytest.raises(InvalidRequest, match="seed"):
                await client.chat(request, strict=True)
    assert server.journal == []


async def test_another_models_signed_thoughts_are_not_sent() -> None:
    foreign = Message("assistant", [ThinkingBlock("hm", "sig"), TextBlock("yes")], model="anthropic/claude-opus-4-5")
    with serve(json_reply(whole())) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            await client.chat(ChatRequest(model="box/m", messages=[Message.user("a"), foreign, Message.user("b")]))
    assert "hm" not in server.journal[0].body.decode()


async def test_configured_params_and_thinking_apply_where_the_call_says_nothing() -> None:
    with serve(json_reply(whole())) as server:
        said = config(server, models=[{"id": "m", "reasoning": True}])
        said["agents"]["defaults"] |= {"params": {"temperature": 0.1, "topP": 0.5}, "thinkingDefault": "high"}
        said["agents"]["defaults"]["models"] = {"box/m": {"params": {"temperature": 0.2}}}
        async with jackfield.AsyncClient(said) as client:
            await client.chat(ChatRequest(model="box/m", messages=[Message.user("Hi")]))
            await client.chat(
                ChatRequest(model="box/m", messages=[Message.user("Hi")], temperature=0.9, thinking=Thinking("low"))
            )
    bodies = [received.json() for received in server.journal]
    assert [(body["temperature"], body["top_p"], body["reasoning_effort"]) for body in bodies] == [
        (0.2, 0.5, "high"), (0.9, 0.5, "low"),
    ]  # fmt: skip


def test_the_library_reads_models_json_as_the_command_does(home: Path) -> None:
    folder = home / ".jackfield"
    folder.mkdir()
    rows = {"providers": {"shed": {"baseUrl": "http://127.0.0.1:9/v1", "models": [{"id": "m"}]}}}
    (folder / "models.json").write_text(json.dumps(rows), encoding="utf-8")
    with jackfield.Client() as client:
        assert [ref for ref, _ in client.models("shed")] == ["shed/m"]


def test_models_lists_without_a_network() -> None:
    with jackfield.Client({}) as client:
        rows = dict(client.models("venice"))
        assert len(rows) == 25
        assert rows["venice/llama-3.3-70b"].privacy == "private"


def test_public_names_are_sorted_and_exist() -> None:
    assert jackfield.__all__ == sorted(jackfield.__all__)
    for name in jackfield.__all__:
        assert getattr(jackfield, name) is not None
    assert callable(jackfield.chat)


def test_importing_the_package_imports_next_to_nothing() -> None:
    import subprocess
    import sys

    code = "import sys, jackfield; print(sorted({'asyncio', 'aiohttp', 'msgspec', 'click'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout == "[]\n"


def test_every_error_can_be_caught_as_one() -> None:
    with pytest.raises(Error) as caught:
        jackfield.chat("nobody/m", "Hello")
    assert caught.value.type == "model_not_found"
