"""Which files the gateway's set-up is read from, and when one of them has become another.

Files are compared by what the system says of them: an editor that writes in place, one that puts
a new file in the old one's place (`os.replace`) and a link that is turned are all seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from jackfield.config.paths import Paths
from jackfield.config.registry import PLACES
from jackfield.config.schema import InvalidConfig
from jackfield.config.source import load_tree, real_path

EVERY_S = 1.0
LISTS = "models"  # in the cache
SETTLE_S = 0.1  # a file that is being written is left alone until it rests

Print = tuple[tuple[str, str, int, int, int], ...]  # name, what it leads to, and what the system says of that


class Reloads(Protocol):
    """What can be given a new set-up."""

    async def try_reload(self) -> bool:
        """Reload, or say why not and go on as before; tell which of the two."""
        ...


class _Wanted(Mapping[Path, str]):
    """Stands in for no file, and remembers which were asked for: those that do not exist (yet), too."""

    def __init__(self) -> None:
        self.asked: list[Path] = []

    def __contains__(self, file: object) -> bool:
        if isinstance(file, Path):
            self.asked.append(file)
        return False

    def __getitem__(self, file: Path) -> str:
        raise KeyError(file)

    def __iter__(self) -> Iterator[Path]:
        return iter(())

    def __len__(self) -> int:
        return 0


def list_files(paths: Paths, environ: Mapping[str, str], cwd: Path) -> tuple[Path, ...]:
    """Return every file that the set-up is read from: the config, its includes, dotenv, `models.json`, providers' lists.

    Of a config that cannot be read, those that can be found.
    """
    wanted = _Wanted()
    with suppress(InvalidConfig):  # whoever loads it says so
        load_tree(paths.config, environ, wanted)
    found = [paths.config, *wanted.asked, cwd / ".env", paths.dotenv, *(paths.home / place for place in PLACES)]
    # A folder is another one when a file in it was replaced.
    return tuple(dict.fromkeys([*found, paths.cache / LISTS]))


def take_print(files: Iterable[Path]) -> Print:
    """Return what changes when one of these files does."""
    return tuple(_look(file) for file in files)


def _look(file: Path) -> tuple[str, str, int, int, int]:
    try:
        found = file.stat()
    except (OSError, ValueError):
        return str(file), "", 0, 0, 0
    return str(file), str(real_path(file)), found.st_mtime_ns, found.st_ino, found.st_size


class Files:
    """The files of a set-up, as they were when it was last read."""

    def __init__(self, find: Callable[[], Iterable[Path]]) -> None:
        self._find = find
        self._known: Print = ()

    def note(self) -> None:
        """Remember how they are now; what changes while they are read has changed after it."""
        self._known = take_print(self._find())

    def look(self) -> Print | None:
        """Return how they are now, `None` where nothing has changed."""
        now = take_print(Path(name) for name, *_ in self._known)
        return None if now == self._known else now


async def follow(gateway: Reloads, files: Files, every_s: float = EVERY_S) -> None:
    """Reload whenever a file has changed, until cancelled. Who reloads notes the files."""
    while True:
        await asyncio.sleep(every_s)
        now = await asyncio.to_thread(files.look)
        if now is None:
            continue
        await asyncio.sleep(SETTLE_S)
        while (later := await asyncio.to_thread(files.look)) not in {now, None}:
            now = later
            await asyncio.sleep(SETTLE_S)
        if later is not None:
            await gateway.try_reload()
