"""Ollama's own chat: `POST /api/chat`, lines of JSON (docs.ollama.com/api/chat, read 2026-11-21).

The client's half: nobody calls us with it. Requests are read all the same, so that a recorded one
can be held against what we write.
"""

from __future__ import annotations

from jackfield.protocols.base import bearer_headers as auth_headers
from jackfield.protocols.ollama.errors import parse_error
from jackfield.protocols.ollama.limits import LIMITS, find_losses
from jackfield.protocols.ollama.request import parse_request, render_request
from jackfield.protocols.ollama.response import parse_response
from jackfield.protocols.ollama.stream_parser import StreamParser
from jackfield.protocols.ollama.wire import NAME

STREAM_TYPE = "application/x-ndjson"


__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "auth_headers", "find_losses", "parse_error", "parse_request",
    "parse_response", "render_request",
]  # fmt: skip
