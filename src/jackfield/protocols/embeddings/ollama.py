"""Ollama's `/api/embed`. docs.ollama.com/api/embed, read 2026-11-21."""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.message import JsonObject, Usage
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, as_count, decode, decode_request
from jackfield.protocols.embeddings.vectors import as_texts, parse_vectors, words
from jackfield.protocols.fields import as_text, read, require, rest, said

PATH = "/api/embed"
LIMITS: Mapping[str, str] = {
    "purpose": "left out: put the model's own words for it before the text",
    "encoding": "left out: this wire writes numbers",
    "user": "left out: this wire has no place for it",
}


def render_request(request: EmbedRequest, compat: Compat = NATIVE) -> JsonObject:  # noqa: ARG001  the codecs' one shape
    """Write a request."""
    fields = {"model": request.model, "input": words(request), "dimensions": request.dimensions}
    return {**said(fields), **request.extras}


def parse_request(body: Body) -> EmbedRequest:
    """Read a caller's request."""
    wire = decode_request(body)
    return EmbedRequest(
        model=require(wire, "model", str),
        inputs=as_texts(wire.get("input"), "input"),
        dimensions=read(wire, "dimensions", int),
        extras=rest(wire, ("model", "input", "dimensions")),
    )


def parse_response(body: Body) -> EmbedResponse:
    """Read the vectors."""
    wire = decode(body)
    return EmbedResponse(
        vectors=parse_vectors(wire.get("embeddings"), "embeddings"),
        model=as_text(wire.get("model")),
        usage=Usage(as_count(wire.get("prompt_eval_count"))),
    )
