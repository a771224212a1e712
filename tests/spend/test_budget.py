"""The user's limits: what they refuse, in which words, and what they never let through."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.catalog.price import as_usd, shown
from jackfield.errors import (
    AuthError,
    ConfigError,
    ConnectError,
    ConnectionLost,
    Error,
    InvalidRequest,
    MissingKey,
    OverBudget,
    RateLimit,
    ServerError,
    StreamBroken,
    TimeoutExpired,
)
from jackfield.spend.account import Hold, MemoryAccounts
from jackfield.spend.budget import Budget, day_of
from jackfield.spend.estimate import worst_usd
from tests.patience import PATIENCE_S
from tests.spend.setup import (
    CHEAP,
    FREE,
    INFO,
    NOON_MS,
    PRICED,
    UNPRICED,
    Clock,
    ask,
    open_budget,
    open_file,
)

TODAY = f"day:{day_of(NOON_MS)}"


def spent_usd(budget: Budget) -> Decimal:
    keys = [each.key for each in budget.allowances()]
    return max(as_usd(each.spent) for each in budget._accounts().balances(keys).values())


def test_without_a_limit_nothing_is_counted_and_no_file_opened() -> None:
    def refuse() -> MemoryAccounts:
        raise AssertionError

    budget = Budget(open_budget().rules, refuse, Clock(), "a")

    hold = budget.reserve(ask(), INFO, UNPRICED)
    budget.settle(hold, Decimal(5))
    budget.settle(budget.reserve(ask(), INFO, PRICED), None)
    budget.release(hold)
    assert budget.refusal(ask(), INFO, UNPRICED) == ""


def test_a_call_is_held_at_its_worst_and_settled_at_what_it_cost() -> None:
    accounts = MemoryAccounts()
    budget = open_budget(accounts, per_day="1")
    worst = worst_usd(ask(), INFO, PRICED)

    hold = budget.reserve(ask(), INFO, PRICED)
    assert as_usd(accounts.balances([TODAY])[TODAY].held) == worst
    budget.settle(hold, Decimal("0.0004"))

    assert as_usd(accounts.balances([TODAY])[TODAY].spent) == Decimal("0.0004")
    assert accounts.balances([TODAY])[TODAY].held == 0


def test_a_call_that_nobody_can_price_afterwards_costs_what_was_held_and_one_not_sent_nothing() -> None:
    budget = open_budget(per_day="1")
    budget.settle(budget.reserve(ask(), INFO, PRICED), None)
    budget.release(budget.reserve(ask(), INFO, PRICED))

    assert spent_usd(budget) == worst_usd(ask(), INFO, PRICED)


@pytest.mark.parametrize(
    "error",
    [
        RateLimit("slow down", status=429), ServerError("oops", status=500), AuthError("no", status=401),
        MissingKey("none"), InvalidRequest("temperature"), ConnectError("refused"), TimeoutExpired("gateway", status=504),
    ],
    ids=lambda error: f"{type(error).__name__} {error.status}",
)  # fmt: skip
def test_what_was_refused_or_never_left_costs_nothing(error: Error) -> None:
    budget = open_budget(per_day="1")

    budget.end(budget.reserve(ask(), INFO, PRICED), None, error, used=False)

    assert spent_usd(budget) == 0
    assert not budget.refusal(ask(max_tokens=60_000), INFO, PRICED)


@pytest.mark.parametrize(
    "error",
    [
        TimeoutExpired("silence"),
        ConnectionLost("reset"),
        StreamBroken("cut"),
        asyncio.CancelledError(),
        GeneratorExit(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_have_been_heard_costs_what_was_held_or_what_came_of_it(error: BaseException) -> None:
    silent, heard = open_budget(per_day="1"), open_budget(per_day="1")

    silent.end(silent.reserve(ask(), INFO, PRICED), None, error, used=False)
    heard.end(heard.reserve(ask(), INFO, PRICED), Decimal("0.0001"), error, used=True)

    assert spent_usd(silent) == worst_usd(ask(), INFO, PRICED)
    assert spent_usd(heard) == Decimal("0.0001")


def test_a_refusal_says_the_limit_what_is_spent_what_the_call_may_cost_and_what_to_do() -> None:
    budget = open_budget(per_day="0.01")
    budget.settle(budget.reserve(ask(), INFO, PRICED), Decimal("0.004"))

    with pytest.raises(OverBudget) as caught:
        budget.reserve(ask(max_tokens=1000), INFO, PRICED)

    assert caught.value.type == "billing"
    assert caught.value.failover
    assert caught.value.message == (
        "venice/m is not asked: it may cost up to $0.015234, and of today's budget of $0.01 $0.004 is spent"
    )
    shorter, limit, see = caught.value.hint.splitlines()
    assert limit == "raise the limit: jackfield config set models.budget.perDay"
    assert see == "see: jackfield budget"
    assert shorter == "ask for a shorter answer: --max-tokens 384"
    budget.reserve(ask(max_tokens=384), INFO, PRICED)


def test_what_is_reserved_is_told_apart_from_what_is_spent() -> None:
    budget = open_budget(per_session="0.003")
    budget.reserve(ask(), INFO, PRICED)

    assert budget.refusal(ask(), INFO, PRICED) == (
        "it may cost up to $0.001734, and of the session's budget of $0.003 $0.00 are spent and $0.001734 reserved"
    )


def test_a_cheaper_model_may_fit_where_a_dear_one_does_not() -> None:
    budget = open_budget(per_day="0.001")

    assert budget.refusal(ask(), INFO, PRICED)
    assert budget.refusal(ask(), INFO, CHEAP) == ""
    assert budget.reserve(ask(), INFO, CHEAP).id


def test_what_is_free_stays_free_when_the_limit_is_reached() -> None:
    budget = open_budget(per_day="0")

    assert budget.refusal(ask(), INFO, FREE) == ""
    budget.settle(budget.reserve(ask(), INFO, FREE), Decimal(0))
    assert spent_usd(budget) == 0


def test_what_is_free_stays_free_when_the_limit_is_passed() -> None:
    budget = open_budget(per_day="0.01")
    budget.settle(budget.reserve(ask(), INFO, PRICED), Decimal(2))

    assert budget.refusal(ask(), INFO, PRICED)
    assert budget.refusal(ask(), INFO, FREE) == ""
    budget.release(budget.reserve(ask(), INFO, FREE))


def test_one_commands_limit_is_no_other_commands() -> None:
    accounts = MemoryAccounts()
    one, two = (open_budget(accounts, own=name, per_command="0.002", per_day="1") for name in ("one", "two"))

    one.reserve(ask(), INFO, PRICED)

    assert one.refusal(ask(), INFO, PRICED)
    assert two.refusal(ask(), INFO, PRICED) == ""


def test_a_figure_of_the_providers_counts_for_a_model_that_was_thought_free() -> None:
    budget = open_budget(per_day="1")

    budget.settle(budget.reserve(ask(), INFO, FREE), Decimal("0.25"))

    assert spent_usd(budget) == Decimal("0.25")


def test_a_model_without_a_price_is_refused_unless_that_is_allowed() -> None:
    budget = open_budget(per_day="1")
    assert "price is unknown" in budget.refusal(ask(), INFO, UNPRICED)
    with pytest.raises(OverBudget, match="venice/new is not asked: its price is unknown") as caught:
        budget.reserve(ask(), INFO, UNPRICED)
    assert "models.budget.allowUnpriced true" in caught.value.hint

    allowed = open_budget(per_day="1", allow_unpriced=True)
    assert allowed.refusal(ask(), INFO, UNPRICED) == ""
    allowed.settle(allowed.reserve(ask(), INFO, UNPRICED), Decimal("0.3"))
    assert spent_usd(allowed) == Decimal("0.3")


def test_the_day_ends_at_midnight_and_a_call_counts_for_the_day_it_left_on() -> None:
    clock, accounts = Clock(), MemoryAccounts()
    budget = open_budget(accounts, clock, per_day="0.002")
    hold = budget.reserve(ask(), INFO, PRICED)

    clock.now_ms += 86_400_000
    assert budget.reserve(ask(), INFO, PRICED).id
    budget.settle(hold, Decimal("0.001"))

    assert as_usd(accounts.balances([TODAY])[TODAY].spent) == Decimal("0.001")


def test_sessions_are_apart_and_the_day_holds_for_all() -> None:
    accounts = MemoryAccounts()
    one = open_budget(accounts, own="one", per_session="0.002", per_day="0.004")
    two = open_budget(accounts, own="two", per_session="0.002", per_day="0.004")

    assert one.reserve(ask(), INFO, PRICED).id
    assert one.refusal(ask(), INFO, PRICED).count("session") == 1
    assert one.refusal(ask(), INFO, PRICED, "other") == ""
    assert two.reserve(ask(), INFO, PRICED).id
    assert "today" in one.refusal(ask(), INFO, PRICED, "third")


def test_one_commands_limit_needs_no_file() -> None:
    def refuse() -> MemoryAccounts:
        raise AssertionError

    budget = Budget(open_budget(per_command="0.002").rules, refuse, Clock(), "a")

    budget.settle(budget.reserve(ask(), INFO, PRICED), Decimal("0.0015"))
    with pytest.raises(OverBudget, match=r"of --max-cost of \$0\.002 \$0\.0015 is spent"):
        budget.reserve(ask(), INFO, PRICED)


def test_a_limit_whose_file_cannot_be_used_lets_nothing_through(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").mkdir()
    budget = Budget(open_budget(per_day="9").rules, lambda: open_file(tmp_path), Clock(), "a")

    for _ in range(2):
        with pytest.raises(ConfigError, match="the budget cannot be kept"):
            budget.reserve(ask(), INFO, PRICED)
    assert budget.reserve(ask(), INFO, FREE) == Hold(0, (TODAY,), 0)


@given(usd=st.decimals(min_value=0, max_value=10**6, places=9))
def test_dollars_are_shown_with_cents_at_least(usd: Decimal) -> None:
    said = shown(usd)
    assert abs(Decimal(said[1:].replace(",", "")) - usd) <= Decimal("0.005" if usd >= 1 else "0.000001")
    assert len(said.partition(".")[2]) == 2 if usd >= 1 else len(said.partition(".")[2]) >= 2
    assert "e" not in said.lower()


# -- many at once ------------------------------------------------------------------


async def test_fifty_calls_at_once_stay_within_a_cent(tmp_path: Path) -> None:
    limit, sent, refused = Decimal("0.01"), [], []
    budget = open_budget(open_file(tmp_path), per_day=str(limit))

    async def call(number: int) -> None:
        model, request = (PRICED, CHEAP, FREE)[number % 3], ask(max_tokens=50 + number)
        try:
            hold = budget.reserve(request, INFO, model)
        except OverBudget:
            refused.append(number)
            return
        await asyncio.sleep(0)
        worst = worst_usd(request, INFO, model)
        sent.append(worst)
        # Some end well, some are cut off, some never say what they took.
        budget.settle(hold, [worst, worst and worst / 2, None][number % 3])

    await asyncio.gather(*(call(number) for number in range(50)))

    assert refused
    assert len(sent) > 20
    assert 0 < spent_usd(budget) <= limit


@pytest.mark.parametrize("is_alone", [True, False], ids=["in memory", "in the file"])
def test_threads_share_the_accounts(is_alone: bool, tmp_path: Path) -> None:
    rules = {"per_command": "0.01"} if is_alone else {"per_day": "0.01"}
    opened = [open_file(tmp_path)]
    budget = Budget(open_budget(**rules).rules, lambda: time.sleep(0.01) or opened[0], Clock(), "a")  # type: ignore[func-returns-value]  # a slow opening
    worst = worst_usd(ask(), INFO, PRICED)
    assert worst is not None

    def call(number: int) -> bool:
        try:
            budget.settle(budget.reserve(ask(), INFO, PRICED), worst)
        except OverBudget:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        went = sum(pool.map(call, range(40)))

    assert went == Decimal("0.01") // worst
    assert spent_usd(budget) == went * worst


# Forks, so that eight processes cost no eight starts; they begin when all are ready.
PROCESSES = """
import os, sys, time
from pathlib import Path
from jackfield.spend.account import Allowance, Hold
from jackfield.spend.store import open_accounts
def spend(name):
    accounts = open_accounts(Path(sys.argv[1]), lambda: time.time_ns() // 1_000_000)
    allowance, spent = Allowance("day:x", "today's budget", 20_000), 0
    os.write(told, b".")
    os.read(go, 1)
    for number in range(60):
        hold = accounts.reserve([allowance, Allowance("session:" + name, "", 10**9)], 100)
        if isinstance(hold, Hold):
            cost = number * 7 % 101
            spent += cost
            accounts.settle(hold, cost)
    return spent
(ready, told), (go, shot), children = os.pipe(), os.pipe(), []
for number in range(8):
    if not (child := os.fork()):
        code = 1
        try:
            os.close(shot)
            os.write(1, b"%d\\n" % spend(str(number)))
            code = 0
        finally:
            os._exit(code)
    children.append(child)
for _ in children:
    os.read(ready, 1)
os.close(shot)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_eight_processes_share_one_limit(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROCESSES, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert (done.returncode, done.stderr) == (0, "")
    told = [int(line) for line in done.stdout.splitlines()]
    assert len(told) == 8
    spent = sum(told)

    accounts = open_file(tmp_path)
    assert accounts.balances(["day:x"])["day:x"].spent == spent
    assert 19_900 < spent <= 20_000
