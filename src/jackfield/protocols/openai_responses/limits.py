"""What this wire does not carry as it is meant, and its fate here."""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.message import AudioBlock, ChatRequest, DocumentBlock, ImageBlock, VideoBlock
from jackfield.model import Compat
from jackfield.protocols import features
from jackfield.protocols.base import NATIVE
from jackfield.protocols.features import LEFT_OUT, MEDIA
from jackfield.protocols.openai_responses.reasoning import render_thinking
from jackfield.protocols.openai_responses.wire import NAME, own

# platform.openai.com/docs/api-reference/responses/create, read 2026-11-21.
LIMITS: dict[str, str] = {
    **dict.fromkeys(("top_k", "presence_penalty", "frequency_penalty", "seed"), f"{LEFT_OUT}: no such field"),
    "stop": f"{LEFT_OUT}: no words end an answer here",
    "web_fetch": f"{LEFT_OUT}: its search opens pages by itself",
    "thinking.budget": "as the nearest level",
    "cache_control": LEFT_OUT,
    **dict.fromkeys(("audio.url", "video", "video.url"), LEFT_OUT),
    "tool_result.error": f"{LEFT_OUT}: the result's words must say it",
    "citations": "by address, title and place alone",
    "thoughts": "only its own come back",
    "signatures": "only its own come back",
}

LEAST_TOKENS = 16


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name what this wire cannot carry of the request, in words for the user."""
    return (*features.find_losses(request, NAME, LIMITS, compat), *find_more(request, compat))


def find_more(request: ChatRequest, compat: Compat) -> Iterator[str]:
    """Yield the losses that no table can say."""
    if request.tool_choice and not request.tools:
        yield f"tool_choice: {LEFT_OUT}: there are no tools"
    if (least := least_tokens(request)) != request.max_tokens:
        yield f"max_tokens: {request.max_tokens} becomes {least}, the least the API takes"
    is_both = request.temperature is not None and request.top_p is not None
    if is_both and compat.supports_top_p_with_temperature is False:
        yield f"top_p: {LEFT_OUT}: the server takes it or the temperature"
    thinking = request.thinking
    if thinking and (thinking.effort or thinking.budget_tokens is not None) and not render_thinking(thinking, compat):
        yield f"thinking: {LEFT_OUT}: the server has no word for {thinking.effort or 'it'}"
    said = (block for message in request.messages if message.role == "assistant" for block in message.content)
    for block in said:
        if isinstance(block, ImageBlock | DocumentBlock | AudioBlock | VideoBlock) and not own(block.opaque):
            yield f"{MEDIA[type(block)]}: {LEFT_OUT}: in the model's own turn"


def least_tokens(request: ChatRequest) -> int | None:
    """Return the limit to ask for: the API refuses less than 16, others take 1; what a caller of this wire said stays."""
    asked = request.max_tokens
    return asked if asked is None or NAME in (request.opaque or {}) else max(asked, LEAST_TOKENS)
