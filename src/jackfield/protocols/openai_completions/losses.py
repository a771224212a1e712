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
    TextBlock,
    ThinkingBlock,
    ToolResult,
)  # fmt: skip
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE
from jackfield.protocols.openai_completions.fields import NAME, own
from jackfield.protocols.openai_completions.request import foreign_fields
from jackfield.protocols.openai_completions.thinking import render_thinking


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name every field that is dropped or approximated; empty when the wire carries all.

    Thoughts of another wire are no loss: only their issuer wants them back.
    """
    return tuple(dict.fromkeys([*_fields(request, compat), *_blocks(request, compat)]))


def _fields(request: ChatRequest, compat: Compat) -> Iterator[str]:
    wanted, thinking = request.response_format, request.thinking
    dropped = {
        "tools": bool(request.tools) and compat.supports_tools is False,
        "tool_choice without tools": request.tool_choice is not None and not request.tools,
        "parallel_tool_calls": request.parallel_tools is not None and compat.supports_parallel_tool_calls is False,
        "temperature, top_p": compat.supports_temperature is False
        and (request.temperature is not None or request.top_p is not None),
        "stop": bool(request.stop) and compat.supports_stop is False,
        "response_format: the schema": bool(wanted and wanted.schema) and compat.supports_response_format is False,
        "thinking": thinking is not None and not render_thinking(thinking, compat),
        "thinking: the budget": thinking is not None
        and thinking.budget_tokens is not None
        and not own(thinking.opaque)
        and compat.thinking_format not in ("openrouter", "qwen"),
        "cache_control": not compat.supports_cache_control and _has_marks(request),
    }
    yield from (name for name, is_lost in dropped.items() if is_lost)
    yield from sorted(foreign_fields(request.extras))
    for tool in request.tools:
        if tool.parameters is None and not own(tool.opaque):
            yield f"tool {tool.name}: another wire's own"


def _has_marks(request: ChatRequest) -> bool:
    blocks = [block for message in request.messages for block in message.content]
    return any(getattr(value, "cache_control", None) for value in (*request.tools, *request.system, *blocks))


def _blocks(request: ChatRequest, compat: Compat) -> Iterator[str]:
    for message in request.messages:
        for block in message.content:
            yield from _spoken(block) if message.role == "assistant" else _heard(block, compat)
            if isinstance(block, ToolResult):
                yield from (loss for inner in block.content for loss in _heard(inner, compat))
                yield from ("tool result: the error flag",) if block.is_error else ()


def _heard(block: Block, compat: Compat) -> Iterator[str]:
    match block:
        case OpaqueBlock(api) if api != NAME:
            yield f"a block of {api}"
        case AudioBlock(data=None):
            yield "audio by URL"
        case DocumentBlock() if block.data is None and block.url is None and not own(block.opaque):
            yield "a file known by another wire's id"
        case ImageBlock() if block.data is None and block.url is None:
            yield "a picture known by another wire's id"
        case ImageBlock() | DocumentBlock() | AudioBlock() if compat.requires_string_content:
            yield "pictures, files and sound"
        case _:
            pass


def _spoken(block: Block) -> Iterator[str]:
    match block:
        case OpaqueBlock(api) if api != NAME:
            yield f"a block of {api}"
        case DocumentBlock():
            yield "a file in the model's own turn"
        case ThinkingBlock() | TextBlock():
            pass
        case AudioBlock() if not own(block.opaque).get("audio"):
            yield "sound in the model's own turn"
        case _:
            pass
