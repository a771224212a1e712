"""Thoughts that another model signed: they go back to their issuer, or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from jackfield.message import Block, Message, TextBlock, ThinkingBlock, ToolCall

# What a wire hangs on words and calls to know its own thought again: Gemini's, also in OpenAI's shape, and OpenRouter's.
SIGNED_FIELDS = frozenset({"thoughtSignature", "thought_signature", "extra_content", "reasoning_details"})


def drop_foreign_thoughts(messages: Sequence[Message], ref: str) -> tuple[Message, ...]:
    """Leave out thinking that another model signed: whole blocks, since an edited one is refused for good.

    A turn that held nothing else goes with it; words and calls lose the signature that hung on
    them. Turns whose author is not known stay as they are.
    """
    kept = []
    for message in messages:
        if message.model in {None, ref}:
            kept.append(message)
            continue
        content = [_unsigned(block) for block in message.content if not _is_signed(block)]
        if content or not message.content:
            kept.append(replace(message, content=content))
    return tuple(kept)


def _is_signed(block: object) -> bool:
    return isinstance(block, ThinkingBlock) and bool(block.signature or block.redacted or block.opaque)


def _unsigned(block: Block) -> Block:
    if not isinstance(block, TextBlock | ToolCall) or not block.opaque:
        return block
    left = {wire: _without(fields) for wire, fields in block.opaque.items()}
    return replace(block, opaque={wire: fields for wire, fields in left.items() if fields} or None)


def _without(fields: object) -> object:
    """Return a wire's fields without the signed ones, wherever they stand in them."""
    if not isinstance(fields, dict):
        return fields
    return {name: _without(value) for name, value in fields.items() if name not in SIGNED_FIELDS}
