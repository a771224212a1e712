"""Names for requests and rows: when they were drawn, then chance, so that a database's indexes grow at their ends.

Where they were all chance, each row would change pages of its own in each index, and a database writes whole pages.
The system is asked for many at once, as every question costs 20 µs.
"""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Callable

TIME, CHANCE = 12, 20  # hex digits: Unix milliseconds, and so many bits of chance that nobody draws the same twice
AT_ONCE = 256


class Ids:
    """Makes names that begin alike, for any thread of one process."""

    def __init__(self, prefix: str = "", now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000) -> None:
        self._prefix = prefix
        self._now_ms = now_ms
        self._drawn: deque[str] = deque()

    def make(self) -> str:
        """Return a name that was not given before."""
        while True:
            try:
                return self._drawn.pop()
            except IndexError:
                begins = f"{self._prefix}{self._now_ms():0{TIME}x}"
                drawn = secrets.token_hex(CHANCE // 2 * AT_ONCE)
                self._drawn.extend(begins + drawn[at : at + CHANCE] for at in range(0, len(drawn), CHANCE))
