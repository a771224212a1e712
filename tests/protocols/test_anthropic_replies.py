"""Whole replies and errors on Anthropic's wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield import errors
from jackfield.errors import BadReply, Error, Overloaded
from jackfield.message import (
    AudioBlock,
    ChatResponse,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    Usage,
)
from jackfield.protocols import anthropic_messages as wire


def reply(**fields: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 6},
        **fields,
    }


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("compaction", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
    ],
)
def test_a_stop_reason_is_translated_and_kept(raw: str, reason: str) -> None:
    response = wire.parse_response(reply(stop_reason=raw))
    assert (response.finish_reason, response.raw_finish_reason) == (reason, raw)
    assert wire.render_response(response)["stop_reason"] == raw


def test_a_stop_reason_of_another_wire_is_said_in_this_ones_words() -> None:
    response = ChatResponse(finish_reason="length", raw_finish_reason="MAX_TOKENS")
    assert wire.render_response(response)["stop_reason"] == "max_tokens"


def test_a_new_stop_reason_is_a_plain_stop_and_a_missing_one_goes_by_the_content() -> None:
    call = {"type": "tool_use", "id": "a", "name": "f", "input": {}}
    assert wire.parse_response(reply(stop_reason="of_tomorrow")).finish_reason == "stop"
    assert wire.parse_response(reply(stop_reason=None, content=[call])).finish_reason == "tool_calls"


def test_usage_keeps_unknown_apart_from_zero_and_the_issuers_other_counters() -> None:
    counts = {
        "input_tokens": 3,
        "output_tokens": 9,
        "cache_creation_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens_details": {"thinking_tokens": 4, "of_tomorrow": 1},
        "server_tool_use": {"web_search_requests": 2},
        "service_tier": "standard",
    }
    usage = wire.parse_response(reply(usage=counts)).usage
    assert (usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning) == (3, 9, None, 0, 4)
    assert usage.extras is not None
    assert usage.extras["server_tool_use"] == {"web_search_requests": 2}
    assert wire.render_response(ChatResponse(usage=usage))["usage"] == counts


def test_missing_or_odd_usage_is_unknown() -> None:
    for usage in (None, "many", [], {"input_tokens": "3", "output_tokens": True, "output_tokens_details": 4}):
        parsed = wire.parse_response(reply(usage=usage)).usage
        assert (parsed.input, parsed.output, parsed.reasoning) == (None, None, None)
    assert wire.render_response(ChatResponse())["usage"] == {"input_tokens": 0, "output_tokens": 0}


def test_a_reply_comes_out_as_it_went_in() -> None:
    body = reply(
        content=[
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "ZGF0YQ=="},
            {"type": "text", "text": "See", "citations": [{"type": "page_location", "cited_text": "x"}]},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "x"}},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1, None]}, "caller": {"type": "direct"}},
        ],
        stop_reason="stop_sequence",
        stop_sequence="END",
        stop_details={"type": "refusal", "category": "cyber"},
        container={"id": "c", "expires_at": "2026-11-21T00:00:00Z"},
        of_tomorrow=1,
    )
    assert wire.render_response(wire.parse_response(json.dumps(body))) == body


def test_a_call_without_arguments_holds_an_empty_object() -> None:
    content = [{"type": "tool_use", "id": "a", "name": "f", "input": {}}, {"type": "tool_use", "id": "b", "name": "g"}]
    assert [call.arguments for call in wire.parse_response(reply(content=content)).tool_calls] == ["{}", "{}"]


def test_what_only_other_wires_know_is_shown_as_text_or_left_out() -> None:
    response = ChatResponse(
        content=[
            RefusalBlock("No"),
            AudioBlock("audio/wav", "aGk="),
            OpaqueBlock("openai-responses", {"type": "x"}),
            ThinkingBlock("Hm."),
            TextBlock("Yes", None, {"openai-completions": {"annotations": []}}),
            ToolCall("a", "f", "{broken"),
        ],
        extras={"system_fingerprint": "fp", "created": 1},
    )
    body = wire.render_response(response)
    assert body["content"] == [
        {"type": "text", "text": "No"},
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "text", "text": "Yes"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"arguments": "{broken"}},
    ]
    assert not {"system_fingerprint", "created"} & body.keys()


def test_a_server_that_forgets_ids_and_nulls_its_fields_is_understood() -> None:
    response = wire.parse_response(
        {"content": [{"type": "text", "text": None}, {"type": "thinking", "thinking": "Hm.", "signature": None}]}
    )
    assert response.content == (TextBlock(""), ThinkingBlock("Hm."))
    assert (response.id, response.finish_reason, response.usage) == ("", "stop", Usage())


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>busy</html>", b"[]", b"{}", b'{"content": 5}', b'{"content": [5]}', b'{"content": [{"type": 5}]}'],
)
def test_an_answer_that_is_none_is_a_bad_reply(body: bytes) -> None:
    with pytest.raises(BadReply):
        wire.parse_response(body)


def test_an_error_inside_a_successful_reply_is_raised() -> None:
    with pytest.raises(Overloaded, match="Try later"):
        wire.parse_response({"type": "error", "error": {"type": "overloaded_error", "message": "Try later"}})
    with pytest.raises(errors.RateLimit):
        wire.parse_response({"error": {"message": "slow down", "code": "rate_limit_exceeded"}})


# -- errors ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (400, "invalid_request_error", errors.InvalidRequest),
        (401, "authentication_error", errors.AuthError),
        (402, "billing_error", errors.Quota),
        (403, "permission_error", errors.PermissionDenied),
        (404, "not_found_error", errors.ModelNotFound),
        (413, "request_too_large", errors.ContextLength),
        (429, "rate_limit_error", errors.RateLimit),
        (500, "api_error", errors.ServerError),
        (504, "timeout_error", errors.TimeoutExpired),
        (529, "overloaded_error", errors.Overloaded),
    ],
)
def test_every_documented_error_is_told_apart_by_status_and_inside_a_stream(
    status: int, kind: str, error: type[Error]
) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "so it is"}, "request_id": "req_1"}
    for given in (status, 200):
        parsed = wire.parse_error(given, json.dumps(body).encode())
        assert (type(parsed), parsed.message, parsed.code, parsed.status) == (error, "so it is", kind, given)


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidRequest, errors.AuthError, errors.Quota, errors.PermissionDenied, errors.ModelNotFound,
        errors.ContextLength, errors.ContentFilter, errors.RateLimit, errors.ServerError, errors.TimeoutExpired,
        errors.Overloaded,
    ],
)  # fmt: skip
def test_an_error_that_is_passed_on_stays_the_same_error(error: type[Error]) -> None:
    status, body = wire.render_error(error("so it is"))
    assert body["type"] == "error"
    for given in (status, 200):
        parsed = wire.parse_error(given, json.dumps(body).encode())
        assert type(parsed) is error
        assert "so it is" in parsed.message


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.MissingKey("x"), 401),
        (errors.NotAllowed("x"), 403),
        (errors.BadReply("x"), 502),
        (errors.ConnectError("x"), 502),
        (errors.StreamBroken("x"), 502),
        (errors.ConfigError("x"), 500),
        (errors.UsageError("x"), 400),
    ],
)
def test_our_own_errors_have_a_status_too(error: Error, status: int) -> None:
    assert wire.render_error(error)[0] == status


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"message":"You have no access"}', "You have no access"),
        (b'{"Message":"You have no access"}', "You have no access"),
        (b'{"error":{"message":"Bad","type":"x","code":"y","param":"z"}}', "Bad"),
        (b'{"error":"plain words"}', "plain words"),
        (b'{"detail":"Not Found"}', "Not Found"),
        (b'{"detail":[{"loc":["body"],"msg":"field required"}]}', "[{'loc': ['body'], 'msg': 'field required'}]"),
        (b"upstream connect error", "upstream connect error"),
        (b"<!doctype html><html><head><title>502 Bad\n Gateway</title></head></html>", "a web page: 502 Bad Gateway"),
        (b"", "HTTP 502 without a reason"),
        (b"  ", "HTTP 502 without a reason"),
        (b"{}", "HTTP 502 without a reason"),
        (b"null", "null"),
        (b'{"error":{"message":5,"type":["x"],"code":429}}', "5"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_whatever_the_body_is_there_is_an_error_to_show(body: bytes, message: str) -> None:
    error = wire.parse_error(502, body)
    assert (type(error), error.message) == (errors.ServerError, message)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "12", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_the_wait_a_provider_asks_for_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert wire.parse_error(429, b"", headers).retry_after_s == seconds


def test_a_key_and_a_login_token_travel_in_different_headers() -> None:
    assert wire.auth_headers("sk-ant-api03-x") == {"x-api-key": "sk-ant-api03-x", "anthropic-version": "2023-06-01"}
    token = wire.auth_headers("sk-ant-oat01-x")
    assert token["authorization"] == "Bearer sk-ant-oat01-x"
    assert "oauth" in token["anthropic-beta"]
    assert "x-api-key" not in token
