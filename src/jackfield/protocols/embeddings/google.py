"""Gemini's `:batchEmbedContents`: always the batch, which takes one text as well.

ai.google.dev/api/embeddings, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.message import JsonObject, Usage
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, as_count, decode, decode_request
from jackfield.protocols.embeddings.vectors import PURPOSES, TASKS, parse_vectors, words
from jackfield.protocols.fields import as_list, as_object, as_text, objects, read, require, said

PATH = "/models/{model}:batchEmbedContents"
LIMITS: Mapping[str, str] = {
    "encoding": "left out: this wire writes numbers",
    "user": "left out: this wire has no place for it",
}


def render_request(request: EmbedRequest, compat: Compat = NATIVE) -> JsonObject:  # noqa: ARG001  the codecs' one shape
    """Write one request per text."""
    fields = {
        "model": f"models/{request.model.removeprefix('models/')}",
        "taskType": TASKS[request.purpose] if request.purpose else None,
        "outputDimensionality": request.dimensions,
        **request.extras,
    }
    return {"requests": [{**said(fields), "content": {"parts": [{"text": text}]}} for text in words(request)]}


def parse_request(body: Body) -> EmbedRequest:
    """Read a caller's batch; what its first text says of the vectors holds for all."""
    rows = objects(require(decode_request(body), "requests", list), "requests")
    _, first = rows[0] if rows else ("", {})
    return EmbedRequest(
        model=(read(first, "model", str) or "").removeprefix("models/"),
        inputs=[_text(row) for _, row in rows],
        dimensions=read(first, "outputDimensionality", int),
        purpose=PURPOSES.get(read(first, "taskType", str) or ""),
    )


def _text(row: JsonObject) -> str:
    parts = as_list(as_object(row.get("content")).get("parts"))
    return "".join(as_text(as_object(part).get("text")) for part in parts)


def parse_response(body: Body) -> EmbedResponse:
    """Read the vectors of a batch, or the one of a single text."""
    wire = decode(body)
    rows = wire["embeddings"] if "embeddings" in wire else [wire.get("embedding")]
    values = [as_object(row).get("values") for row in as_list(rows)]
    tokens = as_count(as_object(wire.get("usageMetadata")).get("promptTokenCount"))
    return EmbedResponse(vectors=parse_vectors(values, "embeddings"), usage=Usage(tokens))
