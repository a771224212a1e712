"""How long the rows of calls are kept: said in the config, done by the gateway's process."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from jackfield.ledger.database import open_database, sqlite_url
from jackfield.ledger.sums import DAY_MS
from jackfield.ledger.writer import Ledger
from tests.commands import write_config
from tests.gateway.command import gateway_process
from tests.ledger.rows import row
from tests.patience import PATIENCE_S, await_true


@pytest.mark.parametrize(("rules", "left"), [({"keepDays": 31}, [30]), ({}, [30, 32])], ids=["31 days", "for good"])
def test_the_config_says_how_long_rows_are_kept(home: Path, rules: dict[str, int], left: list[int]) -> None:
    now_ms = time.time_ns() // 1_000_000
    url = sqlite_url(home / ".jackfield" / "state.sqlite")
    before = Ledger.open(url)
    for age in (30, 32):
        before.note(row(at_ms=now_ms - age * DAY_MS))
    assert before.close(PATIENCE_S) == 0
    box = {"baseUrl": "http://127.0.0.1:1/v1", "api": "openai-completions", "models": [{"id": "m"}]}
    write_config(json.dumps({"models": {"providers": {"box": box}}, "gateway": {"ledger": rules}}))

    with gateway_process() as process:
        process.ask("box/none")  # its row has the ledger look
        database = open_database(url)

        def days() -> list[int]:
            rows = database.rows("SELECT at_ms FROM attempts WHERE at_ms < ? ORDER BY at_ms DESC", now_ms - DAY_MS)
            return [(now_ms - at_ms) // DAY_MS for (at_ms,) in rows]

        await_true(lambda: database.rows("SELECT 1 FROM attempts WHERE requested = 'box/none'"), "the call's row")
        await_true(lambda: days() == left, "what is to be kept")
        sums = database.rows("SELECT sum(attempts) FROM usage_hours WHERE served = 'venice/m'")
        database.close()
    assert sums == [(2,)]
