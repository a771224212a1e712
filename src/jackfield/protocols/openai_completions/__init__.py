"""OpenAI Chat Completions (`POST /chat/completions`), as spoken by OpenAI and by everyone who copied it.

Read from platform.openai.com/docs/api-reference/chat (2026-11-21) and from what its many servers
really send. Mistral's dialect is read too.
"""

from __future__ import annotations

from jackfield.protocols.base import bearer_headers as auth_headers
from jackfield.protocols.openai_completions.fields import NAME
from jackfield.protocols.openai_completions.losses import LIMITS, find_losses
from jackfield.protocols.openai_completions.request import parse_request, render_request
from jackfield.protocols.openai_completions.response import parse_response, render_response
from jackfield.protocols.openai_completions.stream_parser import StreamParser
from jackfield.protocols.openai_completions.stream_renderer import StreamRenderer
from jackfield.protocols.openai_errors import parse_error, render_error

STREAM_TYPE = "text/event-stream"


__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "StreamRenderer", "auth_headers", "find_losses", "parse_error",
    "parse_request", "parse_response", "render_error", "render_request", "render_response",
]  # fmt: skip
