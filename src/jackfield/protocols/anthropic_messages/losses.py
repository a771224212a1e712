"""What this wire cannot carry of a request, in words for the user."""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.message import (
    AudioBlock,
    Block,
    ChatRequest,
    DocumentBlock,
    ImageBlock,
    OpaqueBlock,
    ThinkingBlock,
    ToolResult,
)
from jackfield.model import Compat
from jackfield.protocols.anthropic_messages.blocks import render_block
from jackfield.protocols.anthropic_messages.thinking import may_think, render_sampling, render_thinking
from jackfield.protocols.anthropic_messages.wire import NAME
from jackfield.protocols.base import NATIVE, own_fields

MAX_MARKS = 4  # cache marks in one request
# Request fields of other wires: this API answers 400 to each (`Extra inputs are not permitted`).
FOREIGN = frozenset({
    "audio", "enable_thinking", "frequency_penalty", "function_call", "functions", "include_reasoning", "logit_bias",
    "logprobs", "max_completion_tokens", "modalities", "n", "parallel_tool_calls", "prediction", "presence_penalty",
    "prompt_cache_key", "prompt_cache_retention", "random_seed", "reasoning", "reasoning_effort", "reasoning_format",
    "response_format", "safety_identifier", "seed", "stop", "store", "stream_options", "top_logprobs", "user",
    "venice_parameters", "verbosity", "web_search_options",
})  # fmt: skip
SERVICE_TIERS = ("auto", "standard_only")


def is_foreign(name: str, value: object) -> bool:
    """Tell a field of `extras` that this API refuses: another wire's, or another wire's use of the name."""
    if name == "service_tier":
        return value not in SERVICE_TIERS
    if name == "metadata":
        return not isinstance(value, dict) or not value.keys() <= {"user_id"}
    if name == "thinking":  # other servers' switch; this API's has a budget with it
        return isinstance(value, dict) and value.get("type") == "enabled" and "budget_tokens" not in value
    return name in FOREIGN


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name every field that is dropped or approximated; empty when the wire carries all."""
    return tuple(dict.fromkeys([*_fields(request, compat), *_blocks(request), *_marks(request, compat)]))


def _fields(request: ChatRequest, compat: Compat) -> Iterator[str]:
    wanted = request.response_format
    thinking = render_thinking(request.thinking, request.max_tokens, compat)[0] or {}
    may = may_think(request, thinking.get("type"))
    sampling = render_sampling(request, thinking.get("type") if may else None, compat)
    dropped = {
        "seed": request.seed is not None,
        "stop": bool(request.stop) and compat.supports_stop is False,
        "stop: white space alone": any(not text.strip() for text in request.stop),
        "response_format: JSON without a schema": wanted is not None and wanted.schema is None,
        "response_format": bool(wanted and wanted.schema) and compat.supports_response_format is False,
        "temperature above 1": (request.temperature or 0) > 1,
        "temperature": request.temperature is not None and "temperature" not in sampling,
        "top_p": request.top_p is not None and "top_p" not in sampling,
        "thinking": request.thinking is not None and compat.thinking_format == "none",
        "thinking: not with a forced tool, nor behind a tool call made without it": not may,
        "tool_choice without tools": request.tool_choice is not None and not request.tools,
    }
    yield from (name for name, is_lost in dropped.items() if is_lost)
    yield from sorted(name for name, value in request.extras.items() if value is not None and is_foreign(name, value))
    for tool in request.tools:
        if tool.parameters is None and not own_fields(tool.opaque, NAME):
            yield f"tool {tool.name}: another wire's own"


def _blocks(request: ChatRequest) -> Iterator[str]:
    for block in (block for message in request.messages for block in message.content):
        yield from _block(block)
        for inner in block.content if isinstance(block, ToolResult) else ():
            yield from _block(inner)


def _block(block: Block) -> Iterator[str]:
    match block:
        case AudioBlock():
            yield "audio"
        case ThinkingBlock(signature=None):
            yield "thinking without a signature"
        case OpaqueBlock(api) if api != NAME:
            yield f"a block of {api}"
        case ImageBlock() | DocumentBlock() if render_block(block) is None:
            yield "a file known by another wire's id"
        case _:
            pass


def _marks(request: ChatRequest, compat: Compat) -> Iterator[str]:
    blocks = [block for message in request.messages for block in message.content]
    blocks += [inner for block in blocks if isinstance(block, ToolResult) for inner in block.content]
    marks = sum(bool(getattr(value, "cache_control", None)) for value in (*request.tools, *request.system, *blocks))
    limit = 0 if compat.supports_cache_control is False else MAX_MARKS
    if marks > limit:
        yield f"cache_control: the first {marks - limit} of {marks}"
