"""One meaning per feature: what a wire carries comes back equal, what it does not is in its table."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from msgspec import json
from msgspec.structs import replace

from jackfield.errors import Error, Overloaded
from jackfield.events import BlockDelta, BlockStart, MessageStart, StreamEvent, split_events
from jackfield.message import (
    ChatRequest,
    ChatResponse,
    Citation,
    Message,
    RefusalBlock,
    ResponseFormat,
    TextBlock,
    Thinking,
    ThinkingBlock,
    TokenLogprob,
    ToolCall,
    ToolResult,
    Usage,
)
from jackfield.protocols import ONE_SIDED, PACKAGES, load
from jackfield.protocols.base import NATIVE
from jackfield.protocols.features import FEATURES, LEFT_OUT, SAID_AS, fates, find_features
from tests.protocols.conformance import Heard, Wire, render_stream
from tests.protocols.examples import EXAMPLES, IMAGE, SCHEMA, WEATHER
from tests.protocols.meaning import gist, meaning


def returned(protocol: Wire, request: ChatRequest) -> ChatRequest:
    """Return what a wire's reader makes of what its writer wrote."""
    read: ChatRequest = protocol.parse_request(json.encode(protocol.render_request(request)))
    return replace(read, model=read.model or request.model)  # some wires name it in the URL


def test_every_feature_has_an_example_that_uses_it() -> None:
    assert EXAMPLES.keys() == FEATURES.keys()
    for feature, example in EXAMPLES.items():
        used, unused = (
            {name.partition(" (")[0] for name in find_features(held, "none")}
            for held in (example.request, example.without)
        )
        assert feature in used - unused, feature
        # What goes with it has its own example; nothing comes in its stead.
        assert unused < used, feature


@pytest.mark.parametrize("name", PACKAGES)
def test_a_protocols_table_speaks_of_features_only(name: str) -> None:
    assert load(name).LIMITS.keys() <= FEATURES.keys()
    assert not any(FEATURES[feature].is_foreign for feature in load(name).LIMITS)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_feature_arrives_as_it_was_meant_or_is_named_with_its_fate(name: str) -> None:
    for feature in FEATURES:
        send(name, feature)


def send(name: str, feature: str) -> None:
    """Send an example over a wire; hold what arrives to what is said of it."""
    protocol, request = load(name), EXAMPLES[feature].request
    lost, losses = fates(request, protocol.NAME, protocol.LIMITS, NATIVE), set(protocol.find_losses(request))
    heard = {f"{known}: {fate}" for known, fate in lost.items() if not is_silent(known, fate)}
    assert heard <= losses
    # What a table cannot say, a rule names: some value of a feature that the request uses.
    used = set(find_features(request, protocol.NAME))
    assert all(any(name.startswith(loss.partition(": ")[0]) for name in used) for loss in losses - heard)
    if not lost and not losses:
        assert meaning(returned(protocol, request)) == meaning(request)


def is_silent(feature: str, fate: str) -> bool:
    """Tell whether only the table says it: who wrote it alone misses it, or it is said in other words."""
    return FEATURES[feature.partition(" (")[0]].is_quiet or fate.startswith(SAID_AS)


@pytest.mark.parametrize("name", PACKAGES)
def test_what_is_left_out_leaves_no_trace(name: str) -> None:
    for feature in FEATURES:
        leave_out(name, feature)


def leave_out(name: str, feature: str) -> None:
    """Write an example that a wire does not carry; hold it to the one without."""
    protocol, example = load(name), EXAMPLES[feature]
    lost = fates(example.request, protocol.NAME, protocol.LIMITS, NATIVE)
    fate = next((fate for known, fate in lost.items() if known.partition(" (")[0] == feature), "")
    if fate.startswith(LEFT_OUT):
        assert protocol.render_request(example.request) == protocol.render_request(example.without)
    else:
        returned(protocol, example.request)


# -- a whole conversation ----------------------------------------------------------

CONVERSATION = ChatRequest(
    model="m",
    system=[TextBlock("Be brief")],
    tools=[WEATHER],
    messages=[
        Message.user("Where was it?", IMAGE),
        Message.assistant(
            ThinkingBlock("Rome or Oslo.", "c2ln"),
            "Let me see",
            ToolCall("call_1", "weather", '{"city":"Rom"}'),
            ToolCall("call_2", "weather", '{"city":"Oslo"}'),
        ),
        Message.user(ToolResult("call_1", [TextBlock("mild")]), ToolResult("call_2", [TextBlock("cold")])),
        Message.assistant("In Rome"),
        Message.user("As JSON?"),
    ],
    max_tokens=9000,
    thinking=Thinking("low"),
    response_format=ResponseFormat(SCHEMA),
)


@pytest.mark.parametrize("source", PACKAGES)
def test_a_conversation_crosses_every_other_wire_and_comes_back(source: str) -> None:
    for name in PACKAGES:
        cross(source, name)


def cross(source: str, name: str) -> None:
    """Send the conversation from one wire over another and back; hold it to what it was."""
    ours, theirs = load(source), load(name)
    asked = returned(ours, CONVERSATION)
    back = returned(ours, returned(theirs, asked))
    lost = {*_lost(ours, CONVERSATION), *_lost(theirs, asked)}
    want, got = (_compared(held, lost) for held in (CONVERSATION, back))
    assert got.pop("system").startswith(want.pop("system"))
    assert got == want


def _lost(protocol: Wire, request: ChatRequest) -> set[str]:
    named = {loss.partition(": ")[0] for loss in protocol.find_losses(request)}
    return named | fates(request, protocol.NAME, protocol.LIMITS, NATIVE).keys()


def _compared(request: ChatRequest, lost: set[str]) -> dict[str, Any]:
    # A level of thinking may have gone as a budget, and a wanted form as an instruction behind the system text.
    levels = {"thinking.effort", "thinking.budget"}
    if any(name.startswith("response_format") for name in lost):
        request = replace(request, response_format=None)
    if "words beside calls" in lost:
        request = replace(request, messages=[_without_words(message) for message in request.messages])
    system = "\n".join(block.text for block in request.system)
    gone = lost - {"system"} | (levels if levels & lost else set())
    return {**meaning(replace(request, system=()), gone), "system": system}


def _without_words(message: Message) -> Message:
    kinds = {type(block) for block in message.content}
    words = (TextBlock, ThinkingBlock) if ToolCall in kinds else ()
    return replace(message, content=[block for block in message.content if not isinstance(block, words)])


# -- replies -----------------------------------------------------------------------

TWO_SIDED = [name for name in PACKAGES if name not in ONE_SIDED]
REPLIES = {
    "words": ChatResponse(id="1", model="m", content=[TextBlock("Hi")], usage=Usage(3, 6, 4, 2)),
    "thoughts": ChatResponse(id="1", model="m", content=[ThinkingBlock("Hm.", "c2ln"), TextBlock("Hi")]),
    "hidden thoughts": ChatResponse(
        id="1", model="m", content=[ThinkingBlock("", "ZGF0YQ==", redacted=True), TextBlock("Hi")]
    ),
    "calls": ChatResponse(
        id="1",
        model="m",
        content=[TextBlock("See"), ToolCall("toolu_1", "f", '{"x":1}'), ToolCall("toolu_2", "g", "{}")],
        finish_reason="tool_calls",
    ),
    "sources": ChatResponse(
        id="1", model="m", content=[TextBlock("Hi", citations=[Citation("https://example.com/a", "A", "so it is")])]
    ),
    "refusal": ChatResponse(id="1", model="m", content=[RefusalBlock("No")], finish_reason="content_filter"),
    "cut": ChatResponse(id="1", model="m", content=[TextBlock("Hi")], finish_reason="length"),
}


def heard_whole(protocol: Wire, reply: ChatResponse) -> ChatResponse:
    """Return what a wire's reader makes of a whole reply its writer wrote."""
    read: ChatResponse = protocol.parse_response(json.encode(protocol.render_response(reply)))
    return read


def heard_streamed(protocol: Wire, reply: ChatResponse) -> ChatResponse:
    """Return what a wire's reader makes of a reply its writer streamed."""
    heard = Heard(protocol, [render_stream(protocol, list(split_events(reply)))])
    assert heard.error is None
    return heard.reply


@pytest.mark.parametrize("source", TWO_SIDED)
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_a_reply_says_the_same_on_every_wire(reply: ChatResponse, source: str) -> None:
    for hear, target in product((heard_whole, heard_streamed), TWO_SIDED):
        first = hear(load(source), reply)
        last = hear(load(target), first)
        for heard in (first, last):
            assert said_by(heard) == said_by(reply)
            assert [call.name for call in heard.tool_calls] == [call.name for call in reply.tool_calls]
            assert counts(heard.usage) == counts(reply.usage)


def said_by(reply: ChatResponse) -> dict[str, Any]:
    """Return what a reply says, with the pages it rests on."""
    texts = [block for block in reply.content if isinstance(block, TextBlock)]
    pages = [(citation.url, citation.title) for block in texts for citation in block.citations]
    return {**gist(reply), "pages": pages}


def counts(usage: Usage) -> tuple[int, ...]:
    """Return the four counts, where unknown is nothing."""
    return tuple(count or 0 for count in (usage.input, usage.output, usage.cache_read, usage.cache_write))


@pytest.mark.parametrize("name", TWO_SIDED)
def test_a_reply_in_the_own_wire_keeps_signatures_and_sources_whole_and_streamed(name: str) -> None:
    for reply in (REPLIES["thoughts"], REPLIES["hidden thoughts"], REPLIES["sources"]):
        for hear in (heard_whole, heard_streamed):
            heard = hear(load(name), reply)
            assert signatures(heard) == signatures(reply)
            assert sources(heard, name) == sources(reply, name)


def signatures(reply: ChatResponse) -> list[str | None]:
    """Return what the thoughts of a reply are signed with."""
    return [block.signature for block in reply.content if isinstance(block, ThinkingBlock)]


# Wires that name a source and have no place for its words.
SOURCES_WITHOUT_WORDS = {"openai-responses", "azure-openai-responses"}


def sources(reply: ChatResponse, wire: str) -> list[tuple[str, str, str]]:
    """Return what the words of a reply rest on, as far as a wire can say it."""
    cited = [one for block in reply.content if isinstance(block, TextBlock) for one in block.citations]
    return [(one.url, one.title, "" if wire in SOURCES_WITHOUT_WORDS else one.cited) for one in cited]


@pytest.mark.parametrize("target", TWO_SIDED)
@pytest.mark.parametrize("source", TWO_SIDED)
def test_an_error_in_a_stream_is_one_on_the_next_wire_with_what_was_heard(source: str, target: str) -> None:
    begun: list[StreamEvent] = [MessageStart("1", "m"), BlockStart(0, TextBlock("")), BlockDelta(0, "Hel")]
    error: Error = Overloaded("too many at once")
    for name in (source, target):
        renderer = load(name).StreamRenderer()
        heard = Heard(load(name), [*(renderer.feed(event) for event in begun), renderer.fail(error)])
        assert isinstance(heard.error, Overloaded)
        assert "too many at once" in heard.error.message
        assert heard.error.partial
        assert heard.error.partial.text == "Hel"
        error = heard.error


@pytest.mark.parametrize("name", TWO_SIDED)
def test_log_probabilities_arrive_where_the_wire_has_a_place_for_them(name: str) -> None:
    tokens = [TokenLogprob("Hi", -0.25, [TokenLogprob("Hi", -0.25), TokenLogprob("Ho", -1.5)])]
    reply = ChatResponse(id="1", model="m", content=[TextBlock("Hi")], logprobs=tokens)
    for hear in (heard_whole, heard_streamed):
        heard = hear(load(name), reply)
        assert heard.logprobs == (() if "logprobs" in load(name).LIMITS else reply.logprobs)
