"""What Ollama answers, whole and line by line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jackfield import errors
from jackfield.errors import BadReply, Error, StreamBroken
from jackfield.message import ImageBlock, TextBlock, ThinkingBlock, TokenLogprob, ToolCall, Usage
from jackfield.protocols import ollama as wire
from tests.protocols.conformance import Heard, cut, random_cuts


def reply(**fields: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Hello"}
    return {
        "model": "qwen3",
        "created_at": "2026-11-21T00:00:00Z",
        "message": message,
        "done": True,
        "done_reason": "stop",
        **fields,
    }


def piece(**message: Any) -> dict[str, Any]:
    return {
        "model": "qwen3",
        "created_at": "2026-11-21T00:00:00Z",
        "message": {"role": "assistant", **message},
        "done": False,
    }


def lines(*values: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


END = reply(message={"role": "assistant", "content": ""}, prompt_eval_count=5, eval_count=0, total_duration=77)


def test_a_whole_reply_counts_and_says_how_long_it_took() -> None:
    read = wire.parse_response(reply(prompt_eval_count=5, eval_count=2, total_duration=77))
    assert (read.text, read.model, read.finish_reason) == ("Hello", "qwen3", "stop")
    assert read.usage == Usage(5, 2)
    assert read.extras == {"created_at": "2026-11-21T00:00:00Z", "total_duration": 77}


@pytest.mark.parametrize(("word", "reason"), [("length", "length"), ("load", "stop"), ("unload", "stop")])
def test_a_reply_says_why_it_ended(word: str, reason: str) -> None:
    read = wire.parse_response(reply(done_reason=word))
    assert (read.finish_reason, read.raw_finish_reason) == (reason, word)


def test_a_reply_with_calls_ends_for_them_though_the_wire_says_stop() -> None:
    calls = [
        {"function": {"name": "f", "arguments": {"x": 1}}},
        {"id": "b", "function": {"index": 1, "name": "f", "arguments": {"x": 1}}},
    ]
    read = wire.parse_response(reply(message={"content": "", "thinking": "Hm.", "tool_calls": calls}))
    thought, first, second = read.content
    assert thought == ThinkingBlock("Hm.")
    assert isinstance(first, ToolCall)
    assert first.id.startswith("call_")
    assert (first.name, first.arguments) == ("f", '{"x":1}')
    assert isinstance(second, ToolCall)
    assert second.id == "b"
    assert read.finish_reason == "tool_calls"
    assert wire.parse_response(reply(message={"content": "", "thinking": "Hm.", "tool_calls": calls})) == read


def test_likelihoods_are_read_with_their_alternatives() -> None:
    item = {"token": "Hello", "logprob": -0.5, "bytes": [72], "top_logprobs": [{"token": "Hi", "logprob": -1}]}
    assert list(wire.parse_response(reply(logprobs=[item])).logprobs) == [
        TokenLogprob("Hello", -0.5, [TokenLogprob("Hi", -1.0)])
    ]


def test_an_error_in_a_good_reply_is_one() -> None:
    with pytest.raises(errors.ServerError, match="unexpectedly stopped"):
        wire.parse_response({"error": "model runner has unexpectedly stopped"})
    with pytest.raises(BadReply):
        wire.parse_response({"done": True})


# -- streams -----------------------------------------------------------------------

STREAM = lines(
    piece(content="", thinking="H"),
    piece(content="", thinking="m…"),
    piece(content="Hé"),
    {**piece(content="llo"), "logprobs": [{"token": "llo", "logprob": -1.5}]},
    piece(
        content="",
        tool_calls=[{"function": {"name": "f", "arguments": {"x": "ü"}}}, {"function": {"name": "g", "arguments": {}}}],
    ),
    piece(content="", images=["iVBORw0KGgo="]),
    END,
)


def test_a_stream_adds_up_to_the_whole_reply_however_it_is_cut() -> None:
    whole = Heard(wire, [STREAM])
    for position in range(len(STREAM) + 1):
        assert Heard(wire, cut(STREAM, [position])).signature() == whole.signature()
    thought, words, first, second, picture = whole.reply.content
    assert (thought, words) == (ThinkingBlock("Hm…"), TextBlock("Héllo"))
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert (first.name, first.arguments, second.name, second.arguments) == ("f", '{"x":"ü"}', "g", "{}")
    assert first.id != second.id
    assert picture == ImageBlock("image/png", "iVBORw0KGgo=")
    assert list(whole.reply.logprobs) == [TokenLogprob("llo", -1.5)]
    assert (whole.reply.finish_reason, whole.reply.usage) == ("tool_calls", Usage(5, 0))
    assert whole.reply.extras == {"created_at": "2026-11-21T00:00:00Z", "total_duration": 77}


@pytest.mark.parametrize(
    "data",
    [
        STREAM.replace(b"\n", b"\r\n"),
        STREAM.rstrip(b"\n"),
        STREAM.replace(b"\n", b"\n\n"),
        b"\xef\xbb\xbf" + STREAM,
        STREAM.replace(b"\n", b'\n{"broken\n', 1),
        STREAM.replace(b"\n", b'\n{"status": "queued"}\n', 1),
    ],
    ids=["crlf", "no end of line", "blank lines", "byte order mark", "a broken line", "an unknown line"],
)
def test_other_spellings_say_the_same(data: bytes) -> None:
    def told(heard: Heard) -> list[object]:
        return [getattr(block, "text", None) for block in heard.reply.content]

    heard = Heard(wire, random_cuts(data, 3))
    assert heard.error is None
    assert told(heard) == told(Heard(wire, [STREAM]))


def test_a_stream_without_its_end_is_broken_and_holds_what_was_said() -> None:
    heard = Heard(wire, [lines(piece(content="Hel"))])
    assert isinstance(heard.error, StreamBroken)
    assert heard.error.partial is not None
    assert heard.error.partial.text == "Hel"


def test_words_after_a_call_are_a_block_of_their_own() -> None:
    call = piece(content="", tool_calls=[{"function": {"name": "f", "arguments": {}}}])
    heard = Heard(wire, [lines(piece(content="One"), call, piece(content="two"), END)])
    assert [type(block) for block in heard.reply.content] == [TextBlock, ToolCall, TextBlock]


def test_an_error_line_waits_for_the_words_before_it() -> None:
    data = lines(piece(content="Hel"), {"error": "the input length exceeds the context length"})
    for position in range(len(data) + 1):
        heard = Heard(wire, cut(data, [position]))
        assert isinstance(heard.error, errors.ContextLength)
        assert heard.reply.text == "Hel"


def test_a_page_where_a_stream_should_be_is_said() -> None:
    heard = Heard(wire, [b"404 page not found"])
    assert isinstance(heard.error, BadReply)
    assert "404 page not found" in heard.error.message


def test_words_of_the_older_endpoint_are_words_too() -> None:
    heard = Heard(
        wire, [lines({"model": "m", "response": "Hi", "done": False}, {"model": "m", "response": "", "done": True})]
    )
    assert heard.reply.text == "Hi"


# -- errors ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (404, "model 'llama9:70b' not found", errors.ModelNotFound),
        (400, 'model "llama9:70b" not found, try pulling it first', errors.ModelNotFound),
        (400, "the prompt is too long: exceeds the context length", errors.ContextLength),
        (400, '"llama9" does not support tools', errors.InvalidRequest),
        (500, "model requires more system memory (5.6 GiB) than is available (3 GiB)", errors.ServerError),
        (503, "server busy, please try again. maximum pending requests exceeded", errors.Overloaded),
    ],
)
def test_a_refusal_has_the_class_that_decides_what_happens_next(status: int, words: str, kind: type[Error]) -> None:
    error = wire.parse_error(status, json.dumps({"error": words}))
    assert type(error) is kind
    assert error.message == words


def test_a_missing_model_comes_with_the_command_that_fetches_it() -> None:
    assert (
        wire.parse_error(404, '{"error": "model \'llama9:70b\' not found"}').hint
        == "pull it first: ollama pull llama9:70b"
    )
