"""Hostile input on every wire: whatever arrives, only our own errors come out."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jackfield.errors import BadReply, Error
from jackfield.events import Accumulator
from jackfield.message import ChatRequest, ChatResponse, Message, ToolCall
from jackfield.model import Compat
from jackfield.protocols import ONE_SIDED, PACKAGES, load
from jackfield.protocols.base import Protocol
from tests.depth import DEPTH
from tests.protocols import responses_samples as responses
from tests.protocols.conformance import Heard

TWO_SIDED = sorted(PACKAGES.keys() - ONE_SIDED)


def distinct() -> list[str]:
    """Name the wires we are called with, of those that read with the very same functions only the first."""
    names: dict[object, str] = {}
    for name in sorted(TWO_SIDED, key=len):
        wire = load(name)
        readers = (wire.parse_request, wire.parse_response, wire.parse_error, wire.StreamParser)
        names.setdefault(readers, name)
    return list(names.values())


wires = pytest.mark.parametrize("name", distinct())


def writers(protocol: Protocol, body: bytes) -> list[Protocol]:
    """Return the wires to write what was read: its own, and another; all take their turns, the same for the same bytes."""
    names = {protocol.NAME} & {*TWO_SIDED} | {TWO_SIDED[zlib.crc32(body) % len(TWO_SIDED)]}
    return [load(name) for name in sorted(names)]


VALUES = (
    None, True, -1, 1.5, 10**40, "", "text", "data:;base64,", [], [None], ["a"], [{}], {}, {"type": None}, {"a": {"b": []}},
)  # fmt: skip

MANY = 120 * (DEPTH - 1)  # places; the time it takes grows with their square
NESTED = (100, 400, 900, 5000)

REQUESTS: dict[str, dict[str, Any]] = {
    "anthropic-messages": {
        "model": "m",
        "max_tokens": 5,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "t"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
                    {"type": "document", "source": {"type": "url", "url": "https://x.test"}, "title": "T"},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "redacted_thinking", "data": "d"},
                    {"type": "tool_use", "id": "i", "name": "n", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "i",
                        "content": [{"type": "text", "text": "t"}],
                        "is_error": False,
                    }
                ],
            },
            {"role": "system", "content": "s"},
        ],
        "tools": [{"name": "n", "description": "d", "input_schema": {"type": "object"}, "strict": True}],
        "tool_choice": {"type": "tool", "name": "n", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 2},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
        "stop_sequences": ["s"],
        "temperature": 0.5,
        "top_p": 0.5,
        "stream": True,
        "metadata": {"user_id": "u"},
    },
    "google-generative-ai": {
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "t", "partMetadata": {"a": 1}},
                    {"inlineData": {"mimeType": "image/png", "data": "aGk="}, "mediaResolution": {"level": "l"}},
                    {"fileData": {"mimeType": "video/mp4", "fileUri": "https://x.test"}, "videoMetadata": {"fps": 1}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "t", "thought": True, "thoughtSignature": "cw=="},
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                    {"functionCall": {"id": "i", "name": "n", "args": {"a": 1}}, "thoughtSignature": "cw=="},
                ],
            },
            {
                "role": "function",
                "parts": [
                    {
                        "functionResponse": {
                            "id": "i",
                            "name": "n",
                            "response": {"output": "t"},
                            "parts": [{"inlineData": {"mimeType": "image/png", "data": "aGk="}}],
                        }
                    }
                ],
            },
        ],
        "tools": [
            {
                "function_declarations": [
                    {"name": "n", "description": "d", "parameters": {"type": "OBJECT", "nullable": True}}
                ]
            },
            {"googleSearch": {}},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["n"]}},
        "generationConfig": {
            "maxOutputTokens": 5,
            "temperature": 0.5,
            "topK": 2,
            "stopSequences": ["s"],
            "seed": 1,
            "responseLogprobs": True,
            "logprobs": 2,
            "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT"},
            "thinkingConfig": {"thinkingBudget": 2, "includeThoughts": True},
        },
        "safetySettings": [{"category": "c", "threshold": "t"}],
    },
    "openai-completions": {
        "model": "m",
        "max_tokens": 5,
        "messages": [
            {"role": "system", "content": "s"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}},
                    {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
                    {"type": "file", "file": {"filename": "f", "file_data": "data:application/pdf;base64,aGk="}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "refusal": "r",
                "reasoning_content": "t",
                "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "s"}],
                "tool_calls": [{"id": "i", "type": "function", "function": {"name": "n", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "i", "content": [{"type": "text", "text": "t"}]},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "n", "description": "d", "parameters": {"type": "object"}, "strict": True},
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "n"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}},
        "reasoning_effort": "low",
        "stop": ["s"],
        "seed": 1,
        "temperature": 0.5,
        "top_p": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
}
REPLIES: dict[str, dict[str, Any]] = {
    "anthropic-messages": {
        "id": "i",
        "model": "m",
        "content": [
            {"type": "text", "text": "t", "citations": [{"type": "x"}]},
            {"type": "thinking", "thinking": "t", "signature": "s"},
            {"type": "tool_use", "id": "i", "name": "n", "input": {}},
            {"type": "server_tool_use", "id": "i", "name": "n", "input": {}},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1, "output_tokens_details": {"thinking_tokens": 1}},
    },
    "google-generative-ai": {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "t", "thought": True},
                        {"text": "t", "thoughtSignature": "cw=="},
                        {"functionCall": {"name": "n", "args": {}}},
                        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
                    ],
                },
                "finishReason": "STOP",
                "index": 0,
                "groundingMetadata": {
                    "groundingChunks": [{"web": {"uri": "https://x.test", "title": "t"}}],
                    "groundingSupports": [{"segment": {"endIndex": 1, "text": "t"}, "groundingChunkIndices": [0]}],
                },
                "citationMetadata": {"citationSources": [{"startIndex": 0, "endIndex": 1, "uri": "https://x.test"}]},
                "logprobsResult": {
                    "chosenCandidates": [{"token": "t", "logProbability": -0.5}],
                    "topCandidates": [{"candidates": [{"token": "t", "logProbability": -0.5}]}],
                },
            },
            {"content": {"parts": [{"text": "u"}]}, "index": 1},
        ],
        "promptFeedback": {"safetyRatings": []},
        "usageMetadata": {
            "promptTokenCount": 1,
            "cachedContentTokenCount": 1,
            "candidatesTokenCount": 1,
            "thoughtsTokenCount": 1,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 1}],
        },
        "modelVersion": "m",
        "responseId": "i",
    },
    "openai-completions": {
        "id": "i",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": "t",
                    "refusal": None,
                    "reasoning_content": "t",
                    "reasoning_details": [{"type": "reasoning.text", "text": "t", "signature": "s"}],
                    "tool_calls": [{"id": "i", "type": "function", "function": {"name": "n", "arguments": "{}"}}],
                    "annotations": [{"type": "url_citation"}],
                },
            }
        ],
        "usage": {
            "prompt_tokens": 1,
            "completion_tokens": 1,
            "total_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
    },
}
STREAMS: dict[str, list[dict[str, Any]]] = {
    "anthropic-messages": [
        {"type": "message_start", "message": {"id": "i", "model": "m", "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "t"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "t"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": {"a": 1}}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "thinking", "thinking": "t"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "signature_delta", "signature": "s"}},
        {"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "i", "name": "n", "input": {}}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        {"type": "content_block_start", "index": 3, "content_block": {"type": "server_tool_use", "id": "i"}},
        {"type": "content_block_delta", "index": 3, "delta": {"type": "input_json_delta", "partial_json": "{"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ],
    "google-generative-ai": [
        {"candidates": [{"content": {"parts": [{"text": "t", "thought": True}], "role": "model"}}], "responseId": "i"},
        {"candidates": [{"content": {"parts": [{"text": "t"}]}, "groundingMetadata": {}}], "modelVersion": "m"},
        {"candidates": [{"content": {"parts": [{"text": "", "thoughtSignature": "cw=="}]}}], "usageMetadata": {"promptTokenCount": 1}},
        {"candidates": [{"content": {"parts": [{"functionCall": {"name": "n", "args": {"a": 1}}}]}, "index": 1}]},
        {"candidates": [{"finishReason": "STOP"}], "promptFeedback": {"blockReason": None}, "usageMetadata": {"totalTokenCount": 3}},
    ],
    "openai-completions": [
        {"id": "i", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "t"}}]},
        {"choices": [{"index": 0, "delta": {"reasoning_content": "t", "reasoning_details": [{"type": "reasoning.text", "text": "t"}]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "i", "function": {"name": "n", "arguments": "{"}}]}}]},
        {"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]}}]},
        {"choices": [{"index": 0, "delta": {"refusal": "r", "annotations": [{"a": 1}]}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}}},
    ],
}  # fmt: skip
ERRORS = [
    {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}, "request_id": "r"},
    {
        "error": {
            "message": "m",
            "type": "t",
            "code": "c",
            "param": "p",
            "metadata": {"raw": "{}", "provider_name": "p"},
        }
    },
    {
        "error": {
            "code": 429,
            "message": "m",
            "status": "S",
            "details": [{"@type": "t", "reason": "r", "retryDelay": "1s", "violations": [{"quotaId": "q"}]}],
        }
    },
    {"message": "m"},
    {"detail": [{"msg": "m"}]},
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside a JSON value, itself first."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from places(part, (*path, key))


def trials(value: Any, start: int = 0) -> Iterator[tuple[tuple[Any, ...], Sequence[Any]]]:
    """Yield each place with the values to try there: a third, each time another, or where one looks deeper all."""
    found = list(places(value))
    for at, path in enumerate(found, start):
        yield path, VALUES if len(found) < MANY else VALUES[at % 3 :: 3]


def changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    """Return a copy with another value at a path; what is beside the path is shared."""
    if not path:
        return to
    copy = value.copy()
    copy[path[0]] = changed(value[path[0]], path[1:], to)
    return copy


def read_request(protocol: Protocol, body: bytes) -> None:
    try:
        request = protocol.parse_request(body)
    except Error:
        return
    for other in (protocol, *writers(protocol, body)):
        other.find_losses(request)
        json.dumps(other.render_request(request))


def read_reply(protocol: Protocol, body: bytes) -> None:
    try:
        response = protocol.parse_response(body)
    except Error:
        return
    for other in writers(protocol, body):
        json.dumps(other.render_response(response))


def read_stream(protocol: Protocol, data: bytes) -> None:
    parser, heard = protocol.StreamParser(), Accumulator()
    renderers = [other.StreamRenderer() for other in writers(protocol, data)]
    try:
        for events in (parser.feed(data), parser.close()):
            for event in events:
                heard.feed(event)
                for renderer in renderers:
                    renderer.feed(event)
    except Error as error:
        for renderer in renderers:
            renderer.fail(error)
    heard.response()


def as_sse(events: list[Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


@wires
def test_a_request_with_any_one_value_wrong_is_read_or_refused(name: str) -> None:
    protocol, request = load(name), REQUESTS[name]
    protocol.parse_request(json.dumps(request))
    for path, values in trials(request):
        for value in values:
            read_request(protocol, json.dumps(changed(request, path, value)).encode())


@wires
def test_a_reply_with_any_one_value_wrong_is_read_or_refused(name: str) -> None:
    protocol, reply = load(name), REPLIES[name]
    protocol.parse_response(json.dumps(reply))
    for path, values in trials(reply):
        for value in values:
            read_reply(protocol, json.dumps(changed(reply, path, value)).encode())


@wires
def test_a_stream_with_any_one_value_wrong_is_read_or_refused(name: str) -> None:
    protocol, stream = load(name), STREAMS[name]
    for path, values in trials(stream):
        for value in values if path else ():
            read_stream(protocol, as_sse(changed(stream, path, value)))


@wires
def test_an_error_body_with_any_one_value_wrong_is_still_an_error(name: str) -> None:
    protocol = load(name)
    for body in ERRORS:
        for path in places(body):
            for value in VALUES:
                wrong = json.dumps(changed(body, path, value)).encode()
                for status in (200, 400, 500):
                    error = protocol.parse_error(status, wrong)
                    assert isinstance(error, Error)
                    assert error.message
                    json.dumps(protocol.render_error(error))


@wires
@pytest.mark.parametrize(
    "body",
    [
        b"", b"\x00", b"\xff\xfe", b"null", b"[]", b'"text"', b"1e999", b"[" * 50_000, b'{"a":' * 50_000, b"{" * 50_000,
        b'{"a": 1' + b"0" * 5000 + b"}", b'{"model": "\\ud800", "messages": []}',
    ],
)  # fmt: skip
def test_a_body_of_no_sense_is_refused(name: str, body: bytes) -> None:
    protocol = load(name)
    for read in (protocol.parse_request, protocol.parse_response):
        with pytest.raises(Error):
            read(body)
    for data in (body, b"data: " + body + b"\n\n", b"event: error\ndata: " + body + b"\n\n"):
        read_stream(protocol, data)
    for status in (200, 404, 502):
        assert protocol.parse_error(status, body).message


@wires
def test_arguments_nested_beyond_reason_pass_or_are_refused(name: str) -> None:
    deep = [b'{"a":' * depth + b"1" + b"}" * depth for depth in NESTED]
    for body in (REQUESTS[name], REPLIES[name]):
        for at, path in enumerate(places(body)):
            marked = json.dumps(changed(body, path, "@@")).encode()
            # Each place one of them, each time another, or where one looks deeper all.
            for nested in deep if DEPTH > 1 else [deep[at % len(deep)]]:
                for read in (load(name).parse_request, load(name).parse_response):
                    with suppress(Error):
                        read(marked.replace(b'"@@"', nested, 1))


@wires
@pytest.mark.parametrize("encoding", ["string", "object"])
def test_arguments_of_a_call_nested_without_end_are_written(name: str, encoding: Any) -> None:
    compat = Compat(tool_call_arguments_encoding=encoding)
    for arguments in ("[" * 100_000, '{"a":' * 100_000, "{", "null", "\x00"):
        request = ChatRequest(model="m", messages=[Message.assistant(ToolCall("i", "f", arguments))])
        json.dumps(load(name).render_request(request, compat))
        json.dumps(load(name).render_response(ChatResponse(content=request.messages[0].content)))


@wires
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_several_wrong_values_at_once_are_read_or_refused(name: str, data: st.DataObject) -> None:
    protocol = load(name)
    for original, read in ((REQUESTS[name], read_request), (REPLIES[name], read_reply)):
        body: Any = original
        for _ in range(data.draw(st.integers(1, 3))):
            body = changed(body, data.draw(st.sampled_from(list(places(body)))), data.draw(JSON))
        read(protocol, json.dumps(body).encode())
    stream: Any = STREAMS[name]
    for _ in range(data.draw(st.integers(1, 3))):
        stream = changed(stream, data.draw(st.sampled_from(list(places(stream))[1:])), data.draw(JSON))
    events = data.draw(st.permutations(stream)) if data.draw(st.booleans()) else stream
    read_stream(protocol, as_sse(events))


@wires
@given(data=st.binary(max_size=200))
def test_bytes_of_any_kind_are_read_or_refused(name: str, data: bytes) -> None:
    protocol = load(name)
    read_stream(protocol, data)
    read_request(protocol, data)
    read_reply(protocol, data)
    assert protocol.parse_error(500, data).message


TEXT = {
    "anthropic-messages": '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%s"}}',
    "google-generative-ai": '{"candidates":[{"content":{"parts":[{"text":"%s"}]}}]}',
    "openai-completions": '{"id":"1","choices":[{"index":0,"delta":{"content":"%s"}}]}',
}
ENDS = {
    "anthropic-messages": '{"type":"message_delta","delta":{"stop_reason":"end_turn"}}',
    "google-generative-ai": '{"candidates":[{"finishReason":"STOP"}]}',
    "openai-completions": '{"id":"1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
}

for table in (REQUESTS, REPLIES, STREAMS, TEXT, ENDS):
    table["google-vertex"] = table["google-generative-ai"]  # type: ignore[index]  # the same bodies

for door in ("openai-responses", "azure-openai-responses"):
    REQUESTS[door], REPLIES[door], STREAMS[door] = responses.REQUEST, responses.REPLY, responses.STREAM
    TEXT[door], ENDS[door] = responses.TEXT, responses.END


def listen(name: str, *events: str) -> ChatResponse:
    parser, heard = load(name).StreamParser(), Accumulator()
    for event in [part for text in events for part in parser.feed(f"data: {text}\n\n".encode())]:
        heard.feed(event)
    for event in parser.close():
        heard.feed(event)
    return heard.response()


@wires
def test_half_a_character_costs_no_words(name: str) -> None:
    said = [r"one \ud83d", r"\ude00 two", r"\ud83d\ude00", r" \\ud800"]

    reply = listen(name, *(TEXT[name] % text for text in said), ENDS[name])

    assert reply.text == "one \ufffd\ufffd two\U0001f600 \\ud800"


# Wire → how it frames an event, one that says a word, one that ends the reply.
FEEDS: dict[str, tuple[bytes, bytes, bytes]] = {
    name: (b"data: %s\n\n", (TEXT[name] % "one").encode(), ENDS[name].encode()) for name in TEXT
} | {
    "cohere": (
        b"data: %s\n\n",
        b'{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"one"}}}}',
        b'{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}',
    ),
    "ollama": (b"%s\n", b'{"message":{"role":"assistant","content":"one"},"done":false}', b'{"message":{"content":""},"done":true,"done_reason":"stop"}'),
    "google-gemini-cli": (b'data: %s\n\n', b'{"response":%s}' % (TEXT["google-generative-ai"] % "one").encode(), b'{"response":%s}' % ENDS["google-generative-ai"].encode()),
    "openai-codex-responses": (b"data: %s\n\n", (TEXT["openai-responses"] % "one").encode(), ENDS["openai-responses"].encode()),
}  # fmt: skip


@pytest.mark.parametrize("name", FEEDS)
def test_a_malformed_event_costs_no_word_and_is_counted(name: str) -> None:
    frame, words, end = FEEDS[name]
    heard = Heard(load(name), [frame % event for event in (words, b'{"broken', words, b"[1]", end)])
    assert heard.error is None
    assert heard.reply.text == "oneone"
    assert heard.parser.skipped == 2
    fine = Heard(load(name), [frame % event for event in (words, b" ", end, b"[DONE]")])
    assert fine.reply.text == "one"
    assert fine.parser.skipped == 0


@wires
def test_an_event_nested_beyond_reason_is_no_crash(name: str) -> None:
    deep = '{"a":' * 900 + "1" + "}" * 900
    nested = TEXT[name].replace('"%s"', f'"b","more":{deep}')
    try:
        reply: ChatResponse | None = listen(name, TEXT[name] % "a", nested, ENDS[name])
    except BadReply as error:
        reply = error.partial
    assert reply
    assert reply.text.startswith("a")


@pytest.mark.parametrize(
    "event",
    [
        '{"choices":[{"index":%d,"delta":{"content":"a"}}]}',
        '{"choices":[{"index":0,"delta":{"reasoning_details":[{"index":%d,"type":"t","text":"a"}]}}]}',
    ],
)
def test_many_parts_cost_their_number_not_its_square(event: str) -> None:
    def spent(count: int) -> float:
        started = time.process_time()
        listen("openai-completions", *(event % number for number in range(count)), ENDS["openai-completions"])
        return time.process_time() - started

    spent(100)
    assert spent(8_000) < 16 * spent(1_000) + 0.1
