"""What the page asks of the ledger: sums over time, speeds, troubles, the latest calls; alike in both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jackfield.ledger.calls import Page, Wanted, load_calls
from jackfield.ledger.database import Database, DatabaseDown, open_database, sqlite_url
from jackfield.ledger.row import COLUMNS, Row
from jackfield.ledger.schema import MIGRATIONS
from jackfield.ledger.sums import DAY_MS, HOUR_MS, as_step
from jackfield.ledger.usage import (
    Range,
    Spent,
    find_ranks,
    load_names,
    load_slots,
    load_speeds,
    load_spent,
    load_troubles,
    load_use,
)
from jackfield.ledger.writer import Ledger
from tests.ledger.rows import AT_MS, row
from tests.patience import PATIENCE_S

HOUR = AT_MS // HOUR_MS * HOUR_MS
DAY = AT_MS // DAY_MS * DAY_MS
EVERY = Range(0, 2 * AT_MS)
SUMMED = ("usage_hours", "speed_days")
COUNT = "SELECT sum(attempts), max(last_ms) FROM usage_hours"


@contextmanager
def kept(url: str, *rows: Row) -> Iterator[Database]:
    ledger = Ledger.open(url)
    for each in rows:
        ledger.note(each)
    assert ledger.close(PATIENCE_S) == 0
    database = open_database(url)
    try:
        yield database
    finally:
        database.close()


def test_use_is_summed_by_hour_and_by_day(url: str) -> None:
    rows = [row(at_ms=HOUR + minute * 60_000, input=1, cost_nanos=10**9) for minute in (0, 59, 60, 24 * 60)]
    with kept(url, *rows) as database:
        hours = load_slots(database, "model", Range(HOUR, HOUR + 2 * HOUR_MS), HOUR_MS)
        assert [(slot.at_ms - HOUR, slot.name, slot.use.usd) for slot in hours] == [
            (0, "venice/m", Decimal(2)),
            (HOUR_MS, "venice/m", Decimal(1)),
        ]
        days = load_slots(database, "provider", EVERY, DAY_MS)
        assert [(slot.at_ms % DAY_MS, slot.name) for slot in days] == [(0, "venice")] * len(days)
        assert sum(slot.use.input for slot in days) == 4
        assert load_use(database, Range(HOUR, HOUR + 2 * HOUR_MS)).attempts == 3
        before = Range(HOUR + HOUR_MS, HOUR + 2 * HOUR_MS).before()
        assert load_use(database, before).attempts == 2


def test_every_count_has_its_column(url: str) -> None:
    with kept(
        url,
        row(input=1, output=2, cache_read=3, cache_write=4, reasoning=5, cost_nanos=6, estimated=True, key_id="k"),
        row(attempt=2, cost_nanos=None, key_name="ann", key_id="k2"),
        row(outcome="timeout"),
        row(outcome="cancelled"),
        row(source="cache", served="", provider="", cost_nanos=0),
    ) as database:
        use = load_use(database, EVERY)
        assert (use.attempts, use.requests, use.kept, use.errors, use.cancelled) == (5, 4, 1, 1, 1)
        assert (use.input, use.output, use.cache_read, use.cache_write, use.reasoning) == (1, 2, 3, 4, 5)
        assert (use.usd, use.unpriced, use.estimated) == (Decimal("6e-9"), 1, 1)
        assert set(load_names(database, "key", EVERY)) == {"k", "ann", ""}


def test_nothing_was_used_where_there_is_nothing(url: str) -> None:
    with kept(url) as database:
        assert load_use(database, EVERY).attempts == 0
        assert load_slots(database, "model", EVERY, DAY_MS) == load_speeds(database, EVERY) == ()
        assert load_calls(database, Wanted(), 10) == Page(())


def test_speeds_are_the_nearest_rank_of_good_answers(url: str) -> None:
    with kept(
        url,
        *(row(total_ms=ms) for ms in range(1, 100)),
        row(total_ms=12_345, first_ms=991),
        row(total_ms=9 * 10**6, outcome="timeout"),
        row(total_ms=0, source="cache"),
    ) as database:
        (speed,) = load_speeds(database, EVERY)
        assert (speed.model, speed.answers, speed.total, speed.first) == ("venice/m", 100, (50, 90, 99), (1_000,) * 3)
        assert load_speeds(database, Range(0, DAY)) == ()


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200))
def test_a_rank_is_right_to_two_digits(times: list[int]) -> None:
    counts = sorted((step, sum(as_step(ms) == step for ms in times)) for step in {as_step(ms) for ms in times})
    ordered = sorted(times)
    exact = [ordered[-(-len(times) * percent // 100) - 1] for percent in (50, 90, 99)]
    for told, true in zip(find_ranks(counts), exact, strict=True):
        assert told is not None
        assert true <= told <= max(true * 1.1, true + 1_000_000 * (true >= 10**7))


def test_troubles_are_counted_by_kind_and_model_the_most_frequent_first(url: str) -> None:
    failed = [row(outcome="rate_limit", at_ms=AT_MS + more) for more in range(3)]
    with kept(
        url, *failed, row(outcome="auth", served="a/b", provider="a"), row(outcome="cancelled"), row()
    ) as database:
        first, second = load_troubles(database, EVERY)
        assert (first.outcome, first.provider, first.model, first.count) == ("rate_limit", "venice", "venice/m", 3)
        assert first.last_ms == AT_MS + 2
        assert (second.outcome, second.model, second.count) == ("auth", "a/b", 1)


def test_a_key_is_told_what_it_spent_today_and_this_month(url: str) -> None:
    spent = {"key_id": "k", "cost_nanos": 10**9}
    with kept(
        url, row(at_ms=DAY, **spent), row(at_ms=DAY - 1, **spent), row(at_ms=DAY - 9 * DAY_MS, **spent)
    ) as database:
        found = load_spent(database, DAY, DAY - DAY_MS)
        assert found == {"k": Spent(Decimal(1), Decimal(2), 2, DAY)}


# -- the sums themselves -------------------------------------------------------------


def test_sums_made_of_old_rows_are_those_made_as_they_are_written(url: str) -> None:
    chance = random.Random(7)
    rows = [
        row(
            at_ms=AT_MS + chance.randrange(5 * DAY_MS), served=chance.choice(["a/x", "b/y", ""]), provider="",
            key_id=chance.choice(["k", "l"]), outcome=chance.choice(["ok", "timeout"]), source=chance.choice(["gateway", "cache"]),
            attempt=chance.choice([1, 2]), input=chance.choice([None, 7]), estimated=chance.choice([True, False]),
            first_ms=chance.choice([None, 1_001]), total_ms=chance.choice([1, 99, 100, 999, 1_234, 98_765, 123_456, 10**6, 10**7 + 1]),
        )
        for _ in range(300)
    ]  # fmt: skip
    rows = [
        Row(**{**{name: getattr(each, name) for name in COLUMNS}, "provider": each.served.partition("/")[0]})
        for each in rows
    ]
    with kept(url, *rows) as database:
        written = [sorted(database.rows(f"SELECT * FROM {table}")) for table in SUMMED]
        fill = [step for step in MIGRATIONS[1] if step.strip().startswith("INSERT INTO")]
        database.write(*((f"DELETE FROM {table} WHERE 1 = ?", [(1,)]) for table in SUMMED))
        database.migrate((*MIGRATIONS, tuple(fill)))
        assert [sorted(database.rows(f"SELECT * FROM {table}")) for table in SUMMED] == written


class Deaf:
    """A database whose commits arrive, and whose answers do not."""

    def __init__(self, real: Database, lost: list[int]) -> None:
        self._real = real
        self._lost = lost

    def write(self, *statements: Any) -> int:
        touched = self._real.write(*statements)
        if any("INSERT INTO attempts" in sql for sql, _ in statements) and self._lost:
            self._lost.pop()
            raise DatabaseDown("the connection broke")
        return touched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_a_batch_whose_commit_was_not_heard_of_is_summed_once(tmp_path: Path) -> None:
    url, lost = sqlite_url(tmp_path / "state.sqlite"), [1]
    ledger = Ledger(lambda: Deaf(open_database(url), lost))  # type: ignore[arg-type,return-value]
    for _ in range(1_500):
        ledger.note(row())
    ledger.start()
    assert ledger.flush(PATIENCE_S)
    ledger.note(row())
    assert (ledger.close(PATIENCE_S), lost, ledger.written) == (0, [], 1_501)
    database = open_database(url)
    assert database.rows("SELECT count(*) FROM attempts") == [(1_501,)]
    assert database.rows(COUNT) == [(1_501, AT_MS)]
    database.close()


def test_numbers_beyond_all_sense_are_summed_to_numbers(url: str) -> None:
    with kept(url, *(row(output=2**62, input=2**70, total_ms=2**62, cost_nanos=2**62) for _ in range(5))) as database:
        assert load_use(database, EVERY).output == 5 * 10**15


# -- calls ---------------------------------------------------------------------------


def call(at_ms: int, request: str, *tries: dict[str, Any], **same: Any) -> list[Row]:
    return [
        row(at_ms=at_ms + number, request=request, attempt=number, **{**same, **each})
        for number, each in enumerate(tries or ({},), 1)
    ]


def names(page: Page) -> list[str]:
    return [each[0].request for each in page.calls]


def test_calls_come_the_latest_first_with_their_tries_in_order(url: str) -> None:
    failed, good = {"outcome": "timeout", "served": "a/x"}, {"served": "b/y", "key_name": "ann"}
    with kept(
        url, *call(AT_MS, "one"), *call(AT_MS + 10, "two", failed, failed, good), *call(AT_MS + 5, "three", good)
    ) as database:
        page = load_calls(database, Wanted(), 10)
        assert names(page) == ["two", "three", "one"]
        assert [(each.attempt, each.outcome) for each in page.calls[0]] == [(1, "timeout"), (2, "timeout"), (3, "ok")]
        assert page.mark == ""
        assert names(load_calls(database, Wanted(outcome="failed"), 10)) == ["two"]
        assert names(load_calls(database, Wanted(outcome="ok", model="b/y"), 10)) == ["two", "three"]
        assert names(load_calls(database, Wanted(key="ann"), 10)) == ["two", "three"]
        assert names(load_calls(database, Wanted(outcome="auth"), 10)) == []


def test_one_page_follows_the_other_and_none_is_left_out(url: str) -> None:
    rows = [
        each for number in range(23) for each in call(AT_MS + number // 2, f"r{number:02}", *([{}] * (1 + number % 7)))
    ]
    with kept(url, *rows) as database:
        for wanted in (Wanted(), Wanted(outcome="ok")):
            seen, mark, rounds = list[str](), "", 0
            while mark or not rounds:
                page = load_calls(database, Wanted(outcome=wanted.outcome, before=mark), 4)
                seen, mark, rounds = [*seen, *names(page)], page.mark, rounds + 1
            assert set(seen) == {f"r{number:02}" for number in range(23)}
            assert rounds >= 6
            assert wanted.outcome or len(seen) == 23


def test_two_calls_of_one_id_stay_two(url: str) -> None:
    with kept(url, *call(AT_MS, "mine", {}, {}), *call(AT_MS + 1000, "mine")) as database:
        assert [len(each) for each in load_calls(database, Wanted(), 10).calls] == [1, 2]


# -- a million rows ------------------------------------------------------------------


def test_a_million_calls_are_told_of_without_one_of_their_rows(tmp_path: Path) -> None:
    # 90 days of eight models and six keys, used every hour; bench/ledger.py says how long it takes.
    database = open_database(sqlite_url(tmp_path / "state.sqlite"))
    first = AT_MS // HOUR_MS - 90 * 24
    hours = [
        (hour, f"p{at % 4}/m{at}", f"k{key}", "", "ok", f"p{at % 4}", 10, 10, 0, 4_000, 900, 0, 0, 0, 10**7, 0, 0, hour * HOUR_MS)
        for hour in range(first, first + 90 * 24) for at in range(8) for key in range(6)
    ]  # fmt: skip
    days = [
        (day, f"p{at % 4}/m{at}", kind, as_step(100 + 10 * step), 70)
        for day in range(90) for at in range(8) for kind in ("first", "total") for step in range(90)
    ]  # fmt: skip
    database.write(
        (f"INSERT INTO usage_hours VALUES ({', '.join('?' * 18)})", hours),
        ("INSERT INTO speed_days VALUES (?, ?, ?, ?, ?)", days),
    )
    asked = Range(first * HOUR_MS, AT_MS)
    slots = load_slots(database, "model", asked, DAY_MS)
    load_use(database, asked.before())
    load_troubles(database, asked)
    load_spent(database, DAY, DAY)
    speeds = load_speeds(database, Range(0, 90 * DAY_MS))
    database.close()
    assert sum(slot.use.attempts for slot in slots) == 10 * len(hours) > 10**6
    assert [speed.answers for speed in speeds] == [90 * 90 * 70] * 8
