"""One block of a stream while it is open: what came so far, and the events that says."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from jackfield.events import BlockDelta, BlockEnd, BlockStart, StreamEvent
from jackfield.message import Block, JsonObject, OpaqueBlock, TextBlock, ThinkingBlock, ToolCall
from jackfield.protocols.anthropic_messages.blocks import as_json, parse_block
from jackfield.protocols.anthropic_messages.citations import parse_citations
from jackfield.protocols.anthropic_messages.wire import NAME
from jackfield.protocols.base import as_input, as_opaque, own_fields
from jackfield.protocols.fields import read

Events = Sequence[StreamEvent]


class OpenBlock:
    """Words, thoughts and arguments go out as they come; a server-side block when it is whole."""

    def __init__(self, index: int, wire: JsonObject, call_id: str) -> None:
        self.index = index
        self._wire = dict(wire)
        self._block: Block = parse_block(wire, "content_block.")
        self.is_text = isinstance(self._block, TextBlock)
        if isinstance(self._block, ToolCall) and not self._block.id:
            self._block = replace(self._block, id=call_id)
        self._arguments: list[str] = []
        self._grown: dict[str, list[str]] = {}  # text fields of a server-side block, piece by piece
        self._signature = self._block.signature if isinstance(self._block, ThinkingBlock) else None
        self._citations: list[object] = []

    def open(self) -> Events:
        """Return the events of the start; text in it counts as the first delta."""
        match self._block:
            case TextBlock(text):
                return [BlockStart(self.index, TextBlock("")), *self._more(text)]
            case ThinkingBlock(text):
                return [BlockStart(self.index, ThinkingBlock("", redacted=self._block.redacted)), *self._more(text)]
            case ToolCall():
                return [BlockStart(self.index, replace(self._block, arguments=""))]
            case _:
                return []

    def add(self, delta: JsonObject) -> Events:
        """Take a delta; one that is new to us, or does not fit the block, says nothing."""
        match self._block, delta.get("type"):
            case TextBlock(), "text_delta":
                return self._more(read(delta, "text", str) or "")
            case TextBlock(), "citations_delta":
                self._citations.append(delta.get("citation"))
            case ThinkingBlock(), "thinking_delta":
                return self._more(read(delta, "thinking", str) or "")
            case ThinkingBlock(), "signature_delta":
                self._signature = read(delta, "signature", str) or self._signature
            case ToolCall() | OpaqueBlock(), "input_json_delta":
                return self._add_arguments(delta)
            case OpaqueBlock(), _:
                self._grow(delta)
            case _:
                pass
        return []

    def close(self) -> Events:
        """Return the events of the end; arguments that came with the start, or not at all, come now."""
        match self._block:
            case TextBlock(opaque=opaque):
                own = self._with_citations(opaque)
                return [BlockEnd(self.index, None, as_opaque(own, NAME), parse_citations(own.get("citations")))]
            case ThinkingBlock(opaque=opaque):
                return [BlockEnd(self.index, self._signature, opaque)]
            case ToolCall(arguments=arguments):
                return [*([] if self._arguments else self._more(arguments)), BlockEnd(self.index)]
            case OpaqueBlock():
                return [BlockStart(self.index, self._whole()), BlockEnd(self.index)]
            case block:
                return [BlockStart(self.index, block), BlockEnd(self.index)]

    def _more(self, text: str) -> Events:
        return [BlockDelta(self.index, text)] if text else []

    def _add_arguments(self, delta: JsonObject) -> Events:
        given = delta.get("partial_json")
        text = as_json(given) if isinstance(given, dict) else read(delta, "partial_json", str) or ""
        self._arguments += [text] if text else []
        return self._more(text) if isinstance(self._block, ToolCall) else []

    def _grow(self, delta: JsonObject) -> None:
        # Block types that are new to us (a compaction's words, …) grow field by field.
        for name, value in delta.items():
            if name != "type" and isinstance(value, str):
                self._grown.setdefault(name, []).append(value)
            elif name != "type":
                self._wire[name] = value

    def _whole(self) -> OpaqueBlock:
        for name, parts in self._grown.items():
            held = self._wire.get(name)
            self._wire[name] = "".join([held, *parts] if isinstance(held, str) else parts)
        if self._arguments:
            self._wire["input"] = as_input("".join(self._arguments))
        return OpaqueBlock(NAME, self._wire)

    def _with_citations(self, opaque: JsonObject | None) -> JsonObject:
        own = own_fields(opaque, NAME)
        if self._citations:
            own = {**own, "citations": [*(own.get("citations") or []), *self._citations]}
        return own
