"""What a call may cost at worst: never less than what a call of that size does cost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jackfield.catalog.price import as_nanos, cost_usd
from jackfield.embedding import EmbedRequest
from jackfield.message import AudioBlock, ChatRequest, Message, Thinking, Usage
from jackfield.model import Cost, Model, ProviderInfo, Tier
from jackfield.protocols.estimate import estimate_input
from jackfield.spend.estimate import find_rates, fitting_tokens, pace_tokens, worst_embed_usd, worst_tokens, worst_usd
from tests.spend.setup import FREE, INFO, PRICED, UNPRICED, ask

PRICES = st.one_of(st.none(), st.decimals(min_value=0, max_value=200, places=4))
COSTS = st.builds(
    Cost,
    input=st.decimals(min_value=0, max_value=200, places=4),
    output=st.decimals(min_value=0, max_value=200, places=4),
    cache_write=PRICES,
    cache_write_1h=PRICES,
    tiers=st.lists(st.builds(Tier, above=st.integers(0, 500), input=PRICES, output=PRICES), max_size=2).map(tuple),
)
SIZES = st.integers(1, 100_000)


@given(cost=COSTS, words=st.text(max_size=300), longest=SIZES, share=st.floats(0, 1), answer=st.floats(0, 1))
def test_no_call_within_the_estimate_costs_more_than_the_worst(
    cost: Cost, words: str, longest: int, share: float, answer: float
) -> None:
    request, model = ask(words, longest), Model(id="m", cost=cost)
    most, worst = worst_tokens(request, INFO, model)[0], worst_usd(request, INFO, model)
    size = round(most * share)

    # Tiers may be cheaper above than below them: there the whole size has the price.
    for usage in (
        Usage(input=most, output=round(longest * answer)),
        Usage(cache_write=most, output=longest),
        Usage(input=size, output=longest) if not cost.tiers else Usage(input=most, output=longest),
    ):
        assert worst is not None
        assert (cost_usd(usage, cost) or 0) <= worst


@given(cost=COSTS, words=st.text(max_size=300), longest=SIZES, left=st.decimals(min_value=0, max_value=1, places=6))
def test_an_answer_that_is_said_to_fit_does(cost: Cost, words: str, longest: int, left: Decimal) -> None:
    model = Model(id="m", cost=cost)

    fitting = fitting_tokens(ask(words, longest), INFO, model, left)

    assert 0 <= fitting <= longest
    if fitting:
        worst = worst_usd(ask(words, fitting), INFO, model)
        assert worst is not None
        assert worst <= left + Decimal("0.00000001")


def test_the_longest_answer_is_what_is_asked_for_then_what_the_row_says_then_the_default() -> None:
    assert worst_tokens(ask(max_tokens=7), INFO, PRICED)[1] == 7
    assert worst_tokens(ask(max_tokens=None), INFO, PRICED)[1] == 4000
    assert worst_tokens(ask(max_tokens=None), INFO, UNPRICED)[1] == 8192


@pytest.mark.parametrize("extras", [{"max_completion_tokens": 900}, {"max_tokens": 900}, {"num_predict": 900}])
def test_what_the_caller_says_for_the_server_counts_too(extras: dict[str, object]) -> None:
    assert worst_tokens(replace(ask(max_tokens=7), extras=extras), INFO, PRICED)[1] == 900


def test_several_answers_cost_as_many_times() -> None:
    one = replace(ask(), extras={"n": 4})
    foreign = replace(ask(), opaque={"openai-completions": {"n": 4}})

    assert worst_tokens(one, INFO, PRICED)[1] == worst_tokens(foreign, INFO, PRICED)[1] == 400


@pytest.mark.parametrize("odd", [True, "9", -9, 0, None, 1.5])
def test_a_number_that_is_none_is_not_counted(odd: object) -> None:
    assert worst_tokens(replace(ask(), extras={"n": odd, "max_tokens": odd}), INFO, PRICED)[1] == 100


def test_a_budget_of_thoughts_that_does_not_fit_into_the_answer_is_added_to_it() -> None:
    within = replace(ask(max_tokens=3000), thinking=Thinking(effort="high", budget_tokens=2000))
    at_its_end = replace(ask(max_tokens=2000), thinking=Thinking(effort="high", budget_tokens=2000))
    beyond = replace(ask(max_tokens=100), thinking=Thinking(effort="high", budget_tokens=2000))

    assert worst_tokens(within, INFO, PRICED)[1] == 3000
    assert worst_tokens(at_its_end, INFO, PRICED)[1] == 4000
    assert worst_tokens(beyond, INFO, PRICED)[1] == 2100


def test_sound_has_its_own_price() -> None:
    cost = Cost(Decimal(1), Decimal(1), audio_input=Decimal(100))
    model = Model(id="m", cost=cost)
    heard = ChatRequest(model="m", messages=[Message("user", [AudioBlock("audio/mp3", "QUJD")])], max_tokens=1)

    told, asked = worst_usd(heard, INFO, model), worst_usd(ask("x", 1), INFO, model)

    assert told is not None
    assert asked is not None
    assert told > 20 * asked


def test_free_is_free_local_is_free_and_unknown_is_unknown() -> None:
    assert worst_usd(ask(), INFO, FREE) == 0
    assert worst_usd(ask(), ProviderInfo(id="box", local=True), UNPRICED) == 0
    assert worst_usd(ask(), ProviderInfo(id="proxy", local=True), PRICED) == worst_usd(ask(), INFO, PRICED)
    assert worst_usd(ask(), INFO, UNPRICED) is None
    assert worst_usd(ask(), INFO, Model(id="half", cost=Cost(input=Decimal(1)))) is None


def test_vectors_cost_their_texts() -> None:
    model = Model(id="e", cost=Cost(input=Decimal(1)))
    usd = worst_embed_usd(EmbedRequest(model="e", inputs=["Hello " * 100, [1, 2, 3]]), INFO, model)

    assert usd is not None
    assert Decimal("0.0001") < usd < Decimal("0.001")
    assert worst_embed_usd(EmbedRequest(model="e", inputs=["a"]), INFO, UNPRICED) is None


def test_a_pace_counts_the_input_and_the_answer_that_is_asked_for() -> None:
    size = estimate_input(ask(), "openai-completions")

    assert pace_tokens(ask(max_tokens=100), INFO, PRICED) == size + 100
    assert pace_tokens(ask(max_tokens=None), INFO, PRICED) == size


@given(cost=COSTS, words=st.text(max_size=300), longest=SIZES)
def test_rates_never_make_a_call_cheaper_than_it_is_at_worst(cost: Cost, words: str, longest: int) -> None:
    request, model = ask(words, longest), Model(id="m", cost=cost)
    rates, worst = find_rates(INFO, model), worst_usd(request, INFO, model)

    assert (rates is None) is bool(cost.tiers)
    if rates and worst is not None:
        assert rates.worst_nanos(estimate_input(request, INFO.api), longest) >= as_nanos(worst)
