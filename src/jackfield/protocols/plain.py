"""The plain piece of a stream: some more words of a text that is open, and nothing else.

Nearly every event of a reply is one. A wire describes it as a closed Struct, field by field; what
does not fit it exactly is read as any other event, which is the only truth: a test holds both ways
to the same events on every recorded stream. Knows no wire.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Struct

T = TypeVar("T")


class Closed(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What the shape of a plain piece is made of: a field more, and the piece is not plain."""


def read_plain(decoder: msgspec.json.Decoder[T], data: bytes | str) -> T | None:
    """Return an event that is a plain piece, `None` for any other."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
