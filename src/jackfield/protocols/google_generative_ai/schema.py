"""JSON Schemas as Gemini takes them.

Function declarations and answers may be described in JSON Schema (`parametersJsonSchema`,
`responseJsonSchema`), of which the API reads a part, or in its older subset of OpenAPI
(`parameters`, `responseSchema`); ai.google.dev/api/caching#Schema and
ai.google.dev/gemini-api/docs/structured-output, read 2026-11-21. The first keeps more (maps, tuples, numbers in
an enum, several types), so it is the one we write; a server that knows only the second is
declared with the schema profile `gemini`. One schema the API cannot read costs the whole
request, so whatever comes is rebuilt from the words it knows.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from jackfield.message import JsonObject
from jackfield.model import Compat

BOTH = frozenset({
    "type", "format", "title", "description", "enum", "items", "minItems", "maxItems", "minimum", "maximum", "anyOf",
    "properties", "required", "propertyOrdering", "minLength", "maxLength", "pattern", "minProperties", "maxProperties",
})  # fmt: skip
MAX_DEPTH = 50
MAX_NODES = 3000  # of one schema; references that name each other twice would grow without end
OBJECT: JsonObject = {"type": "object"}


class Form(Struct, frozen=True):
    """One of the two languages."""

    words: frozenset[str]
    enums: tuple[type, ...]  # what may stand in an enum
    formats: frozenset[str] | None = None  # of a string; `None`: any
    is_openapi: bool = False


JSON_SCHEMA = Form(BOTH | {"prefixItems", "additionalProperties"}, (str, int, float))
OPENAPI = Form(BOTH | {"nullable"}, (str,), frozenset({"enum", "date-time"}), is_openapi=True)


def render_schema(schema: JsonObject, compat: Compat, name: str) -> JsonObject:
    """Return the field that describes `parameters` or a `response`, with its name."""
    if name == "parameters":  # they are an object, whether or not their schema says so
        schema = {"type": "object", **schema}
    if compat.tool_schema_profile == "gemini":
        return {OPENAPI_FIELDS[name]: compile_schema(schema, OPENAPI)}
    return {f"{name}JsonSchema": compile_schema(schema, JSON_SCHEMA)}


OPENAPI_FIELDS = {"parameters": "parameters", "response": "responseSchema"}


def compile_schema(schema: JsonObject, form: Form = JSON_SCHEMA) -> JsonObject:
    """Return the schema in words the API knows: references inlined, a cycle cut to a plain object."""
    return _Compiler(schema, form).node(schema, ())


class _Compiler:
    """One pass through one schema."""

    def __init__(self, root: JsonObject, form: Form) -> None:
        self._root, self._form, self._left, self._depth = root, form, MAX_NODES, 0

    def node(self, held: Any, seen: tuple[str, ...]) -> JsonObject:
        schema, seen = self._resolved(held, seen)
        self._left -= 1
        if self._left < 0 or self._depth > MAX_DEPTH or schema is None:
            return dict(OBJECT)
        self._depth += 1
        wire = self._compiled(schema, seen)
        self._depth -= 1
        return wire

    def _compiled(self, schema: JsonObject, seen: tuple[str, ...]) -> JsonObject:
        schema, is_nullable = _without_null(schema)
        wire = {key: schema[key] for key in schema if key in self._form.words and schema[key] is not None}
        self._put_inner(wire, schema, seen)
        self._put_values(wire, schema)
        if "anyOf" not in wire:
            wire["type"] = _type_of(wire)
        elif self._form.is_openapi:  # beside it the API takes nothing else
            wire = {"anyOf": wire["anyOf"]}
        self._put_shape(wire)
        return self._as_nullable(wire) if is_nullable else wire

    def _resolved(self, held: Any, seen: tuple[str, ...]) -> tuple[JsonObject | None, tuple[str, ...]]:
        """Follow references; `None` for one that comes back to itself. Words beside a reference join its target's."""
        schema = _as_one(held if isinstance(held, dict) else {})
        while isinstance(path := schema.get("$ref"), str):
            if path in seen or len(seen) > MAX_DEPTH:
                return None, seen
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = _as_one({**beside, "allOf": [_as_one(_find(self._root, path))]})
            seen = (*seen, path)
        return schema, seen

    def _put_inner(self, wire: JsonObject, schema: JsonObject, seen: tuple[str, ...]) -> None:
        properties = schema.get("properties")
        wire.pop("properties", None)
        if isinstance(properties, dict):
            wire["properties"] = {name: self.node(inner, seen) for name, inner in properties.items()}
        items = schema.get("items")
        tuples = items if isinstance(items, list) else schema.get("prefixItems")
        for key in ("items", "prefixItems", "anyOf", "additionalProperties"):
            wire.pop(key, None)
        if isinstance(items, dict):
            wire["items"] = self.node(items, seen)
        if isinstance(tuples, list) and tuples:
            inner = [self.node(item, seen) for item in tuples]
            wire |= {"prefixItems": inner} if "prefixItems" in self._form.words else {"items": _either(inner)}
        if branches := schema.get("anyOf"):
            wire |= _either([self.node(branch, seen) for branch in branches], self._form)
        more = schema.get("additionalProperties")
        if "additionalProperties" in self._form.words and more is not None:
            wire["additionalProperties"] = self.node(more, seen) if isinstance(more, dict) else more is not False

    def _put_values(self, wire: JsonObject, schema: JsonObject) -> None:
        values = [schema["const"]] if "const" in schema else wire.pop("enum", None)
        wire.pop("enum", None)
        if isinstance(values, list) and values:
            kept = [v for v in values if isinstance(v, self._form.enums) and not isinstance(v, bool) and v != ""]
            if len(kept) == len(values):
                wire["enum"] = kept
            elif not any(isinstance(value, dict | list) for value in values):
                # What an enum cannot hold here is said in words: the model reads them.
                wire["description"] = " ".join(filter(None, [_text(wire.get("description")), f"One of {values}."]))
                wire.setdefault("type", _kind(values[0]))

    def _put_shape(self, wire: JsonObject) -> None:
        kind = wire.get("type")
        if "required" in wire:
            named = wire["required"] if isinstance(wire["required"], list) else []
            wire["required"] = [name for name in named if name in wire.get("properties", {})]
        if wire.get("required") == []:
            del wire["required"]
        if kind == "array" and not wire.keys() & {"items", "prefixItems"}:
            wire["items"] = {"type": "string"}
        if kind == "string" and self._form.formats is not None and wire.get("format") not in self._form.formats:
            wire.pop("format", None)

    def _as_nullable(self, wire: JsonObject) -> JsonObject:
        if self._form.is_openapi:
            return {**wire, "nullable": True}
        if "anyOf" in wire:
            return {**wire, "anyOf": [*wire["anyOf"], {"type": "null"}]}
        return {**wire, "type": [wire["type"], "null"]}


def _find(root: JsonObject, path: str) -> JsonObject:
    target: Any = root
    for step in path.removeprefix("#").strip("/").split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        target = target.get(name) if isinstance(target, dict) and name else target
    return target if isinstance(target, dict) else {}


def _as_one(schema: JsonObject) -> JsonObject:
    """Say `allOf` as one schema and `oneOf` as `anyOf`."""
    whole = {key: value for key, value in schema.items() if key not in ("allOf", "oneOf")}
    for branch in _objects(schema.get("allOf")):
        for key, value in branch.items():
            held = whole.get(key)
            if isinstance(held, dict) and isinstance(value, dict):
                whole[key] = {**value, **held}
            elif key == "required" and isinstance(held, list) and isinstance(value, list):
                whole[key] = [*held, *value]
            else:
                whole.setdefault(key, value)
    branches = _objects(schema.get("anyOf")) or _objects(schema.get("oneOf"))
    return {**whole, "anyOf": branches} if branches else {k: v for k, v in whole.items() if k != "anyOf"}


def _objects(value: Any) -> list[JsonObject]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _without_null(schema: JsonObject) -> tuple[JsonObject, bool]:
    """Return the schema for a value that is there, and whether it may be missing."""
    kinds, branches = schema.get("type"), schema.get("anyOf") or []
    is_nullable = schema.get("nullable") is True
    if isinstance(values := schema.get("enum"), list) and None in values:
        schema, is_nullable = {**schema, "enum": [value for value in values if value is not None]}, True
    if isinstance(kinds, list):
        others = [kind for kind in kinds if kind != "null"]
        is_nullable |= len(others) < len(kinds)
        plain = {key: value for key, value in schema.items() if key != "type"}
        if len(others) == 1:
            return {**plain, "type": others[0]}, is_nullable
        return ({**plain, "anyOf": [{"type": kind} for kind in others]} if others else plain), is_nullable
    others = [branch for branch in branches if branch.get("type") != "null"]
    if len(others) == len(branches):
        return schema, is_nullable
    plain = {key: value for key, value in schema.items() if key != "anyOf"}
    return (
        {**others[0], **plain} if len(others) == 1 and "$ref" not in others[0] else {**plain, "anyOf": others}
    ), True


def _either(branches: list[JsonObject], form: Form | None = None) -> JsonObject:
    """Say that a value fits one of these; one alone needs no choice."""
    return branches[0] if len(branches) == 1 and (form is None or form.is_openapi) else {"anyOf": branches}


TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})


def _type_of(wire: JsonObject) -> str:
    held = wire.get("type")
    if isinstance(held, str) and held.lower() in TYPES:
        return held.lower()
    if wire.keys() & {"properties", "additionalProperties", "required"}:
        return "object"
    if wire.keys() & {"items", "prefixItems"}:
        return "array"
    return _kind(wire["enum"][0]) if wire.get("enum") else "string"


def _kind(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number"}
    return kinds.get(type(value), "string")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# -- wire to value -----------------------------------------------------------------


def parse_openapi(schema: Any) -> Any:
    """Read a schema in the OpenAPI subset as JSON Schema: types in lower case, `nullable` as a type."""
    if not isinstance(schema, dict):
        return schema
    plain = {key: _parse_word(key, value) for key, value in schema.items() if key != "nullable"}
    if isinstance(kind := plain.get("type"), str):
        plain["type"] = [kind.lower(), "null"] if schema.get("nullable") is True else kind.lower()
    return plain


def _parse_word(key: str, value: Any) -> Any:
    if key == "properties" and isinstance(value, dict):
        return {name: parse_openapi(inner) for name, inner in value.items()}
    if key in ("anyOf", "prefixItems") and isinstance(value, list):
        return [parse_openapi(inner) for inner in value]
    return parse_openapi(value) if key in ("items", "additionalProperties") else value
