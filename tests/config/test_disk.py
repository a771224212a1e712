"""The ways of other systems, as far as this one can walk them: the modules and the system are arguments."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

import pytest

from jackfield.config.disk import REPLACE_TRIES, byte_lock, hold_lock, replace_file, save_text, whole_lock
from jackfield.errors import ConfigError


class ByteLocks:
    """What Python's `msvcrt` does with locks: one byte from the file's position on, by open file, freed on close."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, int]] = []
        self.held: dict[tuple[int, int], int] = {}

    def locking(self, fd: int, mode: int, count: int) -> None:
        self.calls.append((mode, count, os.lseek(fd, 0, os.SEEK_CUR)))
        found = os.fstat(fd)
        owner = self.held.get((found.st_dev, found.st_ino))
        if owner not in {None, fd} and _is_open(owner):
            raise PermissionError(13, "Permission denied")
        self.held[found.st_dev, found.st_ino] = fd


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_windows_lock_is_the_first_byte_and_never_waits_itself(tmp_path: Path) -> None:
    module = ByteLocks()
    with hold_lock(tmp_path / "lock", try_lock=byte_lock(module)):
        pass
    assert module.calls == [(ByteLocks.LK_NBLCK, 1, 0)]


def test_windows_lock_keeps_a_second_holder_out_until_the_first_is_done(tmp_path: Path) -> None:
    module, path = ByteLocks(), tmp_path / "lock"
    with (
        hold_lock(path, try_lock=byte_lock(module)),
        pytest.raises(ConfigError, match=r"has been locked by another process for 0\.05 s"),
        hold_lock(path, timeout_s=0.05, try_lock=byte_lock(module)),
    ):
        pass
    with hold_lock(path, timeout_s=0.05, try_lock=byte_lock(module)):
        assert len(module.calls) > 2


def test_posix_lock_keeps_threads_of_one_process_apart(tmp_path: Path) -> None:
    path, order = tmp_path / "lock", []

    def work(name: str) -> None:
        with hold_lock(path, try_lock=whole_lock(fcntl)):
            order.append(name)
            order.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(order[::2]) == list("abcd")
    assert order[::2] == order[1::2]


def test_a_reader_that_blocks_the_replacement_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "new").write_text("new", encoding="utf-8")
    tries = []

    def replace(temp: Path, target: Path) -> None:
        tries.append(target)
        if len(tries) < 3:
            raise PermissionError(13, "being used by another process")
        temp.replace(target)

    replace_file(tmp_path / "new", tmp_path / "old", replace=replace, posix=False)
    assert (len(tries), (tmp_path / "old").read_text("utf-8")) == (3, "new")


def test_a_reader_that_never_goes_is_an_error_and_not_a_hang(tmp_path: Path) -> None:
    tries = []

    def replace(temp: Path, target: Path) -> None:
        tries.append(target)
        raise PermissionError(13, "being used by another process")

    with pytest.raises(PermissionError):
        replace_file(tmp_path / "new", tmp_path / "old", replace=replace, posix=False)
    assert len(tries) == REPLACE_TRIES


def test_a_file_is_its_owners_alone_from_its_first_byte_on(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        save_text(tmp_path / "folder" / "key", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "folder" / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700
