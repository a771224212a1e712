"""How a codec takes fields out of someone else's JSON.

From a reply, leniently (`as_object`, `as_list`, `as_text`): what is of another type is as good
as absent. From a caller's request, strictly (`read`, `require`, `objects`): typed, or refused
by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject

T = TypeVar("T")
WORDS: dict[type, str] = {
    str: "a string", bool: "true or false", int: "an integer", float: "a number", list: "a list", dict: "an object",
}  # fmt: skip


# -- whatever came -----------------------------------------------------------------


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
    """Return the fields a codec does not read, nulls aside."""
    return {name: value for name, value in wire.items() if name not in known and value is not None}


def merge_fields(body: JsonObject, more: JsonObject) -> None:
    """Add further fields to a body's top level, nulls aside; an object joins the one that is there."""
    for name, value in said(more).items():
        held = body.get(name)
        body[name] = {**held, **value} if isinstance(held, dict) and isinstance(value, dict) else value


# -- typed, or refused by name -----------------------------------------------------


def read(wire: JsonObject, name: str, kind: type[T], at: str = "") -> T | None:
    """Return a field; `None` when it is absent or null. Raise `InvalidRequest` when it is of another type."""
    value: Any = wire.get(name)
    fits = isinstance(value, int | float if kind is float else kind)
    if value is None or (fits and (kind is bool or not isinstance(value, bool))):
        return value  # type: ignore[no-any-return]  # its type has been looked at
    raise wrong(f"{at}{name}", f"must be {WORDS[kind]}")


def require(wire: JsonObject, name: str, kind: type[T], at: str = "") -> T:
    """Return a field that must be there."""
    value = read(wire, name, kind, at)
    if value is None:
        raise wrong(f"{at}{name}", "is required")
    return value


def objects(values: list[Any], at: str) -> list[tuple[str, JsonObject]]:
    """Return the objects of a list, each with its place; raise `InvalidRequest` at one that is none."""
    for index, value in enumerate(values):
        if not isinstance(value, dict):
            raise wrong(f"{at}[{index}]", "must be an object")
    return [(f"{at}[{index}].", value) for index, value in enumerate(values)]


def wrong(path: str, problem: str) -> InvalidRequest:
    """Make the error that names a field, with `.param` for wires that have a place for it."""
    error = InvalidRequest(f"{path} {problem}", status=400)
    error.param = path
    return error
