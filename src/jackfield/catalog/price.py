"""What an answer cost. Pure arithmetic on decimals, with one rounding at its end."""

from __future__ import annotations

from decimal import Decimal

from jackfield.message import Usage
from jackfield.model import Cost

MILLION = Decimal(1_000_000)
# A hundred-millionth of a dollar: one token of the cheapest models costs about two of them.
SMALLEST = Decimal("0.00000001")


def cost_usd(usage: Usage, cost: Cost | None) -> Decimal | None:
    """Return the dollars for the tokens used; `None` when the price of any of them is unknown.

    The four buckets are disjoint and reasoning is inside output. A bucket that was not
    reported counts as empty; usage that reports nothing at all has no price.
    """
    buckets = (
        (usage.input, cost.input if cost else None),
        (usage.output, cost.output if cost else None),
        (usage.cache_read, cost.cache_read if cost else None),
        (usage.cache_write, cost.cache_write if cost else None),
    )
    if all(tokens is None for tokens, _ in buckets):
        return None
    total = Decimal(0)
    for tokens, price in buckets:
        if tokens:
            if price is None:
                return None
            total += tokens * price
    return _trim((total / MILLION).quantize(SMALLEST))


def _trim(usd: Decimal) -> Decimal:
    # normalize() would write 10 as 1E+1.
    return usd.quantize(Decimal(1)) if usd == usd.to_integral_value() else usd.normalize()
