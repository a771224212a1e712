"""Anthropic Messages: `POST /v1/messages` (platform.claude.com/docs/en/api/messages, read 2026-11-21).

Also spoken by MiniMax, Synthetic, Kimi, Xiaomi, Vercel, llama.cpp, and inside the envelopes
of Bedrock and Vertex, which name the model in the URL and put `anthropic_version` in the body.
"""

from jackfield.protocols.anthropic_messages.errors import auth_headers, parse_error, render_error
from jackfield.protocols.anthropic_messages.losses import LIMITS, find_losses
from jackfield.protocols.anthropic_messages.request import parse_request, render_request
from jackfield.protocols.anthropic_messages.response import parse_response, render_response
from jackfield.protocols.anthropic_messages.stream_parser import StreamParser
from jackfield.protocols.anthropic_messages.stream_renderer import StreamRenderer
from jackfield.protocols.anthropic_messages.wire import NAME

STREAM_TYPE = "text/event-stream"

__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "StreamRenderer", "auth_headers", "find_losses", "parse_error",
    "parse_request", "parse_response", "render_error", "render_request", "render_response",
]  # fmt: skip
