"""What this wire does not carry of a request, and how far its numbers go."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from jackfield.message import ChatRequest, DocumentBlock, ToolResult
from jackfield.model import Compat
from jackfield.protocols import features, structured
from jackfield.protocols.base import NATIVE
from jackfield.protocols.cohere.wire import NAME
from jackfield.protocols.features import LEFT_OUT, SAID_AS
from jackfield.protocols.text_files import is_text

LIMITS: dict[str, str] = {
    "tool_choice.tool": f"{SAID_AS}the only tool that is offered, and required",
    "parallel_tools": f"{LEFT_OUT}: the API has no such switch",
    "web_search": f"{LEFT_OUT}: it runs no tools itself",
    "web_fetch": f"{LEFT_OUT}: it runs no tools itself",
    "code_execution": f"{LEFT_OUT}: it runs no tools itself",
    "service_tier": f"{LEFT_OUT}: no such field",
    "user": f"{LEFT_OUT}: no such field",
    "cache_key": f"{LEFT_OUT}: the API finds shared prefixes itself",
    "thinking.effort": f"{SAID_AS}a budget in tokens",
    "cache_control": f"{LEFT_OUT}: the API finds shared prefixes itself",
    "document.url": f"{LEFT_OUT}: it reads text alone",
    "audio": f"{LEFT_OUT}: it hears nothing",
    "audio.url": f"{LEFT_OUT}: it hears nothing",
    "video": f"{LEFT_OUT}: it reads no films",
    "video.url": f"{LEFT_OUT}: it reads no films",
    "tool_result.image": "as the user's, right after the results",
    "tool_result.error": f"{LEFT_OUT}: the result's words must say it",
    "words beside calls": f"{SAID_AS}the plan of the calls",
    "refusal": "as text",
    "citations": "only those of this wire go back",
    "thoughts": "only those of this wire go back",
    "signatures": f"{LEFT_OUT}: it signs nothing",
}


class Range(Struct, frozen=True):
    """A field's name on this wire, and the numbers it takes."""

    name: str
    low: float
    high: float


# docs.cohere.com/reference/chat, read 2026-11-21; a number beyond is refused.
RANGES: dict[str, Range] = {
    "temperature": Range("temperature", 0, float("inf")),
    "top_p": Range("p", 0.01, 0.99),
    "top_k": Range("k", 0, 500),
    "presence_penalty": Range("presence_penalty", 0, 1),
    "frequency_penalty": Range("frequency_penalty", 0, 1),
}
MAX_STOPS = 5


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name what this wire cannot carry of the request, in words for the user."""
    asked = replace(request, logprobs=None) if request.logprobs == 0 else request
    return (*features.find_losses(asked, NAME, LIMITS, compat), *_narrowings(request, compat))


def _narrowings(request: ChatRequest, compat: Compat) -> Iterator[str]:
    for name, bounds in RANGES.items():
        value = getattr(request, name)
        if value is not None and (near := within(name, value)) != value:
            yield f"{name}: {value} becomes {near}, the nearest that {bounds.name} takes"
    if len(request.stop) > MAX_STOPS:
        yield f"stop: the first {MAX_STOPS} of {len(request.stop)}"
    if request.logprobs:
        yield "logprobs: without alternatives"
    strict = {tool.strict for tool in request.tools if tool.parameters is not None}
    if len(strict) > 1 and True in strict and compat.supports_strict_mode is not False:
        yield "tools.strict: left out, as it holds for all tools or for none"
    if request.response_format and needs_instruction(request):
        yield f"response_format: beside tools or documents {structured.AS_INSTRUCTION}"
    if request.tool_choice and not any(tool.parameters is not None for tool in request.tools):
        yield "tool_choice: there are no tools"
    yield from _unread_files(request)


def _unread_files(request: ChatRequest) -> Iterator[str]:
    blocks = [block for message in request.messages for block in message.content]
    inner = [one for block in blocks if isinstance(block, ToolResult) for one in block.content]
    for name, files in (("document", [*blocks, *inner]), ("tool_result.document", inner)):
        if any(isinstance(block, DocumentBlock) and not is_text(block) for block in files):
            yield f"{name}: left out, as only text is read"


def within(name: str, value: float) -> float:
    """Return the nearest number that the field takes."""
    return max(RANGES[name].low, min(RANGES[name].high, value))


def needs_instruction(request: ChatRequest) -> bool:
    """Say whether a format must be put in words: the API takes none beside tools or documents."""
    return bool(request.tools) or any(
        isinstance(block, DocumentBlock) for message in request.messages for block in message.content
    )
