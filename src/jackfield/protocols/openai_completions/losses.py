"""What this wire does not carry of a request: the table, and the rules that a table cannot say."""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.message import AudioBlock, ChatRequest, DocumentBlock, ImageBlock, VideoBlock
from jackfield.model import Compat
from jackfield.protocols import features
from jackfield.protocols.base import NATIVE
from jackfield.protocols.features import LEFT_OUT
from jackfield.protocols.openai_completions.fields import NAME, own
from jackfield.protocols.openai_completions.thinking import render_thinking
from jackfield.protocols.spare import spare
from jackfield.protocols.structured import AS_INSTRUCTION

LIMITS: dict[str, str] = {
    "web_fetch": LEFT_OUT,
    "code_execution": LEFT_OUT,
    "thinking.budget": "as the nearest level",
    "cache_control": f"{LEFT_OUT}, where the server does not declare it",
    "audio.url": LEFT_OUT,
    "tool_result.image": "behind the results, as the user's",
    "tool_result.document": "behind the results, as the user's",
    "tool_result.error": LEFT_OUT,
    "citations": f"{LEFT_OUT}: only who cited knows them",
    "thoughts": "only to the server that issued them, or that declares their field",
    "signatures": "only to the server that issued them",
}
MEDIA = ("image", "image.url", "document", "document.url", "audio", "audio.url", "video", "video.url")


def find_limits(compat: Compat) -> features.Limits:
    """Return the table as it holds for a server."""
    limits = dict(LIMITS)
    if compat.thinking_format in ("openrouter", "qwen"):
        del limits["thinking.budget"]
    if compat.thinking_format == "none" or (
        compat.thinking_format in (None, "openai") and compat.supports_reasoning_effort is False
    ):
        limits |= {"thinking.effort": LEFT_OUT, "thinking.budget": LEFT_OUT}
    if compat.supports_response_format is False:
        limits["response_format.schema"] = AS_INSTRUCTION
    if compat.media_parts == "mistral":
        del limits["audio.url"]
        limits |= {"video": LEFT_OUT, "video.url": LEFT_OUT}
    if compat.message_keys is not None and "refusal" not in compat.message_keys:
        limits["refusal"] = "as text"
    if compat.requires_string_content:
        limits |= dict.fromkeys((*MEDIA, "tool_result.image", "tool_result.document"), LEFT_OUT)
    return limits


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name every field that is dropped or approximated; empty when the wire carries all.

    Thoughts of another wire are no loss: only their issuer wants them back.
    """
    limits = find_limits(compat)
    losses = features.find_losses(request, NAME, limits, compat)
    spared = spare(request, NAME, limits, compat)
    return tuple(dict.fromkeys([*losses, *_rules(spared, compat), *_spoken(spared, compat)]))


def _rules(request: ChatRequest, compat: Compat) -> Iterator[str]:
    if request.tool_choice is not None and not request.tools:
        yield "tool_choice: there are no tools"
    if request.thinking is not None and not render_thinking(request.thinking, compat):
        yield "thinking: the server has no word for it"


def _spoken(request: ChatRequest, compat: Compat) -> Iterator[str]:
    """Name what the model's own turn has no place for."""
    keys = compat.message_keys
    for block in (block for message in request.messages if message.role == "assistant" for block in message.content):
        match block:
            case ImageBlock() if keys is not None and "images" not in keys:
                yield "image: not in the model's own turn"
            case DocumentBlock():
                yield "document: not in the model's own turn"
            case VideoBlock():
                yield "video: not in the model's own turn"
            case AudioBlock() if not own(block.opaque).get("audio"):
                yield "audio: not in the model's own turn"
            case _:
                pass
