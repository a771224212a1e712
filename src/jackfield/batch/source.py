"""The input, line by line: which rows there are, and which are left to ask. Never holds more than one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from jackfield.batch.done import Done
from jackfield.batch.row import LONGEST, find_place
from jackfield.errors import UsageError

BOM = b"\xef\xbb\xbf"
Line = tuple[int, bytes]


class Survey(Struct, frozen=True):
    """How many rows the input has, and how many of them are in the output."""

    rows: int
    done: int


@contextmanager
def open_input(path: Path) -> Iterator[BinaryIO]:
    """Open the input; raise `UsageError` when it is no file that can be read twice."""
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not a file", hint="a batch reads its rows from a file, to find them again")
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from error
    with file:
        yield file


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """Yield every line that is not blank with its number; of one that is too long only the beginning."""
    number = 0
    while raw := file.readline(LONGEST):
        number += 1
        if len(raw) == LONGEST:
            _skip_rest(raw, file)
        if number == 1:
            raw = raw.removeprefix(BOM)
        if raw.strip():
            yield number, raw


def _skip_rest(raw: bytes, file: BinaryIO) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = file.readline(LONGEST)


def survey(file: BinaryIO, done: Done) -> Survey:
    """Count the rows; raise `UsageError` where one is not the row whose answer the output holds."""
    rows = met = 0
    for number, raw in read_lines(file):
        rows += 1
        held = done.digest(number)
        if not held:
            continue
        met += 1
        if held != find_place(number, raw).digest:
            raise UsageError(
                f"line {number} of {file.name} is not the row that the output has an answer to",
                hint="the input has changed: name another output, or --retry-failed when only failed rows were mended",
            )
    if met < len(done):
        raise UsageError(
            f"the output has answers to {len(done) - met} rows that {file.name} does not have",
            hint="name another output",
        )
    return Survey(rows, met)


def left_lines(file: BinaryIO, done: Done, limit: int | None = None) -> Iterator[Line]:
    """Yield the lines that the output has nothing of, from the first, at most `limit` of them."""
    file.seek(0)
    return islice((line for line in read_lines(file) if not done.digest(line[0])), limit)
