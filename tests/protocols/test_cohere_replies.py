"""What Cohere answers, whole and in pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield import errors
from jackfield.errors import BadReply, Error, StreamBroken
from jackfield.message import ChatRequest, Citation, Message, TextBlock, ThinkingBlock, TokenLogprob, ToolCall, Usage
from jackfield.protocols import cohere as wire
from tests.protocols.conformance import Heard, cut

SOURCE = {
    "type": "document",
    "id": "doc:2",
    "document": {"id": "doc:2", "title": "facts", "text": "Ruby is red.", "url": "https://x.example"},
}
CITED = {"start": 0, "end": 4, "text": "Ruby", "sources": [SOURCE], "type": "TEXT_CONTENT", "content_index": 1}
CITATION = Citation("https://x.example", "facts", "Ruby is red.", 2, 0, 4)


def reply(**fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}
    return {"id": "r", "message": message, "finish_reason": "COMPLETE", **fields}


def stream(*events: dict[str, Any]) -> bytes:
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def delta(kind: str, index: int | None = None, **message: Any) -> dict[str, Any]:
    return {"type": kind, **({} if index is None else {"index": index}), "delta": {"message": message}}


START = {"type": "message-start", "id": "r", "delta": {"message": {"role": "assistant"}}}
END = {
    "type": "message-end",
    "delta": {"finish_reason": "COMPLETE", "usage": {"tokens": {"input_tokens": 5, "output_tokens": 2}}},
}


def test_the_bill_counts_and_what_was_read_stands_beside_it() -> None:
    usage = {"billed_units": {"input_tokens": 3.0, "output_tokens": 9, "search_units": 1},
             "tokens": {"input_tokens": 500, "output_tokens": 11, "reasoning_tokens": 4}, "cached_tokens": 448}  # fmt: skip
    assert wire.parse_response(reply(usage=usage)).usage == Usage(
        3, 9, None, None, 4, {"tokens": usage["tokens"], "cached_tokens": 448, "billed_units": {"search_units": 1}}
    )


def test_a_citation_belongs_to_the_words_it_names_and_goes_back_whole() -> None:
    content = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Ruby."}]
    read = wire.parse_response(reply(message={"content": content, "citations": [CITED]}))
    thought, words = read.content
    assert isinstance(thought, ThinkingBlock)
    assert isinstance(words, TextBlock)
    assert list(words.citations) == [CITATION]
    (back,) = wire.render_request(ChatRequest(model="m", messages=[Message("assistant", read.content)]))["messages"]
    assert back == {"role": "assistant", "content": content, "citations": [CITED]}


def test_a_plan_is_a_thought_that_goes_back_as_a_plan() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    message = {"role": "assistant", "tool_plan": "I will look.", "tool_calls": [call]}
    read = wire.parse_response(reply(message=message, finish_reason="TOOL_CALL"))
    assert (read.thinking, read.text, read.finish_reason) == ("I will look.", "", "tool_calls")
    assert wire.render_request(ChatRequest(model="m", messages=[Message("assistant", read.content)]))["messages"] == [
        message
    ]


def test_likelihoods_are_read_and_tokens_that_share_a_word_add_up() -> None:
    logprobs = [{"text": "Hel", "token_ids": [1], "logprobs": [-0.5]}, {"text": "lo", "logprobs": [-0.25, -0.25]}]
    assert list(wire.parse_response(reply(logprobs=logprobs)).logprobs) == [
        TokenLogprob("Hel", -0.5),
        TokenLogprob("lo", -0.5),
    ]


@pytest.mark.parametrize(
    ("word", "kind"),
    [("ERROR", errors.ServerError), ("TIMEOUT", errors.TimeoutExpired), ("ERROR_LIMIT", errors.ContextLength)],
)
def test_a_reply_that_ends_in_an_error_is_one_and_holds_what_was_said(word: str, kind: type[Error]) -> None:
    with pytest.raises(kind) as caught:
        wire.parse_response(reply(finish_reason=word))
    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hello"
    heard = Heard(wire, [stream(START, _text("Hello"), {"type": "message-end", "delta": {"finish_reason": word}})])
    assert isinstance(heard.error, kind)
    assert heard.error.partial is not None
    assert heard.error.partial.text == "Hello"


def test_a_refusal_in_a_good_reply_is_one() -> None:
    with pytest.raises(errors.RateLimit, match="too many requests"):
        wire.parse_response({"id": "r", "message": "too many requests"})
    with pytest.raises(BadReply):
        wire.parse_response({"id": "r"})


# -- streams -----------------------------------------------------------------------


def _text(text: str, index: int = 0) -> dict[str, Any]:
    return delta("content-delta", index, content={"text": text})


def test_a_stream_adds_up_to_the_whole_reply_however_it_is_cut() -> None:
    data = stream(
        START,
        delta("content-start", 0, content={"type": "thinking", "thinking": ""}),
        delta("content-delta", 0, content={"thinking": "Hm."}),
        {"type": "content-end", "index": 0},
        delta("content-start", 1, content={"type": "text", "text": ""}),
        _text("Ru", 1),
        {**_text("by.", 1), "logprobs": {"text": "by.", "token_ids": [3], "logprobs": [-1.5]}},
        {"type": "content-end", "index": 1},
        delta("citation-start", 0, citations=CITED),
        {"type": "citation-end", "index": 0},
        {"type": "debug", "prompt": "…"},
        delta("tool-plan-delta", tool_plan="I will "),
        delta("tool-plan-delta", tool_plan="look."),
        delta("tool-call-start", 0, tool_calls={"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}),
        delta("tool-call-delta", 0, tool_calls={"function": {"arguments": '{"x":'}}),
        delta("tool-call-delta", 0, tool_calls={"function": {"arguments": "1}"}}),
        {"type": "tool-call-end", "index": 0},
        delta("tool-call-start", 1, tool_calls={"type": "function", "function": {"name": "g"}}),
        {"type": "tool-call-end", "index": 1},
        {**END, "delta": {**END["delta"], "finish_reason": "TOOL_CALL"}},
    ) + b"data: [DONE]\n\n"  # fmt: skip
    for position in range(0, len(data), 7):
        heard = Heard(wire, cut(data, [position]))
        assert heard.error is None
        thought, words, plan, first, second = heard.reply.content
        assert (thought, plan) == (_thought("Hm.", "thinking"), _thought("I will look.", "tool_plan"))
        assert isinstance(words, TextBlock)
        assert (words.text, list(words.citations)) == ("Ruby.", [CITATION])
        assert (first, second) == (ToolCall("a", "f", '{"x":1}'), ToolCall("call_r_1", "g", "{}"))
        assert heard.reply.usage == Usage(5, 2, extras={"tokens": {"input_tokens": 5, "output_tokens": 2}})
        assert list(heard.reply.logprobs) == [TokenLogprob("by.", -1.5)]
        assert (heard.reply.finish_reason, heard.reply.raw_finish_reason) == ("tool_calls", "TOOL_CALL")


def _thought(text: str, kind: str) -> ThinkingBlock:
    return ThinkingBlock(text, opaque={"cohere": {"kind": kind}})


def test_a_stream_without_its_end_is_broken_and_holds_what_was_said() -> None:
    heard = Heard(wire, [stream(START, _text("Hel"))])
    assert isinstance(heard.error, StreamBroken)
    assert heard.error.partial is not None
    assert heard.error.partial.text == "Hel"


def test_a_page_where_a_stream_should_be_is_said() -> None:
    heard = Heard(wire, [b"<html>Bad gateway</html>"])
    assert isinstance(heard.error, BadReply)
    assert "Bad gateway" in heard.error.message


def test_an_error_among_the_events_waits_for_the_words_before_it() -> None:
    data = stream(START, _text("Hel")) + b'data: {"message": "too many tokens: limit exceeded"}\n\n'
    for position in range(len(data) + 1):
        heard = Heard(wire, cut(data, [position]))
        assert isinstance(heard.error, errors.ContextLength)
        assert heard.reply.text == "Hel"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"message": "too many tokens", "error_type": "TOO_MANY_TOKENS"}', errors.ContextLength),
        (401, b'{"message": "invalid api token"}', errors.AuthError),
        (429, b'{"message": "slow down"}', errors.RateLimit),
        (499, b'{"message": "request cancelled"}', errors.TimeoutExpired),
        (502, b"<title>Bad Gateway</title>", errors.ServerError),
    ],
)
def test_a_refusal_has_the_class_that_decides_what_happens_next(status: int, body: bytes, kind: type[Error]) -> None:
    error = wire.parse_error(status, body, {"retry-after": "7"})
    assert type(error) is kind
    assert error.retry_after_s == 7
