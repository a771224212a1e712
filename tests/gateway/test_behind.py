"""What is told of calls behind the caller's back arrives whole, in its order, and before the end."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from jackfield.gateway.behind import CAPACITY, Behind
from jackfield.gateway.log import PIPE_BYTES, Gathered
from jackfield.gateway.record import Finished
from tests.patience import PATIENCE_S


@dataclass
class Hearer:
    """Remembers what it was told; may be slow, may fail."""

    heard: list[str] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)
    fails: bool = False
    is_closed: bool = False

    def note(self, call: Finished) -> None:
        self.open.wait(PATIENCE_S)
        self.heard.append(call.request_id)
        if self.fails:
            raise RuntimeError("a listener of somebody else")

    def close(self) -> None:
        self.is_closed = True


def call(number: int) -> Finished:
    return Finished(request_id=str(number), at_ms=0, ms=1, wire="openai-completions")


def test_all_calls_are_told_in_order_before_it_closes() -> None:
    hearer = Hearer()
    hearer.open.set()
    behind = Behind([hearer])
    for number in range(500):
        behind.note(call(number))
    behind.close()
    assert hearer.heard == [str(number) for number in range(500)]
    assert hearer.is_closed


def test_a_call_is_told_soon_without_another() -> None:
    hearer, flushed = Hearer(), threading.Event()
    hearer.open.set()
    behind = Behind([hearer], flushed.set)
    behind.note(call(1))
    assert flushed.wait(PATIENCE_S)
    assert hearer.heard == ["1"]
    behind.close()


def test_a_slow_listener_holds_nobody_up() -> None:
    hearer = Hearer()
    behind = Behind([hearer])
    for number in range(CAPACITY // 10):
        behind.note(call(number))
    assert hearer.heard == [], "nobody waited until it heard"
    hearer.open.set()
    behind.close()
    assert len(hearer.heard) == CAPACITY // 10


def test_a_listener_that_fails_keeps_nothing_from_the_others() -> None:
    bad, good = Hearer(fails=True), Hearer()
    bad.open.set()
    good.open.set()
    behind = Behind([bad, good])
    behind.note(call(1))
    behind.note(call(2))
    behind.close()
    assert good.heard == ["1", "2"]


def test_lines_are_written_together_in_pieces_that_a_pipe_takes_whole() -> None:
    written: list[bytes] = []
    lines = Gathered(written.append)
    said = [b"x" * size + b"\n" for size in (10, 3000, 2000, 5000, 10)]
    for line in said:
        lines.add(line)
    lines.flush()
    lines.flush()
    assert b"".join(written) == b"".join(said)
    assert all(len(piece) <= PIPE_BYTES or piece.count(b"\n") == 1 for piece in written)
    assert len(written) == 4
