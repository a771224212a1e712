"""How this package takes fields out of someone else's JSON: typed, or refused by name."""

from __future__ import annotations

from typing import Any, TypeVar

from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject
from jackfield.protocols.base import as_opaque

NAME = "anthropic-messages"
T = TypeVar("T")
WORDS: dict[type, str] = {
    str: "a string", bool: "true or false", int: "an integer", float: "a number", list: "a list", dict: "an object",
}  # fmt: skip


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


def rest(wire: JsonObject, *known: str) -> JsonObject | None:
    """Keep the fields that no value of ours names, nulls aside, as `opaque`."""
    return as_opaque({k: v for k, v in wire.items() if k not in known and v is not None}, NAME)
