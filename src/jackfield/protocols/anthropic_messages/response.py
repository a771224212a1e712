"""Whole replies, both ways, and the counting of tokens.

This wire's `input_tokens` leaves out what was read from or written to the cache, as our
buckets do, so the numbers pass unchanged.
"""

from __future__ import annotations

from typing import Any

from jackfield.errors import BadReply, InvalidRequest
from jackfield.message import ChatResponse, FinishReason, JsonObject, ToolCall, Usage
from jackfield.protocols.anthropic_messages.blocks import parse_content, render_block
from jackfield.protocols.anthropic_messages.errors import parse_error
from jackfield.protocols.anthropic_messages.wire import NAME
from jackfield.protocols.base import Body, as_count, decode
from jackfield.protocols.fields import as_object, read, rest
from jackfield.protocols.reply_fields import foreign_fields

STOP_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",  # a server-side tool goes on when the turn is sent back
    "compaction": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
WIRE_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal",
}  # fmt: skip
KNOWN = ("id", "type", "role", "model", "content", "stop_reason", "usage")
COUNTERS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write": "cache_creation_input_tokens",
}
DETAILS = "output_tokens_details"
WRITES = "cache_creation"  # cache writes by how long they are kept; stays in extras too, as it came
FOR_AN_HOUR = "ephemeral_1h_input_tokens"
# Reply fields of other wires, which mean nothing to a reader of this one.
FOREIGN = frozenset({
    "choices", "created", "message", "object", "prompt_filter_results", "provider", "service_tier", "system_fingerprint",
    "timings", "x_groq", *foreign_fields(NAME),
})  # fmt: skip
FOREIGN_COUNTERS = frozenset({"completion_tokens_details", "prompt_tokens_details", "total_tokens"})


def parse_response(body: Body) -> ChatResponse:
    """Read a whole reply; raise the provider's error when the body is one, `BadReply` when it is neither."""
    wire = decode(body)
    if wire.get("type") == "error" or (wire.get("error") and "content" not in wire):
        raise parse_error(200, wire)
    if not isinstance(wire.get("content"), list | str):
        raise BadReply(f"the reply has no content: its fields are {', '.join(sorted(wire)) or 'none'}")
    try:
        return _parse_message(wire)
    except InvalidRequest as error:
        raise BadReply(f"the reply is malformed: {error.message}") from error


def _parse_message(wire: JsonObject) -> ChatResponse:
    content, reason = parse_content(wire, ""), read(wire, "stop_reason", str)
    has_calls = any(isinstance(block, ToolCall) for block in content)
    return ChatResponse(
        id=read(wire, "id", str) or "",
        model=read(wire, "model", str) or "",
        content=content,
        finish_reason=parse_reason(reason, has_calls=has_calls),
        raw_finish_reason=reason,
        usage=parse_usage(wire["usage"] if isinstance(wire.get("usage"), dict) else {}),
        extras=parse_extras(wire),
    )


def parse_extras(wire: JsonObject) -> JsonObject:
    """Return the fields of a message that have no value of ours, nulls aside."""
    return rest(wire, KNOWN)


def parse_reason(reason: str | None, *, has_calls: bool) -> FinishReason:
    """Return our word for a stop reason; one that is new or missing is a plain stop, or a call where there is one."""
    return STOP_REASONS.get(reason or "", "tool_calls" if has_calls else "stop")


def parse_usage(wire: JsonObject) -> Usage:
    """Read the counters; what the provider did not say, or not as a number, stays `None`."""
    details = as_object(wire.get(DETAILS))
    extras = rest(wire, {*COUNTERS.values(), DETAILS})
    if more := {name: value for name, value in details.items() if name != "thinking_tokens"}:
        extras[DETAILS] = more
    counts = {ours: as_count(wire.get(name)) for ours, name in COUNTERS.items()}
    return Usage(
        counts["input"],
        counts["output"],
        counts["cache_read"],
        counts["cache_write"],
        as_count(details.get("thinking_tokens")),
        extras or None,
        cache_write_1h=as_count(as_object(wire.get(WRITES)).get(FOR_AN_HOUR)),
    )


def render_response(response: ChatResponse) -> JsonObject:
    """Write a whole reply."""
    return {
        "stop_sequence": None,
        **render_extras(response.extras),
        "id": response.id,
        "type": "message",
        "role": "assistant",
        "model": response.model,
        "content": [wire for block in response.content if (wire := render_block(block))],
        "stop_reason": render_reason(response.finish_reason, response.raw_finish_reason),
        "usage": render_usage(response.usage),
    }


def render_extras(extras: JsonObject) -> JsonObject:
    """Return the fields of `extras` that a reader of this wire may meet."""
    return {name: value for name, value in extras.items() if name not in FOREIGN and name not in KNOWN}


def render_reason(reason: FinishReason, raw: str | None) -> str:
    """Return this wire's word: the issuer's own where it is one of this wire's and says the same."""
    return raw if raw and STOP_REASONS.get(raw) == reason else WIRE_REASONS[reason]


def render_usage(usage: Usage) -> JsonObject:
    """Write the counters; the wire demands the first two, so there unknown becomes 0."""
    extras = {name: value for name, value in (usage.extras or {}).items() if name not in FOREIGN_COUNTERS}
    counts: dict[str, Any] = {name: getattr(usage, ours) for ours, name in COUNTERS.items()}
    wire = {"input_tokens": 0, "output_tokens": 0, **{name: n for name, n in counts.items() if n is not None}, **extras}
    if (long := usage.cache_write_1h) is not None and WRITES not in extras:
        wire[WRITES] = {"ephemeral_5m_input_tokens": max((usage.cache_write or 0) - long, 0), FOR_AN_HOUR: long}
    if usage.reasoning is not None:
        wire[DETAILS] = {**(extras.get(DETAILS) or {}), "thinking_tokens": usage.reasoning}
    return wire
