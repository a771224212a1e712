"""Streamed replies of this wire, written as OpenAI's own SDKs read them.

Every event has its number, every item its index and id; each block is an item of its own.
The last event repeats the whole reply.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from jackfield.errors import Error
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import Block, ChatResponse, JsonObject, RefusalBlock, TextBlock, ThinkingBlock, ToolCall
from jackfield.protocols.base import as_opaque
from jackfield.protocols.fields import as_list, as_text
from jackfield.protocols.openai_errors import render_error
from jackfield.protocols.openai_responses.item_renderer import render_items
from jackfield.protocols.openai_responses.response import (
    as_said,
    finish_item,
    finish_output,
    make_id,
    render_frame,
)
from jackfield.protocols.openai_responses.wire import NAME, own
from jackfield.protocols.sse import encode

ENCODER = msgspec.json.Encoder()


class _Sort(Struct, frozen=True):
    """How a kind of words is streamed."""

    said: str  # event of a piece, and of the whole when it ends in `done` instead of `delta`
    field: str  # of the whole
    at: str = ""  # the field that counts parts; empty: the item has none
    part: str = ""  # events around a part, before `added` and `done`
    kind: str = ""  # type of the part


TEXT = _Sort("response.output_text", "text", "content_index", "response.content_part", "output_text")
REFUSAL = _Sort("response.refusal", "refusal", "content_index", "response.content_part", "refusal")
SUMMARY = _Sort("response.reasoning_summary_text", "text", "summary_index", "response.reasoning_summary_part",
                "summary_text")  # fmt: skip
CONTENT = _Sort("response.reasoning_text", "text", "content_index", "response.content_part", "reasoning_text")
ARGUMENTS = _Sort("response.function_call_arguments", "arguments")
INPUT = _Sort("response.custom_tool_call_input", "input")


class _Open(Struct):
    """A block whose end has not come."""

    block: Block
    sort: _Sort
    item: JsonObject
    index: int  # of the item
    pieces: list[str]
    has_part: bool = False
    words: bytes = b""  # the event of more words, with places for its number and for them


class StreamRenderer:
    """Turns events into a reply's bytes. One object per stream."""

    def __init__(self) -> None:
        self._count = 0  # of events
        self._reply = ChatResponse()
        self._open: dict[int, _Open] = {}
        self._output: dict[int, JsonObject] = {}  # finished items, by index
        self._items = 0

    def feed(self, event: StreamEvent) -> bytes:
        """Return the bytes that say this event (may be empty)."""
        match event:
            case BlockDelta(index, text):
                return self._render_delta(index, text)
            case BlockStart(index, block):
                return self._render_start(index, block)
            case BlockEnd(index):
                return self._render_end(index, event)
            case MessageStart(reply_id, model, extras):
                self._reply = ChatResponse(id=reply_id, model=model, extras=extras)
                frame = render_frame(self._reply, [], "in_progress")
                return self._say("response.created", response=frame) + self._say("response.in_progress", response=frame)
            case MessageEnd():
                return self._render_message_end(event)

    def close(self) -> bytes:
        """Return the bytes that end the stream well; OpenAI sends none, Open Responses asks for them, all clients skip them."""
        return encode("[DONE]")

    def fail(self, error: Error) -> bytes:
        """Return the wire's own in-stream error; a broken reply never ends cleanly."""
        said = render_error(error)[1]["error"]
        # The API's reference has the words at the top, its SDK reads them from `error`, where the API puts them.
        out = self._say("error", code=said["code"], message=said["message"], param=said["param"], error=said)
        failed = render_frame(self._reply, [self._output[at] for at in sorted(self._output)], "failed")
        failed["error"] = {"code": said["code"] or "server_error", "message": said["message"]}
        return out + self._say("response.failed", response=failed)

    # -- blocks --------------------------------------------------------------------

    def _render_start(self, index: int, block: Block) -> bytes:
        items = render_items("assistant", [as_said(block)])
        if not items:
            return b""
        at, self._items = self._items, self._items + 1
        item = {"id": make_id(items[0], self._reply.id, at), **items[0]}
        sort = _pick_sort(block)
        if sort is None:
            self._output[at] = finish_item(item, item["id"])
            out = self._say("response.output_item.added", output_index=at, item={**item, "status": "in_progress"})
            return out + self._say("response.output_item.done", output_index=at, item=self._output[at])
        self._open[index] = _Open(block, sort, item, at, [])
        begun = {**item, "status": "in_progress", **_EMPTY[item["type"]]}
        out = self._say("response.output_item.added", output_index=at, item=begun)
        text = getattr(block, "text", "") or getattr(block, "arguments", "")
        return out + self._render_delta(index, text)

    def _render_delta(self, index: int, text: str) -> bytes:
        opened = self._open.get(index)
        if opened is None or not text:
            return b""
        out = b"" if opened.has_part else self._begin_part(opened)
        opened.pieces.append(text)
        out += opened.words % (self._count, ENCODER.encode(text))
        self._count += 1
        return out

    def _begin_part(self, opened: _Open) -> bytes:
        opened.has_part, opened.words = True, _render_words(opened)
        if not opened.sort.part:
            return b""
        return self._say(f"{opened.sort.part}.added", part=_render_part(opened.sort, ""), **_place(opened))

    def _render_end(self, index: int, end: BlockEnd) -> bytes:
        opened = self._open.pop(index, None)
        if opened is None:
            return b""
        text = "".join(opened.pieces)
        (whole,) = render_items("assistant", [_finish_block(opened.block, text, end)])
        item = finish_item({**whole, "id": opened.item["id"]}, "")
        self._output[opened.index] = item
        out = b""
        if opened.sort in {TEXT, REFUSAL} and not opened.has_part:
            out = self._begin_part(opened)
        if opened.has_part or not opened.sort.part:
            out += self._end_part(opened, text, item)
        return out + self._say("response.output_item.done", output_index=opened.index, item=item)

    def _end_part(self, opened: _Open, text: str, item: JsonObject) -> bytes:
        out, sort = b"", opened.sort
        part = _render_part(sort, text)
        if sort is TEXT:
            part = {**part, **item["content"][0]}
            for at, annotation in enumerate(as_list(part.get("annotations"))):
                place = {**_place(opened), "annotation_index": at, "annotation": annotation}
                out += self._say("response.output_text.annotation.added", **place)
        more: JsonObject = {"logprobs": []} if sort is TEXT else {"name": item["name"]} if sort is ARGUMENTS else {}
        out += self._say(f"{sort.said}.done", **{sort.field: item.get(sort.field, text)}, **_place(opened), **more)
        return out + (self._say(f"{sort.part}.done", part=part, **_place(opened)) if sort.part else b"")

    def _render_message_end(self, event: MessageEnd) -> bytes:
        reply = msgspec.structs.replace(
            self._reply,
            finish_reason=event.finish_reason,
            raw_finish_reason=event.raw_finish_reason,
            usage=event.usage,
            extras={**self._reply.extras, **event.extras},
            logprobs=event.logprobs,
        )
        output = finish_output([self._output[at] for at in sorted(self._output)], reply)
        frame = render_frame(reply, output)
        return self._say("response.incomplete" if frame["incomplete_details"] else "response.completed", response=frame)

    def _say(self, kind: str, **fields: Any) -> bytes:
        event = {"type": kind, "sequence_number": self._count, **fields}
        self._count += 1
        return encode(ENCODER.encode(event), kind)


# What of an item has not been said when it begins.
_EMPTY: dict[str, JsonObject] = {
    "message": {"content": []},
    "reasoning": {"summary": []},
    "function_call": {"arguments": ""},
    "custom_tool_call": {"input": ""},
}


def _render_words(opened: _Open) -> bytes:
    """Write the event of more words once; only its number and the words differ."""
    kind = f"{opened.sort.said}.delta"
    more: JsonObject = {"logprobs": []} if opened.sort is TEXT else {}
    place = ENCODER.encode({**_place(opened), **more}).replace(b"%", b"%%")
    head = b'{"type":"%s","sequence_number":%%d,"delta":%%s,' % kind.encode()
    return encode(head + place[1:], kind)


def _pick_sort(block: Block) -> _Sort | None:
    held = own(getattr(block, "opaque", None))
    match block:
        case TextBlock():
            return TEXT
        case RefusalBlock():
            return REFUSAL
        case ThinkingBlock():
            return CONTENT if held.get("field") == "content" else SUMMARY
        case ToolCall():
            return INPUT if held.get("type") == "custom" else ARGUMENTS
        case _:
            return None


def _place(opened: _Open) -> JsonObject:
    place = {"item_id": opened.item["id"], "output_index": opened.index}
    return {**place, opened.sort.at: 0} if opened.sort.at else place


def _render_part(sort: _Sort, text: str) -> JsonObject:
    more: JsonObject = {"annotations": [], "logprobs": []} if sort is TEXT else {}
    return {"type": sort.kind, sort.field: text, **more}


def _finish_block(block: Block, text: str, end: BlockEnd) -> Block:
    """Return the block with all that its end says."""
    opaque = as_opaque({**own(getattr(block, "opaque", None)), **own(end.opaque)}, NAME)
    match block:
        case TextBlock():
            return TextBlock(text, None, opaque, (*block.citations, *end.citations))
        case RefusalBlock():
            return RefusalBlock(text, opaque)
        case ThinkingBlock():
            return ThinkingBlock(text, end.signature or block.signature, block.redacted, opaque)
        case ToolCall():
            return ToolCall(block.id, block.name, text or as_text(block.arguments), None, opaque)
        case _:
            return block
