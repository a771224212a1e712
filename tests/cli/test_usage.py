"""`usage`: what the ledger holds, for people and for programs."""

from __future__ import annotations

import csv
import io
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jackfield.cli.usage import draw_bar
from jackfield.ledger.database import open_database, sqlite_url
from jackfield.ledger.report import Latency, load_shares
from jackfield.ledger.row import Row
from jackfield.ledger.writer import Ledger
from tests.commands import run
from tests.ledger.conftest import url
from tests.ledger.rows import AT_MS, row
from tests.test_imports import HEAVY, command, modules_after

__all__ = ["url"]

NOW_MS = time.time_ns() // 1_000_000


def keep(url: str, *rows: Row) -> None:
    ledger = Ledger.open(url)
    for each in rows:
        ledger.note(each)
    assert ledger.close() == 0


def keep_here(home: Path, *rows: Row) -> None:
    keep(sqlite_url(home / ".jackfield" / "state.sqlite"), *rows)


def call(**fields: Any) -> Row:
    said = {
        "at_ms": NOW_MS - 1000,
        "served": "a/one",
        "provider": "a",
        "key_name": "bob",
        "cost_nanos": 2_000_000,
        "input": 10,
        "output": 5,
    }
    return row(**(said | fields))


def test_sums_are_alike_in_both_databases(url: str) -> None:
    keep(
        url,
        row(served="a/one", cost_nanos=1, input=1, output=2, cache_read=3, cache_write=4, reasoning=1),
        row(served="a/one", cost_nanos=None, outcome="rate_limit", attempt=1),
        row(served="a/one", cost_nanos=2, attempt=2, estimated=True, input=1),
        row(served="b/two", cost_nanos=9_000_000_000, outcome="cancelled"),
        row(served="b/two", at_ms=AT_MS - 1),
    )
    database = open_database(url)
    two, one = load_shares(database, "model", AT_MS)
    database.close()

    assert (two.name, two.attempts, two.errors, two.usd) == ("b/two", 1, 0, Decimal(9))
    assert (one.name, one.attempts, one.requests, one.errors) == ("a/one", 3, 2, 1)
    assert (one.input, one.output, one.cache_read, one.cache_write, one.reasoning) == (2, 2, 3, 4, 1)
    assert (one.usd, one.unpriced, one.estimated) == (Decimal("0.000000003"), 0, True)


def test_times_are_the_nearest_rank_of_good_answers(url: str) -> None:
    keep(url, *(row(total_ms=ms) for ms in range(1, 101)), row(total_ms=10_000, outcome="timeout"), row(total_ms=None))
    database = open_database(url)
    (share,) = load_shares(database, "provider", 0)
    database.close()

    assert share.total == Latency(50, 95, 99)
    assert share.first == Latency()


def test_days_are_in_their_order_and_utcs(url: str) -> None:
    day_ms = 86_400_000
    midnight = AT_MS // day_ms * day_ms
    keep(url, row(at_ms=midnight + day_ms), row(at_ms=midnight + day_ms - 1, cost_nanos=1), row(at_ms=midnight))
    database = open_database(url)
    days = load_shares(database, "day", 0)
    database.close()

    assert [(int(day.name) - midnight // day_ms, day.attempts) for day in days] == [(0, 2), (1, 1)]


def test_a_person_sees_a_table_with_bars(home: Path) -> None:
    keep_here(
        home, call(), call(served="b/two", cost_nanos=500_000, estimated=True), call(served="c/free", cost_nanos=None)
    )

    result = run("usage")

    header, *lines = result.out.splitlines()
    assert header.split() == ["Model", "Requests", "Errors", "Input", "Cached", "Output", "p50", "p95", "Cost"]
    assert [line.split()[0] for line in lines] == ["a/one", "b/two", "c/free"]
    assert lines[0].split()[-2:] == ["$0.002", "█" * 20]
    assert lines[1].split()[-2:] == ["~$0.0005", "█" * 5]
    assert lines[2].endswith("$0.00 +?")
    assert "the price is unknown" in result.err


@pytest.mark.parametrize(("by", "names"), [("key", ["bob", "amy"]), ("provider", ["a"]), ("model", ["a/one"])])
def test_what_a_line_stands_for_is_chosen(home: Path, by: str, names: list[str]) -> None:
    keep_here(home, call(), call(), call(key_name="amy"))

    assert [each["name"] for each in run("usage", "--by", by, "--json").json()["rows"]] == names


def test_programs_get_csv_and_json_with_the_same_figures(home: Path) -> None:
    keep_here(home, call(first_ms=3), call(cache_read=7))

    (said,) = run("usage", "--json").json()["rows"]
    (line,) = csv.DictReader(io.StringIO(run("usage", "--csv").out))

    assert said["costUsd"] == "0.004"
    assert said["cacheRead"] == 7
    assert {name: "" if value is None else str(value) for name, value in said.items()} == line


def test_what_is_older_is_left_out(home: Path) -> None:
    keep_here(home, call(at_ms=NOW_MS - 8 * 86_400_000))

    assert "within 7d" in run("usage").err
    assert len(run("usage", "--since", "2w", "--json").json()["rows"]) == 1
    assert len(run("usage", "--since", "all", "--json").json()["rows"]) == 1
    assert run("usage", "--since", "yesterday").code == 2


@pytest.mark.parametrize("line", [("usage",), ("usage", "--json"), ("gateway", "keys", "list")])
def test_who_only_looks_makes_no_file(line: tuple[str, ...], home: Path) -> None:
    assert run(*line).code == 0
    assert list(home.rglob("*")) == []


def test_a_killed_process_is_told_of(home: Path) -> None:
    path = sqlite_url(home / ".jackfield" / "state.sqlite")
    killed = Ledger(lambda: open_database(path), now_ms=lambda: NOW_MS - 60_000)
    killed.start()
    killed.note(call())
    assert killed.flush()

    result, said = run("usage"), run("usage", "--json").json()["missing"]

    assert "was killed: its rows later than" in result.err
    assert [each["seenMs"] for each in said] == [NOW_MS - 60_000]
    killed.close()
    assert "was killed" not in run("usage").err


@pytest.mark.parametrize(
    ("share", "bar"), [("1", "█" * 20), ("0.5", "█" * 10), ("0.001", "▏"), ("0", ""), ("0.0125", "▎")]
)
def test_a_bar_is_as_long_as_its_share(share: str, bar: str) -> None:
    assert draw_bar(Decimal(share)) == bar


def test_neither_the_server_nor_the_network_is_imported(home: Path) -> None:
    keep_here(home, call())

    imported = modules_after(command("usage")) | modules_after(command("gateway", "keys", "list"))

    assert not imported & (HEAVY | {"uvicorn", "redis", "psycopg", "jackfield.gateway.gateway", "jackfield.client"})
