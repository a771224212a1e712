"""Dollars for tokens."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jackfield.catalog.price import cost_usd
from jackfield.message import Usage
from jackfield.model import Cost

SONNET = Cost(Decimal(3), Decimal(15), Decimal("0.3"), Decimal("3.75"))


@pytest.mark.parametrize(
    ("usage", "cost", "usd"),
    [
        (Usage(input=1_000_000, output=0), SONNET, "3"),
        (Usage(input=3, output=6, cache_read=5343, cache_write=0), SONNET, "0.0017019"),
        (Usage(input=1), Cost(input=Decimal("0.02")), "0.00000002"),
        (Usage(input=0, output=0), SONNET, "0"),
        (Usage(output=100, reasoning=90), SONNET, "0.0015"),
        (Usage(input=5, output=5, cache_read=0), Cost(Decimal(1), Decimal(1)), "0.00001"),
        (Usage(input=10_000_000), Cost(input=Decimal(1)), "10"),
        (Usage(input=5, cache_read=5), Cost(Decimal(1), Decimal(1)), None),
        (Usage(input=5), None, None),
        (Usage(), SONNET, None),
    ],
)
def test_tokens_have_their_price(usage: Usage, cost: Cost | None, usd: str | None) -> None:
    found = cost_usd(usage, cost)
    assert (None if found is None else f"{found:f}") == usd
