"""One reply made of two: a candidate goes on from the words another left off at. Pure.

Only plain words can be gone on from: a thought, a tool's call or JSON that breaks in the middle
means nothing without its rest, and no second model can know that rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import Block, ChatRequest, ChatResponse, Message, TextBlock, ThinkingBlock
from jackfield.protocols.estimate import estimate_output
from jackfield.routing.candidate import Candidate

MOST_BREAKS = 5  # of one reply; more is no reply


def may_continue(request: ChatRequest, heard: ChatResponse) -> bool:
    """Tell whether what was heard is plain words, and enough of them to go on from."""
    return request.response_format is None and bool(heard.text.strip()) and {*map(type, heard.content)} == {TextBlock}


def takes_prefill(candidate: Candidate) -> bool:
    """Tell whether a model is declared to go on from the start of an answer; nothing said means no."""
    return defaults.compat(candidate.model, candidate.info).assistant_prefill is True


def with_prefill(request: ChatRequest, heard: ChatResponse) -> ChatRequest:
    """Return the request that asks for the rest; what was said counts against the longest answer."""
    # A server may refuse an answer's start that ends in white space; the splice puts it back.
    said = Message.assistant(heard.text.rstrip(), model=None)
    left = request.max_tokens and max(request.max_tokens - estimate_output(heard), 1)
    return replace(request, messages=(*request.messages, said), max_tokens=left)


class Splice:
    """Turns the events of a continuing reply into the rest of the reply that broke."""

    def __init__(self, heard: ChatResponse, open_block: int | None) -> None:
        """Go on after `heard`, inside its block `open_block` where its last text has not ended."""
        self._open = open_block
        self._next = len(heard.content)
        self._gap = heard.text[len(heard.text.rstrip()) :]
        self._indices: dict[int, int] = {}  # the continuing reply's → the whole one's; who is not in it is not told

    def feed(self, event: StreamEvent, model: str) -> Iterator[StreamEvent]:
        """Yield what the caller is told of an event of `model`, who goes on."""
        match event:
            case MessageStart():
                return
            case BlockStart(index, block):
                yield from self._begin(index, block)
            case BlockDelta(index, text) if index in self._indices and (words := self._after_gap(text)):
                yield BlockDelta(self._indices[index], words)
            case BlockEnd(index) if index in self._indices:
                at = self._indices[index]
                self._open = None if at == self._open else self._open
                yield replace(event, index=at)
            case MessageEnd():
                if self._open is not None:
                    yield BlockEnd(self._open)
                yield replace(event, model=model)

    def _begin(self, index: int, block: Block) -> Iterator[StreamEvent]:
        if isinstance(block, ThinkingBlock):
            return  # thoughts on how to go on are no part of the answer
        if isinstance(block, TextBlock) and self._open is not None and self._open not in self._indices.values():
            self._indices[index] = self._open
            if words := self._after_gap(block.text):
                yield BlockDelta(self._open, words)
            return
        self._indices[index] = self._next
        self._next += 1
        yield BlockStart(self._indices[index], block)

    def _after_gap(self, text: str) -> str:
        """Return more words without the white space the caller already has."""
        while self._gap and text[:1].isspace():
            text, self._gap = text[1:], self._gap[1:]
        self._gap = "" if text else self._gap
        return text
