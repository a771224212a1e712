"""Plain pieces of text, read and written by the short way: nothing differs from the general one but the time it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.errors import Error
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import RefusalBlock, TextBlock, ThinkingBlock, ToolCall, Usage
from jackfield.protocols import ONE_SIDED, PACKAGES, load
from jackfield.protocols.google_generative_ai.plain import WRAPPED
from tests.protocols.conformance import STREAMS, load_cases, random_cuts, render_stream, sse_bytes
from tests.protocols.test_recordings import WIRES

TWO_SIDED = [name for name in PACKAGES if name not in ONE_SIDED]


# What a parser takes up once it has seen an envelope.
DECODERS: dict[str, Any] = {"google-gemini-cli": WRAPPED}


class Counted:
    """A decoder that counts what it took."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.taken = 0

    def decode(self, data: bytes | str) -> Any:
        piece = self._decoder.decode(data)
        self.taken += 1
        return piece


class Never:
    """A decoder that finds nothing plain."""

    def decode(self, data: bytes | str) -> Any:
        raise msgspec.DecodeError("nothing is plain")


def listen(parser: Any, pieces: list[bytes]) -> tuple[Any, ...]:
    events: list[StreamEvent] = []
    try:
        for piece in pieces:
            events += parser.feed(piece)
        return [*events, *parser.close()], None, None, None
    except Error as error:
        return events, type(error), error.message, error.partial


def both_ways(name: str, pieces: list[bytes]) -> int:
    """Read a stream by both ways, which must say the same; return how many pieces were plain."""
    quick, general = load(name).StreamParser(), load(name).StreamParser()
    quick.plain, general.plain = Counted(DECODERS.get(name, quick.plain)), Never()
    assert listen(quick, pieces) == listen(general, pieces)
    return int(quick.plain.taken)


# Each piece of it counts its tokens too.
NEVER_PLAIN = {"google-vertex"}


@pytest.mark.wire
@pytest.mark.parametrize("wire", WIRES)
def test_every_recorded_stream_says_the_same_by_both_ways(wire: str, shared_wire: Path) -> None:
    cases = [case for case in load_cases(shared_wire / wire) if case.status < 400 and case.framing in STREAMS]
    taken = 0
    for case in cases:
        data = sse_bytes(case)
        for pieces in ([data], random_cuts(data, 1, 40)):
            taken += both_ways(WIRES[wire], pieces)
    assert len(cases) > 5
    assert bool(taken) == (wire not in NEVER_PLAIN)


SAID = ["word", " more", "", "ü \U0001f30d", 'a "quote"\n', "\u2028", "100 %s"]
EVENTS: list[StreamEvent] = [
    MessageStart("msg 100 %d", "model 100 %s"),
    *[
        event
        for at, block in enumerate((TextBlock(""), ThinkingBlock(""), RefusalBlock(""), ToolCall("i", "f", ""), TextBlock("")))
        for event in (BlockStart(at, block), *[BlockDelta(at, text) for text in SAID], BlockEnd(at))
    ],
    MessageEnd("stop", Usage(input=1, output=2)),
]  # fmt: skip


@pytest.mark.parametrize("name", TWO_SIDED)
def test_our_own_streams_are_read_by_the_short_way_and_say_the_same(name: str) -> None:
    renderer = load(name).StreamRenderer()
    pieces = [renderer.feed(event) for event in EVENTS]

    assert both_ways(name, pieces) >= len(SAID) - 2
    assert both_ways(name, [b"".join(pieces)]) >= len(SAID) - 2


def test_an_envelope_around_the_pieces_changes_nothing() -> None:
    stream = render_stream(load("google-generative-ai"), EVENTS)
    pieces = [
        b'data: {"response":%s,"traceId":"t"}\n\n' % frame.removeprefix(b"data: ")
        for frame in stream.split(b"\n\n")
        if frame
    ]
    assert both_ways("google-gemini-cli", pieces) >= len(SAID) - 2
    parser = load("google-gemini-cli").StreamParser()
    listen(parser, pieces)
    assert parser.plain is WRAPPED


CHUNK = '{"id":"1","created":%d,"system_fingerprint":%s,"choices":[{"index":0,"delta":{"content":"a"}}]}'


@pytest.mark.parametrize("odd", [
    CHUNK % (2, '"x"'),
    CHUNK % (1, '"y"'),
    '{"choices":[{"index":1,"delta":{"content":"b"}}]}',
    '{"choices":[{"index":0,"delta":{"content":"b"}},{"index":1,"delta":{"content":"c"}}]}',
    '{"choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{"token":"b","logprob":-1}]}}]}',
    '{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]}',
    '{"choices":[{"index":0,"delta":{"content":"b","reasoning_content":"c"}}]}',
    '{"choices":[{"index":0,"delta":{"content":"b"}}],"usage":{"prompt_tokens":1}}',
    '{"choices":[{"index":0,"delta":{"content":"b"}}],"error":{"message":"no"}}',
    '{"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}',
    '{"choices":[{"index":0,"delta":{"content":"b"}}',
])  # fmt: skip
def test_a_chunk_that_says_anything_else_is_heard_whole(odd: str) -> None:
    same = CHUNK % (1, '"x"')
    end = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
    for last in (end, "[DONE]"):  # the reason of the last word counts, were it there before or not
        pieces = [f"data: {chunk}\n\n".encode() for chunk in (same, same, odd, same, last)]
        assert both_ways("openai-completions", pieces) >= 1


def words_of(name: str, text: str, model: str) -> Any:
    """Return what a renderer says of words, decoded."""
    renderer = load(name).StreamRenderer()
    for event in (MessageStart("id", model), BlockStart(0, TextBlock("")), BlockDelta(0, "first")):
        renderer.feed(event)
    head, _, body = renderer.feed(BlockDelta(0, text)).rpartition(b"data: ")
    assert body.endswith(b"}\n\n")
    return head.decode(), json.loads(body)


@given(text=st.text(min_size=1), model=st.sampled_from(["m", "%s", '"']))
def test_words_are_written_as_each_wire_spells_them(text: str, model: str) -> None:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    chat = {"id": "id", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [choice]}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    part = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    event = {
        "type": "response.output_text.delta", "sequence_number": 5, "delta": text, "item_id": "msg_id_0",
        "output_index": 0, "content_index": 0, "logprobs": [],
    }  # fmt: skip

    assert words_of("openai-completions", text, model) == ("", chat)
    assert words_of("anthropic-messages", text, model) == ("event: content_block_delta\n", delta)
    assert words_of("google-generative-ai", text, model) == (
        "", {"candidates": [part], "modelVersion": model, "responseId": "id"},
    )  # fmt: skip
    head, said = words_of("openai-responses", text, model)
    assert head == "event: response.output_text.delta\n"
    assert said == event | {"item_id": said["item_id"]}
