"""One attempt as a row: who asked, what for, who answered, what it took. No secret, no word of the conversation."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from jackfield.catalog.price import as_nanos
from jackfield.message import Attempt, Usage

NOTHING = Usage()


class Row(Struct, frozen=True, kw_only=True):
    """One try at one candidate; the fields are the table's columns, in its order."""

    id: str  # 128 bits that nobody draws twice: writing a row again changes nothing
    at_ms: int  # when the try began, Unix milliseconds
    request: str = ""  # shared by the attempts of one call
    attempt: int = 1  # the first try of a call is 1
    source: str = "gateway"  # or `cli`, or `cache`: nobody was asked
    key_id: str = ""
    key_name: str = ""
    end_user: str = ""  # the caller's own word for whom it asks
    requested: str = ""  # as the caller named it
    served: str = ""  # `provider/model` that was asked
    provider: str = ""
    profile: str = ""
    wire_in: str = ""  # the caller's protocol
    wire_out: str = ""  # the provider's
    streamed: bool = False
    outcome: str = "ok"  # or an error's type
    status: int | None = None  # the provider's HTTP status, where it refused
    input: int | None = None  # tokens, in disjoint buckets; `None`: not reported
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None  # inside output
    estimated: bool = False  # the tokens were counted by us
    cost_nanos: int | None = None  # billionths of a dollar; `None`: the price is unknown
    first_ms: int | None = None  # until the first content, of the try that had some
    total_ms: int | None = None  # until the end


COLUMNS = Row.__struct_fields__


def row_of(tried: Attempt, **call: Any) -> Row:
    """Return a try as a row; `call` is what the row says of the call it belongs to, by the row's own names."""
    usage = tried.usage or NOTHING
    return Row(
        served=tried.model,
        provider=tried.model.partition("/")[0],
        profile=tried.profile or "",
        status=tried.status,
        total_ms=tried.ms,
        input=usage.input,
        output=usage.output,
        cache_read=usage.cache_read,
        cache_write=usage.cache_write,
        reasoning=usage.reasoning,
        estimated=usage.estimated,
        cost_nanos=None if tried.cost_usd is None else as_nanos(tried.cost_usd),
        **call,
    )
