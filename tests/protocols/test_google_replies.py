"""Gemini's whole replies and errors: what we read, and what we write to a caller."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield import errors
from jackfield.errors import BadReply
from jackfield.message import (
    AudioBlock,
    ChatResponse,
    Citation,
    ImageBlock,
    OpaqueBlock,
    TextBlock,
    ThinkingBlock,
    TokenLogprob,
    ToolCall,
    Usage,
)
from jackfield.protocols import google_generative_ai as wire
from jackfield.protocols.google_generative_ai import cloud_code


def reply(*parts: dict[str, Any], **candidate: Any) -> dict[str, Any]:
    content = {"role": "model", "parts": list(parts)}
    return {"candidates": [{"content": content, "finishReason": "STOP", "index": 0, **candidate}], "responseId": "r"}


def read(body: Any) -> ChatResponse:
    return wire.parse_response(json.dumps(body))


# -- what a reply holds ------------------------------------------------------------


def test_parts_of_one_kind_are_one_block_until_a_signature_ends_it() -> None:
    body = reply(
        {"text": "Hm", "thought": True},
        {"text": ".", "thought": True, "thoughtSignature": "dA=="},
        {"text": "Y"},
        {"text": "es", "thoughtSignature": "c2ln"},
        {"text": "!"},
    )
    content = read(body).content
    assert [(type(block), block.text) for block in content if isinstance(block, TextBlock | ThinkingBlock)] == [
        (ThinkingBlock, "Hm."), (TextBlock, "Yes"), (TextBlock, "!"),
    ]  # fmt: skip
    assert content[0] == ThinkingBlock("Hm.", "dA==", opaque={wire.NAME: {"signedFrom": 2}})
    again = wire.render_response(read(body))["candidates"][0]["content"]["parts"]
    assert again == body["candidates"][0]["content"]["parts"]


def test_a_signature_without_words_hangs_behind_the_words_before_it() -> None:
    body = reply({"text": "Yes"}, {"text": "", "thoughtSignature": "c2ln"})
    assert len(read(body).content) == 1
    assert wire.render_response(read(body))["candidates"][0]["content"]["parts"] == [
        {"text": "Yes"}, {"text": "", "thoughtSignature": "c2ln"},
    ]  # fmt: skip


def test_a_signature_that_stands_alone_is_a_block_of_its_own() -> None:
    assert read(reply({"text": "", "thought": True, "thoughtSignature": "c2ln"})).content == (
        ThinkingBlock("", "c2ln", redacted=True),
    )
    assert read(reply({"text": "", "thoughtSignature": "c2ln"})).content == (
        TextBlock("", opaque={wire.NAME: {"thoughtSignature": "c2ln"}}),
    )


def test_calls_get_ids_of_the_reply_and_their_reason() -> None:
    answer = read(reply({"functionCall": {"name": "f"}}, {"functionCall": {"id": "x", "name": "g", "args": {"a": 1}}}))
    assert [(call.id, call.name, call.arguments) for call in answer.tool_calls] == [
        ("call_r_1", "f", "{}"),
        ("x", "g", '{"a":1}'),
    ]
    assert (answer.finish_reason, answer.raw_finish_reason) == ("tool_calls", "STOP")
    assert wire.render_response(answer)["candidates"][0]["content"]["parts"][0] == {
        "functionCall": {"name": "f", "args": {}}
    }


def test_pictures_sound_and_what_was_run_are_blocks() -> None:
    ran = {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}}
    parts = [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"inlineData": {"mimeType": "audio/wav", "data": "aGk="}},
        ran,
    ]
    assert read(reply(*parts)).content == (
        ImageBlock("image/png", "aGk="), AudioBlock("audio/wav", "aGk="), OpaqueBlock(wire.NAME, ran),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"), ("SPII", "content_filter"), ("MALFORMED_FUNCTION_CALL", "stop"), ("NEW", "stop"),
    ],
)  # fmt: skip
def test_every_reason_has_a_word_of_ours_and_keeps_its_own(word: str, reason: str) -> None:
    answer = read(reply({"text": "x"}, finishReason=word))
    assert (answer.finish_reason, answer.raw_finish_reason) == (reason, word)
    assert wire.render_response(answer)["candidates"][0]["finishReason"] == word


def test_a_prompt_that_was_blocked_is_a_filtered_reply() -> None:
    answer = read({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}})
    assert (answer.content, answer.finish_reason, answer.raw_finish_reason) == ((), "content_filter", "SAFETY")
    assert answer.usage.input == 4
    assert wire.render_response(answer)["promptFeedback"] == {"blockReason": "SAFETY"}


def test_a_reply_without_candidates_is_none() -> None:
    with pytest.raises(BadReply, match="no candidates"):
        read({"usageMetadata": {"promptTokenCount": 4}})


def test_a_stream_asked_without_its_frame_is_a_list_of_replies() -> None:
    assert read([reply({"text": "Y"}), reply({"text": "es"})]).text == "Yes"


def test_other_candidates_and_what_stands_beside_the_first_are_kept() -> None:
    body = reply({"text": "x"}, safetyRatings=[{"category": "c"}])
    body["candidates"].append({"content": {"parts": [{"text": "y"}]}, "index": 1, "finishReason": "STOP"})
    answer = read(body)
    assert answer.text == "x"
    assert wire.render_response(answer)["candidates"] == body["candidates"]


# -- counts, sources, likelihoods --------------------------------------------------


def test_counts_are_disjoint_and_come_back_as_they_were() -> None:
    counts = {
        "promptTokenCount": 100, "cachedContentTokenCount": 60, "toolUsePromptTokenCount": 7, "candidatesTokenCount": 20,
        "thoughtsTokenCount": 5, "totalTokenCount": 132, "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 9}],
        "trafficType": "ON_DEMAND",
    }  # fmt: skip
    answer = read({**reply({"text": "x"}), "usageMetadata": counts})
    usage = answer.usage
    assert (usage.input, usage.output, usage.cache_read, usage.reasoning, usage.audio_input) == (47, 25, 60, 5, 9)
    assert wire.render_response(answer)["usageMetadata"] == counts


@pytest.mark.parametrize(
    ("raw", "word"), [("COMPLETE", "STOP"), ("TOOL_CALL", "STOP"), ("MALFORMED_RESPONSE", "MALFORMED_RESPONSE")]
)
def test_only_words_of_this_wire_say_why_a_reply_ends(raw: str, word: str) -> None:
    reply = ChatResponse(finish_reason="stop", raw_finish_reason=raw)
    assert wire.render_response(reply)["candidates"][0]["finishReason"] == word


def test_counts_that_nobody_gave_stay_unknown() -> None:
    assert read(reply({"text": "x"})).usage == Usage()
    assert "usageMetadata" not in wire.render_response(read(reply({"text": "x"})))


def test_sources_keep_their_words_and_lose_a_place_outside_the_text() -> None:
    grounding = {
        "groundingChunks": [{"web": {"uri": "u", "title": "T"}}, {"retrievedContext": {"text": "own words"}}],
        "groundingSupports": [
            {"segment": {"endIndex": 3, "text": "Yes"}, "groundingChunkIndices": [0, 1, 9]},
            {"segment": {"startIndex": 1, "endIndex": 99, "text": "gone"}, "groundingChunkIndices": [0]},
        ],
        "webSearchQueries": ["q"],
    }
    answer = read(reply({"text": "Yes."}, groundingMetadata=grounding))
    assert answer.content == (
        TextBlock(
            "Yes.",
            citations=[
                Citation("u", "T", start=0, end=3),
                Citation(cited="own words", start=0, end=3),
                Citation("u", "T"),
            ],
        ),
    )
    assert wire.render_response(answer)["candidates"][0]["groundingMetadata"] == grounding


def test_positions_count_characters() -> None:
    segment = {"startIndex": 3, "endIndex": 8, "text": "ln is"}  # in bytes: K, ö takes two
    grounding = {
        "groundingChunks": [{"web": {"uri": "u"}}],
        "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0]}],
    }
    block = read(reply({"text": "Köln is"}, groundingMetadata=grounding)).content[0]
    assert isinstance(block, TextBlock)
    assert block.citations == (Citation("u", start=2, end=7),)


def test_sources_of_other_wires_are_written_as_grounding() -> None:
    text = TextBlock("Köln is", citations=[Citation("u", "T", start=2, end=7), Citation(cited="words")])
    candidate = wire.render_response(ChatResponse(content=[text]))["candidates"][0]
    assert candidate["groundingMetadata"] == {
        "groundingChunks": [{"web": {"uri": "u", "title": "T"}}, {"retrievedContext": {"text": "words"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 3, "endIndex": 8, "text": "ln is"}, "groundingChunkIndices": [0]}
        ],
    }


def test_citations_without_grounding_are_read_too() -> None:
    cited = {"citationSources": [{"startIndex": 0, "endIndex": 1, "uri": "u"}, {"uri": "v", "title": "V"}]}
    block = read(reply({"text": "x"}, citationMetadata=cited)).content[0]
    assert isinstance(block, TextBlock)
    assert block.citations == (Citation("u", start=0, end=1), Citation("v", "V"))


def test_likelihoods_are_read_and_written() -> None:
    result = {
        "chosenCandidates": [{"token": "a", "logProbability": -0.5}, {"token": "b", "logProbability": 0.0}],
        "topCandidates": [{"candidates": [{"token": "a", "logProbability": -0.5}]}, {"candidates": []}],
    }
    answer = read(reply({"text": "ab"}, logprobsResult=result))
    assert answer.logprobs == (TokenLogprob("a", -0.5, [TokenLogprob("a", -0.5)]), TokenLogprob("b", 0.0))
    assert wire.render_response(answer)["candidates"][0]["logprobsResult"] == result


# -- what is written ---------------------------------------------------------------


def test_a_reply_of_another_wire_says_nothing_a_strict_reader_would_stumble_over() -> None:
    answer = ChatResponse(
        id="r",
        model="m",
        content=[ThinkingBlock("Hm."), ToolCall("c", "f", "{}")],
        finish_reason="tool_calls",
        raw_finish_reason="tool_use",
        usage=Usage(1, 2, extras={"service": {"x": 1}}),
        extras={"created": 1, "choices": []},
    )
    assert wire.render_response(answer) == {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [{"text": "Hm.", "thought": True}, {"functionCall": {"id": "c", "name": "f", "args": {}}}],
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3},
        "modelVersion": "m",
        "responseId": "r",
    }


def test_cloud_codes_reply_comes_out_of_its_envelope() -> None:
    body = {"response": reply({"text": "Yes"}), "traceId": "t"}
    assert cloud_code.parse_response(json.dumps(body)).text == "Yes"
    with pytest.raises(errors.RateLimit):
        cloud_code.parse_response(b'{"error": {"code": 429, "message": "m"}}')


# -- errors ------------------------------------------------------------------------


def refused(status: int, message: str, *details: dict[str, Any], word: str = "") -> errors.Error:
    body = {"error": {"code": status, "message": message, "status": word, "details": list(details)}}
    return wire.parse_error(status, json.dumps(body))


SPENT = "You exceeded your current quota, please check your plan and billing details."


def quota(name: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": name}]}


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13.5s"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused(400, "API key not valid. Please pass a valid API key."), errors.AuthError),
        (refused(400, "Bad", {"reason": "API_KEY_INVALID"}), errors.AuthError),
        (refused(400, "User location is not supported for the API use."), errors.PermissionDenied),
        (refused(400, "The input token count (9) exceeds the maximum number of tokens allowed (8)."), errors.ContextLength),
        (refused(400, "Unknown name"), errors.InvalidRequest),
        (refused(403, "No"), errors.PermissionDenied),
        (refused(404, "models/x is not found"), errors.ModelNotFound),
        (refused(429, SPENT, quota("GenerateRequestsPerMinutePerProject"), RETRY), errors.RateLimit),
        (refused(429, SPENT, quota("GenerateRequestsPerDayPerProject"), RETRY), errors.Quota),
        (refused(429, SPENT), errors.Quota),
        (refused(429, f"{SPENT} Please retry in 7.5s."), errors.RateLimit),
        (refused(429, f"{SPENT} * Quota exceeded for metric: generate_content_free_tier_requests, limit: 0"), errors.Quota),
        (refused(429, "Resource has been exhausted (e.g. check quota)."), errors.RateLimit),
        (refused(500, "An internal error"), errors.ServerError),
        (refused(503, "The model is overloaded."), errors.Overloaded),
        (refused(504, "Deadline"), errors.TimeoutExpired),
    ],
)  # fmt: skip
def test_an_error_is_of_the_class_that_decides_what_happens_next(error: errors.Error, kind: type[errors.Error]) -> None:
    assert type(error) is kind


def test_the_time_to_wait_is_read_from_the_details_unless_a_header_says_it() -> None:
    body = json.dumps({"error": {"code": 429, "message": "m", "details": [RETRY]}})
    assert wire.parse_error(429, body).retry_after_s == 13.5
    assert wire.parse_error(429, body, {"retry-after": "2"}).retry_after_s == 2


@pytest.mark.parametrize(
    ("message", "seconds"),
    [("Please retry in 7.5s.", 7.5), ("Your quota will reset after 3h22m17s.", 12137), ("retry in a while", None)],
)
def test_the_time_to_wait_is_read_from_the_words_where_no_detail_says_it(message: str, seconds: float | None) -> None:
    assert refused(429, message).retry_after_s == seconds


def test_the_field_complained_of_is_named() -> None:
    assert refused(400, "m", {"fieldViolations": [{"field": "contents"}]}).param == "contents"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'[{"error": {"code": 404, "message": "in a list"}}]', "in a list"),
        (b'{"error": "invalid_grant", "error_description": "Token expired"}', "Token expired"),
        (b"<html><title>502 Bad Gateway</title>", "a web page: 502 Bad Gateway"),
        (b"", "HTTP 502 without a reason"),
    ],
)
def test_a_refusal_of_any_shape_has_words(body: bytes, words: str) -> None:
    assert wire.parse_error(502, body).message == words


def test_an_error_inside_a_reply_has_the_class_of_its_code() -> None:
    with pytest.raises(errors.Overloaded):
        read({"error": {"code": 503, "message": "busy"}})


def test_an_error_says_how_long_to_wait() -> None:
    status, body = wire.render_error(errors.RateLimit("slow down", retry_after_s=13))
    assert (status, body["error"]["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert wire.parse_error(status, json.dumps(body)).retry_after_s == 13
