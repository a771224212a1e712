"""OpenAI's `/embeddings`, which most servers speak: both sides.

platform.openai.com/docs/api-reference/embeddings, docs.mistral.ai/api (output_dimension), read 2026-11-21.
"""

from __future__ import annotations

import struct
from binascii import b2a_base64
from collections.abc import Mapping

from jackfield.embedding import EmbedRequest, EmbedResponse, Encoding, Vector
from jackfield.errors import BadReply
from jackfield.message import JsonObject, Usage
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, as_count, decode, decode_request
from jackfield.protocols.embeddings.vectors import parse_vector
from jackfield.protocols.fields import as_object, as_text, read, require, rest, said, wrong

PATH = "/embeddings"
LIMITS: Mapping[str, str] = {"purpose": "left out: this wire's vectors are for any purpose"}
KNOWN = ("model", "input", "dimensions", "output_dimension", "encoding_format", "user")
ENCODINGS: dict[str, Encoding] = {"float": "float", "base64": "base64"}


def render_request(request: EmbedRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write a request; a single text stands alone, which every server takes."""
    inputs = [text if isinstance(text, str) else list(text) for text in request.inputs]
    fields = {
        "model": request.model,
        "input": inputs[0] if len(inputs) == 1 else inputs,
        compat.dimensions_field or "dimensions": request.dimensions,
        "encoding_format": request.encoding,
        "user": request.user,
    }
    return {**said(fields), **request.extras}


def parse_request(body: Body) -> EmbedRequest:
    """Read a caller's request; `input` may be a text, tokens, or a list of either."""
    wire = decode_request(body)
    encoding = read(wire, "encoding_format", str)
    if encoding is not None and encoding not in ENCODINGS:
        raise wrong("encoding_format", f"must be one of {', '.join(ENCODINGS)}")
    return EmbedRequest(
        model=require(wire, "model", str),
        inputs=_parse_input(wire.get("input")),
        dimensions=read(wire, "dimensions", int) or read(wire, "output_dimension", int),
        encoding=ENCODINGS[encoding] if encoding else None,
        user=read(wire, "user", str),
        extras=rest(wire, KNOWN),
    )


def _parse_input(value: object) -> list[str | list[int]]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not value:
        raise wrong("input", "must be a string or a list that is not empty")
    if all(type(each) is int for each in value):
        return [value]
    for index, each in enumerate(value):
        if not isinstance(each, str) and not (isinstance(each, list) and all(type(token) is int for token in each)):
            raise wrong(f"input[{index}]", "must be a string or a list of token numbers")
    return value


def parse_response(body: Body) -> EmbedResponse:
    """Read the vectors in the order of their texts, whatever order they come in."""
    wire = decode(body)
    data = wire.get("data")
    if not isinstance(data, list) or not data:
        raise BadReply(f"the reply has no vectors: its fields are {', '.join(sorted(wire)) or 'none'}")
    rows = [as_object(row) for row in data]
    places = [as_count(row.get("index")) for row in rows]
    order = sorted(range(len(rows)), key=lambda row: (places[row] if None not in places else row) or 0)
    usage = as_object(wire.get("usage"))
    return EmbedResponse(
        vectors=[parse_vector(rows[row].get("embedding")) for row in order],
        model=as_text(wire.get("model")),
        id=as_text(wire.get("id")),
        usage=parse_usage(usage),
    )


def parse_usage(wire: JsonObject) -> Usage:
    """Read the counts; there is no output to count."""
    extras = rest(wire, ("prompt_tokens", "total_tokens", "completion_tokens"))
    tokens = as_count(wire.get("prompt_tokens"))
    return Usage(as_count(wire.get("total_tokens")) if tokens is None else tokens, extras=extras or None)


def render_response(response: EmbedResponse, encoding: Encoding | None = None) -> JsonObject:
    """Write the vectors as the caller wants them: numbers, or base64 of 32-bit floats."""
    tokens = response.usage.input or 0
    rows = [
        {"object": "embedding", "index": index, "embedding": _render_vector(vector, encoding)}
        for index, vector in enumerate(response.vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": response.model, "usage": usage}


def _render_vector(vector: Vector, encoding: Encoding | None) -> str | list[float]:
    if encoding != "base64":
        return list(vector)
    return b2a_base64(struct.pack(f"<{len(vector)}f", *vector), newline=False).decode()
