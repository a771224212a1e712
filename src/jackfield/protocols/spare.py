"""What a request is without what its wire leaves out: values in, values out, by the table of features.

Every codec renders what `spare` returns, so that no renderer knows of features it lacks. A file leaves a
word in its place, since a question about it would otherwise make no sense.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from jackfield.message import (
    AudioBlock,
    Block,
    ChatRequest,
    DocumentBlock,
    ImageBlock,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolResult,
    VideoBlock,
)
from jackfield.model import Compat
from jackfield.protocols.features import FIELDS, LEFT_OUT, MEDIA, Limits, block_features, fates, inner_features
from jackfield.protocols.text_files import stand_in

SIGNED = frozenset({"signatures", "foreign signature"})


def spare(request: ChatRequest, api: str, limits: Limits, compat: Compat) -> ChatRequest:
    """Return the request without what is to be left out; a file leaves a word in its place."""
    gone = {name for name, fate in fates(request, api, limits, compat).items() if fate.startswith(LEFT_OUT)}
    if not gone:
        return request
    kept = replace(request, **{name: None for name in FIELDS if name in gone})
    if "stop" in gone:
        kept = replace(kept, stop=())
    if "system" in gone:
        kept = replace(kept, system=())
    return _spare_blocks(_spare_thinking(_spare_tools(kept, api, gone), gone), api, gone)


def _spare_tools(request: ChatRequest, api: str, gone: set[str]) -> ChatRequest:
    choice = request.tool_choice
    if choice and choice.mode == "tool" and "tool_choice.tool" in gone:
        request = replace(request, tool_choice=replace(choice, mode="required", name=None))
    tools = [tool for tool in request.tools if not gone.intersection(_kind(tool.name, tool.builtin, tool.parameters))]
    if "tools.strict" in gone:
        tools = [replace(tool, strict=None) for tool in tools]
    if "cache_control" in gone:
        tools = [replace(tool, cache_control=None) for tool in tools]
    others = {wire: fields for wire, fields in (request.opaque or {}).items() if wire == api}
    return replace(request, tools=tools, opaque=others or None)


def _kind(name: str, builtin: str | None, parameters: object) -> set[str]:
    return {"tools"} if parameters is not None else {builtin or "", f"foreign tool ({name})"}


def _spare_thinking(request: ChatRequest, gone: set[str]) -> ChatRequest:
    if (thinking := request.thinking) and "thinking.effort" in gone:
        thinking = replace(thinking, effort=None)
    if thinking and "thinking.budget" in gone:
        thinking = replace(thinking, budget_tokens=None)
    empty = thinking and thinking.effort is None and thinking.budget_tokens is None and not thinking.opaque
    wanted = request.response_format
    if wanted and ("response_format.json" if wanted.schema is None else "response_format.schema") in gone:
        wanted = None
    return replace(request, thinking=None if empty else thinking, response_format=wanted)


def _spare_blocks(request: ChatRequest, api: str, gone: set[str]) -> ChatRequest:
    def kept(blocks: tuple[Block, ...], features: Callable[[Block, str], Iterator[str]]) -> list[Block]:
        left = (spared(block, gone.intersection(features(block, api))) for block in blocks)
        return [block for block in left if block is not None]

    def spared(block: Block, lost: set[str]) -> Block | None:
        if isinstance(block, ToolResult) and lost:
            inner = kept(tuple(block.content), inner_features)
            block = replace(block, content=inner, is_error=block.is_error and "tool_result.error" not in gone)
        if "cache_control" in lost:
            block = replace(block, cache_control=None)
        return _without(block, lost)

    system = [block for block in kept(tuple(request.system), block_features) if isinstance(block, TextBlock)]
    turns = [(turn, kept(tuple(turn.content), block_features)) for turn in request.messages]
    # A turn that held nothing else goes with it.
    messages = [replace(turn, content=content) for turn, content in turns if content or not turn.content]
    return replace(request, system=system, messages=messages)


def _without(block: Block, lost: set[str]) -> Block | None:
    """Return what stands for a block when these features of it are gone; `None`: nothing."""
    match block:
        case ImageBlock() | DocumentBlock() | AudioBlock() | VideoBlock() if lost - {"cache_control"}:
            return TextBlock(stand_in(MEDIA[type(block)]))
        case OpaqueBlock() | RefusalBlock() if lost:
            return None
        case ThinkingBlock() if "thoughts" in lost or (block.redacted and lost & SIGNED):
            return None
        case ThinkingBlock() if lost & SIGNED:
            return replace(block, signature=None)
        case TextBlock() if "citations" in lost:
            return replace(block, citations=())
        case _:
            return block
