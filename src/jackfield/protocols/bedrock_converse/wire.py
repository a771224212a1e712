"""This wire's name, its share of `opaque`, and its cache marks.

In a text block's `opaque` stands the whole wire block that says the text in another form
(citations, guarded content, …); in that of every other value, the fields no value of ours names.
"""

from __future__ import annotations

from jackfield.message import JsonObject
from jackfield.protocols.base import as_opaque
from jackfield.protocols.fields import rest

NAME = "bedrock-converse-stream"
MAX_MARKS = 4  # cache points in one request, with every model that knows them
TTLS = ("5m", "1h")


def keep_rest(wire: JsonObject, *known: str) -> JsonObject | None:
    """Keep the fields that no value of ours names, nulls aside, as `opaque`."""
    return as_opaque(rest(wire, known), NAME)


def parse_mark(point: JsonObject) -> JsonObject:
    """Read a cache point as the mark of what stands before it."""
    return {"type": "ephemeral"} | ({"ttl": point["ttl"]} if point.get("ttl") in TTLS else {})


def render_mark(mark: JsonObject) -> JsonObject:
    """Write a mark as the cache point that follows what it marks."""
    return {"cachePoint": {"type": "default"} | ({"ttl": mark["ttl"]} if mark.get("ttl") in TTLS else {})}
