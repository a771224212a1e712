"""What the page asks of sums and of keys, alike in both databases."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest

from jackfield.admin.views.usage import read_wish
from jackfield.errors import InvalidRequest
from jackfield.ledger.export import render_csv
from jackfield.ledger.sums import DAY_MS, HOUR_MS
from tests.admin.ledgered import EVIL, configure, used_gateway
from tests.gateway.command import gateway_process
from tests.ledger.conftest import url
from tests.ledger.rows import AT_MS

__all__ = ["url"]


def test_real_calls_are_summed_over_time_in_both_databases(home, url) -> None:
    with used_gateway(database=url) as process:
        said = process.admin("usage?by=model&days=1&step=hour")[1]
        rows = {row["name"]: row for row in said["rows"]}
        assert (rows["box/good"]["requests"], rows["box/good"]["attempts"], rows["box/good"]["cacheRead"]) == (
            3,
            4,
            1600,
        )
        # 600 fresh, 400 cached and 200 answered tokens: $0.0012 + $0.0002 + $0.002 a call.
        assert rows["box/good"]["costUsd"] == "0.0136"
        assert rows["box/broken"]["errors"] >= 2
        assert rows["box/slow"]["cancelled"] == 1
        assert EVIL in "".join(rows)
        assert said["total"]["requests"] == 7
        assert (said["before"]["requests"], len(said["slots"])) == (0, 24)
        assert sum(point["requests"] for point in said["points"]) == 7
        assert {point["atMs"] for point in said["points"]} <= set(said["slots"])
        assert [row["name"] for row in process.admin("usage?by=key")[1]["rows"]] == ["owner"]
        assert len(process.admin("usage?by=provider&days=7")[1]["slots"]) == 7
        speeds = {row["model"]: row for row in process.admin("usage/speeds?days=1")[1]["rows"]}
        good = speeds["box/good"]
        assert (good["answers"], set(good["totalMs"])) == (4, {"p50", "p90", "p99"})
        assert 0 < good["totalMs"]["p50"] <= good["totalMs"]["p99"]
        assert good["firstMs"]["p50"] is not None
        errors = process.admin("usage/errors?days=1")[1]["rows"]
        assert {(each["model"], each["provider"]) for each in errors} == {("box/broken", "box"), ("box/refused", "box")}
        assert all(each["count"] >= 1 and each["lastMs"] > 0 for each in errors)


def test_a_file_has_the_same_figures(home) -> None:
    with used_gateway() as process:
        total = process.admin("usage?days=1")[1]["total"]
        told = process.admin("usage/export?days=1&format=csv")[1]
        rows = list(csv.DictReader(io.StringIO(told["text"])))
        assert sum(int(row["requests"]) for row in rows) == total["requests"]
        assert sum(Decimal(row["costUsd"]) for row in rows) == Decimal(total["costUsd"])
        assert (told["type"], told["name"].endswith(".csv")) == ("text/csv", True)
        as_json = json.loads(process.admin("usage/export?days=1&format=json")[1]["text"])
        assert [row["name"] for row in as_json] == [row["name"] for row in rows]
        assert process.admin("usage/export?format=xls")[0] == 400


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_name_that_a_spreadsheet_would_run_is_a_text(name: str) -> None:
    (_, row) = csv.reader(io.StringIO(render_csv(["name", "count"], [{"name": name, "count": -1}]), newline=""))
    assert row == [f"'{name}", "-1"]


def test_days_are_utcs_and_end_with_the_hour_under_way() -> None:
    wish = read_wish({"days": "7"}, AT_MS)
    assert (wish.range.from_ms % DAY_MS, wish.range.to_ms) == (0, AT_MS // HOUR_MS * HOUR_MS + HOUR_MS)
    assert wish.range.to_ms - wish.range.from_ms > 6 * DAY_MS
    hours = read_wish({"days": "1", "step": "hour"}, AT_MS).range
    assert hours.to_ms - hours.from_ms == DAY_MS
    dates = read_wish({"from": "2026-11-01", "to": "2026-11-03"}, AT_MS).range
    assert (dates.from_ms % DAY_MS, dates.to_ms - dates.from_ms) == (0, 3 * DAY_MS)
    assert dates.before().to_ms == dates.from_ms


@pytest.mark.parametrize(
    "query",
    [
        {"by": "secret"}, {"step": "minute"}, {"days": "0"}, {"days": "9999"}, {"from": "yesterday"}, {"days": "400", "step": "hour"},
        {"from": "2026-11-03", "to": "2026-11-01"}, {"from": "1200-01-01", "to": "2026-11-01"},
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_refused(query) -> None:
    with pytest.raises(InvalidRequest):
        read_wish(query, AT_MS)


def test_a_key_is_told_with_what_it_used_of_its_limits_and_changed(home, url) -> None:
    with used_gateway(database=url, keys={"ci": {"key": "jf-of-the-config", "requestsPerMinute": 9}}) as process:
        limits = {"budgetDay": 1, "budgetMonth": "2.5", "concurrency": 3}
        made = process.admin("keys", {"name": "ann", "limits": limits})[1]
        head = {"authorization": f"Bearer {made['key']}"}
        body = json.dumps(
            {"model": "box/good", "messages": [{"role": "user", "content": "x"}], "max_tokens": 9}
        ).encode()
        process.wait_for(lambda: str(process.request("POST", "/v1/chat/completions", body, **head)[0]), "200")
        process.wait_for(lambda: str(keys(process)["ann"]["requests"]), "1")
        told = keys(process)
        assert (told["ann"]["spentDayUsd"], told["ann"]["spentMonthUsd"]) == ("0.0034", "0.0034")
        assert told["ann"]["limits"] == {"budgetDay": "1", "budgetMonth": "2.5", "concurrency": 3}
        assert told["ann"]["lastMs"] > 0
        assert (told["ci"]["from"], told["owner"]["from"], told["ann"]["from"]) == ("config", "config", "")
        assert made["key"] not in json.dumps(told)
        assert "jf-of-the-config" not in json.dumps(told)
        assert process.admin("keys", {"name": "ann", "limits": {"budgetDay": 0}}, method="PUT")[0] == 200
        process.wait_for(lambda: str(process.request("POST", "/v1/chat/completions", body, **head)[0]), "429")
        assert keys(process)["ann"]["limits"] == {"budgetDay": "0"}
        for wrong in ({"name": "bob"}, {"name": "ann", "expiresMs": 7}, {"name": "ann", "limits": {"budgetDay": -1}}):
            assert process.admin("keys", wrong, method="PUT")[0] == 400


def test_a_key_that_would_have_expired_is_not_made(home) -> None:
    configure("http://127.0.0.1:1")
    with gateway_process() as process:
        assert process.admin("keys", {"name": "late", "expiresMs": 1})[0] == 400


def keys(process):
    return {key["name"]: key for key in process.admin("keys")[1]["keys"]}
