"""What this wire does not carry of a request, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from jackfield.message import ChatRequest, DocumentBlock, ToolResult
from jackfield.model import Compat
from jackfield.protocols import features
from jackfield.protocols.base import NATIVE
from jackfield.protocols.features import LEFT_OUT
from jackfield.protocols.ollama.wire import NAME
from jackfield.protocols.text_files import is_text

LIMITS: dict[str, str] = {
    "tools.strict": f"{LEFT_OUT}: the API has no such mark",
    "tool_choice": "none by offering no tool; a call cannot be required",
    "tool_choice.tool": "as the only tool that is offered",
    "parallel_tools": f"{LEFT_OUT}: the API has no such switch",
    "web_search": f"{LEFT_OUT}: it runs no tools itself",
    "web_fetch": f"{LEFT_OUT}: it runs no tools itself",
    "code_execution": f"{LEFT_OUT}: it runs no tools itself",
    "service_tier": f"{LEFT_OUT}: no such field",
    "user": f"{LEFT_OUT}: no such field",
    "cache_key": f"{LEFT_OUT}: the server finds shared prefixes itself",
    "thinking.effort": "as on or off, unless the model is known to take levels",
    "thinking.budget": "as on or off, unless the model is known to take levels",
    "cache_control": f"{LEFT_OUT}: the server finds shared prefixes itself",
    "image.url": f"{LEFT_OUT}: it takes data alone",
    "document": "as text, where it is text",
    "document.url": f"{LEFT_OUT}: it reads text alone",
    "audio": f"{LEFT_OUT}: it hears nothing",
    "audio.url": f"{LEFT_OUT}: it hears nothing",
    "video": f"{LEFT_OUT}: it reads no films",
    "video.url": f"{LEFT_OUT}: it reads no films",
    "tool_result.image": "as the user's, right after the result",
    "tool_result.document": "as text, where it is text",
    "tool_result.error": f"{LEFT_OUT}: the result's words must say it",
    "refusal": "as text",
    "citations": f"{LEFT_OUT}: it cites nothing",
    "signatures": f"{LEFT_OUT}: it signs nothing",
}
LEVELS = ("low", "medium", "high")  # of `think`; most models take only true and false


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name what this wire cannot carry of the request, in words for the user."""
    asked = request
    if request.tool_choice and request.tool_choice.mode in ("auto", "none"):
        asked = replace(asked, tool_choice=None)
    if request.thinking and takes_as_said(request, compat):
        asked = replace(asked, thinking=None)
    return (*features.find_losses(asked, NAME, LIMITS, compat), *_binaries(request))


def takes_as_said(request: ChatRequest, compat: Compat) -> bool:
    """Say whether `think` can say what is wanted: not at all, or a level that the model takes."""
    thinking = request.thinking
    if thinking is None or thinking.budget_tokens is not None:
        return thinking is None
    return thinking.effort in ("off", *(compat.supported_reasoning_efforts or ()))


def _binaries(request: ChatRequest) -> Iterator[str]:
    blocks = [block for message in request.messages for block in message.content]
    blocks += [inner for block in blocks if isinstance(block, ToolResult) for inner in block.content]
    if any(isinstance(block, DocumentBlock) and not is_text(block) for block in blocks):
        yield "document: left out, as only text is read"
