"""Replies of this wire, both ways."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jackfield.errors import BadReply
from jackfield.message import AudioBlock, Block, ChatResponse, FinishReason, JsonObject, TextBlock, ToolCall
from jackfield.protocols.base import NATIVE, Body, decode, preview
from jackfield.protocols.fields import as_list, as_object, as_text, rest
from jackfield.protocols.openai_completions.citations import cite, parse_citations, render_annotations
from jackfield.protocols.openai_completions.fields import NAME, keep, own
from jackfield.protocols.openai_completions.logprobs import render_logprobs, take_logprobs
from jackfield.protocols.openai_completions.message_parser import parse_assistant
from jackfield.protocols.openai_completions.message_renderer import render_call, render_extra_parts, render_words
from jackfield.protocols.openai_completions.reasoning import render_reasoning
from jackfield.protocols.openai_completions.usage import find_usage, parse_usage, render_usage
from jackfield.protocols.openai_errors import parse_error
from jackfield.protocols.reply_fields import foreign_fields

FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop", "eos": "stop", "end_turn": "stop", "stop_sequence": "stop", "length": "length",
    "max_tokens": "length", "model_length": "length", "tool_calls": "tool_calls", "tool_call": "tool_calls",
    "tool_use": "tool_calls", "function_call": "tool_calls", "content_filter": "content_filter",
    "sensitive": "content_filter", "safety": "content_filter",
}  # fmt: skip
REPLY_KEYS = frozenset(("id", "object", "model", "choices", "usage", "obfuscation"))
FOREIGN = foreign_fields(NAME)
CHOICE_KEYS = frozenset(("index", "message", "delta", "finish_reason"))


# -- wire → value ------------------------------------------------------------------


def parse_response(body: Body) -> ChatResponse:
    """Read a whole reply; choice 0 is the answer, the others stand in `extras["choices"]`."""
    wire = decode(body)
    choices = as_list(wire.get("choices"))
    if is_error(wire):
        raise parse_error(200, wire)
    if not choices or not isinstance(choices[0], dict):
        raise BadReply(f"the reply has no choices: {preview(msgspec.json.encode(wire))}")
    choice, reply_id = choices[0], as_text(wire.get("id"))
    message = as_object(choice.get("message")) or as_object(choice.get("delta"))
    blocks, left = parse_assistant(message, reply_id)
    cite(blocks, parse_citations(message, wire))
    extras = rest(wire, REPLY_KEYS)
    if left and not attach(blocks, left):
        extras["message"] = left
    others = [other for other in choices[1:] if isinstance(other, dict)]
    choice_left = rest(choice, CHOICE_KEYS)
    logprobs = take_logprobs(choice_left)
    if choice_left or others:
        extras["choices"] = [choice_left, *others]
    reason, raw = parse_finish(choice.get("finish_reason"), blocks)
    return ChatResponse(
        id=reply_id,
        model=as_text(wire.get("model")),
        content=blocks,
        finish_reason=reason,
        raw_finish_reason=raw,
        usage=parse_usage(find_usage(wire)),
        logprobs=logprobs,
        extras=extras,
    )


def is_error(wire: JsonObject) -> bool:
    """Say whether a body or chunk of a successful reply is an error all the same."""
    if wire.get("error"):
        return True
    return "choices" not in wire and (
        wire.get("object") == "error" or bool(wire.keys() & {"detail", "message", "errors"})
    )


def parse_finish(word: object, blocks: Sequence[Block]) -> tuple[FinishReason, str | None]:
    """Return the reason, and the wire's own word where it is another."""
    reason = FINISH_REASONS.get(as_text(word), "stop")
    if reason == "stop" and any(isinstance(block, ToolCall) for block in blocks):
        # Some servers say `stop` and call tools; whoever waits for calls must learn of them.
        reason = "tool_calls"
    return reason, word if isinstance(word, str) and word != reason else None


def attach(blocks: list[Block], left: JsonObject) -> bool:
    """Let a message's further fields ride on its first words or call; `False` when there are none."""
    for at, block in enumerate(blocks):
        if isinstance(block, TextBlock | ToolCall):
            blocks[at] = msgspec.structs.replace(block, opaque=keep({**own(block.opaque), "message": left}))
            return True
    return False


# -- value → wire ------------------------------------------------------------------


def render_response(response: ChatResponse) -> JsonObject:
    """Write a whole reply; `created` is 0 unless `extras` say when."""
    extras = rest(response.extras, FOREIGN)
    first, *others = as_list(extras.pop("choices", None)) or [{}]
    message = {**render_reply_message(response.content), **as_object(extras.pop("message", None))}
    if response.logprobs:
        first = {"logprobs": render_logprobs(response.logprobs), **as_object(first)}
    choice = {**as_object(first), "index": 0, "message": message, "finish_reason": response.finish_reason}
    wire = {"id": response.id, "object": "chat.completion", "created": 0, "model": response.model, **extras}
    wire["choices"] = [choice, *others]
    if usage := render_usage(response.usage):
        wire["usage"] = usage
    return wire


def render_reply_message(blocks: Sequence[Block]) -> JsonObject:
    """Write the blocks of a reply as one message; `content` is null when there are no words, as clients expect."""
    words = render_words(blocks, NATIVE)
    wire: JsonObject = {"role": "assistant", "content": words or None, **render_reasoning(blocks)}
    wire.update(render_extra_parts(blocks, NATIVE))
    if annotations := render_annotations(blocks):
        wire["annotations"] = annotations
    if calls := [render_call(block) for block in blocks if isinstance(block, ToolCall)]:
        wire["tool_calls"] = calls
    for block in blocks:
        if isinstance(block, AudioBlock):
            data = {} if block.data is None else {"data": block.data}
            wire["audio"] = {**as_object(own(block.opaque).get("audio")), **data}
        wire.update(as_object(own(getattr(block, "opaque", None)).get("message")))
    return wire
