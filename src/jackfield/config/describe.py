"""The tables in words: the reference page's sections and the JSON Schema."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import fields

from jackfield.config.shape import (
    Anything,
    Either,
    Field,
    Flag,
    Key,
    ListOf,
    MapOf,
    Money,
    Number,
    Record,
    SecretText,
    Shape,
    Table,
    Text,
)
from jackfield.config.table import REFERENCE, ROOT
from jackfield.message import JsonObject

_SECRET = {"type": "string", "writeOnly": True}
NO_REMARKS: Mapping[str, str] = {}


def render_json_schema() -> JsonObject:
    """Return the JSON Schema of a config (draft 2020-12)."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Jackfield's config"}
    return {**head, **_schema(ROOT)}


def _schema(shape: Shape) -> JsonObject:  # noqa: C901  one case per shape
    match shape:
        case Table():
            return _table_schema(shape)
        case Record():
            return _table_schema(shape.table)
        case MapOf():
            return {"type": "object", "additionalProperties": _schema(shape.value)}
        case ListOf():
            return {"type": "array", "items": _schema(shape.item)}
        case Either():
            return {"anyOf": [_schema(shape.text), _schema(shape.other)]}
        case Text():
            # A choice may also come from a variable.
            return (
                {"anyOf": [{"enum": list(shape.choices)}, {"pattern": r"\$\{"}], "type": "string"}
                if shape.choices
                else {"type": "string"}
            )
        case SecretText(literal=True):
            return _SECRET
        case SecretText() | Key():
            return {"anyOf": [_SECRET, _schema(REFERENCE)]}
        case Number():
            bounds = {"minimum": shape.least, "maximum": shape.most}
            return {"type": "integer" if shape.whole else "number"} | {
                name: bound for name, bound in bounds.items() if bound is not None
            }
        case Money():
            return {"type": ["number", "string"]} if shape.strict else {"type": "number"}
        case Flag():
            return {"type": "boolean"}
        case Anything():
            return {"type": "object"}


def _table_schema(table: Table) -> JsonObject:
    properties = {
        field.name: _schema(field.shape) | ({"description": field.doc} if field.doc else {}) for field in table.fields
    }
    schema: JsonObject = {"type": "object", "properties": properties}
    if table.required:
        schema["required"] = list(table.required)
    if table.others:
        schema["additionalProperties"] = _schema(table.others)
    elif not table.open:
        schema["additionalProperties"] = False
    return schema


def render_reference() -> str:
    """Return the page of all keys: one table per section, then the records used in several places."""
    sections = [_section(".".join(path) or "The file", table) for path, table in _tables((), ROOT)]
    records = dict.fromkeys(_records(ROOT))
    sections += [_section(_name(record), record.table, _remarks(record.struct)) for record in records]
    return "# Config keys\n\n" + "\n\n".join(sections) + "\n"


def _section(title: str, table: Table, remarks: Mapping[str, str] = NO_REMARKS) -> str:
    rows = [
        f"| `{field.name}` | {_kind(field.shape)} | {_default(field)} | {remarks.get(field.name) or _meaning(field)} |"
        for field in table.fields
    ]
    more = "\n\nOther keys are kept untouched." if table.open else ""
    return "\n".join([f"## {title}", "", "| key | value | default | meaning |", "|---|---|---|---|", *rows]) + more


def _remarks(struct: type[Struct]) -> dict[str, str]:
    """Return the remarks beside a struct's fields in its source, by the config's names."""
    names = {field.name: field.encode_name for field in fields(struct)}
    found = re.findall(r"^    (\w+): .*?  # (.+)$", inspect.getsource(struct), re.MULTILINE)
    return {names[name]: remark for name, remark in found if name in names}


def _tables(path: tuple[str, ...], shape: Shape) -> Iterator[tuple[tuple[str, ...], Table]]:
    """Yield every table below a shape with the path to it."""
    match shape:
        case Table():
            yield path, shape
            for field in shape.fields:
                if not field.idle:
                    yield from _tables((*path, field.name), field.shape)
        case MapOf():
            yield from _tables((*path, f"<{shape.key}>"), shape.value)
        case ListOf():
            yield from _tables((*path[:-1], path[-1] + "[]"), shape.item)
        case Either():
            yield from _tables(path, shape.other)


def _records(shape: Shape) -> Iterator[Record]:
    for _, table in _tables((), shape):
        yield from (field.shape for field in table.fields if isinstance(field.shape, Record))


def _name(record: Record) -> str:
    return record.struct.__name__.lower()


def _kind(shape: Shape) -> str:  # noqa: C901  one case per shape
    match shape:
        case Text():
            return " · ".join(f"`{choice}`" for choice in shape.choices) or "text"
        case SecretText(literal=True):
            return "secret text"
        case SecretText() | Key():
            return "secret text or reference"
        case Flag():
            return "true or false"
        case Number():
            return "whole number" if shape.whole else "number"
        case Money():
            return "amount"
        case Anything():
            return "object"
        case ListOf():
            return "list" if isinstance(shape.item, Table) else f"list of {_kind(shape.item)}"
        case MapOf():
            return f"object by {shape.key}" + ("" if isinstance(shape.value, Table) else f" of {_kind(shape.value)}")
        case Either():
            return "text or object"
        case Record():
            return f"[{_name(shape)}](#{_name(shape)})"
        case Table():
            return "object"


def _default(field: Field) -> str:
    return f"`{field.default}`" if field.default and " " not in field.default else field.default


def _meaning(field: Field) -> str:
    return f"accepted, no effect here: {field.doc}" if field.idle else field.doc
