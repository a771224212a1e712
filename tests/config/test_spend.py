"""What the config says of money and pace is kept to the digit; a limit that cannot be read stops everything."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from jackfield.config.spend import BudgetRules, Pace
from tests.config.setup import check, load


def test_a_limit_is_an_amount_as_number_text_or_variable(tmp_path: Path) -> None:
    text = '{ models: { budget: { perDay: "5.00", perSession: 1.10, allowUnpriced: true } } }'
    from_variable = '{ models: { budget: { perDay: "${MOST}" } } }'

    assert load(tmp_path, text).budget == BudgetRules(
        per_day=Decimal("5.00"), per_session=Decimal("1.10"), allow_unpriced=True
    )
    assert load(tmp_path, from_variable, MOST=" 0.25 ").budget.per_day == Decimal("0.25")
    assert load(tmp_path, "{ models: { budget: { perDay: 0 } } }").budget.per_day == 0


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("-1", "-1 is negative"),
        ("NaN", "expected an amount in dollars"),
        ("true", "expected an amount in dollars"),
        ('"5 USD"', "expected an amount in dollars"),
        ('"-5"', "expected an amount in dollars"),
        ('"1e9"', "expected an amount in dollars"),
        ('"${NOT_SET}"', "NOT_SET is not set"),
    ],
)
def test_a_limit_that_cannot_be_read_is_an_issue_and_never_no_limit(tmp_path: Path, said: str, message: str) -> None:
    (issue,) = check(tmp_path, f"{{ models: {{ budget: {{ perDay: {said} }} }} }}").issues

    assert issue.path == "models.budget.perDay"
    assert message in issue.message


def test_a_pace_is_the_servers_own_or_so_many_a_minute(tmp_path: Path) -> None:
    text = """{ models: { providers: {
        openai: { pace: "auto" },
        groq: { pace: { requestsPerMinute: 10, tokensPerMinute: 6000 } },
        venice: {},
    } } }"""

    providers = load(tmp_path, text).providers

    assert providers["openai"].pace == Pace(auto=True)
    assert providers["groq"].pace == Pace(requests_per_minute=10, tokens_per_minute=6000)
    assert providers["venice"].pace is None


@pytest.mark.parametrize("said", ["0", "-3", '"fast"', "{ requestsPerMinute: 0 }", "{ requestsPerMinute: 1.5 }"])
def test_a_pace_of_nothing_is_an_issue(tmp_path: Path, said: str) -> None:
    assert check(tmp_path, f"{{ models: {{ providers: {{ openai: {{ pace: {said} }} }} }} }}").issues


def test_the_share_from_which_other_profiles_go_first_is_a_fraction(tmp_path: Path) -> None:
    assert load(tmp_path, "{ auth: { spillAt: 0.8 } }").spill_at == 0.8
    assert load(tmp_path, "{}").spill_at is None

    (issue,) = check(tmp_path, "{ auth: { spillAt: 80 } }").issues
    assert issue.message == "80 is more than 1"
