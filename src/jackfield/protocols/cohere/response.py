"""Whole replies of this wire, and what streamed ones share with them: the reason, the counts, how likely each word was."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from jackfield.errors import BadReply, ContextLength, Error, ServerError, TimeoutExpired
from jackfield.message import ChatResponse, FinishReason, JsonObject, TokenLogprob, ToolCall, Usage
from jackfield.protocols.base import Body, as_count, decode, preview
from jackfield.protocols.cohere.errors import parse_error
from jackfield.protocols.cohere.messages import ASSISTANT_KEYS, parse_assistant
from jackfield.protocols.fields import as_list, as_object, as_text, rest

FINISH_REASONS: dict[str, FinishReason] = {
    "COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}  # fmt: skip
# A reply that ends so is none.
FAILURES: dict[str, type[Error]] = {"ERROR": ServerError, "TIMEOUT": TimeoutExpired, "ERROR_LIMIT": ContextLength}
REPLY_KEYS = frozenset(("id", "message", "finish_reason", "usage", "logprobs"))


def parse_response(body: Body) -> ChatResponse:
    """Read a whole reply."""
    wire = decode(body)
    if is_error(wire):
        raise parse_error(200, wire)
    message = as_object(wire.get("message"))
    if not message:
        raise BadReply(f"the reply has no message: {preview(msgspec.json.encode(wire))}")
    reply_id, word = as_text(wire.get("id")), as_text(wire.get("finish_reason"))
    blocks = parse_assistant(message, reply_id)
    extras = rest(wire, REPLY_KEYS)
    if left := rest(message, ASSISTANT_KEYS):
        extras["message"] = left
    reply = ChatResponse(
        id=reply_id,
        content=blocks,
        finish_reason=parse_finish(word, calls=any(isinstance(block, ToolCall) for block in blocks)),
        raw_finish_reason=word or None,
        usage=parse_usage(as_object(wire.get("usage"))),
        logprobs=list(parse_logprobs(wire.get("logprobs"))),
        extras=extras,
    )
    if error := find_failure(word, wire):
        error.partial = reply
        raise error
    return reply


def is_error(wire: JsonObject) -> bool:
    """Say whether a body or event is a refusal all the same."""
    return isinstance(wire.get("message"), str) or bool(wire.get("error"))


def find_failure(word: str, wire: JsonObject) -> Error | None:
    """Return the error that a reply ended in, where it did."""
    if word not in FAILURES:
        return None
    return FAILURES[word](as_text(wire.get("error")) or f"the model stopped with finish reason {word}")


def parse_finish(word: str, *, calls: bool) -> FinishReason:
    """Return the reason; a reply with tool calls ends for them."""
    reason = FINISH_REASONS.get(word, "stop")
    return "tool_calls" if calls and reason == "stop" else reason


def parse_usage(wire: JsonObject) -> Usage:
    """Read the counts: what is billed, so that the cost is a sum; what the model really read is kept beside it.

    A bill leaves out Cohere's own instructions and thus most of what its cache holds, so that the cached
    tokens are no part of it (docs.cohere.com/docs/how-does-cohere-pricing-work, read 2026-11-21).
    """
    billed, tokens = as_object(wire.get("billed_units")), as_object(wire.get("tokens"))
    counted = billed if billed.keys() & {"input_tokens", "output_tokens"} else tokens
    extras = rest(wire, ("billed_units",))
    if more := rest(billed, ("input_tokens", "output_tokens")):
        extras["billed_units"] = more
    return Usage(
        input=_count(counted.get("input_tokens")),
        output=_count(counted.get("output_tokens")),
        reasoning=_count(tokens.get("reasoning_tokens")),
        extras=extras or None,
    )


def _count(value: object) -> int | None:
    # The reference calls these counts doubles.
    return as_count(int(value) if isinstance(value, float) and value.is_integer() else value)


def parse_logprobs(wire: object) -> Iterator[TokenLogprob]:
    """Yield the words with their logarithms; one that took several tokens is as likely as all of them together."""
    for item in map(as_object, wire if isinstance(wire, list) else [wire]):
        numbers = [number for number in as_list(item.get("logprobs")) if isinstance(number, int | float)]
        if numbers:
            yield TokenLogprob(as_text(item.get("text")), float(sum(numbers)))
