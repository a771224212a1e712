"""Rows that are written behind the caller's back, also while the database is away."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

from jackfield.ledger.database import Database, DatabaseDown, open_database, sqlite_url
from jackfield.ledger.row import Row
from jackfield.ledger.writer import GONE_AFTER_S, PRUNED, Ledger
from tests.ledger.rows import row
from tests.patience import PATIENCE_S, await_true, quickest_s
from tests.stores import postgres_server

# Notes rows without end, and prints how many.
BUSY = """
import sys, time, secrets
from jackfield.ledger.row import Row
from jackfield.ledger.writer import Ledger
ledger = Ledger.open(sys.argv[1])
for number in range(1, 1_000_000):
    ledger.note(Row(id=secrets.token_hex(16), at_ms=time.time_ns() // 1_000_000))
    print(number, time.time(), flush=True)
    time.sleep(0.002)
"""


def count(url: str) -> int:
    database = open_database(url)
    ((found,),) = database.rows("SELECT count(*) FROM attempts")
    database.close()
    return int(found)


def test_a_noted_row_is_written_within_a_second(url: str) -> None:
    ledger = Ledger.open(url)
    assert ledger.flush(PATIENCE_S)
    noted = 0

    def write_s() -> float:
        nonlocal noted
        noted += 1
        ledger.note(row())
        started_s = time.monotonic()
        assert ledger.flush(PATIENCE_S)
        return time.monotonic() - started_s

    assert quickest_s(write_s, 1) < 1
    assert count(url) == noted
    ledger.close(PATIENCE_S)


def test_a_row_waits_until_it_is_written_wherever_it_is(url: str) -> None:
    seen: list[int] = []

    class Looking(deque[Row]):
        def popleft(self) -> Row:
            taken = super().popleft()
            seen.append(ledger.waiting)
            return taken

    ledger = Ledger(lambda: open_database(url))
    ledger._rows = Looking()
    ledger.note(row())
    ledger.start()
    assert ledger.close(PATIENCE_S) == 0
    assert seen == [1]


def test_a_row_comes_back_as_it_was_noted(url: str) -> None:
    noted = row(input=3, cost_nanos=1_600_000, streamed=True, end_user="Zoë", first_ms=None)
    ledger = Ledger.open(url)
    ledger.note(noted)
    ledger.close(PATIENCE_S)

    database = open_database(url)
    found = database.rows("SELECT input, cost_nanos, streamed, end_user, first_ms, at_ms FROM attempts")
    database.close()

    assert found == [(3, 1_600_000, True, "Zoë", None, noted.at_ms)]


def test_closing_writes_what_waits(url: str) -> None:
    ledger = Ledger.open(url)
    for _ in range(2_500):
        ledger.note(row())

    assert ledger.close(PATIENCE_S) == 0
    assert count(url) == 2_500


def test_a_row_that_is_written_twice_counts_once(url: str) -> None:
    same = row()
    ledger = Ledger.open(url)
    ledger.note(same)
    ledger.flush(PATIENCE_S)
    ledger.note(same)

    assert ledger.close(PATIENCE_S) == 0
    assert count(url) == 1


def test_texts_and_numbers_that_no_database_holds_hold_nothing_up(url: str) -> None:
    ledger = Ledger.open(url)
    ledger.note(row(end_user="a\0b\ud800", output=2**70))
    ledger.note(row())

    assert ledger.close(PATIENCE_S) == 0
    assert count(url) == 2


def test_noting_never_waits_and_what_finds_no_room_is_counted() -> None:
    def refuse() -> Database:
        raise DatabaseDown("away")

    said: list[str] = []
    ledger = Ledger(refuse, say=said.append, capacity=10)
    ledger.start()
    for _ in range(1_000):
        ledger.note(row())

    assert (ledger.waiting, ledger.dropped) == (10, 990)
    await_true(lambda: said)
    assert said == ["away: rows wait in memory, 10 at most; calls go on"]
    assert ledger.close(PATIENCE_S) == 10


def test_rows_of_an_outage_are_written_when_the_database_is_back() -> None:
    said: list[str] = []
    with postgres_server() as store:
        ledger = Ledger.open(store.url, say=said.append)
        ledger.note(row())
        assert ledger.flush(PATIENCE_S)

        store.stop(signal.SIGQUIT)
        for _ in range(20):
            ledger.note(row())
        await_true(lambda: ledger.trouble)
        store.start()

        await_true(lambda: ledger.written == 21)
        assert count(store.url) == 21
        assert ledger.close(PATIENCE_S) == 0
    assert len(said) == 2
    assert "rows wait in memory" in said[0]
    assert "the ledger is written again" in said[1]


def test_a_database_that_answers_nothing_does_not_hold_up_the_caller() -> None:
    with postgres_server() as store:
        ledger = Ledger.open(store.url)
        assert ledger.flush(PATIENCE_S)
        store.freeze()
        noted = 0

        def note_s() -> float:
            nonlocal noted
            started_s = time.perf_counter()
            for _ in range(100):
                ledger.note(row())
            noted += 100
            return time.perf_counter() - started_s

        took_s = quickest_s(note_s, 0.1)
        store.thaw()

        assert took_s < 0.1
        await_true(lambda: ledger.written == noted)
        ledger.close(PATIENCE_S)


def test_a_process_killed_under_load_loses_at_most_its_last_second(url: str) -> None:
    assert quickest_s(lambda: kill_and_count_lost_s(url), 1) < 1
    assert count(url) > 0


def kill_and_count_lost_s(url: str) -> float:
    """Kill a process that notes rows; return how long before its end it had noted the first row that is lost."""
    before = count(url)
    with subprocess.Popen([sys.executable, "-c", BUSY, url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        noted_s = []
        for line in process.stdout:
            noted_s.append(float(line.split()[1]))
            if len(noted_s) >= 600:
                break
        process.kill()
        killed_s = time.time()
        noted_s += [float(line.split()[1]) for line in process.stdout.read().splitlines()[:-1]]
    written = count(url) - before
    return max(0.0, killed_s - noted_s[written]) if written < len(noted_s) else 0.0


def test_the_next_process_says_that_one_was_killed(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "state.sqlite")
    begun_ms = 1_795_000_000_000
    killed = Ledger(lambda: open_database(url), now_ms=lambda: begun_ms)
    killed.start()
    killed.note(row())
    assert killed.flush(PATIENCE_S)  # and never closes
    said: list[str] = []
    later_ms = begun_ms + GONE_AFTER_S * 1000 + 1

    for _ in range(2):
        following = Ledger(lambda: open_database(url), say=said.append, now_ms=lambda: later_ms)
        following.start()
        following.note(row())
        following.close(PATIENCE_S)

    assert len(said) == 1
    assert said[0].endswith("ended without closing the ledger: rows later than 2026-11-18 11:06:40 UTC may be missing")
    killed.close(PATIENCE_S)


def test_a_process_that_ended_in_order_is_not_spoken_of(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "state.sqlite")
    ended = Ledger(lambda: open_database(url), now_ms=lambda: 1_000)
    ended.start()
    ended.note(row())
    ended.close(PATIENCE_S)
    said: list[str] = []

    following = Ledger(lambda: open_database(url), say=said.append, now_ms=lambda: 10_000_000)
    following.start()
    following.note(row())
    following.close(PATIENCE_S)

    assert said == []


# -- what is kept --------------------------------------------------------------------


def test_rows_go_when_they_are_older_than_they_are_to_be_kept(url: str) -> None:
    now_ms, day_ms = 200 * 86_400_000, 86_400_000
    old = [row(at_ms=now_ms - 91 * day_ms - number) for number in range(PRUNED + 50)]
    database = open_database(url)
    database.close()
    ledger = Ledger(lambda: open_database(url), now_ms=lambda: now_ms)
    ledger.keep_days = 90
    for each in (*old, row(at_ms=now_ms - 89 * day_ms), row(at_ms=now_ms)):
        ledger.note(each)
    ledger.start()
    assert ledger.flush(PATIENCE_S)
    await_true(lambda: count(url) == 52)  # a batch is gone
    ledger.note(row(at_ms=now_ms))
    await_true(lambda: count(url) == 3)  # and the rest, with the next round
    assert ledger.close(PATIENCE_S) == 0
    database = open_database(url)
    ((sums,),) = database.rows("SELECT sum(attempts) FROM usage_hours")
    database.close()
    assert sums == PRUNED + 53


def test_rows_are_kept_for_good_unless_somebody_says_how_long(url: str) -> None:
    ledger = Ledger.open(url)
    ledger.note(row(at_ms=1))
    assert ledger.close(PATIENCE_S) == 0
    assert count(url) == 1
