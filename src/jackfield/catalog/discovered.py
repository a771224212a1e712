"""What providers said last of their own models: one file per provider under `<home>/cache/models`.

Listings read these files and never wait for a network; `providers/refresh.py` writes them. A file
is two lines: who said it and when, then the rows. It holds no secret, nothing of it goes into the
user's config, and one that is broken, too large or of another format is as good as none.
"""

from __future__ import annotations

import os
import re
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from jackfield.catalog.index import Outline
from jackfield.model import Model

FORMAT = 1  # of the files; another number is not read
LIMIT = 8 * 1024 * 1024  # bytes; a list of five hundred models is a tenth of one million
OLD_AGE_S = 7 * 24 * 3600
SUFFIX = ".json"

T = TypeVar("T")


class Fetched(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The first line: the last list of a provider, and what went wrong since."""

    format: int = 0
    base_url: str = ""  # of the provider when it was asked; a list of another address counts for nothing
    fetched_at: float = 0  # Unix seconds; 0: never
    etag: str = ""
    last_modified: str = ""
    error: str = ""  # why the last attempt failed; empty when it did not


class Shelf:
    """The files of one user. Which there are is looked up once; each is read when asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all files there are; a single look at the disk, also when there are none."""
        try:
            return frozenset(name for name in os.listdir(self.folder) if name.endswith(SUFFIX))  # noqa: PTH208  half the time of iterdir
        except OSError:
            return frozenset()

    def path(self, provider: str) -> Path:
        """Return where a provider's list is kept."""
        return self.folder / f"{_file_name(provider)}{SUFFIX}"

    def head(self, provider: str, base_url: str) -> Fetched:
        """Return what is known of a provider's list; empty when there is none from this address."""
        head = self._split(provider)[0]
        return head if head.base_url == base_url else Fetched()

    def models(self, provider: str, base_url: str) -> tuple[Model, ...]:
        """Return the rows of a provider's list; none when it is of another address."""
        return self._rows(provider, base_url, tuple[Model, ...])

    def outlines(self, provider: str, base_url: str) -> tuple[Outline, ...]:
        """Return the same rows as far as a table shows them."""
        return self._rows(provider, base_url, tuple[Outline, ...])

    def _rows(self, provider: str, base_url: str, shape: type[tuple[T, ...]]) -> tuple[T, ...]:
        head, rows = self._split(provider)
        if not rows or head.base_url != base_url:
            return ()
        try:
            found: tuple[T, ...] = _decoder(shape).decode(rows)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return ()
        return found

    def _split(self, provider: str) -> tuple[Fetched, bytes]:
        if self.path(provider).name not in self.names:
            return Fetched(), b""
        try:
            with self.path(provider).open("rb") as file:
                text = file.read(LIMIT + 1)
            line, _, rows = text.partition(b"\n")
            head = _decoder(Fetched).decode(line)
        except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
            return Fetched(), b""
        return (head, rows) if head.format == FORMAT and len(text) <= LIMIT else (Fetched(), b"")


def render_fetched(head: Fetched, models: tuple[Model, ...]) -> str:
    """Return a file's text; rows that would make it too large are left out from the end."""
    encoder = msgspec.json.Encoder(decimal_format="number")
    rows = [encoder.encode(model) for model in models]
    room = LIMIT - 64 * 1024
    while sum(map(len, rows)) + len(rows) > room:
        rows = rows[: len(rows) // 2]
    return f"{msgspec.json.encode(head).decode()}\n[{b','.join(rows).decode()}]\n"


def _file_name(provider: str) -> str:
    # A provider's id in the config may be any text; a file's name may not.
    return re.sub(r"[^\w.-]", lambda match: f"%{ord(match[0]):x}", provider).strip(".") or "%"


@cache
def _decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    # Made when a file is there: each costs as much as a small import.
    return msgspec.json.Decoder(shape)
