"""Amazon Titan's text embeddings, through Bedrock's `invoke`: one text per request.

docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html, read 2026-11-21.
Other makers' embedding models on Bedrock have bodies of their own and are not spoken here.
"""

from __future__ import annotations

from collections.abc import Mapping

from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject, Usage
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, as_count, decode, decode_request
from jackfield.protocols.embeddings.vectors import parse_vectors, words
from jackfield.protocols.fields import read, require, rest, said

PATH = "/model/{model}/invoke"
LIMITS: Mapping[str, str] = {
    "purpose": "left out: this model's vectors are for any purpose",
    "encoding": "left out: this wire writes numbers",
    "user": "left out: this wire has no place for it",
}


def render_request(request: EmbedRequest, compat: Compat = NATIVE) -> JsonObject:  # noqa: ARG001  the codecs' one shape
    """Write a request; raise `InvalidRequest` for a model of another maker and for more than one text."""
    texts = words(request)
    if "titan-embed" not in request.model:
        raise InvalidRequest(
            f"the embedding model {request.model!r} cannot be asked on this wire yet",
            hint="amazon.titan-embed-text-v2:0 can",
        )
    if len(texts) != 1:
        raise InvalidRequest(f"this wire takes one text at a time, not {len(texts)}", hint="ask once per text")
    return {**said({"inputText": texts[0], "dimensions": request.dimensions}), **request.extras}


def parse_request(body: Body) -> EmbedRequest:
    """Read a caller's request, whose model the URL names."""
    wire = decode_request(body)
    return EmbedRequest(
        model="",
        inputs=[require(wire, "inputText", str)],
        dimensions=read(wire, "dimensions", int),
        extras=rest(wire, ("inputText", "dimensions")),
    )


def parse_response(body: Body) -> EmbedResponse:
    """Read the vector."""
    wire = decode(body)
    vectors = parse_vectors([wire["embedding"]] if "embedding" in wire else None, "embedding")
    return EmbedResponse(vectors=vectors, usage=Usage(as_count(wire.get("inputTextTokenCount"))))
