"""The bound that spares small requests an estimate: nothing is ever estimated above it."""

from __future__ import annotations

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from jackfield.message import (
    AudioBlock,
    Block,
    ChatRequest,
    DocumentBlock,
    ImageBlock,
    Message,
    OpaqueBlock,
    ResponseFormat,
    TextBlock,
    ThinkingBlock,
    Tool,
    ToolCall,
    ToolResult,
    VideoBlock,
)
from jackfield.model import Compat
from jackfield.protocols import load
from jackfield.protocols.estimate import FRAMES, bound_bytes, bound_input, estimate_input

# Signs of different kinds in turn weigh most.
repeated = st.builds(lambda unit, times: unit * times, st.text("1a,_ \n漢é", max_size=4), st.integers(1, 300))
texts = st.text(max_size=60) | repeated
words = st.builds(TextBlock, texts)
schemas = st.fixed_dictionaries({"type": st.just("object"), "title": texts})
blocks = st.one_of(
    words,
    st.builds(ThinkingBlock, texts),
    st.builds(ToolCall, st.just("1"), texts, texts),
    st.builds(ToolResult, st.just("1"), st.lists(words, max_size=2)),
    st.builds(DocumentBlock, st.just("text/plain"), texts),
    st.builds(OpaqueBlock, st.just("wire"), st.fixed_dictionaries({"a": texts})),
    st.sampled_from(
        [
            ImageBlock("image/png", "x" * 90_000),
            DocumentBlock("application/pdf", "x" * 130_000),
            AudioBlock("audio/wav", "x" * 9_000),
            VideoBlock("video/mp4", "x" * 9_000),
        ]
    ),
)
requests = st.builds(
    ChatRequest,
    model=st.just("m"),
    system=st.lists(words, max_size=2),
    messages=st.lists(
        st.builds(Message, st.sampled_from(["user", "assistant"]), st.lists(blocks, max_size=3)), max_size=3
    ),
    tools=st.lists(st.builds(Tool, texts, texts, schemas), max_size=3),
    response_format=st.none() | st.builds(ResponseFormat, schemas),
)


@given(requests)
@example(ChatRequest(model="m", messages=[Message.user("a1" * 900)]))  # the heaviest words there are
def test_no_wires_estimate_is_over_the_bound(request: ChatRequest) -> None:
    bound = bound_input(request)
    for api in ("", *FRAMES):
        assert estimate_input(request, api) <= bound


def test_the_bound_of_plain_words_is_near_enough_to_spare_the_estimate_of_a_short_question() -> None:
    question = ChatRequest(model="m", messages=[Message.user("How far is it to the moon? " * 20)])
    assert bound_input(question) < 8 * estimate_input(question)


@given(requests.filter(lambda request: not any(has_file(block) for each in request.messages for block in each.content)))
@example(ChatRequest(model="m", messages=[Message.user("a1" * 9000)]))
@example(ChatRequest(model="m", messages=[Message.assistant(ToolCall("1", "f", '{"a":' + str([1e15] * 9000) + "}"))]))
@example(ChatRequest(model="m", messages=[Message.assistant(ToolCall("1", "f", '{"a":"' + "é" * 9000 + '"}'))]))
def test_no_wires_estimate_is_over_the_bound_of_its_body(request: ChatRequest) -> None:
    for wire in ("openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai"):
        raw = msgspec.json.encode(load(wire).render_request(request, Compat()))
        assert all(
            estimate_input(load(wire).parse_request(raw), api) <= bound_bytes(raw, has_tools=bool(request.tools))
            for api in ("", *FRAMES)
        )


def test_a_body_with_many_tools_is_within_the_bound() -> None:
    raw = b'{"model":"m","messages":[],"tools":[%b]}' % b",".join([b'{"type":"function","function":{"name":"f"}}'] * 99)
    request = load("openai-completions").parse_request(raw)
    assert len(request.tools) == 99
    assert estimate_input(request, "anthropic-messages") <= bound_bytes(raw)


def has_file(block: Block) -> bool:
    return isinstance(block, ImageBlock | AudioBlock | VideoBlock | OpaqueBlock) or (
        isinstance(block, DocumentBlock) and not block.media_type.startswith("text/")
    )
