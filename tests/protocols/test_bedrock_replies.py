"""Replies, streams and refusals of Bedrock's Converse."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from jackfield import errors
from jackfield.errors import BadReply, Error, StreamBroken
from jackfield.message import (
    ChatResponse,
    Citation,
    ImageBlock,
    Message,
    OpaqueBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    Usage,
)
from jackfield.protocols import bedrock_converse as bedrock
from jackfield.protocols.signatures import mark
from tests.protocols.conformance import Heard, cut
from tests.protocols.test_aws_eventstream import frame
from tests.protocols.test_hostile import ERRORS, VALUES, changed, places, read_reply, read_stream, trials

USAGE = {"inputTokens": 3, "outputTokens": 6, "totalTokens": 9, "cacheReadInputTokens": 4, "cacheWriteInputTokens": 2}
REPLY: dict[str, Any] = {
    "output": {"message": {"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "c2ln"}}},
        {"reasoningContent": {"redactedContent": "ZGF0YQ=="}},
        {"text": "Hi"},
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
        {"citationsContent": {"content": [{"text": "So."}], "citations": [
            {"title": "T", "sourceContent": [{"text": "s"}], "location": {"documentChar": {"documentIndex": 1, "start": 0, "end": 1}}}
        ]}},
        {"toolUse": {"toolUseId": "t2", "name": "search", "input": {}, "type": "server_tool_use"}},
    ]}},
    "stopReason": "tool_use",
    "usage": {**USAGE, "cacheDetails": [{"ttl": "1h", "inputTokens": 1}], "serverToolUsage": {"x": 1}},
    "metrics": {"latencyMs": 7},
}  # fmt: skip


def event(kind: str, **payload: Any) -> bytes:
    return frame(json.dumps({**payload, "p": "abc"}).encode(), message_type="event", event_type=kind)


def delta(index: int, **said: Any) -> bytes:
    return event("contentBlockDelta", contentBlockIndex=index, delta=said)


def start(index: int, **said: Any) -> bytes:
    return event("contentBlockStart", contentBlockIndex=index, start=said)


def stop(index: int) -> bytes:
    return event("contentBlockStop", contentBlockIndex=index)


def refusal(kind: str, **payload: Any) -> bytes:
    return frame(json.dumps(payload).encode(), message_type="exception", exception_type=kind)


BEGIN = event("messageStart", role="assistant")
END = event("messageStop", stopReason="end_turn")
COUNTS = event("metadata", usage=USAGE, metrics={"latencyMs": 7})
STREAM = [
    BEGIN,
    delta(0, reasoningContent={"text": "Hm."}), delta(0, reasoningContent={"signature": "c2ln"}), stop(0),
    delta(1, reasoningContent={"redactedContent": base64.b64encode(b"da").decode()}),
    delta(1, reasoningContent={"redactedContent": base64.b64encode(b"ta").decode()}), stop(1),
    delta(2, text="H"), delta(2, text="i"), stop(2),
    start(3, toolUse={"toolUseId": "t1", "name": "f"}), delta(3, toolUse={"input": '{"a"'}),
    delta(3, toolUse={"input": ":1}"}), stop(3),
    delta(4, text="So."), delta(4, citation=REPLY["output"]["message"]["content"][4]["citationsContent"]["citations"][0]), stop(4),
    start(5, toolUse={"toolUseId": "t2", "name": "search", "type": "server_tool_use"}), delta(5, toolUse={"input": "{}"}), stop(5),
    event("messageStop", stopReason="tool_use"),
    event("metadata", usage=REPLY["usage"], metrics={"latencyMs": 7}),
]  # fmt: skip


def hear(*frames: bytes) -> ChatResponse:
    heard = Heard(bedrock, frames)
    assert heard.error is None
    return heard.reply


def test_a_whole_reply_is_read() -> None:
    reply = bedrock.parse_response(json.dumps(REPLY))
    content = REPLY["output"]["message"]["content"]
    assert reply.content == (
        ThinkingBlock("Hm.", "c2ln"),
        ThinkingBlock("", "ZGF0YQ==", redacted=True),
        TextBlock("Hi"),
        ToolCall("t1", "f", '{"a":1}'),
        TextBlock("So.", opaque={bedrock.NAME: content[4]}, citations=[Citation(title="T", cited="s", document=1)]),
        OpaqueBlock(bedrock.NAME, content[5]),
    )
    assert (reply.finish_reason, reply.raw_finish_reason) == ("tool_calls", "tool_use")
    assert reply.usage == Usage(3, 6, 4, 2, extras={"serverToolUsage": {"x": 1}}, cache_write_1h=1)
    assert reply.extras == {"metrics": {"latencyMs": 7}}


def test_a_stream_says_what_the_whole_reply_says() -> None:
    assert hear(*STREAM) == bedrock.parse_response(REPLY)


def test_no_cut_changes_what_a_stream_says() -> None:
    data = b"".join(STREAM)
    whole = Heard(bedrock, [data]).signature()
    for position in range(0, len(data) + 1, 3):
        assert Heard(bedrock, cut(data, [position])).signature() == whole


def test_the_words_go_out_before_their_block_ends() -> None:
    parser = bedrock.StreamParser()
    assert len(parser.feed(BEGIN + delta(0, text="Hi"))) == 3


def test_what_a_model_says_goes_back_as_it_came() -> None:
    reply = hear(*STREAM)
    sent = bedrock.render_request(
        bedrock.parse_request({"messages": [{"role": "user", "content": [{"text": "Hi"}]}, REPLY["output"]["message"]]})
    )
    assert sent["messages"][1] == REPLY["output"]["message"]
    said = mark([Message("assistant", reply.content)], bedrock.NAME)
    assert bedrock.parse_request({"messages": [sent["messages"][1]]}).messages == tuple(said)


# -- streams that are not as they should be ----------------------------------------


def test_blocks_nobody_starts_or_stops_are_blocks() -> None:
    reply = hear(delta(0, text="Hi"), start(1, toolUse={"name": "f"}), event("news", a=1), delta(1, news={}), END)
    assert reply.content == (TextBlock("Hi"), ToolCall("call_1", "f", "{}"))
    assert reply.usage == Usage()


def test_the_counts_may_come_first_empty_or_not_at_all() -> None:
    nulls = event("metadata", usage={"inputTokens": None, "outputTokens": 5})
    assert hear(COUNTS, nulls, delta(0, text="Hi"), END).usage == Usage(3, 5, 4, 2)
    assert hear(delta(0, text="Hi"), END).usage == Usage()


def test_what_comes_after_the_end_is_not_heard() -> None:
    assert hear(BEGIN, delta(0, text="Hi"), END, COUNTS, delta(0, text="!"), COUNTS).text == "Hi"


def test_a_picture_of_a_stream_is_one_block() -> None:
    pieces = [delta(0, image={"source": {"bytes": base64.b64encode(part).decode()}}) for part in (b"\x89P", b"NG")]
    reply = hear(start(0, image={"format": "png"}), *pieces, stop(0), END)
    assert reply.content == (ImageBlock("image/png", base64.b64encode(b"\x89PNG").decode()),)


def test_what_a_tool_of_the_service_found_is_kept_whole() -> None:
    parts = [delta(0, toolResult=[{"text": "a"}]), delta(0, toolResult=[{"json": {"b": 1}}])]
    reply = hear(start(0, toolResult={"toolUseId": "s", "type": "nova_grounding_result"}), *parts, stop(0), END)
    found = {"toolUseId": "s", "type": "nova_grounding_result", "content": [{"text": "a"}, {"json": {"b": 1}}]}
    assert reply.content == (OpaqueBlock(bedrock.NAME, {"toolResult": found}),)


def test_citations_without_words_lose_nothing() -> None:
    reply = hear(delta(0, citation={"title": "T"}), stop(0), END)
    assert isinstance(reply.content[0], TextBlock)
    assert reply.content[0].citations == (Citation(title="T"),)


@pytest.mark.parametrize("end", [b"", END[:-3], END[:40]])
def test_a_stream_without_its_stop_reason_is_broken(end: bytes) -> None:
    error = Heard(bedrock, [BEGIN, delta(0, text="Hi"), end]).error
    assert isinstance(error, StreamBroken)
    assert error.partial
    assert error.partial.text == "Hi"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("throttlingException", errors.RateLimit), ("validationException", errors.InvalidRequest),
        ("modelStreamErrorException", errors.ServerError), ("internalServerException", errors.ServerError),
        ("serviceUnavailableException", errors.Overloaded), ("modelTimeoutException", errors.TimeoutExpired),
        ("surpriseException", errors.ServerError),
    ],
)  # fmt: skip
def test_an_exception_in_the_stream_is_raised_with_what_was_heard(kind: str, expected: type[Error]) -> None:
    error = Heard(bedrock, [BEGIN, delta(0, text="Hi"), refusal(kind, message="Please wait")]).error
    assert error
    assert type(error) is expected
    assert (error.message, error.code) == ("Please wait", kind)
    assert error.partial
    assert error.partial.text == "Hi"


def test_an_error_frame_has_its_code_and_words_in_headers() -> None:
    data = frame(b"", message_type="error", error_code="InternalFailure", error_message="boom")
    error = Heard(bedrock, [data]).error
    assert isinstance(error, errors.ServerError)
    assert error.message == "boom"


def test_a_body_that_is_no_stream_says_what_it_is() -> None:
    words = b'{"message":"Too many requests"}'
    assert isinstance(Heard(bedrock, cut(words, range(1, len(words), 5))).error, errors.RateLimit)
    assert isinstance(Heard(bedrock, [b"<html>gateway"]).error, BadReply)
    assert isinstance(Heard(bedrock, [b""]).error, StreamBroken)


def test_a_frame_that_is_damaged_ends_the_stream() -> None:
    data = bytearray(END)
    data[-1] ^= 1
    error = Heard(bedrock, [BEGIN, delta(0, text="Hi"), bytes(data)]).error
    assert isinstance(error, BadReply)
    assert error.partial
    assert error.partial.text == "Hi"


def test_half_a_character_costs_no_words() -> None:
    said = frame(
        b'{"contentBlockIndex":0,"delta":{"text":"one \\ud83d"}}', message_type="event", event_type="contentBlockDelta"
    )
    assert hear(said, delta(0, text=" two"), END).text == "one \ufffd two"


# -- refusals ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected"),
    [
        (400, "ValidationException", "Input is too long for requested model.", errors.ContextLength),
        (400, "ValidationException", "prompt is too long: 210000 tokens > 200000 maximum", errors.ContextLength),
        (400, "ValidationException", "The provided model identifier is invalid.", errors.ModelNotFound),
        (400, "ValidationException", "temperature must be at most 1", errors.InvalidRequest),
        (429, "ThrottlingException", "Too many tokens, please wait before trying again.", errors.RateLimit),
        (403, "AccessDeniedException", "You don't have access to the model with the specified model ID.", errors.PermissionDenied),
        (403, "ExpiredTokenException", "Sign in again", errors.AuthError),
        (403, "UnrecognizedClientException", "No such client", errors.AuthError),
        (403, "", "The security token included in the request is invalid.", errors.AuthError),
        (403, "InvalidSignatureException", "Signature expired: 1 is now earlier than 2", errors.AuthError),
        (404, "ResourceNotFoundException", "This model version has reached the end of its life.", errors.ModelNotFound),
        (408, "ModelTimeoutException", "too slow", errors.TimeoutExpired),
        (424, "ModelErrorException", "the model failed", errors.ServerError),
        (429, "ModelNotReadyException", "not ready", errors.Overloaded),
        (503, "ServiceUnavailableException", "busy", errors.Overloaded),
    ],
)  # fmt: skip
def test_a_refusal_is_of_the_class_that_decides_what_happens_next(
    status: int, kind: str, message: str, expected: type[Error]
) -> None:
    headers = {"x-amzn-errortype": f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"} if kind else {}
    error = bedrock.parse_error(status, json.dumps({"message": message}), headers)
    assert type(error) is expected
    assert (error.message, error.status, error.code) == (message, status, kind or None)


def test_a_model_without_throughput_of_its_own_gets_a_hint() -> None:
    words = "Invocation of model ID a.b with on-demand throughput isn’t supported."
    error = bedrock.parse_error(400, {"message": words})
    assert isinstance(error, errors.ModelNotFound)
    assert "inference profile" in error.hint


def test_an_expired_session_is_told_how_it_is_renewed() -> None:
    error = bedrock.parse_error(403, {"message": "The security token included in the request is expired"})
    assert "aws sso login" in error.hint


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("tool_use", "tool_calls"), ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"), ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"), ("malformed_tool_use", "stop"), ("news", "stop"), (None, "stop"),
    ],
)  # fmt: skip
def test_a_stop_reason_has_its_word(reason: str | None, finish: str) -> None:
    reply = bedrock.parse_response({"output": {"message": {"content": [{"text": "a"}]}}, "stopReason": reason})
    assert (reply.finish_reason, reply.raw_finish_reason) == (finish, reason)


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"output": 1}', '{"output": {"message": {"content": [{"text": 1}]}}}']
)
def test_a_body_of_no_sense_is_refused(body: str) -> None:
    with pytest.raises(BadReply):
        bedrock.parse_response(body)


def test_an_error_with_a_good_status_is_one() -> None:
    with pytest.raises(errors.RateLimit):
        bedrock.parse_response({"message": "Too many requests", "__type": "ThrottlingException"})


def test_the_key_travels_as_a_bearer_token() -> None:
    assert bedrock.auth_headers("abc") == {"authorization": "Bearer abc"}


# -- hostile -----------------------------------------------------------------------


def test_a_reply_with_any_one_value_wrong_is_read_or_refused() -> None:
    for path, values in trials(REPLY):
        for value in values:
            read_reply(bedrock, json.dumps(changed(REPLY, path, value)).encode())


EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "a", "signature": "b"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"reasoningContent": {"redactedContent": "aGk="}}}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "i", "name": "n"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "{"}}}),
    ("contentBlockStart", {"contentBlockIndex": 3, "start": {"image": {"format": "png"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 3, "delta": {"image": {"source": {"bytes": "aGk="}}}}),
    ("contentBlockStart", {"contentBlockIndex": 4, "start": {"toolResult": {"toolUseId": "i"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 4, "delta": {"toolResult": [{"text": "a"}]}}),
    ("contentBlockDelta", {"contentBlockIndex": 5, "delta": {"text": "a"}}),
    ("contentBlockDelta", {"contentBlockIndex": 5, "delta": {"citation": {"location": {"web": {"url": "u"}}}}}),
    ("contentBlockStop", {"contentBlockIndex": 5}),
    ("messageStop", {"stopReason": "end_turn"}),
    ("metadata", {"usage": {"inputTokens": 1, "cacheDetails": [{"ttl": "1h", "inputTokens": 1}]}}),
]


def test_a_stream_with_any_one_value_wrong_is_read_or_refused() -> None:
    for at, (_, payload) in enumerate(EVENTS):
        for path, values in trials(payload, at):
            for value in values:
                said = [(k, changed(p, path, value) if n == at else p) for n, (k, p) in enumerate(EVENTS)]
                data = b"".join(
                    frame(json.dumps(p).encode(), message_type="event", event_type=kind) for kind, p in said
                )
                read_stream(bedrock, data)


def test_an_error_body_with_any_one_value_wrong_is_still_an_error() -> None:
    for body in (*ERRORS, {"message": "m", "__type": "t"}, {"Message": "m", "originalMessage": "o"}):
        for path in places(body):
            for value in VALUES:
                assert bedrock.parse_error(400, json.dumps(changed(body, path, value)).encode()).message
