"""Which timer runs out next; the clock is the test's."""

from __future__ import annotations

import pytest

from jackfield.model import Timeouts
from jackfield.transport.timers import Timers


class Clock:
    """A clock that stands until it is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("limits", [Timeouts(), Timeouts(first_token=0, total=0, idle=-1)])
def test_no_limit_and_a_limit_of_nothing_never_run_out(limits: Timeouts) -> None:
    timers = Timers(limits, Clock())

    assert timers.next().at == float("inf")
    timers.hear(b"x", is_events=False)
    assert timers.next().at == float("inf")


def test_the_first_token_is_counted_from_the_start_and_idle_time_from_now() -> None:
    clock = Clock()
    timers = Timers(Timeouts(first_token=10, idle=5, total=20), clock)
    clock.now = 103.0
    first = timers.next()
    timers.hear(b"data: x", is_events=True)
    idle = timers.next()
    clock.now = 118.0
    total = timers.next()

    assert [(timer.name, timer.at) for timer in (first, idle, total)] == [
        ("first_token", 110),
        ("idle", 108),
        ("total", 120),
    ]
