"""What an answer cost. Pure arithmetic on decimals, with one rounding at its end.

The provider's own figure counts where it names dollars; otherwise the tokens have the row's
prices. An estimated count gives an estimated price, which `Usage.estimated` says of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import asdict, replace

from jackfield.message import JsonObject, Usage
from jackfield.model import Cost

ABSURD = 10**16  # no request costs a million dollars, in whatever unit
ZERO, ONE, TEN, MOST = Decimal(0), Decimal(1), Decimal(10), Decimal(ABSURD)
UNKNOWN = Cost()
MILLION = Decimal(1_000_000)
NANO = Decimal(10) ** 9
MOST_NANOS = 10**18  # a billion dollars, below what SQLite's integers hold even when some are added up
NOTHING = (None, None, None, None)  # reported of any bucket
# A hundred-millionth of a dollar: one token of the cheapest models costs about two of them.
SMALLEST = Decimal("0.00000001")
CENT, MICRO = Decimal("0.01"), Decimal("0.000001")  # as amounts are shown
COUNTS = tuple(name for name in Usage.__struct_fields__ if name not in {"extras", "estimated"})
# Where a usage object names dollars: the field's path, and how many of its units make one.
FIGURES: tuple[tuple[tuple[str, ...], Decimal], ...] = (
    (("cost_in_usd_ticks",), Decimal(10) ** 10),  # docs.x.ai/developers/cost-tracking, read 2026-11-21
    (("cost",), Decimal(1)),  # openrouter.ai/docs/use-cases/usage-accounting: credits, one is a dollar, read 2026-11-21
    (("cost", "total_cost"), Decimal(1)),  # docs.perplexity.ai, usage of chat completions, read 2026-11-21
)


def bill_usd(usage: Usage, cost: Cost | None) -> Decimal | None:
    """Return what the provider says it charged, else the dollars by our prices; `None` when neither is known."""
    ours = cost_usd(usage, cost)
    if not usage.extras:
        return ours
    said = _figure(usage.extras)
    # Resellers pass a maker's figure on as 0 and charge by themselves (Azure's Grok does).
    return ours if said is None or (not said and ours) else _round(said)


def cost_usd(usage: Usage, cost: Cost | None) -> Decimal | None:
    """Return the dollars for the tokens used; `None` when the price of any of them is unknown.

    The four buckets are disjoint; reasoning and sound are inside them, as is what is kept in
    the cache for an hour. A bucket that was not reported counts as empty; usage that reports
    nothing at all has no price. A tier's prices hold for the whole request.
    """
    main = (usage.input, usage.output, usage.cache_read, usage.cache_write)
    if main == NOTHING:
        return None
    cost = _in_force(usage, cost) if cost and cost.tiers else cost or UNKNOWN
    total = ZERO
    # A share that has no price of its own costs what its bucket costs; none is larger than its bucket.
    for whole, share, price, dearer in (
        (usage.input, usage.audio_input, cost.input, cost.audio_input),
        (usage.output, usage.audio_output, cost.output, cost.audio_output),
        (usage.cache_read, None, cost.cache_read, None),
        (usage.cache_write, usage.cache_write_1h, cost.cache_write, cost.cache_write_1h),
    ):
        if not whole:
            continue
        apart = min(share, whole) if share and dearer is not None else 0
        if apart:
            total += apart * (dearer or ZERO)
        if apart != whole:
            if price is None:
                return None
            total += (whole - apart) * price
    return _round(total / MILLION)


def sum_usage(usages: Sequence[Usage]) -> Usage:
    """Return one usage for several tries; a count that none of them knows stays unknown."""
    total, *more = usages or [Usage()]
    for each in more:
        sums = {name: _plus(getattr(total, name), getattr(each, name)) for name in COUNTS}
        total = replace(total, **sums, estimated=total.estimated or each.estimated)
    return total


def sum_usd(costs: Sequence[Decimal | None]) -> Decimal | None:
    """Return what several tries cost together; `None` when the price of one of them is unknown."""
    known = [usd for usd in costs if usd is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(costs) else None


def _in_force(usage: Usage, cost: Cost) -> Cost:
    """Return the prices with those of the highest tier the request is in; every input bucket counts."""
    size = sum(tokens or 0 for tokens in (usage.input, usage.cache_read, usage.cache_write))
    tier = max((tier for tier in cost.tiers if size > tier.above), key=lambda tier: tier.above, default=None)
    if tier is None:
        return cost
    return replace(
        cost, **{name: price for name, price in asdict(tier).items() if price is not None and name != "above"}
    )


def _figure(extras: JsonObject) -> Decimal | None:
    for path, units in FIGURES:
        found: object = extras
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found < ABSURD:
            # With a key of the user's own the figure is the fee alone; the tokens are charged elsewhere.
            return None if extras.get("is_byok") else Decimal(repr(found)) / units
    return None


def _round(usd: Decimal) -> Decimal:
    return trim(usd.quantize(SMALLEST)) if usd < MOST else usd


def as_nanos(usd: Decimal) -> int:
    """Return dollars as whole billionths, rounded up: sums are exact in any database and never too small."""
    exact = usd * NANO
    whole = int(exact)
    return min(MOST_NANOS, max(0, whole + (whole < exact)))


def as_usd(nanos: int) -> Decimal:
    """Return billionths of a dollar as dollars."""
    return Decimal(nanos) / NANO


def shown(usd: Decimal) -> str:
    """Return dollars to read: cents, and below a dollar what there is, to the ten-thousandth part of a cent."""
    exact = trim(usd.quantize(CENT if usd >= 1 else MICRO)) or trim(usd.quantize(SMALLEST))
    return f"${exact:,.2f}" if exact == exact.quantize(CENT) else f"${exact:f}"


def trim(usd: Decimal) -> Decimal:
    """Return the same amount without zeros at its end."""
    # normalize() would write 10 as 1E+1.
    is_whole = not -TEN < usd < TEN and usd == usd.to_integral_value()
    return usd.quantize(ONE) if is_whole else usd.normalize()


def _plus(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)
