"""Vertex AI's `:predict` for its text embedding models.

cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.message import JsonObject, Usage
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, as_count, decode, decode_request
from jackfield.protocols.embeddings.vectors import PURPOSES, TASKS, parse_vectors, words
from jackfield.protocols.fields import as_list, as_object, objects, read, require, said

PATH = "/models/{model}:predict"
LIMITS: Mapping[str, str] = {
    "encoding": "left out: this wire writes numbers",
    "user": "left out: this wire has no place for it",
}


def render_request(request: EmbedRequest, compat: Compat = NATIVE) -> JsonObject:  # noqa: ARG001  the codecs' one shape
    """Write one instance per text; the model is named in the URL."""
    task = TASKS[request.purpose] if request.purpose else None
    instances = [said({"content": text, "task_type": task}) for text in words(request)]
    parameters = said({"outputDimensionality": request.dimensions})
    return {"instances": instances, **({"parameters": parameters} if parameters else {}), **request.extras}


def parse_request(body: Body) -> EmbedRequest:
    """Read a caller's request, whose model the URL names."""
    wire = decode_request(body)
    rows = objects(require(wire, "instances", list), "instances")
    task = read(rows[0][1], "task_type", str) if rows else None
    return EmbedRequest(
        model="",
        inputs=[require(row, "content", str, at) for at, row in rows],
        dimensions=read(as_object(wire.get("parameters")), "outputDimensionality", int),
        purpose=PURPOSES.get(task or ""),
    )


def parse_response(body: Body) -> EmbedResponse:
    """Read the vectors; each text's tokens stand beside its own."""
    rows = [as_object(as_object(row).get("embeddings")) for row in as_list(decode(body).get("predictions"))]
    counts = [as_count(as_object(row.get("statistics")).get("token_count")) for row in rows]
    tokens = sum(count or 0 for count in counts) if any(count is not None for count in counts) else None
    return EmbedResponse(vectors=parse_vectors([row.get("values") for row in rows], "predictions"), usage=Usage(tokens))
