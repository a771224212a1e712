"""Numbers for Prometheus: right, in bounded labels, the sum of all workers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from decimal import Decimal

from jackfield.credential import Secret
from jackfield.gateway.access import Stores
from jackfield.gateway.board import Board
from jackfield.gateway.keys import Key, digest
from jackfield.gateway.metrics import MOST_MODELS, Metrics, add_up, render
from jackfield.gateway.record import Finished
from jackfield.message import Attempt, Usage
from tests.gateway.serving import TOKEN, configured, provider, running


def call(model: str = "box/m", **more: object) -> Finished:
    tried = (Attempt(model, ms=300),)
    said = {"usage": Usage(3, 2), "cost_usd": Decimal("0.00000001"), "first_ms": 90, **more}
    return Finished(request_id="r", at_ms=0, ms=300, wire="openai-completions", model=model, attempts=tried, **said)


def page(metrics: Metrics) -> str:
    return render(metrics.numbers({"jackfield_open_requests": 2})).decode()


def test_times_fall_into_buckets_that_add_up() -> None:
    metrics = Metrics()
    for ms in (100, 101, 299_000, 301_000):
        metrics.note(
            call(first_ms=None) if ms == 100 else Finished(request_id="r", at_ms=0, ms=ms, wire="openai-completions")
        )
    lines = dict(re.findall(r'jackfield_request_seconds_bucket\{.*le="(.*)"\} (\d+)', page(metrics)))
    assert lines["0.1"] == "0"
    assert (lines["0.25"], lines["0.5"], lines["60"], lines["300"], lines["+Inf"]) == ("1", "2", "2", "3", "4")
    assert 'jackfield_request_seconds_sum{wire="openai-completions"} 600.401000' in page(metrics)


def test_a_time_on_the_edge_belongs_to_its_bucket() -> None:
    metrics = Metrics()
    metrics.note(Finished(request_id="r", at_ms=0, ms=100, wire="w"))
    assert 'jackfield_request_seconds_bucket{wire="w",le="0.1"} 1' in page(metrics)


def test_money_is_exact_and_text_is_escaped() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.note(call('box/"odd"\n\\'))
    assert 'jackfield_cost_usd_total{model="box/\\"odd\\"\\n\\\\"} 0.000000030' in page(metrics)


def test_names_that_callers_make_up_take_no_room() -> None:
    metrics = Metrics()
    for number in range(5_000):
        metrics.note(call(f"box/made-up-{number}"))
    metrics.note(call("box/" + "x" * 500))
    numbers = metrics.numbers({})
    assert len(numbers) < MOST_MODELS * 8
    others = numbers["jackfield_requests_total", "openai-completions", "chat", "other", "ok"]
    assert others == 5_001 - MOST_MODELS
    assert sum(count for key, count in numbers.items() if key[0] == "jackfield_requests_total") == 5_001


def test_workers_add_up_but_what_they_share_does_not() -> None:
    one, two = Metrics(), Metrics()
    for metrics in (one, two, two):
        metrics.note(call())
    both = add_up([one.numbers({"jackfield_rests": 4}), two.numbers({"jackfield_rests": 4})])
    assert both["jackfield_requests_total", "openai-completions", "chat", "box/m", "ok"] == 3
    assert both["jackfield_rests",] == 4
    assert both["jackfield_processes",] == 2


def test_a_worker_that_has_ended_still_counts_but_holds_nothing_open(tmp_path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    gone, alive, me = Metrics(), Metrics(), Metrics()
    for metrics in (gone, alive, me):
        metrics.note(call())
    Board(tmp_path, int(ended.stdout)).publish(gone.numbers({"jackfield_open_requests": 5}))
    Board(tmp_path, os.getppid()).publish(alive.numbers({"jackfield_open_requests": 3}))
    (tmp_path / "7.json").write_bytes(b"half a fi")
    found = Board(tmp_path, os.getpid()).add_up(me.numbers({"jackfield_open_requests": 1}))
    assert found["jackfield_requests_total", "openai-completions", "chat", "box/m", "ok"] == 3
    assert found["jackfield_open_requests",] == 4


def test_a_folder_that_is_gone_costs_nothing(tmp_path) -> None:
    board = Board(tmp_path / "none", 1)
    board.publish({})
    assert board.add_up({("jackfield_processes",): 1}) == {("jackfield_processes",): 1}


def test_other_callers_do_not_see_what_everybody_asks() -> None:
    stores = Stores(token=Secret(TOKEN), keys=(Key(id="config:ann", name="ann", digest=digest("jf-ann")),))
    with running(configured(box=provider("http://127.0.0.1:1/v1")), stores=stores) as gateway:
        assert gateway.get("/metrics").status == 200
        assert gateway.get("/metrics", authorization="Bearer jf-ann").status == 403
