"""Replies of this wire, both ways."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jackfield.errors import BadReply, Error
from jackfield.message import Block, ChatResponse, FinishReason, ImageBlock, JsonObject, TokenLogprob, ToolCall
from jackfield.protocols.base import Body, decode, preview
from jackfield.protocols.fields import as_list, as_object, as_text, rest
from jackfield.protocols.openai_errors import parse_error
from jackfield.protocols.openai_responses.citations import parse_logprobs, render_logprobs
from jackfield.protocols.openai_responses.item_renderer import render_items
from jackfield.protocols.openai_responses.items import parse_output
from jackfield.protocols.openai_responses.usage import parse_usage, render_usage
from jackfield.protocols.openai_responses.wire import NAME, keep, own
from jackfield.protocols.reply_fields import foreign_fields

REPLY_KEYS = frozenset(
    ("id", "object", "model", "output", "output_text", "usage", "status", "error", "incomplete_details")
)
FOREIGN = foreign_fields(NAME)
# Why an answer is incomplete, and what a client is told.
INCOMPLETE: dict[str, FinishReason] = {"max_output_tokens": "length", "content_filter": "content_filter"}
DETAILS = {reason: word for word, reason in INCOMPLETE.items()}
BROKEN = ("failed", "cancelled")
PENDING = ("queued", "in_progress")
# What stands in every reply (openresponses.org, read 2026-11-21); the numbers are what the API takes where nothing is said.
DEFAULTS: JsonObject = {
    "created_at": 0, "completed_at": None, "background": False, "frequency_penalty": 0.0, "instructions": None,
    "max_output_tokens": None, "max_tool_calls": None, "metadata": {}, "parallel_tool_calls": True,
    "presence_penalty": 0.0, "previous_response_id": None, "prompt_cache_key": None, "reasoning": None,
    "safety_identifier": None, "service_tier": "default", "store": False, "temperature": 1.0,
    "text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_logprobs": 0, "top_p": 1.0,
    "truncation": "disabled",
}  # fmt: skip
# How an id begins that we make up, by the type of its item.
PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}


# -- wire → value ------------------------------------------------------------------


def parse_response(body: Body) -> ChatResponse:
    """Read a whole reply; raise the provider's error when it failed."""
    wire = decode(body)
    if error := find_error(wire):
        raise error
    if not isinstance(wire.get("output"), list):
        raise BadReply(f"the reply has no output: {preview(msgspec.json.encode(wire))}")
    reply_id = as_text(wire.get("id"))
    blocks = parse_output(wire["output"], reply_id)
    reason, raw = parse_finish(wire, calls=any(isinstance(block, ToolCall) for block in blocks))
    return ChatResponse(
        id=reply_id,
        model=as_text(wire.get("model")),
        content=[_without_logprobs(block) for block in blocks],
        finish_reason=reason,
        raw_finish_reason=raw,
        usage=parse_usage(as_object(wire.get("usage"))),
        logprobs=find_logprobs(wire["output"]),
        extras=parse_extras(wire),
    )


def find_error(wire: JsonObject) -> Error | None:
    """Return the error that a reply holds or is."""
    status = wire.get("status")
    if status in BROKEN:
        held = as_object(wire.get("error"))
        return parse_error(200, {"error": held if held.get("message") else {"message": f"the response was {status}"}})
    if wire.get("error") or ("output" not in wire and bool(wire.keys() & {"message", "detail", "errors"})):
        return parse_error(200, wire)
    return None


def parse_finish(wire: JsonObject, *, calls: bool) -> tuple[FinishReason, str | None]:
    """Return the reason, and the wire's own word where it is another."""
    word = as_text(as_object(wire.get("incomplete_details")).get("reason")) or as_text(wire.get("status"))
    whole: FinishReason = "tool_calls" if calls else "stop"
    reason = INCOMPLETE.get(word, "length") if wire.get("status") == "incomplete" else whole
    return reason, word if word and word != reason else None


def parse_extras(wire: JsonObject) -> JsonObject:
    """Return the fields this codec does not read, those aside that say nothing."""
    return {name: value for name, value in rest(wire, REPLY_KEYS).items() if DEFAULTS.get(name) != value}


def find_logprobs(output: list[object]) -> list[TokenLogprob]:
    """Return how likely each token of a reply's words was."""
    return [token for part in _parts(output) for token in parse_logprobs(part.get("logprobs"))]


def _parts(output: list[object]) -> list[JsonObject]:
    return [part for item in output for part in as_list(as_object(item).get("content")) if isinstance(part, dict)]


def _without_logprobs(block: Block) -> Block:
    held = own(getattr(block, "opaque", None))
    if "logprobs" not in as_object(held.get("part")):
        return block
    part = rest(held["part"], ("logprobs",))
    opaque = keep({**held, "part": part or None})
    return msgspec.structs.replace(block, opaque=opaque)


# -- value → wire ------------------------------------------------------------------


def render_response(response: ChatResponse) -> JsonObject:
    """Write a whole reply; `created_at` is 0 unless `extras` say when."""
    output = render_output(response.content, response.id)
    return render_frame(response, finish_output(output, response))


def render_output(blocks: Sequence[Block], reply_id: str) -> list[JsonObject]:
    """Write the items of a reply, each with an id."""
    items = render_items("assistant", [as_said(block) for block in blocks])
    return [finish_item(item, make_id(item, reply_id, at)) for at, item in enumerate(items)]


def as_said(block: Block) -> Block:
    """Return a picture of another wire as this one's model draws it; all else as it is."""
    if isinstance(block, ImageBlock) and block.data is not None and "item" not in own(block.opaque):
        form = block.media_type.partition("/")[2] or "png"
        item = {"type": "image_generation_call", "status": "completed", "output_format": form}
        return ImageBlock(block.media_type, block.data, opaque=keep({"item": item}))
    return block


def make_id(item: JsonObject, reply_id: str, at: int) -> str:
    """Make an item's id up: the same for the same place of the same reply."""
    return f"{PREFIXES.get(as_text(item.get('type')), 'item')}_{reply_id[-40:]}_{at}"


def finish_item(item: JsonObject, item_id: str) -> JsonObject:
    """Return an item with what clients expect of a complete one."""
    return {"id": item_id, "status": "completed", **item}


def finish_output(output: list[JsonObject], response: ChatResponse) -> list[JsonObject]:
    """Put the likelihoods where this wire has them: on the first words."""
    words = next((part for part in _parts(list(output)) if part.get("type") == "output_text"), None)
    if words is not None and response.logprobs:
        words["logprobs"] = render_logprobs(response.logprobs)
    return output


def render_frame(response: ChatResponse, output: Sequence[JsonObject], status: str = "") -> JsonObject:
    """Write a reply around its items; `status` is another than its end says while it goes on."""
    word = DETAILS.get(response.finish_reason)
    pending = next((word for word in PENDING if word == response.raw_finish_reason), "completed")
    wire: JsonObject = {**DEFAULTS, **rest(response.extras, ("choices", "message", "created", "created_at", *FOREIGN))}
    # Other wires have the time under another name, or in words.
    times = (response.extras.get(name) for name in ("created_at", "created"))
    wire["created_at"] = next((time for time in times if isinstance(time, int | float)), 0)
    wire |= {"id": response.id, "object": "response", "model": response.model, "output": list(output), "error": None}
    wire["status"] = status or ("incomplete" if word else pending)
    wire["incomplete_details"] = {"reason": word} if word and not status else None
    wire["usage"] = render_usage(response.usage) or None
    return wire
