"""Gemini on Vertex AI: the same bodies, with a token of Google Cloud instead of a key, and calls without ids.

Read from cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference (2026-11-21).
"""

from __future__ import annotations

from jackfield.message import ChatRequest, JsonObject
from jackfield.model import Compat
from jackfield.protocols import google_generative_ai as gemini
from jackfield.protocols.base import NATIVE
from jackfield.protocols.base import bearer_headers as auth_headers
from jackfield.protocols.google_generative_ai import (
    LIMITS,
    STREAM_TYPE,
    StreamParser,
    StreamRenderer,
    find_losses,
    parse_error,
    parse_request,
    parse_response,
    render_error,
    render_response,
)

NAME = "google-vertex"
PAIRED = ("functionCall", "functionResponse")


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write a request's body; calls and their answers pair by name and order.

    With ids the server refuses the request: `Unknown name "id"` (github.com/vercel/ai/issues/15664, read 2026-11-21).
    """
    body = gemini.render_request(request, compat)
    for part in (part for content in body["contents"] for part in content["parts"]):
        for kind in PAIRED:
            if kind in part:
                part[kind].pop("id", None)
    return body


__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "StreamRenderer", "auth_headers", "find_losses", "parse_error",
    "parse_request", "parse_response", "render_error", "render_request", "render_response",
]  # fmt: skip
