"""What a view gets and gives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from jackfield.admin.desk import Desk
from jackfield.errors import InvalidRequest
from jackfield.message import JsonObject

Kind = TypeVar("Kind")
# An answer, or its lines one after the other.
Lines = AsyncGenerator[JsonObject, None]
Answer = JsonObject | Lines


class Asked(Struct, frozen=True):
    """What the page asks."""

    query: Mapping[str, str]
    body: JsonObject
    if_match: str = ""  # the hash of the config that the page knows

    def as_struct(self, kind: type[Kind]) -> Kind:
        """Return the body as a value of a kind; raise `InvalidRequest` that names what is wrong."""
        try:
            return msgspec.convert(self.body, kind)
        except msgspec.ValidationError as error:
            raise InvalidRequest(str(error)) from error


View = Callable[[Desk, Asked], Awaitable[Answer]]
Routes = Mapping[str, Mapping[str, View]]  # path below the API → method → view
