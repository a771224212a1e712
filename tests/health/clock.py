"""A clock that tests turn."""

from __future__ import annotations


class Clock:
    """Unix milliseconds, as a callable."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def pass_s(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)
