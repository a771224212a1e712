"""`budget`: what was spent and held, as table and as JSON; beginning anew; the flags of `chat`."""

from __future__ import annotations

import os
import time
from pathlib import Path

from jackfield.spend.account import Allowance, Hold
from jackfield.spend.budget import day_of
from jackfield.spend.store import open_accounts
from tests.commands import run, write_config

CONFIG = '{ models: { budget: { perDay: "5.00", perSession: 1 } } }'


def home() -> Path:
    return Path(os.environ["HOME"]) / ".jackfield"


def now_ms() -> int:
    return int(time.time() * 1000)


def spend(session: str, held_nano: int, spent_nano: int) -> None:
    """Book a call of a session, and leave another on its way."""
    accounts = open_accounts(home(), now_ms)
    keys = [Allowance(key, "", 10**15) for key in (f"day:{day_of(now_ms())}", f"session:{session}")]
    for cost in (spent_nano, None):
        hold = accounts.reserve(keys, held_nano)
        assert isinstance(hold, Hold)
        if cost is not None:
            accounts.settle(hold, cost)
    accounts.close()


def test_a_day_is_the_same_wherever_a_process_runs() -> None:
    # Twenty-six hours lie between the two.
    days = {run("budget", "--json", env={"TZ": zone}).json()["day"] for zone in ("Etc/GMT-14", "Etc/GMT+12", "UTC")}
    assert days <= {day_of(now_ms()), day_of(now_ms() - 60_000)}


def test_it_shows_today_and_its_sessions_against_their_limits() -> None:
    write_config(CONFIG)
    spend("talk", 200_000_000, 1_250_000_000)

    shown = run("budget")

    assert shown.code == 0
    assert [line.split() for line in shown.out.splitlines()] == [
        ["Spent", "Reserved", "Limit", "Left"],
        ["today", "$1.25", "$0.20", "$5.00", "$3.55"],
        ["session", "talk", "$1.25", "$0.20", "$1.00", "$0.00"],
    ]
    assert run("budget", "show", "--session", "talk", "--json").json() == {
        "ok": True,
        "day": day_of(now_ms()),
        "today": {
            "day": day_of(now_ms()), "spentUsd": "1.25", "reservedUsd": "0.2", "limitUsd": "5.00", "leftUsd": "3.55",
        },
        "sessions": [
            {"session": "talk", "spentUsd": "1.25", "reservedUsd": "0.2", "limitUsd": "1", "leftUsd": "0"}
        ],
        "allowUnpriced": False,
    }  # fmt: skip


def test_without_a_limit_it_says_so_and_makes_no_file() -> None:
    shown = run("budget")

    assert shown.code == 0
    assert "no limit is set, and nothing is counted" in shown.err
    assert run("budget", "--json").json()["today"] == {
        "day": day_of(now_ms()), "spentUsd": "0", "reservedUsd": "0", "limitUsd": None, "leftUsd": None,
    }  # fmt: skip
    assert not (home() / "state.sqlite").exists()


def test_a_reset_begins_anew_for_today_for_a_session_or_for_all() -> None:
    write_config(CONFIG)
    spend("talk", 200_000_000, 1_250_000_000)
    spend("other", 0, 1_000_000_000)

    told = run("budget", "reset")
    assert told.out == "today: $2.25 spent, $0.20 reserved, now nothing\n"
    left = run("budget", "--json").json()
    assert left["today"]["leftUsd"] == "5.00"
    assert {row["session"]: row["spentUsd"] for row in left["sessions"]} == {"talk": "1.25", "other": "1"}

    assert run("budget", "reset", "--session", "talk", "--json").json()["reset"][0]["spentUsd"] == "1.25"
    assert [row["session"] for row in run("budget", "--json").json()["sessions"]] == ["other"]
    assert run("budget", "reset", "--all").code == 0
    assert run("budget", "--json").json()["sessions"] == []
    assert run("budget", "reset", "--all", "--session", "x").code == 2


def test_a_file_that_is_broken_is_an_error_that_says_what_to_do() -> None:
    write_config(CONFIG)
    (home() / "state.sqlite").write_bytes(b"no database" * 100)

    failed = run("budget")

    assert failed.code == 1
    assert "the budget cannot be kept" in failed.err
    assert "hint: nothing was sent; mend the file" in failed.err


def test_a_limit_on_the_command_line_is_an_amount() -> None:
    for odd in ("ten", "-1", "nan", "1e3", ""):
        failed = run("chat", "--max-cost", odd, "Hello")
        assert failed.code == 2
        assert "is no amount in dollars" in failed.err
