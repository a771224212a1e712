"""OpenAI Responses (`POST /responses`), as spoken by OpenAI and by the servers that copy it.

Read from platform.openai.com/docs/api-reference/responses and responses-streaming (2026-11-21)
and from what servers really send. `azure` and `codex` are the same wire at other doors.
"""

from __future__ import annotations

from jackfield.protocols.base import bearer_headers as auth_headers
from jackfield.protocols.openai_errors import parse_error, render_error
from jackfield.protocols.openai_responses.limits import LIMITS, find_losses
from jackfield.protocols.openai_responses.request import parse_request, render_request
from jackfield.protocols.openai_responses.response import parse_response, render_response
from jackfield.protocols.openai_responses.stream_parser import StreamParser
from jackfield.protocols.openai_responses.stream_renderer import StreamRenderer
from jackfield.protocols.openai_responses.wire import NAME

STREAM_TYPE = "text/event-stream"


__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "StreamRenderer", "auth_headers", "find_losses", "parse_error",
    "parse_request", "parse_response", "render_error", "render_request", "render_response",
]  # fmt: skip
