"""ChatGPT's own backend, which answers Codex with a subscription: the same wire, and only what Codex itself sends.

Read from the source of openai/codex (codex-rs, 2026-11-21): the system text is required, the
answer is always streamed and nothing is kept, so that thoughts travel encrypted. Its last
event holds no items. Nobody calls us with it.
"""

from __future__ import annotations

import msgspec

from jackfield.events import Accumulator
from jackfield.message import ChatRequest, ChatResponse, JsonObject, TextBlock
from jackfield.model import Compat
from jackfield.protocols import features
from jackfield.protocols import openai_responses as wire
from jackfield.protocols.base import NATIVE, Body, own_fields
from jackfield.protocols.claims import parse_claims
from jackfield.protocols.features import LEFT_OUT
from jackfield.protocols.fields import as_object, as_text, merge_fields
from jackfield.protocols.openai_responses.limits import find_more
from jackfield.protocols.openai_responses.request import render_body
from jackfield.protocols.openai_responses.wire import ENCRYPTED
from jackfield.protocols.spare import spare

NAME = "openai-codex-responses"
STREAM_TYPE = wire.STREAM_TYPE
LIMITS: dict[str, str] = {
    **wire.LIMITS,
    **dict.fromkeys(("temperature", "top_p", "max_tokens", "logprobs", "user"), f"{LEFT_OUT}: ChatGPT decides it"),
}
# The body's fields as Codex sends them; the service refuses others.
FIELDS = frozenset((
    "model", "instructions", "input", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "store", "stream",
    "include", "service_tier", "prompt_cache_key", "text", "client_metadata",
))  # fmt: skip
INSTRUCTIONS = "You are a helpful assistant."
CLAIMS = "https://api.openai.com/auth"  # where a token says whose account it is

StreamParser = wire.StreamParser
parse_error = wire.parse_error
parse_request = wire.parse_request


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write the body; system text that stood among the messages becomes the instructions too."""
    request = spare(request, wire.NAME, LIMITS, compat)
    words = "\n\n".join(block.text for block in request.system if block.text)
    asked = msgspec.structs.replace(request, system=[TextBlock(words or INSTRUCTIONS)], extras={})
    body: JsonObject = {"input": []}  # a stored prompt would stand for it, were there any
    body |= {name: value for name, value in render_body(asked, compat).items() if name in FIELDS}
    include = [name for name in body.get("include", ()) if name != ENCRYPTED]
    body |= {"include": [*include, ENCRYPTED], "store": False, "stream": True}
    merge_fields(body, request.extras)
    return body


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name what this wire cannot carry of the request, in words for the user."""
    held = own_fields(request.opaque, wire.NAME)
    refused = [f"{name}: {LEFT_OUT}: the service refuses it" for name in held if name not in FIELDS]
    return (*features.find_losses(request, wire.NAME, LIMITS, compat), *find_more(request, compat), *refused)


def parse_response(body: Body) -> ChatResponse:
    """Read a whole reply; it comes as a stream, whatever was asked."""
    if not isinstance(body, bytes | str) or body.lstrip()[:1] in (b"{", "{"):
        return wire.parse_response(body)
    parser, heard = StreamParser(), Accumulator()
    for events in (parser.feed(body.encode() if isinstance(body, str) else body), parser.close()):
        for event in events:
            heard.feed(event)
    return heard.response()


def auth_headers(secret: str) -> dict[str, str]:
    """Return the headers that carry a login's token, and the account it names."""
    headers = {"authorization": f"Bearer {secret}", "openai-beta": "responses=experimental"}
    account = as_text(as_object(parse_claims(secret).get(CLAIMS)).get("chatgpt_account_id"))
    return {**headers, "chatgpt-account-id": account} if account else headers


__all__ = [
    "LIMITS", "NAME", "STREAM_TYPE", "StreamParser", "auth_headers", "find_losses", "parse_error", "parse_request",
    "parse_response", "render_request",
]  # fmt: skip
