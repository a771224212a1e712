"""Killed at any moment, a batch loses no row and answers none twice; nor does its memory grow with its input."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests import forks
from tests.batch.box import completion, echo, prompt_of, prompts, read_rows, refusing, write_rows
from tests.commands import local_provider, run, write_config
from tests.patience import PATIENCE_S, await_true
from tests.servers import RESET, Received, Reply, Server, json_reply, serve

ROWS, KILLS, CONCURRENCY = 1000, 20, 16
FAST = ("batch", "in.jsonl", "out.jsonl", "--concurrency", str(CONCURRENCY))
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL and wait4")


class Flaky:
    """A provider that refuses some rows for good, loses the connection of some and is too busy for others, once each."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def __call__(self, received: Received) -> Reply:
        prompt = prompt_of(received)
        self.asked[prompt] += 1
        number = int(prompt.rsplit(" ", 1)[1])
        if self.asked[prompt] == 1 and number % 50 == 1:
            return [RESET]
        if self.asked[prompt] == 1 and number % 50 == 2:
            return json_reply({"error": {"message": "busy"}}, 503, retry_after="0")
        return [0.004, *(refusing("say") if number % 50 == 3 else echo)(received)]


def wait_for(server: Server, requests: int) -> None:
    await_true(lambda: len(server.journal) >= requests, f"{requests} requests")


def test_twenty_kills_lose_no_row_and_double_none(home: Path) -> None:
    write_rows(home / "in.jsonl", prompts(ROWS))
    flaky, whim = Flaky(), random.Random(os.urandom(4))
    with serve(flaky) as server:
        write_config(local_provider(server.url))
        for _ in range(KILLS):
            with Path(os.devnull).open("r+b") as nothing:
                running = forks.spawn(FAST, (nothing.fileno(),) * 3, env=os.environ, cwd=home)
            wait_for(server, len(server.journal) + whim.randint(1, ROWS // KILLS))
            time.sleep(whim.random() * 0.01)
            os.kill(running.pid, signal.SIGKILL)
            running.wait(PATIENCE_S)
        last = run(*FAST, "--json", cwd=home)

    rows = read_rows(home / "out.jsonl")
    told = last.json()
    assert Counter(row["custom_id"] for row in rows) == Counter(f"row-{number}" for number in range(ROWS))
    assert (told["rows"], told["left"], last.code) == (ROWS, 0, 1)
    failed = {row["custom_id"] for row in rows if row["error"]}
    assert failed == {f"row-{number}" for number in range(ROWS) if number % 50 == 3}
    for row in rows:
        if row["error"] is None:
            assert row["text"] == row["custom_id"].replace("row-", "say ")
    # Asked again is at most what was under way when it was killed, besides what failed on its way.
    again = sum(flaky.asked.values()) - ROWS - 2 * ROWS // 50
    assert 0 <= again <= KILLS * CONCURRENCY
    assert max(flaky.asked.values()) <= KILLS // 2


# Not what `wait4` tells, which counts the parent's memory that a new process begins with.
MEASURED = """
import re, sys
from pathlib import Path
from jackfield.cli.main import run
code = run(["batch", "in.jsonl", "out.jsonl"])
print(code, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def peak_mb(rows: int, home: Path) -> float:
    """Return the most memory a run over so many rows of 100 kB took."""
    write_rows(home / "in.jsonl", ({"prompt": f"{number} {'word ' * 20_000}"} for number in range(rows)))
    (home / "out.jsonl").unlink(missing_ok=True)
    done = subprocess.run([sys.executable, "-c", MEASURED], cwd=home, capture_output=True, text=True, check=True)
    code, kilobytes = done.stdout.splitlines()[-1].split()
    assert code == "0", done.stderr
    return int(kilobytes) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_does_not_grow_with_the_input(home: Path) -> None:
    with serve(json_reply(completion("ok"))) as server:
        write_config(local_provider(server.url))
        few, many = peak_mb(10, home), peak_mb(200, home)

    assert many - few < 12  # the input is 20 MB
