"""Embeddings on every wire: recorded traffic, both sides of OpenAI's shape, and what no wire may do."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from jackfield.embedding import EmbedRequest, EmbedResponse, Purpose
from jackfield.errors import BadReply, InvalidRequest
from jackfield.message import Usage
from jackfield.model import Compat
from jackfield.protocols import load
from jackfield.protocols.embeddings import CODECS, find_codec, find_losses, openai

MISTRAL = Compat(dimensions_field="output_dimension")
APIS = {"openai": "openai-completions", "google": "google-generative-ai", "vertex": "google-vertex",
        "cohere": "cohere", "ollama": "ollama"}  # fmt: skip
NAN = b64encode(struct.pack("<f", float("nan"))).decode()
TWO = EmbedRequest(model="m", inputs=["one", "two"], dimensions=3)


def recordings(shared_wire: Path) -> list[Path]:
    return sorted(shared_wire.glob("embeddings/*/*"))


@pytest.mark.wire
def test_every_recorded_answer_is_read(shared_wire: Path) -> None:
    for path in recordings(shared_wire):
        expect = json.loads((path / "expect.json").read_text(encoding="utf-8"))
        body = (path / "response.json").read_bytes()
        if "error" in expect:
            error = load("openai-completions").parse_error(expect["http_status"], body)
            assert expect["error"]["message"] in error.message
            with pytest.raises(BadReply):
                openai.parse_response(body)
            continue
        found = openai.parse_response(body)
        assert (len(found.vectors), found.model) == (expect["count"], expect["model"]), path.name
        assert found.usage.input == expect["usage"]["prompt_tokens"]
        for vector, length in zip(found.vectors, expect["dims"], strict=True):
            assert length in (None, len(vector))
            assert len(vector) >= 64
            assert all(-10_000 < number < 10_000 for number in vector)


@pytest.mark.wire
def test_every_recorded_request_survives_reading_and_writing(shared_wire: Path) -> None:
    for path in recordings(shared_wire):
        body = json.loads((path / "request.json").read_text(encoding="utf-8"))
        compat = MISTRAL if path.parent.name == "mistral" else Compat()
        again = openai.render_request(openai.parse_request(json.dumps(body)), compat)
        assert plain(again) == plain(body), path.name


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body with a single text and a list of it written alike."""
    return {**body, "input": [body["input"]] if isinstance(body["input"], str) else body["input"]}


# -- OpenAI's shape, both sides ----------------------------------------------------


@pytest.mark.parametrize(
    ("value", "inputs"),
    [("Hi", ("Hi",)), (["a", "b"], ("a", "b")), ([1, 2], ([1, 2],)), ([[1], [2, 3]], ([1], [2, 3]))],
)
def test_a_caller_may_give_a_text_tokens_or_a_list_of_either(value: object, inputs: tuple[object, ...]) -> None:
    assert openai.parse_request({"model": "m", "input": value}).inputs == inputs


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input": "Hi"}, "model is required"),
        ({"model": "m"}, "input must be"),
        ({"model": "m", "input": []}, "input must be"),
        ({"model": "m", "input": ["a", {}]}, r"input\[1\] must be"),
        ({"model": "m", "input": [True]}, r"input\[0\] must be"),
        ({"model": "m", "input": "Hi", "dimensions": "3"}, "dimensions must be"),
        ({"model": "m", "input": "Hi", "encoding_format": "hex"}, "encoding_format must be"),
    ],
)
def test_a_callers_wrong_field_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        openai.parse_request(body)


def test_a_request_that_is_no_json_is_the_callers_fault() -> None:
    with pytest.raises(InvalidRequest, match="not JSON"):
        openai.parse_request(b"{")


def test_vectors_are_written_as_the_caller_wants_them_and_read_back() -> None:
    answer = EmbedResponse(vectors=[(0.5, -1.0), (0.25, 2.0)], model="m", usage=Usage(4))
    for encoding in (None, "float", "base64"):
        body = openai.render_response(answer, encoding)  # type: ignore[arg-type]  # each of the three
        assert openai.parse_response(json.dumps(body)) == answer
    assert isinstance(openai.render_response(answer, "base64")["data"][0]["embedding"], str)


def test_vectors_come_in_the_order_of_their_texts() -> None:
    rows = [{"index": index, "embedding": [index]} for index in (2, 0, 1)]
    assert openai.parse_response({"data": rows}).vectors == ((0.0,), (1.0,), (2.0,))
    assert openai.parse_response({"data": [{"embedding": [5]}, {"embedding": [4]}]}).vectors == ((5.0,), (4.0,))


@pytest.mark.parametrize(
    "embedding",
    [None, [], "", "no base64!", b64encode(b"abc").decode(), NAN, ["1"], [True], [1e39], [10**400], {"values": [1]}],
)
def test_a_vector_that_is_none_is_refused(embedding: object) -> None:
    with pytest.raises(BadReply, match="a vector is not"):
        openai.parse_response({"data": [{"embedding": embedding}]})


# -- the other wires ---------------------------------------------------------------

ANSWERS: dict[str, dict[str, Any]] = {
    "google": {"embeddings": [{"values": [1, 2]}, {"values": [3, 4]}], "usageMetadata": {"promptTokenCount": 7}},
    "vertex": {"predictions": [
        {"embeddings": {"values": [1, 2], "statistics": {"token_count": 3}}},
        {"embeddings": {"values": [3, 4], "statistics": {"token_count": 4}}},
    ]},
    "cohere": {"id": "1", "embeddings": {"float": [[1, 2], [3, 4]]}, "meta": {"billed_units": {"input_tokens": 7}}},
    "ollama": {"model": "m", "embeddings": [[1, 2], [3, 4]], "prompt_eval_count": 7},
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_every_wire_gives_vectors_and_counts(name: str) -> None:
    found = find_codec(APIS[name]).parse_response(json.dumps(ANSWERS[name]))
    assert found.vectors == ((1.0, 2.0), (3.0, 4.0))
    assert found.usage.input == 7


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize("purpose", ["query", "document", "classification", "clustering", "similarity", None])
def test_what_is_not_named_as_lost_survives(name: str, purpose: Purpose | None) -> None:
    codec = find_codec(APIS[name])
    asked = EmbedRequest(model="m", inputs=["one", "two"], dimensions=3, purpose=purpose)
    again = codec.parse_request(json.dumps(codec.render_request(asked)))
    assert (list(again.inputs), again.dimensions) == (["one", "two"], 3)
    same = {("cohere", None): "document", ("cohere", "similarity"): "clustering"}
    if "purpose" not in codec.LIMITS:
        assert again.purpose == same.get((name, purpose), purpose)


@pytest.mark.parametrize("name", ["google", "vertex", "cohere", "ollama"])
def test_what_a_wire_lacks_is_named(name: str) -> None:
    codec = find_codec(APIS[name])
    assert any("user" in loss for loss in find_losses(EmbedRequest(model="m", inputs=["a"], user="me"), codec))
    assert find_losses(TWO, codec) == ()


@pytest.mark.parametrize("name", ["google", "vertex", "cohere", "ollama"])
def test_tokens_cannot_be_sent_where_words_are_wanted(name: str) -> None:
    with pytest.raises(InvalidRequest, match="token numbers"):
        find_codec(APIS[name]).render_request(EmbedRequest(model="m", inputs=[[1, 2]]))


@pytest.mark.parametrize("name", ["google", "vertex", "cohere", "ollama", "openai"])
@pytest.mark.parametrize("body", [{}, {"embeddings": None}, {"data": {}}, {"embeddings": [{}]}, {"predictions": [1]}])
def test_an_answer_without_vectors_is_refused(name: str, body: dict[str, Any]) -> None:
    with pytest.raises(BadReply):
        find_codec(APIS[name]).parse_response(body)


def test_titan_takes_one_text_at_a_time() -> None:
    codec = find_codec("bedrock-converse-stream")
    asked = EmbedRequest(model="amazon.titan-embed-text-v2:0", inputs=["one"], dimensions=256)
    assert codec.render_request(asked) == {"inputText": "one", "dimensions": 256}
    found = codec.parse_response({"embedding": [1, 2], "inputTextTokenCount": 3})
    assert (found.vectors, found.usage.input) == (((1.0, 2.0),), 3)
    with pytest.raises(InvalidRequest, match="one text at a time"):
        codec.render_request(EmbedRequest(model="amazon.titan-embed-text-v2:0", inputs=["one", "two"]))
    with pytest.raises(InvalidRequest, match="cannot be asked"):
        codec.render_request(EmbedRequest(model="cohere.embed-english-v3", inputs=["one"]))


def test_a_wire_without_embeddings_says_so() -> None:
    with pytest.raises(InvalidRequest, match="no embeddings"):
        find_codec("anthropic-messages")


def test_base64_is_little_endian_32_bit_floats() -> None:
    data = b64encode(struct.pack("<3f", 1.0, -2.0, 0.5)).decode()
    assert openai.parse_response({"data": [{"embedding": data}]}).vectors == ((1.0, -2.0, 0.5),)


def test_every_codec_has_what_the_client_calls() -> None:
    for api in CODECS:
        codec = find_codec(api)
        assert codec.PATH.startswith("/")
        assert set(codec.LIMITS) <= set(EmbedRequest.__struct_fields__)


def test_a_row_that_is_no_object_is_the_servers_fault() -> None:
    with pytest.raises(BadReply, match="a vector is not a list of numbers"):
        openai.parse_response(b'{"data": [1]}')
