"""Google's Cloud Code Assist and Antigravity: Gemini's wire in an envelope. The client's half alone.

A request is `{project, model, request}`, a reply and each event `{response, traceId}`, as
github.com/google-gemini/gemini-cli sends and reads them (read 2026-11-21). The project is the
`project` of the request's extras. Models of other houses answer here too; thoughts without a
signature are refused by them and left out.
"""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.message import ChatRequest, ChatResponse, JsonObject, ThinkingBlock
from jackfield.model import Compat
from jackfield.protocols import google_generative_ai as gemini
from jackfield.protocols.base import NATIVE, Body, decode, decode_request
from jackfield.protocols.base import bearer_headers as auth_headers
from jackfield.protocols.fields import as_object
from jackfield.protocols.google_generative_ai import STREAM_TYPE, StreamParser, parse_error
from jackfield.protocols.google_generative_ai.wire import unwrap
from jackfield.protocols.signatures import is_foreign

NAME = "google-gemini-cli"
LIMITS = {**gemini.LIMITS, "thoughts": "left out where no signature is with them"}
ENVELOPE = ("project", "user_prompt_id", "userAgent", "requestId", "requestType")


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write a request in its envelope; fields of the envelope come from the request's extras."""
    outer = {name: value for name, value in request.extras.items() if name in ENVELOPE}
    inner = {name: value for name, value in request.extras.items() if name not in ENVELOPE}
    spared = replace(_without_unsigned(request), extras=inner)
    return {**outer, "model": request.model, "request": gemini.render_request(spared, compat)}


def _without_unsigned(request: ChatRequest) -> ChatRequest:
    def is_kept(block: object) -> bool:
        return not isinstance(block, ThinkingBlock) or (bool(block.signature) and not is_foreign(block, NAME))

    turns = [replace(turn, content=[block for block in turn.content if is_kept(block)]) for turn in request.messages]
    return replace(request, messages=[turn for turn in turns if turn.content])


def parse_request(body: Body) -> ChatRequest:
    """Read a request out of its envelope; raise `InvalidRequest` naming the field that is wrong."""
    wire = decode_request(body)
    request = gemini.parse_request(as_object(wire.get("request")))
    outer = {name: value for name, value in wire.items() if name in ENVELOPE}
    return replace(request, model=str(wire.get("model") or ""), extras=outer)


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name every field that is dropped or approximated; empty when the wire carries all."""
    return gemini.find_losses(request, compat)


def parse_response(body: Body) -> ChatResponse:
    """Read a whole reply; raise the provider's error when the body is one, `BadReply` when it is neither."""
    return gemini.parse_response(unwrap(decode(body)))


__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "auth_headers", "find_losses", "parse_error", "parse_request",
    "parse_response", "render_request",
]  # fmt: skip
