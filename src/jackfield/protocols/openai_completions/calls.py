"""Tool calls of a stream, put together however a server cuts them.

Servers leave out the index or give every call index 0, repeat the name, send the id late or
never, or a call in one piece. What is known decides: an id seen before, then a new id, then
the index.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from jackfield.events import BlockDelta, BlockEnd
from jackfield.message import JsonObject, ToolCall
from jackfield.protocols.base import as_count, decode_object
from jackfield.protocols.fields import as_object, as_text, rest
from jackfield.protocols.openai_completions.block_writer import BlockWriter
from jackfield.protocols.openai_completions.fields import keep
from jackfield.protocols.openai_completions.merge import merge
from jackfield.protocols.openai_completions.message_parser import CALL_KEYS


class Call(Struct):
    """One call as far as it was heard; `block` is its index once its name is known."""

    id: str = ""
    name: str = ""
    pieces: list[str] = []  # of its arguments
    block: int | None = None
    fields: JsonObject = {}


class CallReader:
    """Turns `tool_calls` deltas into block events."""

    def __init__(self, blocks: BlockWriter) -> None:
        self.reply_id = ""
        self._blocks = blocks
        self._calls: list[Call] = []
        self._at: dict[object, Call] = {}  # wire index → the call it last meant

    @property
    def seen(self) -> bool:
        """Whether the reply calls any tool."""
        return bool(self._calls)

    def feed(self, delta: JsonObject) -> None:
        """Take one entry of `tool_calls`."""
        function = as_object(delta.get("function")) or as_object(delta.get("custom"))
        name = as_text(function.get("name"))
        call = self._pick(as_count(delta.get("index")), as_text(delta.get("id")), name)
        call.name = call.name or name
        if fields := rest(delta, CALL_KEYS):
            merge(call.fields, fields)
        if delta.get("type") == "custom" and delta.get("custom"):
            call.fields["type"] = "custom"
        self._add(call, function.get("arguments", function.get("input")))

    def _pick(self, index: object, call_id: str, name: str) -> Call:
        is_new_index = index is not None and index not in self._at and bool(name)
        known = None if is_new_index else next((c for c in self._calls if call_id and c.id == call_id), None)
        call = known or self._at.get(index) if index is not None else known
        if call is None and index is None and not call_id and self._calls:
            call = self._calls[-1]
        if call is None or (known is None and _is_another(call, call_id, name)):
            call = Call(call_id, fields={})
            self._calls.append(call)
        if not call.id and call_id:
            call.id = call_id
        self._at[index] = call
        return call

    def _add(self, call: Call, arguments: object) -> None:
        text = msgspec.json.encode(arguments).decode() if isinstance(arguments, dict) else as_text(arguments)
        call.pieces += [text] if text else []
        if call.block is not None:
            if text:
                self._blocks.out.add(BlockDelta(call.block, text))
        elif call.name and (call.id or call.pieces):
            self._start(call)

    def _start(self, call: Call) -> None:
        call.id = call.id or f"call_{self.reply_id}_{self._calls.index(call)}"
        call.block = self._blocks.out.start(ToolCall(call.id, call.name, "", None, keep(call.fields)))
        if call.pieces:
            self._blocks.out.add(BlockDelta(call.block, "".join(call.pieces)))

    def close(self, fields: JsonObject) -> JsonObject:
        """End all calls; the first carries the message's further fields, which are returned when there is none."""
        for call in self._calls:
            if call.block is None:
                self._start(call)
            if not call.pieces and call.block is not None:
                self._blocks.out.add(BlockDelta(call.block, "{}"))
            opaque, fields = {**call.fields, "message": fields or None}, {}
            self._blocks.out.add(BlockEnd(call.block or 0, None, keep(opaque)))
        return fields


def _is_another(call: Call, call_id: str, name: str) -> bool:
    """Say whether a piece under a call's index begins another call."""
    if not name:
        return False
    if call_id and call.id:
        return call_id != call.id
    return bool(call.pieces) and bool(call.name) and decode_object("".join(call.pieces)) is not None
