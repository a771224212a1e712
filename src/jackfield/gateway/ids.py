"""Random names for requests and rows: the system is asked for many at once, as every question costs 20 µs."""

from __future__ import annotations

import secrets
from collections import deque

LENGTH = 32  # hex digits of one: so many that nobody draws the same twice
AT_ONCE = 256


class Ids:
    """Makes names that begin alike, for any thread of one process."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._drawn: deque[str] = deque()

    def make(self) -> str:
        """Return a name that was not given before."""
        while True:
            try:
                return self._prefix + self._drawn.pop()
            except IndexError:
                drawn = secrets.token_hex(LENGTH // 2 * AT_ONCE)
                self._drawn.extend(drawn[at : at + LENGTH] for at in range(0, len(drawn), LENGTH))
