"""OpenAI's own client as the judge of what we write: it talks to a server that answers with our bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest

from jackfield import errors
from jackfield.events import split_events
from jackfield.message import (
    ChatResponse,
    Citation,
    ImageBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    Usage,
)
from jackfield.protocols import openai_completions as wire
from tests.patience import PATIENCE_S
from tests.protocols.conformance import render_stream
from tests.servers import json_reply, serve, stream_reply

REPLY = ChatResponse(
    id="chatcmpl-1",
    model="gpt",
    content=[
        ThinkingBlock("Hm."),
        TextBlock("It is mild."),
        ToolCall("a", "weather", '{"city":"Rom"}'),
        ToolCall("b", "now", "{}"),
    ],
    finish_reason="tool_calls",
    usage=Usage(3, 6, 5, None, 2),
    extras={"created": 1700000000},
)


@contextmanager
def client(*replies: Any) -> Iterator[openai.OpenAI]:
    with (
        serve(*replies) as server,
        openai.OpenAI(base_url=server.url, api_key="k", max_retries=0, timeout=PATIENCE_S) as sdk,
    ):
        yield sdk


def ask(sdk: openai.OpenAI) -> Any:
    return sdk.chat.completions.create(model="gpt", messages=[{"role": "user", "content": "Hi"}])


def stream(sdk: openai.OpenAI) -> Any:
    messages: Any = [{"role": "user", "content": "Hi"}]
    return sdk.chat.completions.stream(model="gpt", messages=messages, stream_options={"include_usage": True})


def test_openais_client_reads_a_whole_reply() -> None:
    with client(json_reply(wire.render_response(REPLY))) as sdk:
        completion = ask(sdk)
    choice = completion.choices[0]
    assert (completion.id, completion.model, completion.created) == ("chatcmpl-1", "gpt", 1700000000)
    assert (choice.message.content, choice.message.reasoning_content) == ("It is mild.", "Hm.")
    called = [(call.id, call.type, call.function.name, call.function.arguments) for call in choice.message.tool_calls]
    assert called == [("a", "function", "weather", '{"city":"Rom"}'), ("b", "function", "now", "{}")]
    assert choice.finish_reason == "tool_calls"
    used = completion.usage
    assert (used.prompt_tokens, used.completion_tokens, used.total_tokens) == (8, 6, 14)
    assert (used.prompt_tokens_details.cached_tokens, used.completion_tokens_details.reasoning_tokens) == (5, 2)


def test_openais_client_adds_up_a_stream() -> None:
    data = render_stream(wire, list(split_events(REPLY)))
    pieces = [data[at : at + 50] for at in range(0, len(data), 50)]
    with client(stream_reply(*pieces)) as sdk, stream(sdk) as events:
        kinds = [event.type for event in events]
        completion = events.get_final_completion()
    choice = completion.choices[0]
    assert (choice.message.content, choice.message.reasoning_content) == ("It is mild.", "Hm.")
    assert [(call.id, call.function.arguments) for call in choice.message.tool_calls or ()] == [
        ("a", '{"city":"Rom"}'),
        ("b", "{}"),
    ]
    assert (choice.finish_reason, completion.usage.total_tokens) == ("tool_calls", 14)
    assert {"content.delta", "content.done", "tool_calls.function.arguments.done"} <= set(kinds)


def test_openais_client_reads_a_refusal() -> None:
    reply = ChatResponse(id="1", model="gpt", content=[RefusalBlock("No.")])
    with client(
        json_reply(wire.render_response(reply)), stream_reply(render_stream(wire, list(split_events(reply))))
    ) as sdk:
        assert ask(sdk).choices[0].message.refusal == "No."
        with stream(sdk) as events:
            assert events.get_final_completion().choices[0].message.refusal == "No."


def test_openais_client_adds_up_sources_and_pictures_of_several_blocks() -> None:
    words = [
        TextBlock("One. ", citations=[Citation("https://a.test")]),
        TextBlock("Two.", citations=[Citation("https://b.test")]),
    ]
    pictures = [ImageBlock("image/png", "aGk="), ImageBlock("image/png", "eW8=")]
    reply = ChatResponse(id="1", model="gpt", content=[*words, *pictures])
    with client(stream_reply(render_stream(wire, list(split_events(reply))))) as sdk, stream(sdk) as events:
        message = events.get_final_completion().choices[0].message
    assert [one.url_citation.url for one in message.annotations] == ["https://a.test", "https://b.test"]
    assert len(message.images) == 2


def test_openais_client_can_say_again_what_it_got() -> None:
    with client(json_reply(wire.render_response(REPLY))) as sdk:
        message = ask(sdk).choices[0].message.model_dump()
    body = {"model": "gpt", "messages": [json.loads(json.dumps(message))]}
    _, words, *called = wire.parse_request(body).messages[0].content
    assert (words, called) == (REPLY.content[1], [*REPLY.content[2:]])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.InvalidRequest("bad"), openai.BadRequestError),
        (errors.AuthError("who?"), openai.AuthenticationError),
        (errors.NotAllowed("no"), openai.PermissionDeniedError),
        (errors.ModelNotFound("what?"), openai.NotFoundError),
        (errors.RateLimit("slow down"), openai.RateLimitError),
        (errors.StreamBroken("gone"), openai.InternalServerError),
    ],
)
def test_openais_client_raises_its_own_error_for_each_of_ours(
    error: errors.Error, kind: type[openai.APIStatusError]
) -> None:
    status, body = wire.render_error(error)
    with client(json_reply(body, status)) as sdk, pytest.raises(kind) as caught:
        ask(sdk)
    assert error.message in caught.value.message
    assert caught.value.code == body["error"]["code"]


def test_openais_client_raises_an_error_in_the_middle_of_a_stream() -> None:
    renderer = wire.StreamRenderer()
    start, block, delta, *_ = split_events(ChatResponse(id="1", content=[TextBlock("Hi")]))
    data = renderer.feed(start) + renderer.feed(block) + renderer.feed(delta)
    data += renderer.fail(errors.StreamBroken("the provider hung up"))
    with (
        client(stream_reply(data)) as sdk,
        pytest.raises(openai.APIError, match="the provider hung up"),
        stream(sdk) as events,
    ):
        events.until_done()
