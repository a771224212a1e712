"""Texts as vectors: what is asked and what comes back.

Pure data. Vectors of different models do not compare, so an answer always says whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from jackfield.block import JsonObject, as_tuple
from jackfield.message import Usage

# What the vectors are for; models that tell the difference give better ones for it.
Purpose = Literal["query", "document", "classification", "clustering", "similarity"]
Encoding = Literal["float", "base64"]
Vector = tuple[float, ...]


class EmbedRequest(Struct, frozen=True, kw_only=True):
    """Texts to turn into vectors; `None` means: not said, the provider's default holds."""

    model: str  # `provider/model` for the client; the wire's own id for a codec
    inputs: Sequence[str | Sequence[int]] = ()  # words, or the tokens they are (OpenAI's wire alone)
    dimensions: int | None = None  # how long the vectors shall be
    purpose: Purpose | None = None
    encoding: Encoding | None = None  # how the wire writes them; read ones are always numbers
    user: str | None = None
    extras: JsonObject = {}  # further fields of the body, as the asked server knows them

    def __post_init__(self) -> None:
        as_tuple(self, "inputs")


class EmbedResponse(Struct, frozen=True, kw_only=True):
    """One vector per text, in their order. The last three fields are the client's."""

    vectors: Sequence[Vector] = ()
    model: str = ""  # who answered
    id: str = ""
    usage: Usage = Usage()
    requested: str = ""
    warnings: Sequence[str] = ()
    cost_usd: Decimal | None = None

    def __post_init__(self) -> None:
        for name in ("vectors", "warnings"):
            as_tuple(self, name)
