"""The shapes a config is made of: what may stand where, and what it means.

The tables in `table.py` are written in these words; `read.py` checks a tree against them,
`describe.py` turns them into the reference page and the JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache, cached_property
from types import UnionType
from typing import Literal, Union, get_args, get_origin

from msgspec import Struct, UnsetType
from msgspec.structs import fields


class Text(Struct, frozen=True):
    """A text, out of `choices` if there are any."""

    choices: tuple[str, ...] = ()
    slash: bool = True  # keep a slash at its end


class SecretText(Struct, frozen=True):
    """A text never shown, or a reference; the name of a variable that is set stands for its value, unless `literal`."""

    literal: bool = False  # taken as it stands, no variables are filled in and nothing is referred to
    late: bool = False  # a reference may lead to a file, a command or the keyring, followed when a request leaves


class Key(Struct, frozen=True):
    """An API key: a secret text, or a reference `{source, provider, id}` to one."""


class Flag(Struct, frozen=True):
    """True or false."""


class Number(Struct, frozen=True):
    """A number; `lenient` ones count as not said when they are zero or less."""

    whole: bool = False
    lenient: bool = False
    least: int | None = None
    most: int | None = None


class Money(Struct, frozen=True):
    """An amount in US dollars, kept to the digit; `strict`: also as a text, and what cannot be read is an issue."""

    strict: bool = False


class Anything(Struct, frozen=True):
    """An object handed on unread; variables in its texts are filled in."""


class ListOf(Struct, frozen=True):
    """A list of one shape."""

    item: Shape


class MapOf(Struct, frozen=True):
    """An object with keys of the user's choice."""

    value: Shape
    key: str = "name"


class Either(Struct, frozen=True):
    """A text, or what else may stand in its place."""

    text: Text
    other: Shape


class Field(Struct, frozen=True):
    """One key of a table; `default` is in words for the reference."""

    name: str
    shape: Shape
    doc: str = ""
    default: str = ""
    idle: bool = False  # accepted because OpenClaw writes it; has no effect here


class Table(Struct, frozen=True, dict=True):
    """An object with named keys; `open` keeps other keys untouched and unread, `others` reads them."""

    fields: tuple[Field, ...]
    required: tuple[str, ...] = ()
    open: bool = False
    elsewhere: tuple[str, ...] = ()  # keys of an open table that are no misspelling
    others: Shape | None = None

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by key."""
        return {field.name: field for field in self.fields}


class Record(Struct, frozen=True):
    """A struct of the model layer, by its fields' names in the config."""

    struct: type[Struct]

    @property
    def table(self) -> Table:
        """The struct's shape, worked out when first asked for."""
        return _table_of(self.struct)


Shape = Union[Record, Text, SecretText, Key, Flag, Number, Money, Anything, ListOf, MapOf, Either, Table]  # noqa: UP007  names itself


def choices(literal: object) -> Text:
    """Return the shape of a `Literal` of texts."""
    return Text(choices=get_args(literal))


@cache
def _table_of(struct: type[Struct]) -> Table:
    return Table(tuple(Field(field.encode_name, _shape_of(field.type)) for field in fields(struct)))


def _shape_of(annotation: object) -> Shape:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return _shape_of(next(part for part in inner if part not in {type(None), UnsetType}))
    if origin is Literal:
        return choices(annotation)
    if origin is tuple:
        return ListOf(_shape_of(inner[0]))
    if origin is dict:
        return MapOf(_shape_of(inner[1]))
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return Record(annotation)
    return _SINGLE[annotation]


_SINGLE: dict[object, Shape] = {
    bool: Flag(),
    str: Text(),
    int: Number(whole=True, lenient=True),
    float: Number(lenient=True),
    Decimal: Money(),
}
