"""The plain piece of a streamed reply on this wire: words, with the counts that come along; bare or in Cloud Code's envelope."""

from __future__ import annotations

from typing import Literal

import msgspec

from jackfield.message import JsonObject
from jackfield.protocols.plain import Closed


class _Part(Closed, frozen=True):
    text: str


class _Content(Closed, frozen=True):
    parts: tuple[_Part]
    role: str = ""


class _Candidate(Closed, frozen=True):
    content: _Content
    index: Literal[0] = 0


class Chunk(Closed, frozen=True, rename="camel"):
    """Words of the first candidate."""

    candidates: tuple[_Candidate]
    usage_metadata: JsonObject | None = None
    model_version: str = ""
    response_id: str = ""

    @property
    def chunk(self) -> Chunk:
        """Return itself: it is in no envelope."""
        return self


class _Envelope(Closed, frozen=True):
    """The same as Cloud Code says it."""

    response: Chunk
    traceId: str = ""  # noqa: N815  # the wire's word

    @property
    def chunk(self) -> Chunk:
        return self.response


PLAIN: msgspec.json.Decoder[Chunk | _Envelope] = msgspec.json.Decoder(Chunk)
WRAPPED: msgspec.json.Decoder[Chunk | _Envelope] = msgspec.json.Decoder(_Envelope)
