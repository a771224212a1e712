"""What a stream's parser has to say so far: events, and the error that ends them.

An error waits until the words before it are out, so that no cut of the bytes costs a word; it
carries the reply as far as it was heard.
"""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.errors import Error
from jackfield.events import Accumulator, BlockDelta, BlockEnd, BlockStart, StreamEvent
from jackfield.message import Block, Citation, JsonObject


class Outbox:
    """Numbers blocks and collects events; `take` empties it."""

    def __init__(self) -> None:
        self.error: Error | None = None
        self._events: list[StreamEvent] = []
        self._heard: list[StreamEvent] = []
        self._blocks = 0

    def add(self, event: StreamEvent) -> None:
        """Say an event."""
        self._events.append(event)

    def start(self, block: Block) -> int:
        """Open a block and return its index."""
        self.add(BlockStart(self._blocks, block))
        self._blocks += 1
        return self._blocks - 1

    def grow(self, index: int, text: str) -> None:
        """Say more of a block; no text says nothing."""
        if text:
            self.add(BlockDelta(index, text))

    def end(self, index: int, opaque: JsonObject | None = None, citations: Sequence[Citation] = ()) -> None:
        """End a block."""
        self.add(BlockEnd(index, None, opaque, citations))

    def fail(self, error: Error) -> None:
        """Hold the error that ends the stream; the first one counts."""
        if self.error is not None:
            return
        heard = Accumulator()
        for event in (*self._heard, *self._events):
            heard.feed(event)
        error.partial = heard.response()
        self.error = error

    def take(self) -> tuple[StreamEvent, ...]:
        """Return the events since the last call; raise the error once there are none."""
        if self.error is not None and not self._events:
            raise self.error
        events, self._events = tuple(self._events), []
        self._heard += events
        return events
