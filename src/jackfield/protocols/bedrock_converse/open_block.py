"""One block of a stream while it is open: what came so far, and the events that says."""

from __future__ import annotations

import base64
import binascii

from jackfield.events import BlockEnd
from jackfield.message import Block, JsonObject, OpaqueBlock, TextBlock, ThinkingBlock, ToolCall
from jackfield.protocols.base import as_opaque, decode_object
from jackfield.protocols.bedrock_converse.blocks import UNSIGNED, parse_block
from jackfield.protocols.bedrock_converse.citations import parse_citations
from jackfield.protocols.bedrock_converse.wire import NAME
from jackfield.protocols.fields import as_list, as_object, as_text
from jackfield.protocols.outbox import Outbox


class OpenBlock:
    """Words, thoughts and arguments go out as they come; a file, or what a tool of the service says, when it is whole.

    Only a tool's block has a start of its own: any other is what its first delta says.
    """

    def __init__(self, start: JsonObject, call_id: str) -> None:
        self._whole = {kind: dict(value) for kind, value in start.items() if isinstance(value, dict)}
        self._call_id = call_id
        self._at: int | None = None  # our index, once the block is open
        self._block: Block | None = None
        self._text: list[str] = []
        self._signature: list[str] = []
        self._citations: list[JsonObject] = []

    def open(self, out: Outbox) -> None:
        """Say a call of the caller's tools; it has its name from the start."""
        call = self._whole.get("toolUse", {})
        if call and call.get("type") is None:
            call_id = as_text(call.get("toolUseId")) or self._call_id
            self._start(out, ToolCall(call_id, as_text(call.get("name")), ""))

    def say(self, text: str, out: Outbox) -> bool:
        """Say more of a text that has begun; say whether the block is one."""
        if self._at is None or type(self._block) is not TextBlock:
            return False
        self._text.append(text)
        out.grow(self._at, text)
        return True

    def add(self, delta: JsonObject, out: Outbox) -> None:
        """Take a delta; one that is new to us, or does not fit the block, says nothing."""
        match next(iter(delta), None):
            case "text":
                self._grow(out, TextBlock(""), as_text(delta["text"]))
            case "reasoningContent":
                self._think(out, as_object(delta["reasoningContent"]))
            case "toolUse" if isinstance(self._block, ToolCall) or "toolUse" in self._whole:
                self._grow(out, None, as_text(as_object(delta["toolUse"]).get("input")))
            case "citation":
                self._citations.append(as_object(delta["citation"]))
            case "toolResult" if "toolResult" in self._whole:
                held = self._whole["toolResult"].setdefault("content", [])
                held += as_list(delta["toolResult"])
            case "image" if "image" in self._whole:
                self._join_image(as_object(delta["image"]))
            case _:
                pass

    def close(self, out: Outbox) -> None:
        """Say the end; a block that is only said whole, and a call without arguments, come now."""
        if self._at is None and self._citations:
            self._start(out, TextBlock(""))
        if self._at is None:
            if self._whole:
                self._at = out.start(self._say_whole())
                out.add(BlockEnd(self._at))
            return
        if isinstance(self._block, ToolCall) and not self._text:
            out.grow(self._at, "{}")
        out.add(self._end(self._at))

    def _think(self, out: Outbox, delta: JsonObject) -> None:
        data, signature = as_text(delta.get("redactedContent")), as_text(delta.get("signature"))
        self._signature += [data or signature] if data or signature else []
        if data:
            self._grow(out, ThinkingBlock("", redacted=True), "")
        elif "text" in delta or signature:
            self._grow(out, ThinkingBlock(""), as_text(delta.get("text")))

    def _grow(self, out: Outbox, block: Block | None, text: str) -> None:
        if self._at is None and block is not None:
            self._start(out, block)
        self._text += [text] if text else []
        if self._at is not None:
            out.grow(self._at, text)

    def _start(self, out: Outbox, block: Block) -> None:
        self._block, self._at = block, out.start(block)

    def _end(self, at: int) -> BlockEnd:
        match self._block:
            case ThinkingBlock(redacted=redacted):
                signature = _joined(self._signature) if redacted else "".join(self._signature)
                return BlockEnd(at, signature or None, None if signature else UNSIGNED)
            case TextBlock() if self._citations:
                cited = {"content": [{"text": "".join(self._text)}], "citations": self._citations}
                opaque = as_opaque({"citationsContent": cited}, NAME)
                return BlockEnd(at, None, opaque, parse_citations(self._citations))
            case _:
                return BlockEnd(at)

    def _say_whole(self) -> Block:
        if "toolUse" in self._whole:
            self._whole["toolUse"]["input"] = decode_object("".join(self._text)) or {}
        if "image" in self._whole:
            return parse_block(self._whole, "contentBlockStart.start.")
        return OpaqueBlock(NAME, dict(self._whole))

    def _join_image(self, delta: JsonObject) -> None:
        source = self._whole["image"].setdefault("source", {})
        for name, value in as_object(delta.get("source")).items():
            held = source.get(name)
            source[name] = _joined([held, value]) if isinstance(held, str) and isinstance(value, str) else value


def _joined(pieces: list[str]) -> str:
    """Return the base64 of what the pieces hold together: each may end in padding of its own."""
    if len(pieces) < 2:
        return "".join(pieces)
    try:
        return base64.b64encode(b"".join(base64.b64decode(piece, validate=True) for piece in pieces)).decode()
    except (binascii.Error, ValueError):
        return "".join(pieces)
