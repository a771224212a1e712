"""Tool schemas lose the keywords a server refuses and nothing else."""

from __future__ import annotations

from typing import Any

from jackfield.model import Compat
from jackfield.protocols.schema import strip_keywords

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "format": {"type": "string", "format": "date", "pattern": "x"},
        "pattern": {"anyOf": [{"type": "string", "format": "uri"}, {"const": {"format": "kept"}}]},
    },
    "required": ["format"],
    "additionalProperties": False,
}


def test_without_a_wish_the_schema_is_untouched() -> None:
    assert strip_keywords(SCHEMA, Compat()) is SCHEMA


def test_keywords_go_at_every_depth_and_properties_so_named_stay() -> None:
    stripped = strip_keywords(SCHEMA, Compat(unsupported_tool_schema_keywords=("format", "pattern", "$schema")))
    assert stripped == {
        "type": "object",
        "properties": {
            "format": {"type": "string"},
            "pattern": {"anyOf": [{"type": "string"}, {"const": {"format": "kept"}}]},
        },
        "required": ["format"],
        "additionalProperties": False,
    }


def test_a_profile_names_a_family_of_servers() -> None:
    stripped = strip_keywords(SCHEMA, Compat(tool_schema_profile="gemini"))
    assert stripped.keys() == {"type", "properties", "required"}
    both = Compat(tool_schema_profile="llamacpp", unsupported_tool_schema_keywords=("format",))
    assert strip_keywords(SCHEMA, both)["properties"]["format"] == {"type": "string"}
