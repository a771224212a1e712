"""This wire's name, and its share of `opaque`."""

from __future__ import annotations

from jackfield.message import JsonObject
from jackfield.protocols.base import as_opaque, own_fields
from jackfield.protocols.fields import said

NAME = "ollama"


def own(value: object) -> JsonObject:
    """Return this wire's fields of a value's `opaque`."""
    return own_fields(getattr(value, "opaque", None), NAME)


def keep(fields: JsonObject) -> JsonObject | None:
    """Make an `opaque` of this wire's further fields."""
    return as_opaque(said(fields), NAME)
