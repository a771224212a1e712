"""Cohere's own chat, second version: `POST /v2/chat` (docs.cohere.com/reference/chat, read 2026-11-21).

The client's half: nobody calls us with it. Requests are read all the same, so that a recorded one
can be held against what we write.
"""

from __future__ import annotations

from jackfield.protocols.base import bearer_headers as auth_headers
from jackfield.protocols.cohere.errors import parse_error
from jackfield.protocols.cohere.limits import LIMITS, find_losses
from jackfield.protocols.cohere.request import parse_request, render_request
from jackfield.protocols.cohere.response import parse_response
from jackfield.protocols.cohere.stream_parser import StreamParser
from jackfield.protocols.cohere.wire import NAME

STREAM_TYPE = "text/event-stream"


__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "auth_headers", "find_losses", "parse_error", "parse_request",
    "parse_response", "render_request",
]  # fmt: skip
