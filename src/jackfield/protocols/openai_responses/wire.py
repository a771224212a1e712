"""This wire's name, its share of `opaque`, and the shapes its modules agree on.

An `opaque` of this wire holds `item` (further fields of the output item a block came in; on
the first block of a message it also says that a message begins), `part` (those of its content
part) and what single kinds of blocks add.
"""

from __future__ import annotations

from jackfield.message import JsonObject
from jackfield.protocols.base import as_opaque, own_fields
from jackfield.protocols.fields import said

NAME = "openai-responses"
ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"


def own(opaque: JsonObject | None) -> JsonObject:
    """Return this wire's fields of a value's `opaque`."""
    return own_fields(opaque, NAME)


def keep(fields: JsonObject) -> JsonObject | None:
    """Make an `opaque` of this wire's further fields."""
    return as_opaque(said(fields), NAME)
