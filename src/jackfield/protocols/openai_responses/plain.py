"""The plain piece of a streamed reply on this wire: words of a message, without their likelihood."""

from __future__ import annotations

from typing import Literal

import msgspec

from jackfield.protocols.plain import Closed

KIND = "response.output_text.delta"
HEAD = b"event: response.output_text.delta\ndata: "


class _Event(Closed, frozen=True):
    type: Literal["response.output_text.delta"]
    delta: str
    item_id: str = ""
    output_index: int | None = None
    content_index: int = 0
    sequence_number: int = 0
    logprobs: tuple[()] = ()
    obfuscation: str = ""


PLAIN = msgspec.json.Decoder(_Event)
