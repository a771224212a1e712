"""The same rows on a real Ray of this machine; needs the extra `ray` (scripts/ray_check installs it beside)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.batch.box import CONFIG_COST, completion, echo, prompt_of, prompts, read_rows, refusing, write_rows
from tests.commands import impatient, local_provider, write_config
from tests.servers import free_port, json_reply, serve

pytest.importorskip("ray", reason="the extra ray is not installed")
BATCH = (sys.executable, "-m", "jackfield", "batch", "in.jsonl", "out.jsonl")
ROWS = 300


def ask(home: Path, *options: str) -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [*BATCH, "--json", *(options if "--ray" in options else (*options, "--ray"))],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_cluster_answers_as_one_process_does(home: Path) -> None:
    write_rows(home / "in.jsonl", [*prompts(ROWS), "{broken"])
    with serve(refusing("say 7")) as server:
        write_config(impatient(local_provider(server.url)))
        code, told = ask(home, "--concurrency", "16", "--ordered")

    assert (code, told["rows"], told["left"]) == (1, ROWS + 1, 0)
    rows = read_rows(home / "out.jsonl")
    assert [row["jackfield"]["line"] for row in rows] == [*range(1, ROWS + 2)]
    assert all(row["text"] == row["custom_id"].replace("row-", "say ") for row in rows if not row["error"])
    assert {row["custom_id"] for row in rows if row["error"]} == {"row-7", None} | {f"row-{n}" for n in range(70, 80)}


def test_a_cluster_at_an_address_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    write_rows(home / "in.jsonl", prompts(20))
    port, ray = free_port(), Path(sys.executable).with_name("ray")
    # Kept in the test's own home, where the cluster and who asks it look for it.
    subprocess.run([str(ray), "get-auth-token", "--generate"], check=True, capture_output=True)
    command = [str(ray), "start", "--head", "--block", "--num-cpus=1", f"--port={port}", "--include-dashboard=false"]
    head = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        assert head.stdout is not None
        told = list[str]()
        while not told or "runtime started" not in told[-1]:
            told.append(head.stdout.readline())
            assert told[-1], told
        with serve(echo) as server:
            write_config(impatient(local_provider(server.url)))
            code, summary = ask(home, "--ray", f"127.0.0.1:{port}")
    finally:
        head.terminate()
        head.communicate(timeout=60)

    assert (code, summary["answered"]) == (0, 20)


def test_a_killed_driver_goes_on_where_it_stopped(home: Path) -> None:
    write_rows(home / "in.jsonl", prompts(ROWS))
    with serve(lambda received: [0.05, *echo(received)]) as server:
        write_config(impatient(local_provider(server.url)))
        running = subprocess.Popen([*BATCH, "--concurrency", "4", "--ray"], cwd=home, start_new_session=True)
        out = home / "out.jsonl"
        end = time.monotonic() + 90
        while time.monotonic() < end and not (out.exists() and out.stat().st_size):
            time.sleep(0.05)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        before = len(read_rows(out))
        code, told = ask(home, "--concurrency", "16")

    assert 0 < before < ROWS
    assert (code, told["answered"]) == (0, ROWS - before)
    assert Counter(row["custom_id"] for row in read_rows(out)) == Counter(f"row-{number}" for number in range(ROWS))


def test_the_cap_holds_over_all_actors(home: Path) -> None:
    write_rows(home / "in.jsonl", prompts(40))
    with serve(lambda received: json_reply(completion(prompt_of(received), tokens=1000))) as server:
        write_config(
            impatient(local_provider(server.url, models=[{"id": "m", "cost": CONFIG_COST, "maxTokens": 1000}]))
        )
        code, told = ask(home, "--max-cost", "0.0102", "--concurrency", "4")

    assert code == 1
    assert told["answered"] == 10
    assert told["left"] == 30
    assert told["error"]["type"] == "billing"  # type: ignore[index]
