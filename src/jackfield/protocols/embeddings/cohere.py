"""Cohere's `/v2/embed`. docs.cohere.com/reference/embed, read 2026-11-21."""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.embedding import EmbedRequest, EmbedResponse, Purpose
from jackfield.message import JsonObject, Usage
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, as_count, decode, decode_request
from jackfield.protocols.embeddings.vectors import as_texts, parse_vectors, words
from jackfield.protocols.fields import as_object, as_text, read, require, rest, said

PATH = "/embed"
LIMITS: Mapping[str, str] = {
    "encoding": "left out: numbers are asked for",
    "user": "left out: this wire has no place for it",
}
INPUT_TYPES: dict[Purpose, str] = {
    "query": "search_query", "document": "search_document", "classification": "classification",
    "clustering": "clustering", "similarity": "clustering",
}  # fmt: skip
PURPOSES: dict[str, Purpose] = {
    "search_query": "query", "search_document": "document", "classification": "classification", "clustering": "clustering",
}  # fmt: skip
KNOWN = ("model", "texts", "input_type", "embedding_types", "output_dimension")


def render_request(request: EmbedRequest, compat: Compat = NATIVE) -> JsonObject:  # noqa: ARG001  the codecs' one shape
    """Write a request; the wire demands a purpose, which is storing where none is said."""
    fields = {
        "model": request.model,
        "texts": words(request),
        "input_type": INPUT_TYPES[request.purpose or "document"],
        "embedding_types": ["float"],
        "output_dimension": request.dimensions,
    }
    return {**said(fields), **request.extras}


def parse_request(body: Body) -> EmbedRequest:
    """Read a caller's request."""
    wire = decode_request(body)
    return EmbedRequest(
        model=require(wire, "model", str),
        inputs=as_texts(wire.get("texts"), "texts"),
        dimensions=read(wire, "output_dimension", int),
        purpose=PURPOSES.get(read(wire, "input_type", str) or ""),
        extras=rest(wire, KNOWN),
    )


def parse_response(body: Body) -> EmbedResponse:
    """Read the vectors; the first version's plain list is read as well."""
    wire = decode(body)
    found = wire.get("embeddings")
    units = as_object(as_object(wire.get("meta")).get("billed_units"))
    return EmbedResponse(
        vectors=parse_vectors(found if isinstance(found, list) else as_object(found).get("float"), "embeddings"),
        id=as_text(wire.get("id")),
        usage=Usage(as_count(units.get("input_tokens"))),
    )
