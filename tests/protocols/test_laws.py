"""Laws of a two-sided codec, on random values: what it writes it reads back, and nothing makes it stumble."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from jackfield import errors
from jackfield.errors import Error, InvalidRequest
from jackfield.events import BlockDelta, StreamEvent, split_events
from jackfield.message import ChatRequest, ChatResponse, ThinkingBlock
from jackfield.model import Compat
from jackfield.protocols import ONE_SIDED, PACKAGES, load
from jackfield.protocols import openai_completions as openai
from tests.protocols.conformance import Heard, cut, render_stream
from tests.protocols.strategies import json_values, openai_replies, openai_requests, words

EVERYTHING = Compat(supports_cache_control=True, supports_images_in_tool_results=True)
thoughts = words.map(lambda text: ThinkingBlock(text, opaque={openai.NAME: {"field": "reasoning_content"}}))


@given(openai_requests())
def test_an_openai_request_comes_back_as_it_was(request: ChatRequest) -> None:
    body = json.encode(openai.render_request(request, EVERYTHING))
    assert openai.parse_request(body) == request


@given(
    openai_requests(),
    st.sampled_from([Compat(), Compat(requires_string_content=True), Compat(supports_system_role=False)]),
)
def test_no_openai_request_holds_a_null(request: ChatRequest, compat: Compat) -> None:
    body = openai.render_request(request, compat)
    nulls = [name for name, value in body.items() if value is None]
    nulls += [name for message in body["messages"] for name, value in message.items() if value is None]
    assert not nulls


@given(openai_replies())
def test_an_openai_reply_comes_back_as_it_was(reply: ChatResponse) -> None:
    assert openai.parse_response(json.encode(openai.render_response(reply))) == reply


@given(openai_replies(thoughts), st.data())
def test_an_openai_stream_comes_back_as_it_was(reply: ChatResponse, data: st.DataObject) -> None:
    written = render_stream(openai, _chopped(list(split_events(reply)), data))
    position = data.draw(st.integers(0, len(written)))
    heard = Heard(openai, cut(written, [position]))
    assert heard.error is None
    assert heard.reply == reply


def _chopped(events: Sequence[StreamEvent], data: st.DataObject) -> list[StreamEvent]:
    """Say the same in smaller pieces."""
    chopped: list[StreamEvent] = []
    for event in events:
        if isinstance(event, BlockDelta) and len(event.text) > 1:
            at = data.draw(st.integers(1, len(event.text) - 1))
            chopped += [BlockDelta(event.index, event.text[:at]), BlockDelta(event.index, event.text[at:])]
        else:
            chopped.append(event)
    return chopped


# -- errors ------------------------------------------------------------------------

# What happened on our way to the provider is the gateway's own trouble for its caller: a 5xx.
KINDS = [
    errors.InvalidRequest, errors.ContextLength, errors.ContentFilter, errors.ModelNotFound, errors.AuthError,
    errors.PermissionDenied, errors.RateLimit, errors.Quota, errors.Overloaded, errors.TimeoutExpired,
]  # fmt: skip


SPOKEN_TO_US = [name for name in PACKAGES if name not in ONE_SIDED]


@pytest.mark.parametrize("name", SPOKEN_TO_US)
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_keeps_its_kind_through_the_wire(name: str, kind: type[Error]) -> None:
    protocol = load(name)
    status, body = protocol.render_error(kind("something with the number 7 went wrong"))
    back = protocol.parse_error(status, json.encode(body))
    assert type(back) is kind
    assert "the number 7" in back.message


@pytest.mark.parametrize("name", SPOKEN_TO_US)
def test_every_error_of_ours_has_a_status_and_words(name: str) -> None:
    for kind in _all_errors(Error):
        status, body = load(name).render_error(kind("boom"))
        assert 400 <= status < 600
        assert "boom" in body["error"]["message"]


def _all_errors(kind: type[Error]) -> list[type[Error]]:
    # Other modules' own errors are made from more than words.
    ours = [child for child in kind.__subclasses__() if child.__module__ == Error.__module__]
    return [kind, *(inner for child in ours for inner in _all_errors(child))]


# -- nothing makes it stumble ------------------------------------------------------

bodies = st.binary(max_size=60) | json_values.map(json.encode)
SHAPES = ["choices", "message", "delta", "content", "tool_calls", "function", "usage", "messages", "role", "error", "type",
          "arguments", "name", "id", "index", "finish_reason", "reasoning_details", "images", "audio", "model", "tools",
          "stop", "text", "input", "thinking", "system", "max_tokens", "stop_reason", "citations", "signature"]  # fmt: skip
values = st.recursive(
    st.sampled_from([None, True, 0, 1.5, "", "user", "assistant", "tool", "text", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(SHAPES), inner, max_size=5),
    max_leaves=25,
)


@pytest.mark.parametrize("name", PACKAGES)
@given(body=bodies, status=st.sampled_from([200, 400, 401, 404, 429, 500, 529, 599]))
def test_no_refusal_makes_the_reader_stumble(name: str, body: bytes, status: int) -> None:
    assert isinstance(load(name).parse_error(status, body), Error)


@pytest.mark.parametrize("name", PACKAGES)
@given(body=values)
def test_no_json_makes_a_reader_raise_anything_but_our_errors(name: str, body: Any) -> None:
    protocol = load(name)
    for variant in (
        body,
        {"choices": [body]},
        {"choices": [{"message": body, "delta": body}]},
        {"content": body, "type": "message"},
    ):
        for read in (protocol.parse_response, lambda held: protocol.parse_error(400, held)):
            _only_ours(read, json.encode(variant))
        chunk = json.encode(variant)
        heard = Heard(protocol, [b"data: " + chunk + b"\n\n"])
        assert heard.error is None or isinstance(heard.error, Error)


@pytest.mark.parametrize("name", PACKAGES)
@given(body=values)
def test_no_caller_gets_anything_but_an_invalid_request(name: str, body: Any) -> None:
    protocol = load(name)
    message = {"role": "user", "content": body}
    turns = [message, {**message, "role": "assistant", "tool_calls": body}]
    for variant in (
        body,
        {"model": "m", "messages": body},
        {"model": "m", "max_tokens": 1, "messages": turns, "tools": body},
    ):
        try:
            protocol.parse_request(json.encode(variant))
        except InvalidRequest:
            continue


def _only_ours(read: Any, body: bytes) -> None:
    try:
        read(body)
    except Error:
        return
