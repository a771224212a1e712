"""Google's own client as the judge of what we write: it talks to a server that answers with our bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from google import genai
from google.genai import errors as sdk_errors
from google.genai import types

from jackfield import errors
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent, split_events
from jackfield.message import (
    ChatResponse,
    Citation,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    TokenLogprob,
    ToolCall,
    Usage,
)
from jackfield.protocols import google_generative_ai as wire
from tests.patience import PATIENCE_S
from tests.protocols.normal_google import normal_google
from tests.servers import json_reply, serve, sse_reply

REPLY = ChatResponse(
    id="r1",
    model="gemini",
    content=[
        ThinkingBlock("Hm.", "c2ln"),
        TextBlock("See", citations=[Citation("https://x.test", "X", start=0, end=3)]),
        ImageBlock("image/png", "aGk="),
        ToolCall("c1", "weather", '{"city": "Köln"}', opaque={wire.NAME: {"thoughtSignature": "c2ln"}}),
        ToolCall("c2", "now", ""),
    ],
    finish_reason="tool_calls",
    raw_finish_reason="tool_use",
    usage=Usage(3, 6, 5343, 7, 2, {"prompt_tokens_details": {"x": 1}}),
    logprobs=[TokenLogprob("See", -0.5, [TokenLogprob("See", -0.5)])],
    extras={"created": 1, "system_fingerprint": "fp"},
)


@contextmanager
def client(*replies: Any) -> Iterator[tuple[genai.Client, Any]]:
    with serve(*replies) as server:
        options = types.HttpOptions(base_url=server.url, api_version="v1beta", timeout=int(PATIENCE_S * 1000))
        with genai.Client(api_key="k", http_options=options) as sdk:
            yield sdk, server


def ask(sdk: genai.Client) -> types.GenerateContentResponse:
    return sdk.models.generate_content(model="gemini", contents="Hi")


def listen(sdk: genai.Client) -> list[types.GenerateContentResponse]:
    return list(sdk.models.generate_content_stream(model="gemini", contents="Hi"))


def stream_of(events: Sequence[StreamEvent]) -> Any:
    renderer = wire.StreamRenderer()
    return sse_reply(b"".join(renderer.feed(event) for event in events) + renderer.close())


def check(parts: list[types.Part], last: types.GenerateContentResponse) -> None:
    thoughts = [part for part in parts if part.thought]
    assert "".join(part.text or "" for part in thoughts) == "Hm."
    assert [part.thought_signature for part in thoughts if part.thought_signature] == [b"sig"]
    assert "".join(part.text or "" for part in parts if not part.thought) == "See"
    assert [part.inline_data.data for part in parts if part.inline_data] == [b"hi"]
    calls = [part for part in parts if part.function_call]
    assert calls[0].thought_signature == b"sig"
    assert [(c.function_call.id, c.function_call.name, c.function_call.args) for c in calls if c.function_call] == [
        ("c1", "weather", {"city": "Köln"}),
        ("c2", "now", {}),
    ]
    usage, candidate = last.usage_metadata, (last.candidates or [])[0]
    assert usage
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (5353, 5343)
    assert (usage.candidates_token_count, usage.thoughts_token_count, usage.total_token_count) == (4, 2, 5359)
    assert candidate.finish_reason == types.FinishReason.STOP
    assert candidate.grounding_metadata
    assert candidate.grounding_metadata.grounding_chunks
    assert candidate.logprobs_result
    assert (last.response_id, last.model_version) == ("r1", "gemini")


def test_the_client_reads_a_whole_reply() -> None:
    with client(json_reply(wire.render_response(REPLY))) as (sdk, server):
        answer = ask(sdk)
    assert server.journal[0].target == "/v1beta/models/gemini:generateContent"
    assert answer.candidates
    assert answer.candidates[0].content
    check(answer.candidates[0].content.parts or [], answer)


def test_the_client_reads_a_streamed_reply() -> None:
    with client(stream_of(list(split_events(REPLY)))) as (sdk, server):
        chunks = listen(sdk)
    assert server.journal[0].target == "/v1beta/models/gemini:streamGenerateContent?alt=sse"
    contents = [(chunk.candidates or [])[0].content for chunk in chunks]
    check([part for content in contents if content for part in content.parts or []], chunks[-1])


def test_the_client_reads_tools_that_came_interleaved() -> None:
    starts = [BlockStart(n, ToolCall(f"t{n}", "f", "")) for n in range(3)]
    deltas = [BlockDelta(n, text) for text in ('{"n"', ": 1}") for n in range(3)]
    ends = [BlockEnd(n) for n in range(3)]
    with client(stream_of([MessageStart(), *starts, *deltas, *ends, MessageEnd("tool_calls", Usage(1, 2))])) as (
        sdk,
        _,
    ):
        calls = [call for chunk in listen(sdk) for call in chunk.function_calls or []]
    assert [(call.id, call.args) for call in calls] == [(f"t{n}", {"n": 1}) for n in range(3)]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.AuthError("x"), 401),
        (errors.PermissionDenied("x"), 403),
        (errors.ModelNotFound("x"), 404),
        (errors.InvalidRequest("x"), 400),
        (errors.ContextLength("x"), 400),
        (errors.RateLimit("x", retry_after_s=2), 429),
        (errors.Overloaded("x"), 503),
        (errors.ServerError("x"), 500),
    ],
)
def test_the_client_raises_its_own_error(error: errors.Error, status: int) -> None:
    code, body = wire.render_error(error)
    with client(json_reply(body, code)) as (sdk, _), pytest.raises(sdk_errors.APIError, match="x") as caught:
        ask(sdk)
    assert caught.value.code == status
    assert isinstance(caught.value, sdk_errors.ClientError if status < 500 else sdk_errors.ServerError)


def test_the_client_raises_what_breaks_a_stream() -> None:
    renderer = wire.StreamRenderer()
    data = renderer.feed(MessageStart()) + renderer.feed(BlockStart(0, TextBlock("Hel")))
    with (
        client(sse_reply(data + renderer.fail(errors.Overloaded("busy")))) as (sdk, _),
        pytest.raises(sdk_errors.ServerError, match="busy"),
    ):
        listen(sdk)


def test_we_read_what_the_client_sends() -> None:
    with client(json_reply(wire.render_response(REPLY))) as (sdk, server):
        answer = ask(sdk)
        said = (answer.candidates or [])[0].content
        result = types.Part.from_function_response(name="weather", response={"output": "sun"})
        function = types.FunctionDeclaration(
            name="weather", parameters_json_schema={"type": "object", "properties": {}}
        )
        sdk.models.generate_content(
            model="gemini",
            contents=["Hi", said, types.Content(role="user", parts=[result])],
            config=types.GenerateContentConfig(
                system_instruction="Be kind",
                max_output_tokens=4000,
                tools=[types.Tool(function_declarations=[function])],
                tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY")),
                thinking_config=types.ThinkingConfig(thinking_budget=2000, include_thoughts=True),
                safety_settings=[types.SafetySetting(category="HARM_CATEGORY_HATE_SPEECH", threshold="BLOCK_NONE")],
            ),
        )
    request = wire.parse_request(server.journal[1].body)
    assert server.journal[1].headers["x-goog-api-key"] == "k"
    assert (request.max_tokens, request.system, request.tools[0].name) == (4000, (TextBlock("Be kind"),), "weather")
    assert request.thinking
    assert request.thinking.budget_tokens == 2000
    assert request.messages[1].content[0] == ThinkingBlock("Hm.", "c2ln", opaque={wire.NAME: {}})
    assert request.messages[2].content[0].call_id == "c1"  # type: ignore[union-attr]  # a result
    assert normal_google(wire.render_request(request)) == normal_google(server.journal[1].json())
