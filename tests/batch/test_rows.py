"""What a line of the input asks: the batch forms of three providers, and a simple one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from jackfield.batch.row import LONGEST, Place, Row, find_place, parse_id, parse_row
from jackfield.cli.batch import batch
from jackfield.embedding import EmbedRequest
from jackfield.errors import Error
from jackfield.message import ChatRequest, TextBlock

TALK = [{"role": "user", "content": "Hi"}]
PARTS = [{"role": "user", "parts": [{"text": "Hi"}]}]


def parse(value: Any, model: str = "") -> Row:
    return parse_row(7, json.dumps(value).encode(), model)


def asked(value: Any, model: str = "") -> ChatRequest:
    request = parse(value, model).asked
    assert isinstance(request, ChatRequest), request
    return request


def problem(value: Any) -> str:
    error = parse(value).asked
    assert isinstance(error, Error), error
    return error.message


def openai(url: str, **body: Any) -> dict[str, Any]:
    return {"custom_id": "c", "method": "POST", "url": url, "body": body}


@pytest.mark.parametrize(
    ("row", "wire"),
    [
        (openai("/v1/chat/completions", model="a/b", messages=TALK), "openai-completions"),
        (openai("https://api.openai.com/v1/chat/completions", model="a/b", messages=TALK), "openai-completions"),
        (openai("/v1/responses", model="a/b", input="Hi"), "openai-responses"),
        (openai("/v1/messages", model="a/b", max_tokens=9, messages=TALK), "anthropic-messages"),
        (openai("/v1beta/models/a/b:generateContent", contents=PARTS), "google-generative-ai"),
        ({"custom_id": "c", "params": {"model": "a/b", "max_tokens": 9, "messages": TALK}}, "anthropic-messages"),
        ({"key": "c", "model": "a/b", "request": {"contents": PARTS}}, "google-generative-ai"),
        ({"id": "c", "model": "a/b", "prompt": "Hi"}, "openai-completions"),
        ({"id": "c", "model": "a/b", "messages": TALK}, "openai-completions"),
    ],
)
def test_every_form_asks_the_same(row: dict[str, Any], wire: str) -> None:
    parsed = parse(row)

    assert (parsed.wire, parsed.custom_id) == (wire, "c")
    assert isinstance(parsed.asked, ChatRequest)
    assert parsed.asked.model == "a/b"
    assert parsed.asked.messages[-1].content == (TextBlock("Hi"),)


def test_a_simple_row_takes_what_a_body_takes() -> None:
    request = asked({"prompt": "Hi", "system": "Be short", "temperature": 0.5, "max_tokens": 9})

    assert request.system == (TextBlock("Be short"),)
    assert (request.temperature, request.max_tokens) == (0.5, 9)


def test_a_row_that_names_no_model_gets_the_given_one() -> None:
    assert asked({"prompt": "Hi"}, "given/one").model == "given/one"
    assert asked({"prompt": "Hi", "model": "own/one"}, "given/one").model == "own/one"
    assert asked({"key": 1, "request": {"contents": PARTS}}, "given/one").model == "given/one"
    assert asked({"prompt": "Hi"}).model == "default"


def test_texts_become_vectors() -> None:
    simple = parse({"id": "v", "model": "a/b", "input": ["one", "two"]})
    formal = parse(openai("/v1/embeddings", model="a/b", input="one", encoding_format="base64"))

    assert isinstance(simple.asked, EmbedRequest)
    assert simple.asked.inputs == ("one", "two")
    assert isinstance(formal.asked, EmbedRequest)
    assert formal.asked.encoding == "base64"


def test_a_batch_waits_for_whole_replies() -> None:
    assert not asked(openai("/v1/chat/completions", model="a/b", messages=TALK, stream=True)).stream


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "x"}, "a row needs one of prompt, messages, input, or url and body"),
        ({"prompt": "a", "messages": TALK}, "a row needs one of"),
        ({"url": "/v1/chat/completions"}, "body is required"),
        ({"body": {}}, "url is required"),
        ({"url": "/v1/images", "body": {}}, "url '/v1/images' is none that a batch can ask"),
        ({"method": "GET", "url": "/v1/responses", "body": {}}, "method must be POST"),
        ({"id": ["x"], "prompt": "a"}, "custom_id must be a string"),
        ({"input": "text"}, "model is required for vectors"),
        (["a"], "the row is not a JSON object"),
        ("a", "the row is not a JSON object"),
    ],
)
def test_a_row_that_asks_nothing_says_what_is_wrong_with_its_line(row: Any, words: str) -> None:
    assert problem(row).startswith("line 7: ")
    assert words in problem(row)


def test_what_is_no_json_is_a_row_that_asks_nothing() -> None:
    for raw in (b"{", b"\xff\xfe", b'{"a": 1} 2', b"[" * 100_000):
        assert isinstance(parse_row(1, raw).asked, Error)


def test_a_line_beyond_all_reason_is_not_read() -> None:
    error = parse_row(3, b" " * LONGEST).asked

    assert isinstance(error, Error)
    assert error.message == f"line 3 is longer than {LONGEST} bytes"


def test_a_row_is_known_by_its_line_and_what_stands_there() -> None:
    place = find_place(4, b'{"id": "x"}\n')

    assert parse_id(place.id) == place
    assert place == find_place(4, b'  {"id": "x"}')
    assert place != find_place(5, b'{"id": "x"}\n')
    assert place != find_place(4, b'{"id": "y"}\n')
    assert parse_id("batch_req_4") is None
    assert Place(4, 255).id == "batch_req_4_00000000000000ff"


def test_the_rows_of_the_page_are_rows() -> None:
    page = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")
    rows = page.partition("```jsonl\n")[2].partition("```")[0].splitlines()

    assert len(rows) == 7
    for number, row in enumerate(rows, 1):
        parsed = parse_row(number, row.encode(), "a/b")
        assert not isinstance(parsed.asked, Error), parsed.asked
        assert parsed.custom_id == str(number)


def test_the_page_names_every_option() -> None:
    page = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")

    for option in batch.params:
        if isinstance(option, click.Option) and option.name not in {"profile_id", "help"}:
            assert option.opts[-1] in page, option.name
