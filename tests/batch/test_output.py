"""The file of answers: what it holds after a crash, whose it is, in which order it ends up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from jackfield.batch.done import Done
from jackfield.batch.output import open_output
from jackfield.batch.record import Record
from jackfield.batch.row import Place
from jackfield.batch.source import left_lines, open_input, survey
from jackfield.errors import Error, UsageError
from tests.batch.box import prompts, read_rows, write_rows


def line(number: int, *, failed: bool = False) -> bytes:
    error = {"code": "invalid_request", "message": "no"} if failed else None
    said = {"id": Place(number, number + 1).id, "custom_id": "x", "response": None, "error": error}
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def record(number: int, *, failed: bool = False) -> Record:
    return Record(place=Place(number, number + 1), data=line(number, failed=failed))


def numbers(path: Path) -> list[int]:
    return [int(row["id"].split("_")[2]) for row in read_rows(path)]


def test_what_was_written_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with open_output(path) as output:
        output.append(record(3))
        output.append(record(1, failed=True))

    with open_output(path) as output:
        assert len(output.done) == 2
        assert [bool(output.done.digest(number)) for number in range(6)] == [False, True, False, True, False, False]
        assert output.failed == 1


@pytest.mark.parametrize("cut", [1, 10, len(START := b'{"id":"batch_req_'), 40, len(line(2)) - 2])
def test_a_row_that_was_half_written_counts_as_not_asked(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(line(1) + line(2)[:cut])

    with open_output(path) as output:
        assert (len(output.done), output.torn) == (1, 1)
        output.append(record(2))

    assert path.read_bytes() == line(1) + line(2)


def test_a_row_that_lacks_only_its_line_feed_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(line(1) + line(2)[:-1])

    with open_output(path) as output:
        assert len(output.done) == 2
        output.append(record(3))

    assert path.read_bytes() == line(1) + line(2) + line(3)


def test_zeros_that_a_lost_machine_left_are_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(line(1) + b"\0" * 50 + line(2) + line(3) + b"\0" * 9)

    with open_output(path) as output:
        assert len(output.done) == 2

    assert path.read_bytes() == line(1) + line(3)


def test_failed_rows_are_taken_out_to_be_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(line(1) + line(2, failed=True) + line(3))

    with open_output(path, retry_failed=True) as output:
        assert len(output.done) == 2
        assert output.failed == 0

    assert path.read_bytes() == line(1) + line(3)


def test_a_row_that_stands_there_twice_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(line(1) + line(2) + line(1))

    with open_output(path) as output:
        assert len(output.done) == 2

    assert path.read_bytes() == line(1) + line(2)


@pytest.mark.parametrize("text", ["a diary\n", "no line feed", '{"id": "x", "error": null}\n', "[]\n"])
def test_a_file_of_something_else_stays_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(UsageError, match="something else"), open_output(path):
        pass

    assert path.read_text(encoding="utf-8") == text


def test_the_lines_end_up_in_the_order_of_the_input(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with open_output(path) as output:
        for number in (5, 2, 9, 1):
            output.append(record(number))
        output.sort()

    assert numbers(path) == [1, 2, 5, 9]
    assert not list(tmp_path.glob(".*.tmp"))


def test_two_processes_do_not_write_one_output(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    other = "import sys; from pathlib import Path; from jackfield.batch.output import open_output\nwith open_output(Path(sys.argv[1])): pass"
    with open_output(path):
        done = subprocess.run([sys.executable, "-c", other, str(path)], capture_output=True, text=True, check=False)
        with pytest.raises(UsageError, match="another batch is writing"), open_output(path):
            pass

    assert f"another batch is writing {path}" in done.stderr
    assert subprocess.run([sys.executable, "-c", other, str(path)], check=False).returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_and_leaves_no_half_row(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with open_output(path) as output:
        output.append(record(1))
        full = os.open("/dev/full", os.O_WRONLY)
        held = os.dup(output._fd)
        os.dup2(full, output._fd)
        with pytest.raises(Error, match="no space left"):
            output.append(record(2))
        os.dup2(held, output._fd)
        for each in (full, held):
            os.close(each)

    assert path.read_bytes() == line(1)


# -- the input beside it ---------------------------------------------------------------


def left(path: Path, done: Done, limit: int | None = None) -> Sequence[int]:
    with open_input(path) as file:
        survey(file, done)
        return [number for number, _ in left_lines(file, done, limit)]


def test_blank_lines_are_no_rows_and_still_count(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "in.jsonl", ["\ufeff{}", "", "  ", "{}", "{"])

    assert left(path, Done()) == [1, 4, 5]
    assert left(path, Done(), limit=2) == [1, 4]


def test_an_input_that_changed_is_no_input_of_this_output(tmp_path: Path) -> None:
    path, done = write_rows(tmp_path / "in.jsonl", prompts(3)), Done()
    done.add(Place(2, 12345))

    with pytest.raises(UsageError, match=r"line 2 of .*in\.jsonl is not the row"):
        left(path, done)


def test_an_input_that_became_shorter_is_told(tmp_path: Path) -> None:
    path, done = write_rows(tmp_path / "in.jsonl", prompts(3)), Done()
    done.add(Place(4, 1))

    with pytest.raises(UsageError, match="answers to 1 rows"):
        left(path, done)
