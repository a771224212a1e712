"""Parts, both ways: what a turn's content is made of.

A thought's signature may hang on a part of any kind; it stays in that block's `opaque` (a
thought's in its `signature`) and goes back on the very part. Parts that no block of ours
names (code that was run, other tools of the server) stay whole in an `OpaqueBlock`.
"""

from __future__ import annotations

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
from jackfield.protocols.base import own_fields
from jackfield.protocols.fields import read, said
from jackfield.protocols.google_generative_ai.calls import CallIds, parse_call, parse_result, render_call
from jackfield.protocols.google_generative_ai.media import parse_medium, render_medium
from jackfield.protocols.google_generative_ai.wire import NAME, keep_rest

SIGNATURE = "thoughtSignature"
# Where in a block joined from several parts the one begins that is signed.
SIGNED_FROM = "signedFrom"


def parse_part(wire: JsonObject, at: str, ids: CallIds) -> Block | None:
    """Read one part, `None` for one that says nothing; raise `InvalidRequest` naming the field that is wrong."""
    is_thought = read(wire, "thought", bool, at) is True
    match said(wire):
        case {"text": _}:
            return _parse_text(wire, at, is_thought=is_thought)
        case {"inlineData": _} | {"fileData": _} if not is_thought:
            return parse_medium(said(wire), at)
        case {"functionCall": _}:
            return parse_call(wire, at, ids)
        case {"functionResponse": _}:
            return parse_result(wire, at, ids)
        case {"thought": _, **more} if not more:
            return None
        case whole:  # a picture that is but a draft, code that was run, …
            return OpaqueBlock(NAME, whole) if whole else None


def _parse_text(wire: JsonObject, at: str, *, is_thought: bool) -> Block | None:
    text, signature = read(wire, "text", str, at) or "", read(wire, SIGNATURE, str, at) or None
    if not text and not signature:
        return None
    if is_thought:
        return ThinkingBlock(text, signature, not text, keep_rest(wire, "text", "thought", SIGNATURE))
    return TextBlock(text, opaque=keep_rest(wire, "text", "thought"))


def render_part(block: Block) -> list[JsonObject]:
    """Write a block's parts; none when this wire has no place for it. Results are not written here."""
    match block:
        case ToolCall():
            return [render_call(block)]
        case TextBlock(text):
            return _render_text(text, dict(own_fields(block.opaque, NAME)))
        case RefusalBlock(text):
            return [{"text": text}] if text else []
        case ThinkingBlock(text, signature):
            signed = {SIGNATURE: signature} if signature else {}
            return _render_text(text, {"thought": True, **signed, **own_fields(block.opaque, NAME)})
        case ImageBlock() | DocumentBlock() | AudioBlock() | VideoBlock():
            wire = render_medium(block)
            return [wire] if wire else []
        case OpaqueBlock(api, value):
            return [dict(value)] if api == NAME else []
        case ToolResult():
            return []


def _render_text(text: str, own: JsonObject) -> list[JsonObject]:
    start = own.pop(SIGNED_FROM, 0)
    if isinstance(start, int) and 0 < start <= len(text):
        unsigned = {name: value for name, value in own.items() if name != SIGNATURE}
        return [{"text": text[:start], **unsigned}, {"text": text[start:], **own}]
    return [{"text": text, **own}] if text or SIGNATURE in own else []
