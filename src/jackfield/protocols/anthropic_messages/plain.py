"""The plain piece of a streamed reply on this wire: words of a text block."""

from __future__ import annotations

from typing import Literal

import msgspec

from jackfield.protocols.plain import Closed

KIND = "content_block_delta"
HEAD = b"event: content_block_delta\ndata: "


class _Delta(Closed, frozen=True):
    type: Literal["text_delta"]
    text: str


class _Event(Closed, frozen=True):
    type: Literal["content_block_delta"]
    index: int
    delta: _Delta


PLAIN = msgspec.json.Decoder(_Event)
