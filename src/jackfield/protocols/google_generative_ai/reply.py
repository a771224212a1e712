"""A reply as its chunks spell it: the one reader of whole answers and of streams.

A chunk has the shape of a whole answer. Parts of one kind are one block until a signature ends it;
every count replaces the one before. Candidates but the first stay in the reply's extras.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from jackfield.events import BlockEnd, MessageEnd, MessageStart
from jackfield.message import (
    Block,
    FinishReason,
    JsonObject,
    TextBlock,
    ThinkingBlock,
    TokenLogprob,
    ToolCall,
)
from jackfield.protocols.base import as_count, as_opaque, own_fields
from jackfield.protocols.fields import as_list, as_object, as_text, objects, read, rest, said
from jackfield.protocols.google_generative_ai.calls import CallIds
from jackfield.protocols.google_generative_ai.parts import SIGNATURE, SIGNED_FROM, parse_part
from jackfield.protocols.google_generative_ai.plain import Chunk
from jackfield.protocols.google_generative_ai.sources import parse_citations, parse_logprobs
from jackfield.protocols.google_generative_ai.usage import parse_usage
from jackfield.protocols.google_generative_ai.wire import NAME
from jackfield.protocols.outbox import Outbox

# What is no plain stop (ai.google.dev/api/generate-content#FinishReason, read 2026-11-21). A call that the
# model spelled wrong is a stop without a call.
REASONS: dict[str, FinishReason] = {
    "STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter", "PROHIBITED_CONTENT": "content_filter", "SPII": "content_filter",
    "LANGUAGE": "content_filter", "IMAGE_SAFETY": "content_filter", "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter", "MODEL_ARMOR": "content_filter",
}  # fmt: skip
FIRST = ("content", "finishReason", "index", "logprobsResult")  # of a candidate; the rest goes into the extras
TOP = ("candidates", "usageMetadata", "modelVersion", "responseId")


class _Open(Struct):
    """The words or thoughts that may still grow."""

    index: int
    block: TextBlock | ThinkingBlock
    length: int = 0
    signature: str | None = None
    signed_from: int = 0


class ReplyReader:
    """Takes a reply's chunks and says their events into an outbox."""

    def __init__(self, outbox: Outbox) -> None:
        self._out = outbox
        self._ids = CallIds()
        self._is_begun = False
        self._open: _Open | None = None
        self._texts: list[str] = []  # of the open block
        self._calls = 0
        self._usage: JsonObject = {}
        self._first: JsonObject = {}
        self._others: dict[int, JsonObject] = {}
        self._extras: JsonObject = {}
        self._logprobs: list[TokenLogprob] = []
        self._reason: str | None = None
        self._blocked: str | None = None

    @property
    def is_complete(self) -> bool:
        """Tell whether the reply has said why it ends."""
        return self._reason is not None or self._blocked is not None

    @property
    def is_answer(self) -> bool:
        """Tell whether there was a candidate, or the reason why there is none."""
        return bool(self._first) or self._blocked is not None

    @property
    def is_text(self) -> bool:
        """Tell whether a text without a signature is open."""
        return self._open is not None and self._open.signature is None and type(self._open.block) is TextBlock

    def read_words(self, chunk: Chunk) -> bool:
        """Add the words of a plain chunk to the open text; say whether there were any."""
        words, held = chunk.candidates[0].content.parts[0].text, self._open
        if not words or held is None:
            return False
        if chunk.usage_metadata:
            self._usage |= said(chunk.usage_metadata)
        self._out.grow(held.index, words)
        held.length += len(words)
        self._texts.append(words)
        return True

    def read(self, chunk: JsonObject) -> None:
        """Take a chunk; raise `InvalidRequest` naming a field of another type than the API's."""
        if usage := as_object(chunk.get("usageMetadata")):
            self._usage |= said(usage)
        if not self._is_begun:
            self._begin(read(chunk, "responseId", str) or "", read(chunk, "modelVersion", str) or "")
        self._extras |= rest(chunk, TOP)
        self._blocked = as_text(as_object(chunk.get("promptFeedback")).get("blockReason")) or self._blocked
        for at, candidate in objects(read(chunk, "candidates", list) or [], "candidates"):
            if index := as_count(candidate.get("index")) or 0:
                _merge_other(self._others.setdefault(index, {}), candidate)
            else:
                self._read_first(candidate, at)

    def end(self) -> None:
        """Say the ends: of the open block, of the reply."""
        self._close()
        if self._others or rest(self._first, FIRST):
            self._extras["candidates"] = [rest(self._first, FIRST), *self._others.values()]
        finish = REASONS.get(self._reason or "", "stop") if self._blocked is None else "content_filter"
        if finish == "stop" and self._calls:
            finish = "tool_calls"
        reason = self._reason or self._blocked
        self._out.add(MessageEnd(finish, parse_usage(self._usage), reason, self._extras, self._logprobs))

    def _begin(self, reply_id: str, model: str) -> None:
        self._is_begun = True
        self._ids.prefix = f"call_{reply_id}" if reply_id else "call"
        self._out.add(MessageStart(reply_id, model, usage=parse_usage(self._usage)))

    def _read_first(self, candidate: JsonObject, at: str) -> None:
        self._first |= {name: value for name, value in candidate.items() if value not in (None, {}, [])} or {"index": 0}
        self._reason = read(candidate, "finishReason", str, at) or self._reason
        self._logprobs += parse_logprobs(as_object(candidate.get("logprobsResult")))
        content = read(candidate, "content", dict, at) or {}
        for place, part in objects(read(content, "parts", list, f"{at}content.") or [], f"{at}content.parts"):
            if block := parse_part(part, place, self._ids):
                self._take(block)

    # -- blocks -------------------------------------------------------------------

    def _take(self, block: Block) -> None:
        if isinstance(block, TextBlock | ThinkingBlock):
            self._grow(block)
            return
        self._close()
        arguments = block.arguments if isinstance(block, ToolCall) else ""
        self._calls += isinstance(block, ToolCall)
        index = self._out.start(replace(block, arguments="") if isinstance(block, ToolCall) else block)
        self._out.grow(index, arguments)
        self._out.end(index)

    def _grow(self, block: TextBlock | ThinkingBlock) -> None:
        own = dict(own_fields(block.opaque, NAME))
        signature = block.signature if isinstance(block, ThinkingBlock) else own.pop(SIGNATURE, None)
        held = self._open
        if held is None or type(held.block) is not type(block) or held.signature or own:
            held = self._begin_block(block, own)
        self._out.grow(held.index, block.text)
        if signature:
            held.signature, held.signed_from = signature, held.length
        held.length += len(block.text)
        self._texts.append(block.text)

    def _begin_block(self, block: TextBlock | ThinkingBlock, own: JsonObject) -> _Open:
        self._close()
        empty: TextBlock | ThinkingBlock = TextBlock("", opaque=as_opaque(own, NAME))
        if isinstance(block, ThinkingBlock):
            empty = ThinkingBlock("", redacted=block.redacted, opaque=as_opaque(own, NAME))
        self._open = _Open(self._out.start(empty), empty)
        return self._open

    def _close(self) -> None:
        held, self._open = self._open, None
        text, self._texts = "".join(self._texts), []
        if held is None:
            return
        own: JsonObject = {SIGNED_FROM: held.signed_from} if held.signed_from else {}
        if isinstance(held.block, ThinkingBlock):
            self._out.add(BlockEnd(held.index, held.signature, as_opaque(own, NAME)))
            return
        own |= {SIGNATURE: held.signature} if held.signature else {}
        self._out.end(held.index, as_opaque(own, NAME), parse_citations(self._first, text))


def _merge_other(held: JsonObject, candidate: JsonObject) -> None:
    """Add a chunk of a candidate that we only keep: its parts follow each other, the rest is said anew."""
    parts = as_list(as_object(held.get("content")).get("parts")) + as_list(
        as_object(candidate.get("content")).get("parts")
    )
    held |= candidate
    if parts:
        held["content"] = {**as_object(candidate.get("content")), "parts": parts}
