"""Dollars for tokens."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jackfield.catalog.index import load_index, parse_rows
from jackfield.catalog.price import bill_usd, cost_usd
from jackfield.message import JsonObject, Usage
from jackfield.model import Cost, Tier

SONNET = Cost(Decimal(3), Decimal(15), Decimal("0.3"), Decimal("3.75"))
LONG = Tier(
    above=200_000, input=Decimal(6), output=Decimal("22.5"), cache_read=Decimal("0.6"), cache_write=Decimal("7.5")
)
TIERED = Cost(Decimal(3), Decimal(15), Decimal("0.3"), Decimal("3.75"), Decimal(6), tiers=(LONG,))
HEARD = Cost(Decimal(1), Decimal(2), audio_input=Decimal(10), audio_output=Decimal(20))


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


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        (Usage(input=200_000), "0.6"),
        (Usage(input=200_001), "1.200006"),
        (Usage(input=1, cache_read=150_000, cache_write=50_000), "0.465006"),
        (Usage(input=100, output=1_000_000), "15.0003"),
    ],
)
def test_every_bucket_of_the_input_counts_towards_a_tier_which_holds_for_the_whole_request(
    usage: Usage, usd: str
) -> None:
    assert cost_usd(usage, TIERED) == Decimal(usd)


def test_of_several_tiers_the_highest_that_is_reached_holds_in_whatever_order_they_stand() -> None:
    tiers = [Tier(above=n, input=Decimal(n)) for n in (30, 10, 20)]
    cost = Cost(Decimal(1), tiers=tuple(tiers))
    assert [cost_usd(Usage(input=n), cost) for n in (10, 11, 25, 31)] == [
        Decimal(n) * price / 1_000_000 for n, price in ((10, 1), (11, 10), (25, 20), (31, 30))
    ]


def test_what_a_tier_does_not_name_costs_what_it_costs_below() -> None:
    cost = Cost(Decimal(1), Decimal(5), tiers=(Tier(above=10, input=Decimal(2)),))
    assert cost_usd(Usage(input=11, output=1), cost) == Decimal("0.000027")


def test_what_is_kept_for_an_hour_has_its_own_price_and_else_that_of_every_write() -> None:
    usage = Usage(input=0, cache_write=100, cache_write_1h=40)
    assert cost_usd(usage, TIERED) == Decimal("0.000465")
    assert cost_usd(usage, SONNET) == Decimal("0.000375")


def test_sound_has_its_own_price_and_else_that_of_words() -> None:
    usage = Usage(input=100, output=10, audio_input=60, audio_output=10)
    assert cost_usd(usage, HEARD) == Decimal("0.00084")
    assert cost_usd(usage, Cost(Decimal(1), Decimal(2))) == Decimal("0.00012")


def test_a_share_larger_than_its_bucket_is_cut_to_it() -> None:
    assert cost_usd(Usage(input=10, audio_input=60), HEARD) == Decimal("0.0001")


@pytest.mark.parametrize(
    ("extras", "usd"),
    [
        ({"cost": 6e-08}, "0.00000006"),
        ({"cost": 0.0133176, "cost_details": {}}, "0.0133176"),
        ({"cost": 0}, "0.0003"),
        ({"cost_in_usd_ticks": 37_756_000}, "0.0037756"),
        ({"cost": {"total_cost": 0.00502, "request_cost": 0.005}}, "0.00502"),
        ({"cost": 0.001, "is_byok": True}, "0.0003"),
        ({"cost": "much"}, "0.0003"),
        ({"cost": -1}, "0.0003"),
        ({"cost": True}, "0.0003"),
        ({"cost": 1e300}, "0.0003"),
        (None, "0.0003"),
    ],
)
def test_the_providers_own_figure_in_dollars_beats_our_prices(extras: JsonObject | None, usd: str) -> None:
    assert bill_usd(Usage(input=100, extras=extras), SONNET) == Decimal(usd)


def test_a_bill_needs_no_prices_of_ours() -> None:
    assert bill_usd(Usage(extras={"cost": 0.5}), None) == Decimal("0.5")
    assert bill_usd(Usage(input=1), None) is None


def test_a_figure_of_nothing_counts_only_where_our_prices_know_no_better() -> None:
    usage = Usage(input=100, extras={"cost": 0})
    assert [bill_usd(usage, cost) for cost in (None, Cost(Decimal(0)), SONNET)] == [0, 0, Decimal("0.0003")]


def test_the_catalog_knows_long_requests_hours_and_sound() -> None:
    costs = {
        f"{name}/{row.id}": row.cost
        for name in ("anthropic", "google", "openai")
        for row in parse_rows(load_index().providers[name])
        if row.cost
    }
    assert costs["google/gemini-2.5-pro"].tiers == (
        Tier(above=200_000, input=Decimal("2.5"), output=Decimal(15), cache_read=Decimal("0.25")),
    )
    assert costs["google/gemini-2.5-flash"].audio_input == Decimal(1)
    assert costs["anthropic/claude-sonnet-4-5"].cache_write_1h == Decimal(6)
    assert all(cost.tiers for name, cost in costs.items() if name in {"openai/gpt-5.4", "openai/gpt-5.5"})
