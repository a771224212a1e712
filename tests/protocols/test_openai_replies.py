"""Replies and errors on OpenAI's chat wire, in all the shapes its servers give them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield import errors
from jackfield.errors import BadReply, ContentFilter, ContextLength, Error, ModelNotFound, RateLimit, ServerError
from jackfield.message import (
    AudioBlock,
    ChatRequest,
    ChatResponse,
    ImageBlock,
    Message,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    Usage,
)
from jackfield.protocols import openai_completions as wire

CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def parse(message: dict[str, Any] | None = None, **fields: Any) -> ChatResponse:
    reason = fields.pop("reason", "stop")
    choice = {"index": 0, "message": {"role": "assistant", **(message or {"content": "Hi"})}, "finish_reason": reason}
    return wire.parse_response(json.dumps({"id": "1", "model": "gpt", "choices": [choice], **fields}).encode())


# -- content -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "text", "thinking"),
    [
        ({"content": "Hi"}, "Hi", ""),
        ({"content": None, "refusal": "No"}, "", ""),
        ({"content": "Hi", "reasoning_content": "Hm."}, "Hi", "Hm."),
        ({"content": "Hi", "reasoning": "Hm."}, "Hi", "Hm."),
        ({"content": "Hi", "reasoning_text": "Hm.", "reasoning_content": None}, "Hi", "Hm."),
        ({"content": [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"}]}, "Hi", "Hm."),
        ({"content": [{"type": "reasoning", "text": "Hm."}, "Hi"]}, "Hi", "Hm."),
        ({"content": {"response": "Hi"}}, '{"response":"Hi"}', ""),
        ({"content": "<think>Hm.</think>Hi"}, "<think>Hm.</think>Hi", ""),
        ({"content": "", "tool_calls": None, "audio": {"id": "", "data": ""}, "function_call": {"name": ""}}, "", ""),
    ],
)
def test_words_and_thoughts_are_found_wherever_they_stand(message: Any, text: str, thinking: str) -> None:
    reply = parse(message)
    assert (reply.text, reply.thinking) == (text, thinking)
    assert all(block != TextBlock("") for block in reply.content)


def test_thoughts_of_which_no_word_is_missing_keep_their_details_apart() -> None:
    details = [{"type": "reasoning.text", "text": "Hm."}, {"type": "reasoning.encrypted", "data": "eA=="}]
    first, second, _ = parse({"content": "Hi", "reasoning": "Hm.", "reasoning_details": details}).content
    assert (first.text, second.text, second.redacted) == ("Hm.", "", True)  # type: ignore[union-attr]  # thoughts
    whole, _ = parse({"content": "Hi", "reasoning": "Something else", "reasoning_details": details}).content
    assert whole.opaque == {wire.NAME: {"field": "reasoning", "details": details}}  # type: ignore[union-attr]


def test_details_alone_are_kept_and_read_only_where_claude_signed_them() -> None:
    summary = {"type": "reasoning.summary", "summary": "Hm.", "format": "openai-responses-v1"}
    assert parse({"content": "Hi", "reasoning": None, "reasoning_details": [summary]}).content[0] == ThinkingBlock(
        "", redacted=True, opaque={wire.NAME: {"details": [summary]}}
    )
    signed = {"type": "reasoning.text", "text": "Hm.", "signature": "c2ln", "format": "anthropic-claude-v1"}
    assert parse({"content": "Hi", "reasoning_details": [signed]}).thinking == "Hm."


def test_a_refusal_pictures_and_speech_are_blocks() -> None:
    url = {"url": "data:image/png;base64,aGk="}
    audio = {"id": "audio_1", "data": "aGk=", "transcript": "Hi", "expires_at": 7}
    message = {"refusal": "No", "images": [{"type": "image_url", "image_url": url}], "audio": audio}
    refusal, image, sound = parse(message).content
    assert refusal == RefusalBlock("No")
    assert image == ImageBlock("image/png", "aGk=")
    assert isinstance(sound, AudioBlock)
    assert sound.data == "aGk="
    assert wire.render_response(parse(message))["choices"][0]["message"]["audio"] == audio
    echo = wire.render_request(_history(parse(message)))["messages"][0]
    assert echo["audio"] == {"id": "audio_1"}


def _history(reply: ChatResponse) -> ChatRequest:
    return ChatRequest(model="gpt", messages=[Message("assistant", reply.content)])


def test_fields_of_a_message_come_back_with_it() -> None:
    more = {"annotations": [{"type": "url_citation"}], "extra_content": {"google": {"thought_signature": "eA=="}}}
    reply = parse({"content": "Hi", **more})
    assert wire.render_request(_history(reply))["messages"] == [{"role": "assistant", "content": "Hi", **more}]
    assert wire.render_response(reply)["choices"][0]["message"] == {"role": "assistant", "content": "Hi", **more}
    assert parse({"refusal": "No", **more}).extras["message"] == more


def test_fields_of_a_call_come_back_with_it() -> None:
    call = {**CALL, "extra_content": {"google": {"thought_signature": "eA=="}}}
    reply = parse({"tool_calls": [call]})
    assert wire.render_request(_history(reply))["messages"][0]["tool_calls"] == [call]


def test_a_custom_tool_is_called_with_plain_text() -> None:
    call = {"id": "a", "type": "custom", "custom": {"name": "grep", "input": "x|y"}}
    reply = parse({"tool_calls": [call]})
    assert (reply.tool_calls[0].name, reply.tool_calls[0].arguments) == ("grep", "x|y")
    assert wire.render_request(_history(reply))["messages"][0]["tool_calls"] == [call]


@pytest.mark.parametrize(("arguments", "read"), [("", "{}"), (None, "{}"), ({"x": 1}, '{"x":1}'), ('{"cut', '{"cut')])
def test_arguments_are_text_as_the_model_wrote_it(arguments: Any, read: str) -> None:
    assert parse({"tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}).tool_calls[0].arguments == read


def test_a_call_without_an_id_gets_one_that_stays_the_same() -> None:
    calls = [{"id": "", "function": {"name": name}} for name in "fg"]
    first, second = parse({"tool_calls": calls}).tool_calls
    assert (first.id, second.id) == ("call_1_0", "call_1_1")


def test_the_function_call_of_the_first_days_is_a_tool_call() -> None:
    reply = parse({"function_call": {"name": "f", "arguments": "{}"}}, reason="function_call")
    assert (reply.tool_calls[0].name, reply.finish_reason) == ("f", "tool_calls")


# -- reasons, usage, the rest ------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "calls", "reason", "raw"),
    [
        ("stop", [], "stop", None),
        ("length", [], "length", None),
        ("tool_calls", [CALL], "tool_calls", None),
        ("stop", [CALL], "tool_calls", "stop"),
        ("length", [CALL], "length", None),
        ("content_filter", [], "content_filter", None),
        ("eos", [], "stop", "eos"),
        ("model_length", [], "length", "model_length"),
        ("something_new", [], "stop", "something_new"),
        (None, [], "stop", None),
    ],
)
def test_each_reason_is_one_of_four_and_keeps_its_own_word(word: Any, calls: Any, reason: str, raw: str | None) -> None:
    reply = parse({"content": "Hi", "tool_calls": calls}, reason=word)
    assert (reply.finish_reason, reply.raw_finish_reason) == (reason, raw)


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({}, Usage()),
        ({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}, Usage(9, 2)),
        ({"prompt_tokens": 9, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}}, Usage(9, 0, 0)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 2,
                "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
            },
            Usage(2, 2, 4, 3),
        ),
        (
            {"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5},
            Usage(5, None, 4, extras={"prompt_cache_miss_tokens": 5}),
        ),
        ({"prompt_tokens": 9, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 1}, Usage(4, None, 4, 1)),
        ({"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 163}}, Usage(7, None, 163)),
        ({"completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 3}}, Usage(None, 5, reasoning=3)),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 2,
                "total_tokens": 16,
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(9, 7, reasoning=5),
        ),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 2,
                "total_tokens": 30,
                "prompt_tokens_details": {"audio_tokens": 19},
            },
            Usage(28, 2, audio_input=19),
        ),
        ({"prompt_tokens": None, "cost": 0.1}, Usage(extras={"cost": 0.1})),
    ],
)
def test_usage_is_counted_in_buckets_that_do_not_overlap(raw: dict[str, Any], usage: Usage) -> None:
    assert parse(usage=raw).usage == usage


def test_usage_is_written_inclusive() -> None:
    body = wire.render_response(ChatResponse(usage=Usage(3, 6, 4, 2, 5, {"cost": 0.1})))["usage"]
    assert body == {
        "prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15, "cost": 0.1,
        "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }  # fmt: skip
    assert "usage" not in wire.render_response(ChatResponse())


def test_other_choices_and_unknown_fields_survive() -> None:
    other = {"index": 1, "message": {"role": "assistant", "content": "Ho"}, "finish_reason": "stop"}
    body = {
        "id": "1", "object": "chat.completion", "created": 7, "model": "gpt", "system_fingerprint": "fp",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop", "logprobs": {"content": []}},
            other,
        ],
    }  # fmt: skip
    reply = wire.parse_response(body)
    assert (reply.text, reply.extras["choices"]) == ("Hi", [{"logprobs": {"content": []}}, other])
    assert wire.render_response(reply) == body


def test_a_claude_reply_can_go_home_through_a_client_of_this_wire() -> None:
    content = [
        block
        for n in range(8)
        for block in (
            ThinkingBlock(f"Hm {n}.", f"c2ln{n}"),
            ThinkingBlock("", f"ZGF0YQ{n}", redacted=True),
            ToolCall(f"t{n}", "f", "{}"),
        )
    ]
    message = wire.render_response(ChatResponse(content=content))["choices"][0]["message"]
    back = wire.parse_request({"model": "m", "messages": [message]}).messages[0].content
    stripped = [ThinkingBlock(b.text, b.signature, b.redacted) if isinstance(b, ThinkingBlock) else b for b in back]
    assert stripped == content


# -- a reply that is none ----------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"error": {"message": "maximum context length is 9", "code": 400}}, ContextLength),
        ({"error": {"message": "filtered", "code": "content_filter", "status": 400}}, ContentFilter),
        ({"error": {"message": "busy", "code": 429}, "choices": []}, RateLimit),
        ({"error": "boom"}, ServerError),
        ({"object": "error", "message": "model not found", "code": 404}, ModelNotFound),
        ({"detail": "boom"}, ServerError),
        ({"choices": []}, BadReply),
        ({"choices": ["Hi"]}, BadReply),
        ({}, BadReply),
        ([], BadReply),
        ("Hi", BadReply),
    ],
)
def test_a_reply_that_is_an_error_or_nothing_is_raised(body: Any, kind: type[Error]) -> None:
    with pytest.raises(kind):
        wire.parse_response(json.dumps(body).encode())


@pytest.mark.parametrize("body", [b"", b"<html><title>Oops</title>", b"\xff\xfe", b"data: {}"])
def test_a_reply_that_is_no_json_says_what_came(body: bytes) -> None:
    with pytest.raises(BadReply, match="not JSON"):
        wire.parse_response(body)


# -- refused requests --------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, '{"error":{"message":"bad","type":"invalid_request_error","param":"stop"}}', "invalid_request", "bad"),
        (401, '{"error":"Unauthorized"}', "auth", "Unauthorized"),
        (404, '{"message":"no such model"}', "model_not_found", "no such model"),
        (401, '{"detail":"Invalid API Key"}', "auth", "Invalid API Key"),
        (422, '{"detail":[{"loc":["body","messages",0],"msg":"field required"}]}', "invalid_request", "body.messages.0: field required"),
        (429, '[{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}]', "rate_limit", "Quota exceeded"),
        (400, '{"errors":[{"message":"AiError"}],"success":false}', "invalid_request", "AiError"),
        (502, '{"error":{"message":"Provider returned error","metadata":{"raw":"upstream broke"}}}', "server_error", "Provider returned error: upstream broke"),
        (401, "Unauthorized", "auth", "Unauthorized"),
        (502, "<html><head><title>502 Bad\n Gateway</title>", "server_error", "a web page: 502 Bad Gateway"),
        (500, "", "server_error", "HTTP 500 without a reason"),
        (503, "[]", "overloaded", "[]"),
        (500, "null", "server_error", "null"),
    ],
)  # fmt: skip
def test_a_refusal_is_read_in_every_shape(status: int, body: str, kind: str, message: str) -> None:
    error = wire.parse_error(status, body.encode())
    assert (error.type, error.message, error.status) == (kind, message, status)


def test_a_refusal_in_bare_words_keeps_its_code() -> None:
    error = wire.parse_error(400, {"error": "too long", "type": "context_length_exceeded", "code": "c1"})
    assert (error.type, error.code) == ("context_overflow", "c1")
    assert wire.parse_error(400, {"error": {"message": "bad", "type": "some_kind"}}).code == "some_kind"


def test_a_refusal_keeps_its_code_field_and_when_to_return() -> None:
    body = {"error": {"message": "slow down", "code": "rate_limit_exceeded", "param": "model"}}
    error = wire.parse_error(429, body, {"retry-after": "7"})
    assert (error.code, error.param, error.retry_after_s) == ("rate_limit_exceeded", "model", 7)
    assert wire.parse_error(429, body, {"retry-after-ms": "1500", "retry-after": "2"}).retry_after_s == 1.5
    assert wire.parse_error(429, body, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}).retry_after_s is None


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (errors.InvalidRequest("x"), 400, "invalid_request_error", None),
        (errors.ContextLength("x"), 400, "invalid_request_error", "context_length_exceeded"),
        (errors.ContentFilter("x"), 400, "invalid_request_error", "content_filter"),
        (errors.Overloaded("x"), 503, "server_error", "overloaded"),
        (errors.BadReply("x"), 502, "server_error", "bad_reply"),
        (errors.ModelNotFound("x"), 404, "invalid_request_error", "model_not_found"),
        (errors.NotAllowed("x"), 403, "permission_error", "model_not_allowed"),
        (errors.AuthError("x"), 401, "authentication_error", "invalid_api_key"),
        (errors.RateLimit("x"), 429, "rate_limit_error", "rate_limit_exceeded"),
        (errors.Quota("x"), 402, "insufficient_quota", "insufficient_quota"),
        (errors.TimeoutExpired("x"), 504, "server_error", "timeout"),
        (errors.StreamBroken("x"), 502, "server_error", "stream_broken"),
        (errors.Error("x"), 500, "server_error", None),
    ],
)
def test_an_error_is_written_in_openais_shape(error: Error, status: int, kind: str, code: str | None) -> None:
    body = {"error": {"message": "x", "type": kind, "param": None, "code": code}}
    assert wire.render_error(error) == (status, body)


def test_a_key_goes_as_a_bearer() -> None:
    assert wire.auth_headers("k") == {"authorization": "Bearer k"}


def test_what_openai_encrypted_is_given_to_no_caller_as_a_claude_models() -> None:
    reply = ChatResponse(content=[ThinkingBlock("Hm.", "gAAAAABq"), TextBlock("Hi")])
    message = wire.render_response(reply)["choices"][0]["message"]
    assert message == {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}
