"""Thoughts beside the answer: three names for their text, and OpenRouter's list of signed details.

Details go back to this wire byte for byte. Those a Claude model signed become blocks with a
signature, so that a conversation can return to its own wire through a client of this one.
"""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.message import Block, JsonObject, ThinkingBlock
from jackfield.model import Compat
from jackfield.protocols.fields import as_list, as_object, as_text
from jackfield.protocols.openai_completions.fields import keep, own
from jackfield.protocols.signatures import OPENAIS

FIELDS = ("reasoning_content", "reasoning", "reasoning_text")  # first one with text counts
DETAILS = "reasoning_details"
CLAUDE = "anthropic-claude-v1"  # `format` of a detail (openrouter.ai/docs, reasoning tokens, read 2026-11-21)


def parse_reasoning(wire: JsonObject) -> list[tuple[int, ThinkingBlock]]:
    """Return a message's thoughts, each with the place among its blocks that the wire gives it."""
    field = next((name for name in FIELDS if as_text(wire.get(name))), None)
    text = wire[field] if field else ""
    details = [detail for detail in as_list(wire.get(DETAILS)) if isinstance(detail, dict)]
    # Without a text of its own, only what a Claude model signed is read out of the details.
    is_claudes = not text and all(detail.get("format") == CLAUDE for detail in details)
    if details and (is_claudes or text == "".join(map(detail_text, details))):
        blocks = [make_thought(detail_text(detail), field, [detail]) for detail in details]
        places = [detail["index"] if isinstance(detail.get("index"), int) else 0 for detail in details]
        return list(zip(places, blocks, strict=True))
    return [(0, make_thought(text, field, details))] if text or details else []


def make_thought(text: str, field: str | None, details: list[JsonObject]) -> ThinkingBlock:
    """Build a thought with what its wire wants back; a Claude model's own signature also stands as such."""
    opaque = keep({"field": field, "details": details or None})
    return ThinkingBlock(text, signature_of(details), redacted=not text, opaque=opaque)


def signature_of(details: list[JsonObject]) -> str | None:
    """Return the signature where one detail of a Claude model stands for the whole thought."""
    detail = as_object(details[0]) if len(details) == 1 else {}
    if detail.get("format") != CLAUDE:
        return None
    return as_text(detail.get("signature")) or as_text(detail.get("data")) or None


def detail_text(detail: JsonObject) -> str:
    """Return the words of one detail; an encrypted one has none."""
    return as_text(detail.get("text")) or as_text(detail.get("summary"))


def place(thoughts: list[tuple[int, ThinkingBlock]], others: list[Block]) -> list[Block]:
    """Put each thought at its place among the other blocks, in order."""
    blocks, last = list(others), -1
    for index, block in thoughts:
        last = min(max(index, last + 1), len(blocks))
        blocks.insert(last, block)
    return blocks


def echo_reasoning(blocks: Sequence[Block], compat: Compat) -> JsonObject:
    """Write past thoughts into a request: back to where they came from, elsewhere only where declared.

    Most servers refuse a field they did not issue, so an undeclared one gets none.
    """
    thoughts = [block for block in blocks if isinstance(block, ThinkingBlock) and not own(block.opaque).get("part")]
    if compat.reasoning_field == "none" or compat.requires_thinking_as_text or compat.strict_message_keys:
        return {}
    if compat.reasoning_field is None:
        thoughts = [block for block in thoughts if own(block.opaque)]
    text = "".join(block.text for block in thoughts)
    field = compat.reasoning_field or next((f for block in thoughts if (f := own(block.opaque).get("field"))), None)
    wire: JsonObject = {field: text} if field and text else {}
    if details := [detail for block in thoughts for detail in as_list(own(block.opaque).get("details"))]:
        wire[DETAILS] = details
    return wire


def render_reasoning(blocks: Sequence[Block]) -> JsonObject:
    """Write the thoughts of a reply, those aside that stand among its content parts."""
    thoughts = [
        (at, block)
        for at, block in enumerate(blocks)
        if isinstance(block, ThinkingBlock) and not own(block.opaque).get("part")
    ]
    text = "".join(block.text for _, block in thoughts)
    wire: JsonObject = {field_of(thoughts[0][1]): text} if text else {}
    if details := [detail for at, block in thoughts for detail in render_details(at, block)]:
        wire[DETAILS] = details
    return wire


def field_of(block: ThinkingBlock) -> str:
    """Return the name a thought's text came under, or the most common one."""
    return as_text(own(block.opaque).get("field")) or FIELDS[0]


def render_details(index: int, block: ThinkingBlock) -> list[JsonObject]:
    """Return a thought's details as they came, or one that carries its signature.

    What OpenAI encrypted is no Claude model's, which would refuse it when the caller goes on there.
    """
    held = own(block.opaque)
    if held or block.signature is None or block.signature.startswith(OPENAIS):
        return as_list(held.get("details"))
    said = {"type": "reasoning.encrypted", "data": block.signature}
    if not block.redacted:
        said = {"type": "reasoning.text", "text": block.text, "signature": block.signature}
    return [{**said, "format": CLAUDE, "index": index}]
