"""Content blocks, both ways: what turns, tool results and replies are made of.

A block of this wire has one key, which says what it is. Those we have no value for stay whole
in an `OpaqueBlock`; text in another form (cited, guarded, JSON) is text to every other wire.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from jackfield.message import (
    AudioBlock,
    Block,
    DocumentBlock,
    ImageBlock,
    JsonObject,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    VideoBlock,
)
from jackfield.protocols.base import as_input, as_opaque, own_fields
from jackfield.protocols.bedrock_converse.citations import cited_text, parse_citations
from jackfield.protocols.bedrock_converse.media import KINDS, parse_media, render_media
from jackfield.protocols.bedrock_converse.wire import NAME, keep_rest, parse_mark, render_mark
from jackfield.protocols.fields import objects, read, require, wrong

MARKABLE = (TextBlock, ImageBlock, DocumentBlock, AudioBlock, VideoBlock, ToolCall, ToolResult)


# -- wire to value -----------------------------------------------------------------


def parse_content(wires: list[Any], at: str) -> list[Block]:
    """Read a list of blocks; a cache point becomes the mark of the block before it."""
    blocks: list[Block] = []
    for place, wire in objects(wires, at):
        point, last = read(wire, "cachePoint", dict, place), blocks[-1] if blocks else None
        if point is not None and isinstance(last, MARKABLE) and last.cache_control is None:
            blocks[-1] = replace(last, cache_control=parse_mark(point))
        else:
            blocks.append(parse_block(wire, place))
    return blocks


def parse_block(wire: JsonObject, at: str) -> Block:
    """Read one block; raises `InvalidRequest` naming the field that is wrong."""
    for kind, parse in PARSERS.items():
        if kind in wire:
            return parse(wire, at)
    for kind in KINDS:
        if kind in wire:
            return parse_media(kind, require(wire, kind, dict, at), f"{at}{kind}.")
    return OpaqueBlock(NAME, dict(wire))


def _parse_text(wire: JsonObject, at: str) -> Block:
    return TextBlock(require(wire, "text", str, at))


def _parse_json(wire: JsonObject, _: str) -> Block:
    return TextBlock(as_json(wire["json"]), opaque=as_opaque(wire, NAME))


def _parse_guarded(wire: JsonObject, at: str) -> Block:
    guarded = read(require(wire, "guardContent", dict, at), "text", dict, f"{at}guardContent.")
    if not guarded:
        return _whole(wire)
    return TextBlock(read(guarded, "text", str, f"{at}guardContent.text.") or "", opaque=as_opaque(wire, NAME))


def _parse_cited(wire: JsonObject, at: str) -> Block:
    cited = require(wire, "citationsContent", dict, at)
    return TextBlock(cited_text(cited), opaque=as_opaque(wire, NAME), citations=parse_citations(cited.get("citations")))


def _parse_thought(wire: JsonObject, at: str) -> Block:
    thought, at = require(wire, "reasoningContent", dict, at), f"{at}reasoningContent."
    if (data := read(thought, "redactedContent", str, at)) is not None:
        return ThinkingBlock("", data, redacted=True)
    words = read(thought, "reasoningText", dict, at) or {}
    signature = read(words, "signature", str, f"{at}reasoningText.")
    return ThinkingBlock(read(words, "text", str, at) or "", signature, opaque=None if signature else UNSIGNED)


def _parse_call(wire: JsonObject, at: str) -> Block:
    call, at = require(wire, "toolUse", dict, at), f"{at}toolUse."
    if call.get("type") is not None:  # one that the service runs itself
        return _whole(wire)
    return ToolCall(
        read(call, "toolUseId", str, at) or "",
        require(call, "name", str, at),
        as_json(call.get("input") if call.get("input") is not None else {}),
        opaque=keep_rest(call, "toolUseId", "name", "input"),
    )


def _parse_result(wire: JsonObject, at: str) -> Block:
    result, at = require(wire, "toolResult", dict, at), f"{at}toolResult."
    if result.get("type") is not None:
        return _whole(wire)
    return ToolResult(
        require(result, "toolUseId", str, at),
        [_as_inner(block) for block in parse_content(read(result, "content", list, at) or [], f"{at}content")],
        read(result, "status", str, at) == "error",
        opaque=keep_rest(result, "toolUseId", "content", "status"),
    )


def _as_inner(block: Block) -> TextBlock | ImageBlock | DocumentBlock | OpaqueBlock:
    if isinstance(block, TextBlock | ImageBlock | DocumentBlock | OpaqueBlock):
        return block
    return OpaqueBlock(NAME, render_block(block) or {})


def _whole(wire: JsonObject) -> Block:
    return OpaqueBlock(NAME, dict(wire))


# A thought without a signature goes back to the model that had it, and to no other.
UNSIGNED = {NAME: {"signature": None}}
PARSERS: dict[str, Callable[[JsonObject, str], Block]] = {
    "text": _parse_text, "json": _parse_json, "guardContent": _parse_guarded, "citationsContent": _parse_cited,
    "reasoningContent": _parse_thought, "toolUse": _parse_call, "toolResult": _parse_result,
}  # fmt: skip


# -- value to wire -----------------------------------------------------------------


def render_marked(block: Block) -> list[JsonObject]:
    """Write a block and the cache point behind it; nothing for what the service refuses."""
    wire = render_block(block)
    if not wire:
        return []
    mark = getattr(block, "cache_control", None)
    if isinstance(block, ToolResult):  # what it holds cannot be marked, only all of it
        inner = [getattr(part, "cache_control", None) for part in block.content]
        mark = mark or next((each for each in reversed(inner) if each), None)
    return [wire, render_mark(mark)] if mark else [wire]


def render_block(block: Block) -> JsonObject | None:
    """Write one block; `None` for words that are none and for thoughts this wire did not show."""
    match block:
        case TextBlock(text) | RefusalBlock(text):
            return dict(own_fields(block.opaque, NAME)) or ({"text": text} if text.strip() else None)
        case ThinkingBlock():
            return _render_thought(block)
        case ToolCall(id, name, arguments):
            own = own_fields(block.opaque, NAME)
            return {"toolUse": {"toolUseId": id, "name": name, "input": as_input(arguments), **own}}
        case ToolResult(call_id):
            content = [wire for inner in block.content if (wire := render_block(inner))]
            status = {"status": "error"} if block.is_error else {}
            return {
                "toolResult": {"toolUseId": call_id, "content": content, **status, **own_fields(block.opaque, NAME)}
            }
        case ImageBlock() | DocumentBlock() | AudioBlock() | VideoBlock():
            return render_media(block)
        case OpaqueBlock(api, value):
            return dict(value) if api == NAME else None


def _render_thought(block: ThinkingBlock) -> JsonObject | None:
    if block.redacted:
        return {"reasoningContent": {"redactedContent": block.signature}} if block.signature else None
    if not block.signature and not own_fields(block.opaque, NAME):
        return None
    signature = {"signature": block.signature} if block.signature else {}
    return {"reasoningContent": {"reasoningText": {"text": block.text, **signature}}}


def as_json(value: object) -> str:
    """Return a value as compact JSON text; raise `InvalidRequest` when it has none."""
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeError, RecursionError, TypeError) as error:
        raise wrong("input", f"is no JSON: {error}") from error
