"""Gemini on Vertex AI: the same bodies, with a token of Google Cloud instead of a key.

Read from cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference (2026-11-21).
"""

from __future__ import annotations

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
    render_request,
    render_response,
)

NAME = "google-vertex"


def auth_headers(secret: str) -> dict[str, str]:
    """Return the header that carries an access token."""
    return {"authorization": f"Bearer {secret}"}


__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "StreamRenderer", "auth_headers", "find_losses", "parse_error",
    "parse_request", "parse_response", "render_error", "render_request", "render_response",
]  # fmt: skip
