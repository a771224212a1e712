"""What this wire cannot carry of a request, in words for the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from jackfield.message import Block, ChatRequest, JsonObject, ToolCall, ToolResult
from jackfield.model import Compat
from jackfield.protocols import features
from jackfield.protocols.base import NATIVE
from jackfield.protocols.bedrock_converse.media import hold_sources
from jackfield.protocols.bedrock_converse.thinking import Mode, pick_mode, render_inference, render_top_k
from jackfield.protocols.bedrock_converse.wire import MAX_MARKS, NAME
from jackfield.protocols.features import LEFT_OUT, SAID_AS
from jackfield.protocols.opening import BEHIND_OPENING
from jackfield.protocols.spare import spare
from jackfield.protocols.structured import AS_INSTRUCTION, as_instruction

BY_DATA = f"{LEFT_OUT}: the service reads data and S3 addresses"
SOME_MODELS = f"{LEFT_OUT}: only some of its models have it"
LIMITS: dict[str, str] = {
    "model first": BEHIND_OPENING, "thoughts": "only with their signature",
    "thinking.effort": f"{SAID_AS}each family of models takes it",
    "parallel_tools": LEFT_OUT, "presence_penalty": LEFT_OUT, "frequency_penalty": LEFT_OUT, "seed": LEFT_OUT,
    "logprobs": LEFT_OUT, "user": LEFT_OUT, "cache_key": LEFT_OUT,
    "web_search": SOME_MODELS, "web_fetch": SOME_MODELS, "code_execution": SOME_MODELS,
    "response_format.json": AS_INSTRUCTION,
    "image.url": BY_DATA, "document.url": BY_DATA, "audio.url": BY_DATA, "video.url": BY_DATA,
    "refusal": "as text",
    "citations": f"{LEFT_OUT}: only its own go back",
}  # fmt: skip
TIERS = ("default", "flex", "priority", "reserved")


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name every feature that is dropped or approximated; empty when the wire carries all."""
    held, limits = with_sources(request), _limits(compat)
    found = features.find_losses(held, NAME, limits, compat)
    return tuple(dict.fromkeys([*found, *_others(spare(held, NAME, limits, compat), compat)]))


def as_sendable(request: ChatRequest, compat: Compat) -> ChatRequest:
    """Return the request without what is left out, and with what becomes an instruction as one."""
    spared = spare(with_sources(request), NAME, _limits(compat), compat)
    wanted = spared.response_format
    return as_instruction(spared) if wanted and (wanted.schema is None or not takes_schema(compat)) else spared


def takes_schema(compat: Compat) -> bool:
    """Tell whether the model's answer can be held to a schema."""
    return compat.supports_response_format is not False


def with_sources(request: ChatRequest) -> ChatRequest:
    """Return the request with data URLs and S3 addresses as the sources they are here."""
    turns = [replace(turn, content=[hold_sources(block) for block in turn.content]) for turn in request.messages]
    return replace(request, messages=turns)


def needs_tools(request: ChatRequest) -> bool:
    """Tell whether the history calls tools: the service then wants them offered, whatever may be called now."""
    return any(isinstance(block, ToolCall | ToolResult) for turn in request.messages for block in turn.content)


def _limits(compat: Compat) -> Mapping[str, str]:
    # A server that has no schemas is told in words, which is more than leaving them out.
    return LIMITS if takes_schema(compat) else {**LIMITS, "response_format.schema": AS_INSTRUCTION}


def _others(request: ChatRequest, compat: Compat) -> Iterator[str]:
    mode = pick_mode(request, compat)
    sampling = render_inference(request, mode, compat)
    choice, thinking = request.tool_choice, request.thinking
    lost = {
        "temperature: above 1 becomes 1": (request.temperature or 0) > 1 and "temperature" in sampling,
        "temperature: not beside this thinking": request.temperature is not None and "temperature" not in sampling,
        "top_p: not beside this thinking or temperature": request.top_p is not None and "topP" not in sampling,
        "top_k: not beside this thinking": request.top_k is not None and not render_top_k(request, mode, compat),
        "max_tokens: not beside this thinking": request.max_tokens is not None and "maxTokens" not in sampling,
        "stop: an empty text": any(not text for text in request.stop),
        f"service_tier: {request.service_tier!r} is none of its tiers": request.service_tier not in (None, *TIERS),
        "tool_choice: without tools": choice is not None and not request.tools,
        "tool_choice: the tools stay, since the history calls some": bool(
            choice and choice.mode == "none" and request.tools and needs_tools(request)
        ),
        "thinking: the model takes no word for it": thinking is not None and compat.thinking_format == "none",
        "thinking: not with a forced tool, nor behind a tool call made without it": (
            thinking is not None and compat.thinking_format != "none" and mode == Mode() and _is_asked(request)
        ),
        "thinking.budget: as the nearest level": bool(
            thinking and thinking.budget_tokens and compat.thinking_format in ("nova", "openai") and not thinking.opaque
        ),
    }
    yield from (words for words, is_lost in lost.items() if is_lost)
    if (marks := len(_marks(request))) > MAX_MARKS:
        yield f"cache_control: the first {marks - MAX_MARKS} of {marks}"


def _is_asked(request: ChatRequest) -> bool:
    return bool(request.thinking and (request.thinking.effort or request.thinking.budget_tokens))


def _marks(request: ChatRequest) -> list[JsonObject]:
    blocks = [block for turn in request.messages for block in turn.content]
    marks = [getattr(value, "cache_control", None) for value in (*request.tools, *request.system)]
    marks += [getattr(block, "cache_control", None) or _inner_mark(block) for block in blocks]
    return [mark for mark in marks if mark]


def _inner_mark(block: Block) -> JsonObject | None:
    inner = block.content if isinstance(block, ToolResult) else ()
    marks = (getattr(part, "cache_control", None) for part in inner)
    return next((mark for mark in marks if mark), None)
