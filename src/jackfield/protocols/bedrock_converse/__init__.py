"""Amazon Bedrock's Converse API, the client's side: `POST /model/{id}/converse` and `/converse-stream`.

The model and whether the reply is streamed stand in the URL, not in the body. Names and limits
are those of the service's own description (botocore 1.44, bedrock-runtime 2023-09-30, read
2026-11-21). Nobody calls us on this wire, so that it only reads replies.
A Bedrock API key is sent as it is; other AWS credentials sign the request instead.
"""

from jackfield.protocols.base import bearer_headers as auth_headers
from jackfield.protocols.bedrock_converse.errors import parse_error
from jackfield.protocols.bedrock_converse.losses import LIMITS, find_losses
from jackfield.protocols.bedrock_converse.parser import parse_request
from jackfield.protocols.bedrock_converse.renderer import render_request
from jackfield.protocols.bedrock_converse.response import parse_response
from jackfield.protocols.bedrock_converse.stream_parser import StreamParser
from jackfield.protocols.bedrock_converse.wire import NAME

STREAM_TYPE = "application/vnd.amazon.eventstream"

__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "auth_headers", "find_losses", "parse_error", "parse_request",
    "parse_response", "render_request",
]  # fmt: skip
