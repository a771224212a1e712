"""This wire's name, and its share of `opaque`."""

from __future__ import annotations

from jackfield.message import JsonObject
from jackfield.protocols.base import as_opaque
from jackfield.protocols.fields import rest

NAME = "anthropic-messages"


def keep_rest(wire: JsonObject, *known: str) -> JsonObject | None:
    """Keep the fields that no value of ours names, nulls aside, as `opaque`."""
    return as_opaque(rest(wire, known), NAME)
