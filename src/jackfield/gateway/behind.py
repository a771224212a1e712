"""Tells of calls behind the caller's back: on a thread of its own, all that have gathered together.

What a log and a ledger make of a call then costs a third, as code that runs often in a row does, and
a reader of the log who is slow holds up no answer.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread

from jackfield.gateway.record import Finished, Listener

GATHER_S = 0.1
CAPACITY = 10_000  # calls that wait; whoever finds no room among them tells the listeners itself


class Behind:
    """A listener that tells others later; `close` tells what waits and closes them.

    `flush` is called whenever all that had gathered was told.
    """

    def __init__(self, listeners: Sequence[Listener], flush: Callable[[], object] = lambda: None) -> None:
        self._listeners = tuple(listeners)
        self._flush = flush
        self._calls: deque[Finished] = deque()
        self._telling = Lock()
        self._came, self._ending = Event(), Event()
        self._thread = Thread(target=self._keep_telling, name="jackfield-told", daemon=True)
        self._thread.start()

    def note(self, call: Finished) -> None:
        """Queue a call."""
        self._calls.append(call)
        if len(self._calls) > CAPACITY:
            self._tell()
        elif not self._came.is_set():
            self._came.set()

    def close(self) -> None:
        """Tell what waits, and that there will be no more."""
        self._ending.set()
        self._came.set()
        self._thread.join()
        self._tell()
        for each in self._listeners:
            each.close()

    def _keep_telling(self) -> None:
        while not self._ending.is_set():
            self._came.wait()
            self._ending.wait(GATHER_S)
            self._came.clear()
            self._tell()

    def _tell(self) -> None:
        with self._telling:
            while self._calls:
                call = self._calls.popleft()
                for each in self._listeners:
                    _tell(each, call)
            self._flush()


def _tell(listener: Listener, call: Finished) -> None:
    try:
        listener.note(call)
    except Exception:
        # Listeners are others' code too, and one that fails is no reason to tell the rest no more.
        logging.getLogger(__name__).exception("a listener failed")
