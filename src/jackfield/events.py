"""A reply as it comes: the events every wire's stream is read into, and what they add up to.

Pure data and addition. Events come in this order: a start, then blocks that open, grow and
end (several may be open at once), then an end. A broken stream raises instead of ending.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from jackfield.message import (
    Block,
    ChatResponse,
    Citation,
    FinishReason,
    JsonObject,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    TokenLogprob,
    ToolCall,
    Usage,
)


class MessageStart(Struct, frozen=True, tag="message_start"):
    """The reply begins. `usage` is what is known by now; the end's counts replace it."""

    id: str = ""
    model: str = ""
    extras: JsonObject = {}
    usage: Usage = Usage()


class BlockStart(Struct, frozen=True, tag="block_start"):
    """Block `index` opens; `block` holds what is known so far (often empty text)."""

    index: int
    block: Block


class BlockDelta(Struct, frozen=True, gc=False, tag="block_delta"):
    """More of an open block: words, thoughts, or the JSON text of a tool's arguments."""

    index: int
    text: str


class BlockEnd(Struct, frozen=True, tag="block_end"):
    """The block is complete; what its wire only says at the end comes here."""

    index: int
    signature: str | None = None
    opaque: JsonObject | None = None
    citations: Sequence[Citation] = ()


class MessageEnd(Struct, frozen=True, tag="message_end"):
    """The reply is complete. A stream that breaks raises instead, with `.partial`."""

    finish_reason: FinishReason = "stop"
    usage: Usage = Usage()
    raw_finish_reason: str | None = None
    extras: JsonObject = {}
    logprobs: Sequence[TokenLogprob] = ()
    id: str = ""  # the reply's id, where its wire names another than at the start
    model: str = ""  # who ended it, where that is another than who began


StreamEvent = MessageStart | BlockStart | BlockDelta | BlockEnd | MessageEnd


class Accumulator:
    """Adds stream events up to the reply they spell; `response()` also works on a broken stream."""

    def __init__(self) -> None:
        self._news: list[StreamEvent] = []  # added up when somebody asks
        self._start = MessageStart()
        self._blocks: dict[int, Block] = {}
        self._text: dict[int, list[str]] = {}
        self._end = MessageEnd()
        self._ended: set[int] = set()
        self.complete = False

    @property
    def open_block(self) -> int | None:
        """The last block that has begun and not ended."""
        self._add_up()
        return next((index for index in reversed(self._blocks) if index not in self._ended), None)

    def feed(self, event: StreamEvent) -> None:
        """Take the next event; blocks may interleave."""
        self._news.append(event)
        if type(event) is MessageEnd:
            self.complete = True

    def feed_all(self, events: Iterable[StreamEvent]) -> None:
        """Take the next events."""
        for event in events:
            self._news.append(event)
            if type(event) is MessageEnd:
                self.complete = True

    def response(self) -> ChatResponse:
        """Return the reply as far as it was heard."""
        self._add_up()
        return ChatResponse(
            id=self._end.id or self._start.id,
            model=self._end.model or self._start.model,
            content=[self._block(index) for index in sorted(self._blocks)],
            finish_reason=self._end.finish_reason,
            raw_finish_reason=self._end.raw_finish_reason,
            usage=self._end.usage if self.complete else self._start.usage,
            logprobs=self._end.logprobs,
            extras={**self._start.extras, **self._end.extras},
        )

    def _add_up(self) -> None:
        for event in self._news:
            match event:
                case BlockDelta(index, text):
                    self._text.setdefault(index, []).append(text)
                case MessageStart():
                    self._start = event
                case BlockStart(index, block):
                    self._blocks[index] = block
                case BlockEnd(index):
                    self._ended.add(index)
                    self._blocks[index] = _finish(self._blocks[index], event)
                case MessageEnd():
                    self._end = event
        self._news.clear()

    def _block(self, index: int) -> Block:
        block, more = self._blocks[index], "".join(self._text.get(index, ()))
        match block:
            case TextBlock() | ThinkingBlock() | RefusalBlock():
                return replace(block, text=block.text + more)
            case ToolCall():
                return replace(block, arguments=block.arguments + more)
            case _:
                return block


def split_events(response: ChatResponse) -> Iterable[StreamEvent]:
    """Say a whole reply as the stream events that add up to it."""
    yield MessageStart(response.id, response.model, response.extras)
    for index, block in enumerate(response.content):
        match block:
            case TextBlock(text):
                yield BlockStart(index, replace(block, text="", opaque=None, citations=()))
                yield from _deltas(index, text)
                yield BlockEnd(index, None, block.opaque, block.citations)
            case RefusalBlock(text):
                yield BlockStart(index, replace(block, text="", opaque=None))
                yield from _deltas(index, text)
                yield BlockEnd(index, None, block.opaque)
            case ThinkingBlock(text, signature):
                yield BlockStart(index, replace(block, text="", signature=None, opaque=None))
                yield from _deltas(index, text)
                yield BlockEnd(index, signature, block.opaque)
            case ToolCall():
                yield BlockStart(index, replace(block, arguments=""))
                yield from _deltas(index, block.arguments)
                yield BlockEnd(index)
            case _:
                yield BlockStart(index, block)
                yield BlockEnd(index)
    yield MessageEnd(response.finish_reason, response.usage, response.raw_finish_reason, logprobs=response.logprobs)


def _deltas(index: int, text: str) -> Iterable[StreamEvent]:
    if text:
        yield BlockDelta(index, text)


def _finish(block: Block, end: BlockEnd) -> Block:
    if isinstance(block, ThinkingBlock) and end.signature is not None:
        block = replace(block, signature=end.signature)
    if isinstance(block, TextBlock) and end.citations:
        block = replace(block, citations=(*block.citations, *end.citations))
    if end.opaque and not isinstance(block, OpaqueBlock):
        block = replace(block, opaque=_merged(block.opaque or {}, end.opaque))
    return block


def _merged(held: JsonObject, more: JsonObject) -> JsonObject:
    # Keyed by wire: what the end of a block adds joins what its start said.
    return {**held, **{api: {**held.get(api, {}), **fields} for api, fields in more.items()}}
