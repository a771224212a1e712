"""Google's Gemini API: `POST /v1beta/models/{model}:generateContent` (ai.google.dev/api/generate-content, read 2026-11-21).

Model and streaming stand in the URL, not in the body. `vertex` and `cloud_code` are the same
wire at other doors: another credential, an envelope around it.
"""

from jackfield.protocols.google_generative_ai.errors import auth_headers, parse_error, render_error
from jackfield.protocols.google_generative_ai.losses import find_losses
from jackfield.protocols.google_generative_ai.request import parse_request, render_request
from jackfield.protocols.google_generative_ai.response import parse_response, render_response
from jackfield.protocols.google_generative_ai.stream_parser import StreamParser
from jackfield.protocols.google_generative_ai.stream_renderer import StreamRenderer
from jackfield.protocols.google_generative_ai.wire import LIMITS, NAME

STREAM_TYPE = "text/event-stream"

__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "StreamRenderer", "auth_headers", "find_losses", "parse_error",
    "parse_request", "parse_response", "render_error", "render_request", "render_response",
]  # fmt: skip
