"""A reply that is held back until it is whole, so that another may stand in unseen should it break."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.events import BlockDelta, MessageEnd, MessageStart, StreamEvent

HELD_LIMIT = 8_000_000  # characters; a longer reply is handed on from there


class WhenWhole:
    """Tells when a reply that is held back may be handed on: when it is whole, or too long to be held."""

    def __init__(self) -> None:
        self._size = 0

    def __call__(self, batch: Sequence[StreamEvent]) -> bool:
        """Tell whether everything up to here may be handed on."""
        for event in batch:
            if isinstance(event, MessageStart):
                self._size = 0  # another try
            elif isinstance(event, BlockDelta):
                self._size += len(event.text)
        return self._size > HELD_LIMIT or any(isinstance(event, MessageEnd) for event in batch)
