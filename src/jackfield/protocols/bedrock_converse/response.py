"""Whole replies, read, and the counting of tokens.

This wire's `inputTokens` leaves out what was read from or written to the cache, as our buckets
do. The reply names neither itself nor its model: its id is a header.
"""

from __future__ import annotations

from jackfield.errors import BadReply, InvalidRequest
from jackfield.message import ChatResponse, FinishReason, JsonObject, ToolCall, Usage
from jackfield.protocols.base import Body, as_count, decode
from jackfield.protocols.bedrock_converse.blocks import parse_content
from jackfield.protocols.bedrock_converse.errors import parse_error
from jackfield.protocols.fields import as_list, as_object, read, require, rest

STOP_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop", "stop_sequence": "stop", "malformed_model_output": "stop", "malformed_tool_use": "stop",
    "tool_use": "tool_calls", "max_tokens": "length", "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter", "content_filtered": "content_filter",
}  # fmt: skip
COUNTERS = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
# Said twice, or the sum of the others.
REPEATED = ("totalTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")


def parse_response(body: Body) -> ChatResponse:
    """Read a whole reply; raise the provider's error when the body is one, `BadReply` when it is neither."""
    wire = decode(body)
    if "output" not in wire:
        if "message" in wire or "Message" in wire:
            raise parse_error(200, wire)
        raise BadReply(f"the reply has no output: its fields are {', '.join(sorted(wire)) or 'none'}")
    try:
        message = require(require(wire, "output", dict), "message", dict, "output.")
        content = parse_content(require(message, "content", list, "output.message."), "output.message.content")
        reason = read(wire, "stopReason", str)
    except InvalidRequest as error:
        raise BadReply(f"the reply is malformed: {error.message}") from error
    return ChatResponse(
        content=content,
        finish_reason=parse_reason(reason, has_calls=any(isinstance(block, ToolCall) for block in content)),
        raw_finish_reason=reason,
        usage=parse_usage(as_object(wire.get("usage"))),
        extras=parse_extras(wire),
    )


def parse_extras(wire: JsonObject) -> JsonObject:
    """Return what a reply says beside its message: metrics, a guardrail's trace, the tier."""
    return rest(wire, ("output", "stopReason", "usage"))


def parse_reason(reason: str | None, *, has_calls: bool) -> FinishReason:
    """Return our word for a stop reason; one that is new or missing is a plain stop, or a call where there is one."""
    return STOP_REASONS.get(reason or "", "tool_calls" if has_calls else "stop")


def parse_usage(wire: JsonObject) -> Usage:
    """Read the counters; what the service did not say, or not as a number, stays `None`."""
    fresh, output, cache_read, cache_write = (as_count(wire.get(name)) for name in COUNTERS)
    spans = [as_object(each) for each in as_list(wire.get("cacheDetails"))]
    return Usage(
        fresh,
        output,
        cache_read,
        cache_write,
        extras=rest(wire, (*COUNTERS, *REPEATED, "cacheDetails")) or None,
        cache_write_1h=next((as_count(each.get("inputTokens")) for each in spans if each.get("ttl") == "1h"), None),
    )
