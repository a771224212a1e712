"""One process among several that note failures in the same store: FILE or URL, NUMBER, ROUNDS."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from jackfield import errors
from jackfield.health.file import StateFile
from jackfield.health.kept import KeptHealth
from jackfield.health.server import open_server
from jackfield.health.store import DAY_MS
from tests.patience import PATIENCE_S


def main() -> None:
    where, number, rounds = sys.argv[1:]

    def clock() -> int:
        return int(time.time() * 1000)

    # SQLite's waiting is not fair, and here nobody rests between two writes.
    backend = (
        open_server(where, clock, timeout_s=PATIENCE_S)
        if "://" in where
        else StateFile(Path(where), clock, timeout_s=PATIENCE_S)
    )
    store = KeptHealth(backend, clock, DAY_MS)
    for turn in range(int(rounds)):
        store.note_failure("a", "k", "m", errors.RateLimit("no", retry_after_s=100 + int(number)))
        store.note_failure("a", "k", f"{number}-{turn}", errors.ServerError("no"))
        store.claim("b", "k", "m")
    print(*store.problems)
