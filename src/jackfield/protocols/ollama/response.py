"""Whole replies of this wire, and what streamed ones share with them: the reason, the counts, how likely each word was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from jackfield.errors import BadReply
from jackfield.message import Block, ChatResponse, FinishReason, JsonObject, TokenLogprob, ToolCall, Usage
from jackfield.protocols.base import Body, as_count, decode, preview
from jackfield.protocols.fields import as_list, as_object, as_text, rest
from jackfield.protocols.ollama.errors import parse_error
from jackfield.protocols.ollama.messages import parse_message

# `load` and `unload` answer a request without messages, which only moves the model.
FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length", "load": "stop", "unload": "stop"}
REPLY_KEYS = frozenset((
    "model", "message", "response", "thinking", "done", "done_reason", "logprobs", "prompt_eval_count", "eval_count",
))  # fmt: skip


def parse_response(body: Body) -> ChatResponse:
    """Read a whole reply; how long each step took (nanoseconds) stands in `extras`."""
    wire = decode(body)
    if wire.get("error"):
        raise parse_error(200, wire)
    if not wire.keys() & {"message", "response"}:
        raise BadReply(f"the reply has no message: {preview(msgspec.json.encode(wire))}")
    blocks = parse_message(find_message(wire), as_text(wire.get("created_at")))
    reason, word = parse_finish(wire, blocks)
    return ChatResponse(
        model=as_text(wire.get("model")),
        content=blocks,
        finish_reason=reason,
        raw_finish_reason=word,
        usage=parse_usage(wire),
        logprobs=list(parse_logprobs(wire.get("logprobs"))),
        extras=rest(wire, REPLY_KEYS),
    )


def find_message(wire: JsonObject) -> JsonObject:
    """Return the message of a reply or a piece of it; `/api/generate` says its words beside it."""
    return as_object(wire.get("message")) or {"content": wire.get("response"), "thinking": wire.get("thinking")}


def parse_finish(wire: JsonObject, blocks: Iterable[Block]) -> tuple[FinishReason, str | None]:
    """Return the reason and the wire's own word; a reply with tool calls ends for them, which the wire never says."""
    word = as_text(wire.get("done_reason"))
    reason = FINISH_REASONS.get(word, "stop")
    if reason == "stop" and any(isinstance(block, ToolCall) for block in blocks):
        reason = "tool_calls"
    return reason, word or None


def parse_usage(wire: JsonObject) -> Usage:
    """Read the counts; older servers leave out a prompt that was in their cache."""
    return Usage(as_count(wire.get("prompt_eval_count")), as_count(wire.get("eval_count")))


def parse_logprobs(wire: object) -> Iterator[TokenLogprob]:
    """Yield the tokens of an answer with their logarithms and alternatives."""
    for item in map(as_object, as_list(wire)):
        number = item.get("logprob")
        if isinstance(number, int | float):
            yield TokenLogprob(
                as_text(item.get("token")), float(number), list(parse_logprobs(item.get("top_logprobs")))
            )
