"""Thoughts: reasoning items both ways, and how hard to think.

A reasoning item shows a summary, or its words (`content`), or nothing; `encrypted_content`
is the thought itself, for its issuer. Parts are joined by a blank line.
"""

from __future__ import annotations

from jackfield.message import EFFORTS, ChatRequest, JsonObject, Thinking, ThinkingBlock
from jackfield.model import Compat
from jackfield.protocols.fields import as_list, as_object, as_text, rest
from jackfield.protocols.levels import budget_effort, level_word
from jackfield.protocols.openai_responses.wire import keep, own

BETWEEN_PARTS = "\n\n"
ITEM_KEYS = ("type", "summary", "content", "encrypted_content")


# -- items -------------------------------------------------------------------------


def parse_reasoning(item: JsonObject) -> ThinkingBlock:
    """Read a reasoning item; what its words alone cannot rebuild stays for this wire."""
    summary, content = as_list(item.get("summary")), as_list(item.get("content"))
    text, field = _join(summary), None
    if not text and content:
        text, field = _join(content), "content"
    shown = _parts("summary_text", "" if field else text), _parts("reasoning_text", text if field else "")
    opaque = {
        "item": rest(item, ITEM_KEYS),
        "field": field,
        "summary": summary if summary != shown[0] else None,
        "content": content if content != shown[1] else None,
    }
    return ThinkingBlock(text, as_text(item.get("encrypted_content")) or None, not text, keep(opaque))


def render_reasoning(block: ThinkingBlock) -> JsonObject:
    """Write a thought as an item."""
    held = own(block.opaque)
    is_content = held.get("field") == "content"
    item: JsonObject = {"type": "reasoning", **as_object(held.get("item"))}
    item["summary"] = held.get("summary") or _parts("summary_text", "" if is_content else block.text)
    if content := held.get("content") or _parts("reasoning_text", block.text if is_content else ""):
        item["content"] = content
    if block.signature:
        item["encrypted_content"] = block.signature
    return item


def _join(parts: list[object]) -> str:
    return BETWEEN_PARTS.join(text for part in parts if (text := as_text(as_object(part).get("text"))))


def _parts(kind: str, text: str) -> list[JsonObject]:
    return [{"type": kind, "text": text}] if text else []


# -- how hard ----------------------------------------------------------------------


def parse_thinking(wire: JsonObject) -> Thinking | None:
    """Read `reasoning`; it also stays whole for this wire."""
    if not wire:
        return None
    word = as_text(wire.get("effort"))
    effort = next((level for level in EFFORTS if level == ("off" if word == "none" else word)), None)
    return Thinking(effort, None, keep({"reasoning": wire}))


def render_thinking(thinking: Thinking, compat: Compat) -> JsonObject:
    """Write `reasoning`; empty when the server has no word for the level."""
    is_plain = (compat.thinking_format, compat.reasoning_effort_map, compat.supported_reasoning_efforts) == (None,) * 3
    if compat.supports_reasoning_effort is False or compat.thinking_format == "none":
        return {}
    if is_plain and (came := own(thinking.opaque).get("reasoning")):
        return {"reasoning": came}
    effort = thinking.effort or budget_effort(thinking.budget_tokens)
    word = level_word(effort, compat) if effort else None
    if word is None:
        return {}
    # Without asking for it, the model shows nothing of its thoughts.
    return {"reasoning": {"effort": word} if effort == "off" else {"effort": word, "summary": "auto"}}


def is_asked_to_think(request: ChatRequest) -> bool:
    """Say whether the answer will hold thoughts that the next request must bring back."""
    thinking = request.thinking
    return thinking is not None and thinking.effort != "off"
