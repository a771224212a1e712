"""A question made up of what it needs, for a plan that nobody is asked by."""

from __future__ import annotations

from msgspec import Struct

from jackfield.message import (
    AudioBlock,
    Block,
    ChatRequest,
    DocumentBlock,
    Effort,
    ImageBlock,
    Message,
    ResponseFormat,
    TextBlock,
    Thinking,
    Tool,
)

MOST_TOKENS = 4_000_000  # more than any window


class Example(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a question holds."""

    tokens: int | None = None  # about so many
    max_tokens: int | None = None  # of the answer
    image: bool = False
    document: bool = False
    audio: bool = False
    tools: bool = False
    schema: bool = False
    thinking: Effort | None = None


def make_example(ref: str, example: Example) -> ChatRequest:
    """Return a question to a model with these needs; a short English word is a token."""
    files: list[Block] = [ImageBlock("image/png", "")] if example.image else []
    files += [DocumentBlock("application/pdf", "")] if example.document else []
    files += [AudioBlock("audio/wav", "")] if example.audio else []
    words = min(example.tokens or 1, MOST_TOKENS)
    return ChatRequest(
        model=ref,
        messages=[Message("user", [*files, TextBlock("word " * words)])],
        tools=[Tool("tool")] if example.tools else (),
        response_format=ResponseFormat({"type": "object"}) if example.schema else None,
        thinking=Thinking(effort=example.thinking) if example.thinking else None,
        max_tokens=example.max_tokens,
    )
