"""The numbers of all workers in one folder, so that whoever is asked for metrics tells those of all.

Each worker writes a file of its own every second. What a worker that has ended did still counts;
what it had open does not.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from jackfield.gateway.metrics import FAMILIES, Key, Numbers, add_up

EVERY_S = 1.0


class Page(Struct, frozen=True):
    """One worker's numbers, as they stand in its file."""

    pid: int
    numbers: list[tuple[Key, int | float]]


class Board:
    """One worker's place in the folder."""

    def __init__(self, folder: Path, pid: int) -> None:
        self._folder = folder
        self._pid = pid

    def publish(self, numbers: Numbers) -> None:
        """Write this worker's numbers for the others; a folder that is full or gone costs no answer."""
        file = self._folder / f"{self._pid}.json"
        try:
            file.with_suffix(".new").write_bytes(msgspec.json.encode(Page(self._pid, list(numbers.items()))))
            file.with_suffix(".new").replace(file)
        except OSError:
            return

    def add_up(self, own: Numbers) -> dict[Key, int | float]:
        """Return the numbers of all workers; those of others are a second old at most."""
        return add_up([own, *self._others()])

    async def keep(self, numbers: Callable[[], Numbers]) -> None:
        """Publish every second until cancelled, and once more then."""
        try:
            while True:
                await asyncio.to_thread(self.publish, numbers())
                await asyncio.sleep(EVERY_S)
        finally:
            self.publish(numbers())

    def _others(self) -> Iterator[Numbers]:
        for file in self._folder.glob("*.json"):
            try:
                page = msgspec.json.decode(file.read_bytes(), type=Page)
            except (OSError, msgspec.DecodeError):
                continue
            if page.pid != self._pid:
                is_alive = _is_alive(page.pid)
                yield {key: number for key, number in page.numbers if is_alive or not _is_gauge(key)}


def _is_gauge(key: Key) -> bool:
    family = FAMILIES.get(key[0])
    return family is not None and family.kind == "gauge"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
