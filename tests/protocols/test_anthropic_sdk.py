"""Anthropic's own client as the judge of what we write: it talks to a server that answers with our bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import anthropic
import pytest

from jackfield import errors
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent, split_events
from jackfield.message import ChatResponse, OpaqueBlock, TextBlock, ThinkingBlock, ToolCall, Usage
from jackfield.protocols import anthropic_messages as wire
from tests.patience import PATIENCE_S
from tests.servers import json_reply, serve, sse_reply

REPLY = ChatResponse(
    id="msg_1",
    model="claude",
    content=[
        ThinkingBlock("Hm.", "c2ln"),
        ThinkingBlock("", "ZGF0YQ==", redacted=True),
        TextBlock("See", None, {wire.NAME: {"citations": [{"type": "char_location", "cited_text": "x"}]}}),
        OpaqueBlock(wire.NAME, {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}}),
        ToolCall("toolu_1", "weather", '{"city": "Köln"}'),
        ToolCall("toolu_2", "now", "{}"),
    ],
    finish_reason="tool_calls",
    raw_finish_reason="tool_use",
    usage=Usage(3, 6, 5343, 0, 2, {"service_tier": "standard"}),
)


@contextmanager
def client(*replies: Any) -> Iterator[anthropic.Anthropic]:
    with (
        serve(*replies) as server,
        anthropic.Anthropic(base_url=server.url, api_key="sk-ant-test", max_retries=0, timeout=PATIENCE_S) as sdk,
    ):
        yield sdk


def ask(sdk: anthropic.Anthropic) -> anthropic.types.Message:
    return sdk.messages.create(model="claude", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])


def listen(sdk: anthropic.Anthropic) -> tuple[anthropic.types.Message, list[Any]]:
    with sdk.messages.stream(model="claude", max_tokens=9, messages=[{"role": "user", "content": "Hi"}]) as stream:
        events = list(stream)
        return stream.get_final_message(), events


def stream_of(events: Sequence[StreamEvent]) -> Any:
    renderer = wire.StreamRenderer()
    return sse_reply(b"".join(renderer.feed(event) for event in events) + renderer.close())


def check(message: anthropic.types.Message) -> None:
    kinds = ["thinking", "redacted_thinking", "text", "server_tool_use", "tool_use", "tool_use"]
    thinking, redacted, text, search, weather, now = message.content
    assert [block.type for block in message.content] == kinds
    assert (thinking.thinking, thinking.signature) == ("Hm.", "c2ln")
    assert redacted.data == "ZGF0YQ=="
    assert (text.text, text.citations[0].cited_text) == ("See", "x")
    assert search.input == {"query": "x"}
    assert (weather.id, weather.name, weather.input) == ("toolu_1", "weather", {"city": "Köln"})
    assert now.input == {}
    assert (message.id, message.model, message.stop_reason) == ("msg_1", "claude", "tool_use")
    usage = message.usage
    assert (usage.input_tokens, usage.output_tokens) == (3, 6)
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (5343, 0)


def test_the_client_reads_a_whole_reply() -> None:
    with client(json_reply(wire.render_response(REPLY))) as sdk:
        check(ask(sdk))


def test_the_client_reads_a_streamed_reply() -> None:
    with client(stream_of(list(split_events(REPLY)))) as sdk:
        message, events = listen(sdk)
    check(message)
    assert "".join(event.text for event in events if event.type == "text") == "See"
    assert [event.signature for event in events if event.type == "signature"] == ["c2ln"]
    assert len([event for event in events if event.type == "content_block_stop"]) == 6


def test_the_client_reads_tools_that_came_interleaved() -> None:
    starts = [BlockStart(n, ToolCall(f"t{n}", "f", "")) for n in range(3)]
    deltas = [BlockDelta(n, text) for text in ('{"n"', ": 1}") for n in range(3)]
    ends = [BlockEnd(n) for n in range(3)]
    with client(stream_of([MessageStart(), *starts, *deltas, *ends, MessageEnd("tool_calls", Usage(1, 2))])) as sdk:
        message, _ = listen(sdk)
    assert [block.input for block in message.content if block.type == "tool_use"] == [{"n": 1}] * 3


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (errors.AuthError("x"), anthropic.AuthenticationError),
        (errors.PermissionDenied("x"), anthropic.PermissionDeniedError),
        (errors.ModelNotFound("x"), anthropic.NotFoundError),
        (errors.InvalidRequest("x"), anthropic.BadRequestError),
        (errors.ContextLength("x"), anthropic.BadRequestError),
        (errors.RateLimit("x"), anthropic.RateLimitError),
        (errors.Overloaded("x"), anthropic.InternalServerError),
        (errors.ServerError("x"), anthropic.InternalServerError),
    ],
)
def test_the_client_raises_its_own_error(error: errors.Error, raised: type[Exception]) -> None:
    status, body = wire.render_error(error)
    with client(json_reply(body, status)) as sdk, pytest.raises(raised, match="x"):
        ask(sdk)


def test_the_client_raises_what_breaks_a_stream() -> None:
    renderer = wire.StreamRenderer()
    data = renderer.feed(MessageStart()) + renderer.feed(BlockStart(0, TextBlock("Hel")))
    with (
        client(sse_reply(data + renderer.fail(errors.Overloaded("busy")))) as sdk,
        pytest.raises(anthropic.APIStatusError, match="busy"),
    ):
        listen(sdk)


def test_we_read_what_the_client_sends() -> None:
    messages: list[Any] = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": REPLY_AS_PARAMS},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "sun"}]},
    ]
    with serve(json_reply(wire.render_response(REPLY))) as server:
        sdk = anthropic.Anthropic(base_url=server.url, api_key="sk-ant-test", max_retries=0, timeout=PATIENCE_S)
        sdk.messages.create(
            model="claude",
            max_tokens=4000,
            system="Be kind",
            thinking={"type": "enabled", "budget_tokens": 2000},
            tools=[{"name": "weather", "input_schema": {"type": "object"}}],
            tool_choice={"type": "auto", "disable_parallel_tool_use": True},
            messages=messages,
        )
        sdk.close()
    received = server.journal[0]
    assert received.target == "/v1/messages"
    request = wire.parse_request(received.body)
    assert (request.parallel_tools, request.max_tokens) == (False, 4000)
    assert wire.parse_request(json.dumps(wire.render_request(request))) == request


REPLY_AS_PARAMS = wire.render_response(REPLY)["content"]
