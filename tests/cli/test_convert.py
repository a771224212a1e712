"""`jackfield convert` on a command line: two wires, no network."""

from __future__ import annotations

import json

import pytest

from tests.commands import run

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "seed": 7, "max_tokens": 9}
CHUNK = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}
LAST = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def test_a_request_is_said_in_the_other_protocol_and_what_is_lost_is_named() -> None:
    result = run("convert", "openai-completions", "anthropic-messages", stdin=json.dumps(REQUEST))
    assert result.code == 0
    assert result.json()["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
    assert result.json()["max_tokens"] == 9
    assert "seed" in result.err


def test_strict_refuses_what_would_be_lost() -> None:
    result = run("convert", "openai-completions", "anthropic-messages", "--strict", stdin=json.dumps(REQUEST))
    assert (result.code, result.out) == (1, "")
    assert "seed" in result.err


def test_a_failure_is_json_where_json_is_wanted() -> None:
    result = run("convert", "openai-completions", "anthropic-messages", "--json", stdin="[]")
    assert (result.code, result.json()["ok"]) == (1, False)
    assert result.json()["error"]["type"] == "invalid_request"
    done = run("convert", "openai-completions", "anthropic-messages", "--json", stdin=json.dumps(REQUEST))
    assert (done.code, done.json()["max_tokens"]) == (0, 9)


def test_a_stream_becomes_the_other_protocols_stream() -> None:
    data = "".join(f"data: {json.dumps(each)}\n\n" for each in (CHUNK, LAST)) + "data: [DONE]\n\n"
    result = run("convert", "openai-completions", "anthropic-messages", "--kind", "stream", stdin=data)
    assert result.code == 0
    assert "event: content_block_delta" in result.out
    assert result.out.rstrip().endswith('{"type":"message_stop"}')


def test_a_stream_that_breaks_ends_with_the_other_protocols_error() -> None:
    result = run(
        "convert",
        "openai-completions",
        "anthropic-messages",
        "--kind",
        "stream",
        stdin=f"data: {json.dumps(CHUNK)}\n\n",
    )
    assert result.code == 1
    assert "event: error" in result.out
    assert "message_stop" not in result.out


@pytest.mark.parametrize(
    ("args", "stdin", "says"),
    [
        (("telegraph", "openai-completions"), "{}", "unknown api 'telegraph'"),
        (("openai-completions", "cohere", "--kind", "reply"), "{}", "nobody calls us in cohere"),
        (("openai-completions", "anthropic-messages"), "", "standard input is empty"),
        (("openai-completions", "anthropic-messages"), "not json", "not JSON"),
        (("openai-completions", "anthropic-messages", "--kind", "reply"), "[]", "not a JSON object"),
    ],
)
def test_what_cannot_be_converted_is_said_in_one_line(args: tuple[str, ...], stdin: str, says: str) -> None:
    result = run("convert", *args, stdin=stdin)
    assert result.code in {1, 2}
    assert says in result.err
