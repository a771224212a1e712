"""The plain piece of a streamed reply on this wire: words of a block."""

from __future__ import annotations

import msgspec

from jackfield.protocols.plain import Closed

KIND = "contentBlockDelta"


class _Delta(Closed, frozen=True):
    text: str


class _Event(Closed, frozen=True, rename="camel"):
    content_block_index: int
    delta: _Delta
    p: str = ""  # padding


PLAIN = msgspec.json.Decoder(_Event)
