"""Azure OpenAI's Responses: the same wire, with the key in a header of its own.

learn.microsoft.com/azure/ai-foundry/openai/how-to/responses, read 2026-11-21.
"""

from __future__ import annotations

from jackfield.protocols.openai_responses import (
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

NAME = "azure-openai-responses"


def auth_headers(secret: str) -> dict[str, str]:
    """Return the header that carries a key."""
    return {"api-key": secret}


__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "StreamRenderer", "auth_headers", "find_losses", "parse_error",
    "parse_request", "parse_response", "render_error", "render_request", "render_response",
]  # fmt: skip
