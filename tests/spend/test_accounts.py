"""Accounts: whatever comes in whatever order, the sum of what is spent and held stays within the limit."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jackfield.catalog.price import as_nanos, as_usd
from jackfield.errors import ConfigError
from jackfield.spend.account import Accounts, Balance, Hold, MemoryAccounts, Refused
from jackfield.spend.store import DAY_MS, SqliteAccounts, open_accounts
from jackfield.state import NAME
from tests.spend.setup import NOON_MS, Clock, limit, open_file, open_memory

DAY, SESSION = limit(1000), limit(300, "session:a")
KINDS = ["memory", "file"]
# A step: hold an amount, or end the n-th open hold with a share of it spent (`None`: unknown, -1: released).
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.integers(0, 400), st.booleans()),
        st.tuples(st.just("end"), st.integers(0, 9), st.one_of(st.none(), st.integers(-1, 100))),
    ),
    max_size=60,
)


def open_kind(kind: str) -> Accounts:
    return MemoryAccounts() if kind == "memory" else open_memory()


@pytest.mark.parametrize("kind", KINDS)
@given(steps=STEPS)
def test_no_order_of_holds_and_settlements_goes_beyond_a_limit(kind: str, steps: list[tuple[str, int, int]]) -> None:
    accounts, holds, spent = open_kind(kind), [], {DAY.key: 0, SESSION.key: 0}
    for what, number, more in steps:
        if what == "hold":
            found = accounts.reserve([SESSION, DAY] if more else [DAY], number)
            holds += [found] if isinstance(found, Hold) else []
        elif number < len(holds):
            hold = holds.pop(number)
            cost = hold.amount if more is None else hold.amount * more // 100
            if more == -1:
                accounts.release(hold)
            else:
                accounts.settle(hold, None if more is None else cost)
                for key in hold.keys:
                    spent[key] += cost

        balances = accounts.balances([DAY.key, SESSION.key])
        for allowance in (DAY, SESSION):
            held = sum(hold.amount for hold in holds if allowance.key in hold.keys)
            assert balances[allowance.key] == Balance(spent[allowance.key], held)
            assert spent[allowance.key] + held <= allowance.limit


@pytest.mark.parametrize("kind", KINDS)
@given(costs=st.lists(st.tuples(st.integers(1, 400), st.integers(0, 800)), max_size=40))
def test_calls_dearer_than_their_worst_go_beyond_a_limit_by_that_alone(kind: str, costs: list[tuple[int, int]]) -> None:
    accounts, beyond = open_kind(kind), 0
    for amount, cost in costs:
        hold = accounts.reserve([DAY], amount)
        if isinstance(hold, Hold):
            beyond += max(0, cost - amount)
            accounts.settle(hold, cost)

    assert accounts.balances([DAY.key])[DAY.key].spent <= DAY.limit + beyond


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_says_which_limit_and_holds_nothing(kind: str) -> None:
    accounts = open_kind(kind)
    assert isinstance(accounts.reserve([SESSION, DAY], 200), Hold)

    refused = accounts.reserve([SESSION, DAY], 101)

    assert refused == Refused(SESSION, Balance(spent=0, held=200))
    assert accounts.balances([DAY.key])[DAY.key].held == 200
    assert isinstance(accounts.reserve([SESSION, DAY], 100), Hold)


@given(usd=st.decimals(min_value=0, max_value=10**6, places=12))
def test_dollars_are_rounded_up_and_come_back(usd: Decimal) -> None:
    assert usd <= as_usd(as_nanos(usd)) < usd + Decimal("0.000000001")


def test_a_larger_sum_than_any_is_the_most_there_is() -> None:
    assert as_nanos(Decimal("1e30")) == 10**18


# -- the file ----------------------------------------------------------------------


def test_two_processes_share_their_accounts(tmp_path: Path) -> None:
    one, two = open_file(tmp_path), open_file(tmp_path)
    hold = one.reserve([DAY], 900)

    assert isinstance(two.reserve([DAY], 101), Refused)
    assert isinstance(hold, Hold)
    one.settle(hold, 10)
    assert isinstance(two.reserve([DAY], 990), Hold)


def test_a_hold_of_a_killed_process_counts_and_is_booked_after_a_day(tmp_path: Path) -> None:
    clock = Clock()
    open_file(tmp_path, clock).reserve([DAY], 600)

    same_day = open_file(tmp_path, Clock(NOON_MS + 3_600_000))
    assert same_day.balances([DAY.key])[DAY.key] == Balance(spent=0, held=600)
    assert isinstance(same_day.reserve([DAY], 401), Refused)

    later = open_file(tmp_path, Clock(NOON_MS + DAY_MS + 1))
    assert later.balances([DAY.key])[DAY.key] == Balance(spent=600, held=0)


def test_accounts_are_forgotten_when_nobody_used_them_for_weeks(tmp_path: Path) -> None:
    accounts = open_file(tmp_path)
    hold = accounts.reserve([DAY, SESSION], 1)
    assert isinstance(hold, Hold)
    accounts.settle(hold, 1)

    assert open_file(tmp_path, Clock(NOON_MS + 34 * DAY_MS)).keys("") == (DAY.key, SESSION.key)
    assert open_file(tmp_path, Clock(NOON_MS + 36 * DAY_MS)).keys("") == ()


def test_after_a_reset_there_is_room_and_calls_under_way_are_booked(tmp_path: Path) -> None:
    accounts = open_file(tmp_path)
    under_way = accounts.reserve([SESSION, DAY], 300)
    assert isinstance(under_way, Hold)

    accounts.reset([DAY.key])

    assert isinstance(accounts.reserve([DAY], 1000), Hold)
    assert accounts.balances([SESSION.key])[SESSION.key].held == 300
    accounts.settle(under_way, 20)
    assert accounts.balances([DAY.key, SESSION.key]) == {DAY.key: Balance(20, 1000), SESSION.key: Balance(20, 0)}


def test_accounts_are_listed_by_their_last_use(tmp_path: Path) -> None:
    clock = Clock()
    accounts = open_file(tmp_path, clock)
    for name in ("b", "a", "b"):
        clock.now_ms += 1
        hold = accounts.reserve([limit(9, f"session:{name}")], 1)
        assert isinstance(hold, Hold)
        accounts.settle(hold, 1)

    assert accounts.keys("session:") == ("session:b", "session:a")
    assert accounts.keys("day:") == ()


def test_a_file_that_cannot_be_read_or_written_refuses_every_call(tmp_path: Path) -> None:
    open_file(tmp_path)
    connection = sqlite3.connect(f"file:{tmp_path / NAME}?mode=ro", uri=True, isolation_level=None)
    with pytest.raises(ConfigError, match="readonly"):
        SqliteAccounts(connection, Clock(), "s")
    connection.close()

    (tmp_path / "b").mkdir()
    (tmp_path / "b" / NAME).write_bytes(b"not a database, and longer than a header of one " * 30)
    with pytest.raises(ConfigError, match="not a database") as caught:
        open_file(tmp_path / "b")
    assert "jackfield config unset models.budget" in caught.value.hint

    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="the budget cannot be kept"):
        open_file(tmp_path / "file" / "home")


def test_what_was_spent_in_a_file_set_aside_today_is_not_taken_for_nothing(tmp_path: Path) -> None:
    lost = tmp_path / f"{NAME}.corrupt-1"
    lost.touch()
    (tmp_path / f"{NAME}.corrupt-1-wal").touch()
    now = Clock(int(lost.stat().st_mtime * 1000) + 60_000)

    with pytest.raises(ConfigError, match=r"what was spent today is in state\.sqlite.corrupt-1") as caught:
        open_file(tmp_path, now)
    assert "jackfield budget reset" in caught.value.hint

    open_accounts(tmp_path, now, anew=True).close()
    assert open_file(tmp_path, now).balances([DAY.key])[DAY.key] == Balance()


def test_a_file_set_aside_days_ago_is_no_matter(tmp_path: Path) -> None:
    lost = tmp_path / f"{NAME}.corrupt-1"
    lost.touch()

    open_file(tmp_path, Clock(int(lost.stat().st_mtime * 1000) + 2 * DAY_MS))


def test_an_answer_is_not_lost_to_a_file_that_went_bad_and_its_hold_stays(tmp_path: Path) -> None:
    accounts = open_file(tmp_path)
    hold = accounts.reserve([DAY], 700)
    assert isinstance(hold, Hold)
    blocker = sqlite3.connect(tmp_path / NAME, isolation_level=None, timeout=0)
    accounts._connection.execute("pragma busy_timeout = 0")
    blocker.execute("begin immediate")

    accounts.settle(hold, 1)
    with pytest.raises(ConfigError, match="locked"):
        accounts.reserve([DAY], 1)

    blocker.close()
    assert accounts.balances([DAY.key])[DAY.key] == Balance(spent=0, held=700)
    assert isinstance(accounts.reserve([DAY], 300), Hold)
