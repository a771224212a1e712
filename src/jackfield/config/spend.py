"""What the config may say of money and pace: the tables, and the values they are read into."""

from __future__ import annotations

import re
from decimal import Decimal

from msgspec import Struct, convert

from jackfield.config.shape import Either, Field, Flag, Money, Number, Table, Text
from jackfield.message import JsonObject

AMOUNT = re.compile(r"\d{1,15}(\.\d{1,15})?")  # dollars as a text
LIMIT = Money(strict=True)
RATE = Number(whole=True, least=1)
BUDGET = Table(
    (
        Field(
            "perDay",
            LIMIT,
            "most that a day of this user's may cost, over all processes; days begin at midnight UTC",
            "no limit",
        ),
        Field("perSession", LIMIT, "most that one conversation, or one client, may cost", "no limit"),
        Field("allowUnpriced", Flag(), "models without a price may be asked while a limit is set", "false"),
    )
)
PACE = Either(
    Text(("auto",)),
    Table(
        (
            Field("requestsPerMinute", RATE, "requests of one credential to one model, in any minute"),
            Field("tokensPerMinute", RATE, "the same of tokens: those sent, and the longest answer asked for"),
        )
    ),
)
SPILL = Field(
    "spillAt",
    Number(least=0, most=1),
    "a profile with so much of a quota used, 0.8 for 80 %, is asked after the provider's others",
    "never",
)


class Pace(Struct, frozen=True, kw_only=True, rename="camel"):
    """How quickly one credential may ask one model; `auto`: as the server's own headers say."""

    auto: bool = False
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class BudgetRules(Struct, frozen=True, kw_only=True, rename="camel"):
    """The most that may be spent, in US dollars; `None`: no limit."""

    per_day: Decimal | None = None
    per_session: Decimal | None = None
    allow_unpriced: bool = False
    per_command: Decimal | None = None  # no key of the file: `chat --max-cost`


def build_pace(said: str | JsonObject | None) -> Pace | None:
    """Return a provider's `pace`; `None` where it says nothing."""
    return Pace(auto=True) if isinstance(said, str) else convert(said, Pace) if said else None
