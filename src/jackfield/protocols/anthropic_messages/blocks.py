"""Content blocks, both ways: what a request's messages and a reply's content are made of.

Server-side tools and every block type this module does not know stay whole in an
`OpaqueBlock`; unknown fields of a known block stay in its `opaque`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from jackfield.message import (
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
)
from jackfield.protocols.anthropic_messages.citations import as_sent, parse_citations, render_cited
from jackfield.protocols.anthropic_messages.wire import NAME, keep_rest
from jackfield.protocols.base import as_input, own_fields
from jackfield.protocols.dataurl import split_data_url
from jackfield.protocols.fields import objects, read, require, wrong

# -- wire to value -----------------------------------------------------------------


def parse_content(wire: JsonObject, at: str) -> list[Block]:
    """Read a `content` that is a string or a list of blocks; none when there is none."""
    content = wire.get("content")
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [TextBlock(content)]
    if not isinstance(content, list):
        raise wrong(f"{at}content", "must be a string or a list of blocks")
    return [parse_block(block, place) for place, block in objects(content, f"{at}content")]


def parse_block(wire: JsonObject, at: str = "") -> Block:
    """Read one block; raise `InvalidRequest` naming the field that is wrong."""
    cache_control = read(wire, "cache_control", dict, at)
    match require(wire, "type", str, at):
        case "text":
            opaque = keep_rest(wire, "type", "text", "cache_control")
            citations = parse_citations(wire.get("citations"))
            return TextBlock(read(wire, "text", str, at) or "", cache_control, opaque, citations)
        case "thinking":
            signature = read(wire, "signature", str, at) or None
            opaque = keep_rest(wire, "type", "thinking", "signature")
            return ThinkingBlock(read(wire, "thinking", str, at) or "", signature, opaque=opaque)
        case "redacted_thinking":
            return ThinkingBlock("", read(wire, "data", str, at), redacted=True, opaque=keep_rest(wire, "type", "data"))
        case "tool_use":
            return _parse_tool_use(wire, at)
        case "tool_result":
            return _parse_tool_result(wire, at)
        case "image" | "document" as kind:
            return _parse_media(wire, kind, at)
        case _:
            return OpaqueBlock(NAME, wire)


def _parse_tool_use(wire: JsonObject, at: str) -> ToolCall:
    given = wire.get("input")  # some servers hand over the text
    arguments = given if isinstance(given, str) else as_json(read(wire, "input", dict, at) or {})
    name, opaque = read(wire, "name", str, at) or "", keep_rest(wire, "type", "id", "name", "input", "cache_control")
    return ToolCall(read(wire, "id", str, at) or "", name, arguments, wire.get("cache_control"), opaque)


def _parse_tool_result(wire: JsonObject, at: str) -> ToolResult:
    content = parse_content(wire, at)
    for index, block in enumerate(content):
        if not isinstance(block, TextBlock | ImageBlock | DocumentBlock | OpaqueBlock):
            raise wrong(f"{at}content[{index}].type", "is no content of a tool result")
    return ToolResult(
        call_id=read(wire, "tool_use_id", str, at) or "",
        content=content,  # type: ignore[arg-type]  # the loop above has looked at each
        is_error=read(wire, "is_error", bool, at) or False,
        cache_control=wire.get("cache_control"),
        opaque=keep_rest(wire, "type", "tool_use_id", "content", "is_error", "cache_control"),
    )


def _parse_media(wire: JsonObject, kind: str, at: str) -> ImageBlock | DocumentBlock:
    source = require(wire, "source", dict, at)
    known = ["type", "cache_control", "source", *(["title"] if kind == "document" else [])]
    match source:
        case {"type": form, "media_type": str(media_type), "data": str(data)} if form == _form(media_type):
            given = {"media_type": media_type, "data": data}
        case {"type": "url", "url": str(url)}:
            given = {"url": url}
        case _:  # a file's id, a document made of blocks: the source stays whole
            given = {}
            known.remove("source")
    opaque, cache_control = keep_rest(wire, *known), wire.get("cache_control")
    if kind == "image":
        return ImageBlock(**given, cache_control=cache_control, opaque=opaque)
    return DocumentBlock(**given, name=read(wire, "title", str, at), cache_control=cache_control, opaque=opaque)


# -- value to wire -----------------------------------------------------------------


def render_content(blocks: Iterable[Block]) -> list[JsonObject]:
    """Write a message's blocks, without what the API would refuse."""
    return [as_sent(wire) for block in blocks if (wire := render_block(block)) and not _is_refused(wire)]


def render_block(block: Block) -> JsonObject | None:
    """Write one block; `None` when this wire has no place for it (`find_losses` names those)."""
    wire = _render_form(block)
    mark = getattr(block, "cache_control", None)  # thoughts, refusals and opaque blocks have none
    return {**wire, "cache_control": mark} if wire and mark else wire


def _render_form(block: Block) -> JsonObject | None:
    match block:
        case TextBlock(text):
            return {"type": "text", "text": text, **_own(block), **render_cited(block)}
        case RefusalBlock(text):
            return {"type": "text", "text": text, **_own(block)}
        case ThinkingBlock(_, signature, redacted=True):
            return {"type": "redacted_thinking", "data": signature, **_own(block)} if signature else None
        case ThinkingBlock(text, signature):
            return {"type": "thinking", "thinking": text, "signature": signature or "", **_own(block)}
        case ToolCall(id, name, arguments):
            return {"type": "tool_use", "id": id, "name": name, "input": as_input(arguments), **_own(block)}
        case ToolResult():
            return _render_tool_result(block)
        case ImageBlock() | DocumentBlock():
            return _render_media(block)
        case OpaqueBlock(api, value) if api == NAME:
            return dict(value)
        case _:
            return None


def _render_media(block: ImageBlock | DocumentBlock) -> JsonObject | None:
    wire: JsonObject = {"type": "image" if isinstance(block, ImageBlock) else "document"}
    url, data, media_type = block.url, block.data, block.media_type
    if data is None and url:  # a picture in its address: the wire takes it only as data
        typed, data, url = split_data_url(url)
        media_type = typed or media_type
    if data is not None:
        form = _form(media_type)
        wire["source"] = {"type": form, "media_type": "text/plain" if form == "text" else media_type, "data": data}
    elif url:
        wire["source"] = {"type": "url", "url": url}
    if isinstance(block, DocumentBlock) and block.name:
        wire["title"] = block.name
    wire |= _own(block)
    return wire if "source" in wire else None


def _render_tool_result(block: ToolResult) -> JsonObject:
    wire: JsonObject = {"type": "tool_result", "tool_use_id": block.call_id}
    match block.content:
        case [TextBlock(text, None, None)] if text.strip():
            wire["content"] = text
        case content:
            wire["content"] = [part for part in map(render_block, content) if part and not is_blank(part)]
    if block.is_error:
        wire["is_error"] = True
    return {**{name: value for name, value in wire.items() if value != []}, **_own(block)}


def is_blank(wire: JsonObject) -> bool:
    """Tell a text block without words: the API answers 400 to `text content blocks must contain non-whitespace text`."""
    return wire.get("type") == "text" and not str(wire.get("text", "")).strip()


def _is_refused(wire: JsonObject) -> bool:
    # A signature that is missing is refused, a thought that is missing is not.
    return is_blank(wire) or (wire.get("type") == "thinking" and not wire.get("signature"))


def as_json(value: JsonObject) -> str:
    """Return an object as compact JSON text; raise `InvalidRequest` when it has none."""
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeError, RecursionError, TypeError) as error:
        raise wrong("input", f"is no JSON: {error}") from error


def _form(media_type: str) -> str:
    return "text" if media_type.startswith("text/") else "base64"


def _own(block: Block) -> JsonObject:
    return {} if isinstance(block, OpaqueBlock) else own_fields(block.opaque, NAME)
