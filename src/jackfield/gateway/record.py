"""What is kept of a call: who asked, who answered, what it cost, how it ended. Values; `log.py` makes lines of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from jackfield.message import Attempt, ChatResponse, Usage

LONGEST_NAME = 300  # a caller may ask for any


class Finished(Struct, frozen=True, kw_only=True):
    """One call, once it is over. `outcome` is `ok`, `cancelled`, or the type of the error that ended it."""

    request_id: str
    at_ms: int  # when it came, Unix milliseconds
    ms: int  # how long it took
    first_ms: int | None = None  # until the first piece went out, of a stream
    wire: str  # the caller's protocol
    kind: str = "chat"
    key_id: str = ""
    key_name: str = ""
    end_user: str = ""  # the caller's own word for whom it asks
    requested: str = ""
    model: str = ""  # who answered
    outcome: str = "ok"
    status: int = 200  # what the caller was told
    is_stream: bool = False
    attempts: Sequence[Attempt] = ()
    usage: Usage = Usage()
    cost_usd: Decimal | None = None
    cache: str = ""  # `hit`, `miss`; empty: it was not asked


class Told(Struct, frozen=True):
    """What a call has come to; its names are fit for a line."""

    model: str = ""  # who answered
    requested: str = ""
    attempts: Sequence[Attempt] = ()
    usage: Usage = Usage()
    cost_usd: Decimal | None = None


def tell(said: ChatResponse) -> Told:
    """Return what a reply tells of its call."""
    return Told(as_name(said.model), as_name(said.requested), as_named(said.attempts), said.usage, said.cost_usd)


def as_name(said: str) -> str:
    """Return a caller's word as it may stand in a line, a label, a row: on one line, not endless, moving no cursor."""
    if len(said) > LONGEST_NAME:
        said = f"{said[: LONGEST_NAME - 1]}…"
    return said if said.isprintable() else "".join(each if each.isprintable() else "?" for each in said)


def as_named(tries: Sequence[Attempt]) -> Sequence[Attempt]:
    """Return tries with such names."""
    if all(each.model == as_name(each.model) for each in tries):
        return tries
    return tuple(replace(each, model=as_name(each.model)) for each in tries)


class Listener(Protocol):
    """Hears of every call once it is over. Must not wait: other requests do meanwhile."""

    def note(self, call: Finished) -> None:
        """Hear of a call."""
        ...

    def close(self) -> None:
        """Hear that there will be no more."""
        ...
