"""Streamed replies of this wire, written as OpenAI's own SDKs read them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jackfield.errors import Error
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import AudioBlock, Block, ImageBlock, JsonObject, RefusalBlock, ThinkingBlock, ToolCall
from jackfield.protocols.base import NATIVE
from jackfield.protocols.fields import as_list, as_object, rest
from jackfield.protocols.openai_completions.citations import render_annotation
from jackfield.protocols.openai_completions.fields import own
from jackfield.protocols.openai_completions.logprobs import render_logprobs
from jackfield.protocols.openai_completions.message_renderer import render_call
from jackfield.protocols.openai_completions.parts import render_part
from jackfield.protocols.openai_completions.reasoning import DETAILS, field_of, render_details
from jackfield.protocols.openai_completions.response import FOREIGN
from jackfield.protocols.openai_completions.usage import render_usage
from jackfield.protocols.openai_errors import render_error
from jackfield.protocols.sse import encode

ENCODER = msgspec.json.Encoder()
WORDS = b'[{"index":0,"delta":{"content":%s},"finish_reason":null}]}'


class StreamRenderer:
    """Turns events into a reply's bytes. One object per stream.

    `include_usage` adds the chunk that counts tokens, which some clients want only when they asked.
    `names_pieces` gives every piece of a call a name, an empty one: Mistral's client refuses a piece
    without, and others take an empty name for the call's.
    """

    def __init__(self, include_usage: bool = True, names_pieces: bool = False) -> None:
        self._include_usage = include_usage
        self._unnamed: JsonObject = {"name": ""} if names_pieces else {}
        self._head: frozenset[str] = frozenset()
        self._prefix = b'{"choices":'
        self._words = encode(self._prefix + WORDS)  # with a place for the words
        self._blocks: dict[int, Block] = {}
        self._thoughts: dict[int, list[str]] = {}
        self._length = 0  # of the words so far, and where each block of them began
        self._starts: dict[int, int] = {}
        self._calls: dict[int, int] = {}  # block index → the wire's index of the call
        self._listed = {"annotations": 0, "images": 0}  # entries so far; OpenAI's client adds lists up by their index

    def feed(self, event: StreamEvent) -> bytes:
        """Return the bytes that say this event (may be empty)."""
        if type(event) is BlockDelta and event.index in self._starts:
            # Nearly every event; its bytes are those that `_delta` would write.
            self._length += len(event.text)
            return self._words % ENCODER.encode(event.text)
        match event:
            case BlockDelta(index, text):
                return self._delta(self._render_delta(index, text))
            case BlockStart(index, block):
                self._blocks[index] = block
                return self._delta(self._render_start(index, block))
            case BlockEnd():
                return self._delta(self._render_end(event))
            case MessageStart(reply_id, model, extras):
                head = {"id": reply_id, "object": "chat.completion.chunk", "created": 0, "model": model}
                head.update(rest(extras, ("choices", "message", "usage", *FOREIGN)))
                self._head, self._prefix = frozenset(head), ENCODER.encode(head)[:-1] + b',"choices":'
                self._words = encode(self._prefix.replace(b"%", b"%%") + WORDS)
                return self._delta({"role": "assistant", "content": ""})
            case MessageEnd():
                return self._render_message_end(event)

    def close(self) -> bytes:
        """Return the bytes that end the stream well."""
        return encode("[DONE]")

    def fail(self, error: Error) -> bytes:
        """Return the wire's own in-stream error; a broken reply never ends cleanly."""
        return encode(ENCODER.encode(render_error(error)[1]))

    def _render_start(self, index: int, block: Block) -> JsonObject:
        match block:
            case ToolCall():
                self._calls[index] = len(self._calls)
                wire = render_call(block)
                wire[_kind(block)].update(_arguments(block))
                return {"tool_calls": [{"index": self._calls[index], **wire}]}
            case ThinkingBlock(text):
                return self._render_delta(index, text) if text else {}
            case ImageBlock():
                return self._list("images", [render_part(block, NATIVE) or {}])
            case AudioBlock():
                data = {} if block.data is None else {"data": block.data}
                return {"audio": {**as_object(own(block.opaque).get("audio")), **data}}
            case _:
                return self._render_delta(index, text) if (text := getattr(block, "text", "")) else {}

    def _render_delta(self, index: int, text: str) -> JsonObject:
        match self._blocks.get(index):
            case ToolCall() as call:
                part = {"input": text} if _is_custom(call) else {**self._unnamed, "arguments": text}
                return {"tool_calls": [{"index": self._calls[index], _kind(call): part}]}
            case ThinkingBlock() as block:
                self._thoughts.setdefault(index, []).append(text)
                return {field_of(block): text}
            case RefusalBlock():
                return {"refusal": text}
            case _:
                self._starts.setdefault(index, self._length)
                self._length += len(text)
                return {"content": text}

    def _render_end(self, event: BlockEnd) -> JsonObject:
        index, signature, opaque = event.index, event.signature, event.opaque
        block = self._blocks.get(index)
        if isinstance(block, ThinkingBlock):
            words = "".join(self._thoughts.pop(index, ()))
            held = own(opaque) or own(block.opaque)
            whole = ThinkingBlock(words, signature or block.signature, not words, {**(opaque or block.opaque or {})})
            details = as_list(held.get("details")) or render_details(index, whole)
            return {DETAILS: details} if details else {}
        more = {**own(getattr(block, "opaque", None)), **own(opaque)}
        message = as_object(more.pop("message", None))
        if isinstance(block, ToolCall) and (fields := rest(more, ("type",))):
            return {"tool_calls": [{"index": self._calls[index], **fields}], **message}
        return {**self._render_citations(event), **message}

    def _render_citations(self, event: BlockEnd) -> JsonObject:
        start, length = self._starts.get(event.index, 0), self._length
        wires = [render_annotation(one, start, length - start) for one in event.citations if one.url]
        return self._list("annotations", wires)

    def _list(self, name: str, wires: Sequence[JsonObject]) -> JsonObject:
        start, self._listed[name] = self._listed[name], self._listed[name] + len(wires)
        return {name: [{"index": start + at, **wire} for at, wire in enumerate(wires)]} if wires else {}

    def _render_message_end(self, event: MessageEnd) -> bytes:
        first, *others = as_list(event.extras.get("choices")) or [{}]
        message = as_object(event.extras.get("message"))
        out = self._delta(message)
        if event.logprobs:
            first = {"logprobs": render_logprobs(event.logprobs), **as_object(first)}
        out += self._chunk([{**as_object(first), "index": 0, "delta": {}, "finish_reason": event.finish_reason}])
        for other in others:
            out += self._chunk([{**rest(other, ("message",)), "delta": as_object(other.get("message"))}])
        left = rest(event.extras, ("choices", "message", *FOREIGN, *self._head))
        usage = render_usage(event.usage) if self._include_usage else {}
        if usage or left:
            out += self._chunk([], {**left, **({"usage": usage} if usage else {})})
        return out

    def _delta(self, delta: JsonObject) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "finish_reason": None}]) if delta else b""

    def _chunk(self, choices: list[JsonObject], more: JsonObject | None = None) -> bytes:
        tail = b"," + ENCODER.encode(more)[1:] if more else b"}"
        return encode(self._prefix + ENCODER.encode(choices) + tail)


def _arguments(block: ToolCall) -> JsonObject:
    # A call starts with no arguments here, where a whole one has at least `{}`.
    return {"input" if _is_custom(block) else "arguments": block.arguments}


def _kind(block: ToolCall) -> str:
    return "custom" if _is_custom(block) else "function"


def _is_custom(block: ToolCall) -> bool:
    return own(block.opaque).get("type") == "custom"
