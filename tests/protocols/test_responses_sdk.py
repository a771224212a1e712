"""OpenAI's own client as the judge of what we write: it talks to a server that answers with our bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from jackfield import errors
from jackfield.events import split_events
from jackfield.message import (
    ChatResponse,
    Citation,
    ImageBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    TokenLogprob,
    ToolCall,
    Usage,
)
from jackfield.protocols import openai_responses as wire
from tests.patience import PATIENCE_S
from tests.protocols.conformance import render_stream
from tests.servers import json_reply, serve, stream_reply

REPLY = ChatResponse(
    id="resp_1",
    model="gpt",
    content=[
        ThinkingBlock("Hm.", "c2VjcmV0"),
        TextBlock("It is mild.", citations=[Citation("https://x.test", "X", start=0, end=2)]),
        ToolCall("a", "weather", '{"city":"Rom"}'),
        ToolCall("b", "now", "{}"),
        ToolCall("c", "paint", "a sun", opaque={wire.NAME: {"type": "custom"}}),
        ImageBlock("image/png", "aGk="),
    ],
    finish_reason="tool_calls",
    usage=Usage(3, 6, 5, 0, 2),
    logprobs=[TokenLogprob("It", -0.5, [TokenLogprob("He", -1.5)])],
    extras={"created_at": 1700000000},
)


@contextmanager
def client(*replies: Any) -> Iterator[openai.OpenAI]:
    with (
        serve(*replies) as server,
        openai.OpenAI(base_url=server.url, api_key="k", max_retries=0, timeout=PATIENCE_S) as sdk,
    ):
        yield sdk


def ask(sdk: openai.OpenAI) -> Any:
    return sdk.responses.create(model="gpt", input="Hi")


def written(reply: ChatResponse) -> bytes:
    return render_stream(wire, list(split_events(reply)))


def in_pieces(data: bytes) -> Any:
    return stream_reply(*(data[at : at + 50] for at in range(0, len(data), 50)))


def check(response: Any) -> None:
    """Check a response as the SDK holds it."""
    assert (response.id, response.model, response.status) == ("resp_1", "gpt", "completed")
    assert response.output_text == "It is mild."
    thought, said, first, second, custom, picture = response.output
    assert (thought.type, thought.summary[0].text, thought.encrypted_content) == ("reasoning", "Hm.", "c2VjcmV0")
    assert said.content[0].annotations[0].url == "https://x.test"
    assert [(call.call_id, call.name, call.arguments) for call in (first, second)] == [
        ("a", "weather", '{"city":"Rom"}'),
        ("b", "now", "{}"),
    ]
    assert (custom.type, custom.input) == ("custom_tool_call", "a sun")
    assert (picture.type, picture.result) == ("image_generation_call", "aGk=")
    assert len({item.id for item in response.output}) == 6
    used = response.usage
    assert (used.input_tokens, used.output_tokens, used.total_tokens) == (8, 6, 14)
    assert (used.input_tokens_details.cached_tokens, used.output_tokens_details.reasoning_tokens) == (5, 2)
    assert said.content[0].logprobs[0].top_logprobs[0].token == "He"


def test_openais_client_reads_a_whole_reply() -> None:
    with client(json_reply(wire.render_response(REPLY))) as sdk:
        response = ask(sdk)
    check(response)
    assert response.created_at == 1700000000


def test_openais_client_reads_a_stream_whose_every_event_is_numbered_and_placed() -> None:
    with client(in_pieces(written(REPLY))) as sdk:
        events: list[Any] = list(sdk.responses.create(model="gpt", input="Hi", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    check(events[-1].response)
    placed = [event for event in events if hasattr(event, "item_id")]
    ids = {item.id: at for at, item in enumerate(events[-1].response.output)}
    assert placed
    assert all(ids[event.item_id] == event.output_index for event in placed)
    done = {event.output_index: event.item for event in events if event.type == "response.output_item.done"}
    # Likelihoods stand in the last event, when all are known.
    assert {at: item.id for at, item in done.items()} == {at: name for name, at in ids.items()}


def test_openais_client_adds_up_a_stream() -> None:
    with client(in_pieces(written(REPLY))) as sdk, sdk.responses.stream(model="gpt", input="Hi") as events:
        heard = [event for event in events if event.type == "response.output_text.delta"]
        response = events.get_final_response()
    assert heard[-1].snapshot == "It is mild."
    check(response)


class Weather(BaseModel):
    """What the SDK is asked to make of an answer."""

    city: str


def test_openais_client_parses_an_answer_into_its_own_class() -> None:
    reply = ChatResponse(id="resp_1", model="gpt", content=[TextBlock('{"city": "Rom"}')])
    with client(json_reply(wire.render_response(reply)), stream_reply(written(reply))) as sdk:
        assert sdk.responses.parse(model="gpt", input="Hi", text_format=Weather).output_parsed == Weather(city="Rom")
        with sdk.responses.stream(model="gpt", input="Hi", text_format=Weather) as events:
            assert events.get_final_response().output_parsed == Weather(city="Rom")


@pytest.mark.parametrize(("reason", "word"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_openais_client_learns_why_an_answer_is_incomplete(reason: Any, word: str) -> None:
    reply = ChatResponse(id="resp_1", model="gpt", content=[TextBlock("It")], finish_reason=reason)
    with client(json_reply(wire.render_response(reply)), stream_reply(written(reply))) as sdk:
        assert ask(sdk).incomplete_details.reason == word
        events: list[Any] = list(sdk.responses.create(model="gpt", input="Hi", stream=True))
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.incomplete_details.reason == word


def test_openais_client_reads_a_refusal() -> None:
    reply = ChatResponse(id="resp_1", model="gpt", content=[RefusalBlock("No.")])
    with client(json_reply(wire.render_response(reply)), stream_reply(written(reply))) as sdk:
        assert ask(sdk).output[0].content[0].refusal == "No."
        with sdk.responses.stream(model="gpt", input="Hi") as events:
            said: Any = events.get_final_response().output[0]
    assert said.content[0].refusal == "No."


def test_openais_client_can_say_again_what_it_got() -> None:
    with client(json_reply(wire.render_response(REPLY))) as sdk:
        output = [item.model_dump(mode="json", warnings=False) for item in ask(sdk).output]
    body = {"model": "gpt", "input": json.loads(json.dumps(output))}
    thought, words, *called, picture = wire.parse_request(body).messages[0].content
    assert isinstance(thought, ThinkingBlock)
    assert (thought.text, thought.signature) == ("Hm.", "c2VjcmV0")
    assert isinstance(words, TextBlock)
    assert (words.text, words.citations) == ("It is mild.", REPLY.content[1].citations)  # type: ignore[union-attr]
    assert [(call.id, call.arguments) for call in called if isinstance(call, ToolCall)] == [
        ("a", '{"city":"Rom"}'),
        ("b", "{}"),
        ("c", "a sun"),
    ]
    assert isinstance(picture, ImageBlock)
    assert picture.data == "aGk="


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.InvalidRequest("bad"), openai.BadRequestError),
        (errors.AuthError("who?"), openai.AuthenticationError),
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


def broken() -> bytes:
    renderer = wire.StreamRenderer()
    start, block, delta, *_ = split_events(ChatResponse(id="resp_1", content=[TextBlock("Hi")]))
    data = renderer.feed(start) + renderer.feed(block) + renderer.feed(delta)
    return data + renderer.fail(errors.StreamBroken("the provider hung up"))


def test_openais_client_raises_an_error_in_the_middle_of_a_stream() -> None:
    with client(stream_reply(broken()), stream_reply(broken())) as sdk:
        with pytest.raises(openai.APIError, match="the provider hung up"):
            list(sdk.responses.create(model="gpt", input="Hi", stream=True))
        with (
            pytest.raises(openai.APIError, match="the provider hung up"),
            sdk.responses.stream(model="gpt", input="Hi") as events,
        ):
            events.until_done()


def test_a_broken_stream_ends_with_a_failed_response() -> None:
    last = broken().decode().strip().splitlines()
    assert last[-2] == "event: response.failed"
    failed = json.loads(last[-1].removeprefix("data: "))["response"]
    assert (failed["status"], failed["error"]["message"]) == ("failed", "the provider hung up")
