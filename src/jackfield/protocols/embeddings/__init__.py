"""Embeddings on every wire that has them: sans-IO codecs like those of chat, smaller.

`find_codec(api)` returns the module that speaks for a chat protocol's servers. Each has `PATH`
(below the version), `LIMITS` (fields of `EmbedRequest` it leaves out, and why),
`render_request`, `parse_request` and `parse_response`; OpenAI's, which servers of ours may
answer in, has `render_response` too.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body


class Codec(Protocol):
    """The functions a codec's module exports."""

    PATH: str
    LIMITS: Mapping[str, str]

    @staticmethod
    def render_request(request: EmbedRequest, compat: Compat = NATIVE) -> JsonObject:
        """Write the wire's JSON body; `request.model` is already the wire's own id."""
        ...

    @staticmethod
    def parse_request(body: Body) -> EmbedRequest:
        """Read a caller's request; raise `InvalidRequest` naming the field that is wrong."""
        ...

    @staticmethod
    def parse_response(body: Body) -> EmbedResponse:
        """Read the vectors; raise `BadReply` when there are none."""
        ...


# The wire a model chats in → the codec of the same servers' embeddings.
CODECS: dict[str, str] = {
    "openai-completions": "openai",
    "openai-responses": "openai",
    "azure-openai-responses": "openai",
    "google-generative-ai": "google",
    "google-vertex": "vertex",
    "cohere": "cohere",
    "ollama": "ollama",
    "bedrock-converse-stream": "titan",
}


def find_codec(api: str) -> Codec:
    """Return the codec for a chat protocol's servers; raise `InvalidRequest` where they have no embeddings."""
    if api not in CODECS:
        raise InvalidRequest(
            f"servers of api {api!r} give no embeddings", hint="name a model of a provider that does, such as openai"
        )
    return cast("Codec", import_module(f"jackfield.protocols.embeddings.{CODECS[api]}"))


def find_losses(request: EmbedRequest, codec: Codec) -> tuple[str, ...]:
    """Name what the wire does not carry of a request, in words for the user."""
    return tuple(f"{name}: {fate}" for name, fate in codec.LIMITS.items() if getattr(request, name) is not None)
