"""JSON Schemas of tools, spared the keywords a server chokes on."""

from __future__ import annotations

from typing import Any

from jackfield.message import JsonObject
from jackfield.model import Compat

# What each family of servers refuses a request for; a model's own list adds to it. llama.cpp turns
# schemas into grammars and takes no pattern but one anchored at both ends (its source, read 2026-11-21).
PROFILES: dict[str, tuple[str, ...]] = {
    "llamacpp": ("pattern",),
    "gemini": ("$schema", "$id", "additionalProperties", "patternProperties", "examples", "exclusiveMaximum",
               "exclusiveMinimum", "multipleOf", "uniqueItems", "default"),
}  # fmt: skip
# Under these, keys are the user's own names, not keywords.
NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
# Under these stand values, not schemas.
VALUES = ("enum", "const", "default", "examples", "required")


def strip_keywords(schema: JsonObject, compat: Compat) -> JsonObject:
    """Return the schema without the keywords `compat` rules out; a property so named stays."""
    words = {*PROFILES.get(compat.tool_schema_profile or "", ()), *(compat.unsupported_tool_schema_keywords or ())}
    return _strip(schema, words) if words else schema


def _strip(schema: Any, words: set[str]) -> Any:
    if isinstance(schema, list):
        return [_strip(item, words) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _inner(key, value, words) for key, value in schema.items() if key not in words}


def _inner(key: str, value: Any, words: set[str]) -> Any:
    if key in VALUES:
        return value
    if key in NAMED and isinstance(value, dict):
        return {name: _strip(inner, words) for name, inner in value.items()}
    return _strip(value, words)
