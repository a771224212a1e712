"""Several real processes at one store."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jackfield import errors
from jackfield.health.file import StateFile
from jackfield.health.kept import KeptHealth
from jackfield.health.server import open_server
from jackfield.health.store import DAY_MS
from tests import forks
from tests.health.conftest import Server
from tests.patience import PATIENCE_S

PROCESSES, ROUNDS = 8, 10


def now_ms() -> int:
    return int(time.time() * 1000)


def hammer(where: str, folder: Path) -> Iterator[str]:
    """Run all at once and yield what they complain of."""
    with ExitStack() as open_, Path(os.devnull).open("r+b") as nothing:
        outs = [open_.enter_context((folder / str(number)).open("w+b")) for number in range(PROCESSES)]
        running = [
            forks.spawn(
                [where, str(number), str(ROUNDS)], (nothing.fileno(), out.fileno(), nothing.fileno()),
                env=os.environ, cwd=folder, entry="tests.health.hammer",
            )
            for number, out in enumerate(outs)
        ]  # fmt: skip
        for process, out in zip(running, outs, strict=True):
            assert process.end(PATIENCE_S) == 0
            out.seek(0)
            yield out.read().decode().strip()


@pytest.mark.parametrize("kind", ["file", "server"])
def test_eight_processes_lose_no_failure_and_the_latest_end_stays(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = str(tmp_path / "state.sqlite")
    if kind == "server":
        server: Server = request.getfixturevalue("redis_server")
        where = f"{server.url}/7"
    assert set(hammer(where, tmp_path)) == {""}
    store = KeptHealth(
        open_server(where, now_ms, timeout_s=PATIENCE_S) if kind == "server" else StateFile(Path(where), now_ms),
        now_ms,
        DAY_MS,
    )
    rests = {rest.place.model: rest for rest in store.view().rests}
    store.close()
    assert rests.keys() == {"m", *(f"{number}-{turn}" for number in range(PROCESSES) for turn in range(ROUNDS))}
    assert rests["m"].count == PROCESSES * ROUNDS
    assert rests["m"].until_ms - rests["m"].last_ms > (100 + PROCESSES - 2) * 1000


def test_of_many_processes_one_tries(tmp_path: Path) -> None:
    stores = [KeptHealth(StateFile(tmp_path / "state.sqlite", now_ms), now_ms, DAY_MS) for _ in range(8)]
    stores[0].note_failure("a", "k", "m", errors.RateLimit("no", retry_after_s=0.0))
    over_ms = now_ms() + 2_000
    late = [
        KeptHealth(StateFile(tmp_path / "state.sqlite", lambda: over_ms), lambda: over_ms, DAY_MS) for _ in range(8)
    ]
    assert sum(store.claim("a", "k", "m") for store in late) == 1
    for store in (*stores, *late):
        store.close()
