"""Readers for wire values that may be anything, and this wire's share of `opaque`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject
from jackfield.protocols.base import as_opaque, own_fields

NAME = "openai-completions"


def as_object(value: object) -> JsonObject:
    """Return the value when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return the value when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """Return the value when it is text, else no text."""
    return value if isinstance(value, str) else ""


def said(fields: JsonObject) -> JsonObject:
    """Drop nulls: strict servers refuse them."""
    return {name: value for name, value in fields.items() if value is not None}


def rest(wire: JsonObject, known: Iterable[str]) -> JsonObject:
    """Return the fields this codec does not read."""
    return {name: value for name, value in wire.items() if name not in known and value is not None}


def own(opaque: JsonObject | None) -> JsonObject:
    """Return this wire's fields of a value's `opaque`."""
    return own_fields(opaque, NAME)


def keep(fields: JsonObject) -> JsonObject | None:
    """Make an `opaque` of this wire's further fields."""
    return as_opaque(said(fields), NAME)


def invalid(field: str, says: str) -> InvalidRequest:
    """Make the error that names a caller's wrong field."""
    error = InvalidRequest(f"{field} {says}")
    error.param = field
    return error
