"""The output: one line per row that is done with, appended, held by one process at a time.

A line is written in one piece and lasts from then on, whatever becomes of this process; within a
second it is on disk, and outlasts the machine. What a crash left half written is taken away when the
file is next opened, and its row counts as not asked. A file that is no output is never touched.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec
from msgspec import Raw, Struct

from jackfield.batch.done import Done
from jackfield.batch.record import Record
from jackfield.batch.row import Place, parse_id
from jackfield.config.disk import Locked, hold_lock, replace_file
from jackfield.errors import Error, UsageError

START = b'{"id":"batch_req_'
NULL = b"null"


class Head(Struct):
    """As much of a line as tells which row it is, and whether it was answered."""

    id: str
    error: Raw


HEAD = msgspec.json.Decoder(Head)


class Output:
    """An open output; `done` is what it held when it was opened, `failed` how many of these rows failed."""

    def __init__(self, path: Path, *, retry_failed: bool) -> None:
        self.path = path
        self.done = Done()
        self.failed = 0
        self.torn = 0  # lines that were half written
        self._is_dirty = False
        self._load(retry_failed=retry_failed)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        self._end = os.fstat(self._fd).st_size

    def append(self, record: Record) -> None:
        """Write a row's line; raise `Error` when the disk takes no more, and leave no half of it."""
        try:
            written = os.write(self._fd, record.data)
            while written < len(record.data):
                written += os.write(self._fd, record.data[written:])
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._fd, self._end)
            raise Error(f"cannot write {self.path}: {(error.strerror or str(error)).lower()}") from error
        self._end += len(record.data)
        self._is_dirty = True

    def sync(self) -> None:
        """Have the disk hold what was written so far."""
        if self._is_dirty:
            self._is_dirty = False
            os.fsync(self._fd)

    def sort(self) -> None:
        """Put the lines into the order of the input; in one step, so that a crash leaves one order or the other."""
        self.sync()
        starts, lengths = array("Q"), array("Q")
        with self.path.open("rb") as file:
            at, last, in_order = 0, 0, True
            for raw in file:
                line = _parse(raw)[0].line
                in_order, last = in_order and line > last, line
                if (missing := line + 1 - len(starts)) > 0:
                    for each in (starts, lengths):
                        each.frombytes(bytes(8 * missing))
                starts[line], lengths[line] = at, len(raw)
                at += len(raw)
            if not in_order:
                self._rewrite(_pieces(file, starts, lengths))

    def close(self) -> None:
        """Have the disk hold everything, and close the file."""
        self.sync()
        os.close(self._fd)

    # -- what was there ----------------------------------------------------------------

    def _load(self, *, retry_failed: bool) -> None:
        if not self.path.exists():
            return
        if not self.path.is_file():
            raise UsageError(f"{self.path} is not a file", hint="name a file to write the answers to")
        dropped, tail = 0, b""
        with self.path.open("rb") as file:
            for raw in file:
                if self._note(raw, file.name, retry_failed=retry_failed):
                    tail = raw
                else:
                    dropped += 1
        if dropped or not tail.endswith(b"\n"):
            with self.path.open("rb") as file:
                seen = Done()
                self._rewrite(_whole(raw) for raw in file if _is_kept(raw, seen, retry_failed=retry_failed))

    def _note(self, raw: bytes, name: str, *, retry_failed: bool) -> bool:
        """Note what a line holds; tell whether it stays."""
        if _is_torn(raw):
            self.torn += 1
            return False
        try:
            place, failed = _parse(raw)
        except ValueError as error:
            raise UsageError(
                f"{name} holds something else than answers of a batch", hint="name another file"
            ) from error
        if (failed and retry_failed) or not self.done.add(place):
            return False
        self.failed += failed
        return True

    def _rewrite(self, lines: Iterator[bytes]) -> None:
        temp = self.path.with_name(f".{self.path.name}.tmp")
        try:
            with temp.open("wb") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            with suppress(OSError):
                temp.chmod(self.path.stat().st_mode & 0o777)
            replace_file(temp, Path(os.path.realpath(self.path)))
        except OSError as error:
            with suppress(OSError):
                temp.unlink()
            raise Error(f"cannot write {self.path}: {(error.strerror or str(error)).lower()}") from error


@contextmanager
def open_output(path: Path, *, retry_failed: bool = False) -> Iterator[Output]:
    """Hold an output, made when absent, until the block ends; raise `UsageError` when another process holds it.

    `retry_failed` takes the rows that failed out of it.
    """
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write {path.name} into")
    with ExitStack() as stack:
        try:
            stack.enter_context(hold_lock(path.with_name(f".{path.name}.lock"), timeout_s=0))
        except Locked as error:
            raise UsageError(
                f"another batch is writing {path}", hint="wait until it is done, or name another output"
            ) from error
        yield stack.enter_context(closing(Output(path, retry_failed=retry_failed)))


def _parse(raw: bytes) -> tuple[Place, bool]:
    """Return whose line it is and whether it failed; raise `ValueError` when it is nobody's."""
    try:
        head = HEAD.decode(raw)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    place = parse_id(head.id)
    if place is None:
        raise ValueError(head.id)
    return place, bytes(head.error) != NULL


def _is_torn(raw: bytes) -> bool:
    """Tell whether a line is the half of one of ours: cut off, or with zeros where the disk never got its bytes."""
    if b"\0" in raw:
        return True
    if raw.endswith(b"\n"):
        return False
    try:
        _parse(raw)
    except ValueError:
        return raw.startswith(START) or START.startswith(raw)
    return False


def _is_kept(raw: bytes, seen: Done, *, retry_failed: bool) -> bool:
    if _is_torn(raw):
        return False
    place, failed = _parse(raw)
    return not (failed and retry_failed) and seen.add(place)


def _whole(raw: bytes) -> bytes:
    return raw if raw.endswith(b"\n") else raw + b"\n"


def _pieces(file: BinaryIO, starts: array[int], lengths: array[int]) -> Iterator[bytes]:
    for start, length in zip(starts, lengths, strict=True):
        if length:
            file.seek(start)
            yield file.read(length)
