"""Streamed replies, written as the official clients read them with `alt=sse`.

Each chunk has the shape of a whole reply. A call is one part and waits for its end; so does
what a wire says late: a signature hangs on an empty part behind the words, sources and counts on the last chunk.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from jackfield.errors import Error
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import Block, Citation, JsonObject, RefusalBlock, TextBlock, ThinkingBlock, ToolCall
from jackfield.protocols.base import own_fields
from jackfield.protocols.fields import said
from jackfield.protocols.google_generative_ai.calls import render_call
from jackfield.protocols.google_generative_ai.errors import render_error
from jackfield.protocols.google_generative_ai.parts import SIGNATURE, SIGNED_FROM, render_part
from jackfield.protocols.google_generative_ai.response import own_candidates, render_extras, render_reason
from jackfield.protocols.google_generative_ai.sources import render_citations, render_logprobs
from jackfield.protocols.google_generative_ai.usage import render_usage
from jackfield.protocols.google_generative_ai.wire import NAME
from jackfield.protocols.sse import encode

ENCODER = msgspec.json.Encoder()


class StreamRenderer:
    """Turns events into a reply's bytes. One object per stream."""

    def __init__(self) -> None:
        self._head: JsonObject = {}
        self._words = _render_words({})  # a chunk of words, with a place for them
        self._extras: JsonObject = {}
        self._blocks: dict[int, Block] = {}
        self._texts: dict[int, list[str]] = {}  # of calls, until they end, and of words, for their sources
        self._sources: JsonObject = {}

    def feed(self, event: StreamEvent) -> bytes:
        """Return the bytes that say this event (may be empty)."""
        if type(event) is BlockDelta:  # nearly every event
            return self._grow(event.index, event.text)
        match event:
            case MessageStart(reply_id, model, extras):
                self._head = said({"modelVersion": model or None, "responseId": reply_id or None})
                self._words = _render_words(self._head)
                self._extras = extras
                return b""
            case BlockStart(index, block):
                return self._start(index, block)
            case BlockDelta():
                return b""
            case BlockEnd():
                return self._stop(event)
            case MessageEnd():
                return self._end(event)

    def close(self) -> bytes:
        """Return nothing: `MessageEnd` has ended the stream."""
        return b""

    def fail(self, error: Error) -> bytes:
        """Return the wire's own in-stream error; no finish reason follows it."""
        return encode(msgspec.json.encode(render_error(error)[1]))

    # -- blocks -------------------------------------------------------------------

    def _start(self, index: int, block: Block) -> bytes:
        self._blocks[index], self._texts[index] = block, []
        match block:
            case TextBlock(text=words) | RefusalBlock(text=words) | ThinkingBlock(text=words):
                return self._grow(index, words)
            case ToolCall(arguments=words):
                self._texts[index].append(words)
                return b""
            case _:
                return self._chunk(render_part(block))

    def _grow(self, index: int, text: str) -> bytes:
        block = self._blocks.get(index)
        if not text or block is None:
            return b""
        self._texts[index].append(text)
        match block:
            case TextBlock() | RefusalBlock():
                return self._words % ENCODER.encode(text)
            case ThinkingBlock():
                return self._chunk([{"text": text, "thought": True}])
            case _:
                return b""

    def _stop(self, event: BlockEnd) -> bytes:
        block, texts = self._blocks.get(event.index), self._texts.pop(event.index, [])
        own = {**own_fields(getattr(block, "opaque", None), NAME), **own_fields(event.opaque, NAME)}
        own.pop(SIGNED_FROM, None)
        match block:
            case ToolCall():
                return self._chunk([render_call(replace(block, arguments="".join(texts), opaque={NAME: own}))])
            case TextBlock():
                self._cite([*block.citations, *event.citations], "".join(texts))
                return self._chunk([{"text": "", **own}]) if SIGNATURE in own else b""
            case ThinkingBlock():
                signature = event.signature or block.signature
                return self._chunk([{"text": "", "thought": True, **own, SIGNATURE: signature}]) if signature else b""
            case _:
                return b""

    def _cite(self, citations: list[Citation], text: str) -> None:
        self._sources = render_citations(citations, text) or self._sources

    def _end(self, event: MessageEnd) -> bytes:
        extras = {**self._extras, **event.extras}
        own, others = own_candidates(extras)
        reason = render_reason(event.finish_reason, event.raw_finish_reason)
        first = {"finishReason": reason, **self._sources, **render_logprobs(event.logprobs), **own}
        usage = render_usage(event.usage)
        return self._chunk(
            [{"text": ""}], first, others, {**render_extras(extras), **({"usageMetadata": usage} if usage else {})}
        )

    def _chunk(
        self,
        parts: list[JsonObject],
        more: JsonObject | None = None,
        others: list[JsonObject] | None = None,
        top: JsonObject | None = None,
    ) -> bytes:
        if not parts:
            return b""
        candidate = {"content": {"parts": parts, "role": "model"}, "index": 0, **(more or {})}
        return encode(msgspec.json.encode({"candidates": [candidate, *(others or [])], **(top or {}), **self._head}))


def _render_words(head: JsonObject) -> bytes:
    """Write the chunk of words once; only they differ."""
    tail = ENCODER.encode(head).replace(b"%", b"%%")[1:] if head else b"}"
    words = b'{"candidates":[{"content":{"parts":[{"text":%s}],"role":"model"},"index":0}]'
    return encode(words + (b"," if head else b"") + tail)
