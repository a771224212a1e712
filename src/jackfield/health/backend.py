"""What a place shared by processes must offer to keep failures in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from msgspec import Struct

from jackfield.health.record import Key, Quota, Rest

R = TypeVar("R")


class Trouble(Exception):
    """The shared place cannot be used now; the message is for the user, `mended`: the next try finds it good."""

    def __init__(self, message: str, *, mended: bool = False) -> None:
        super().__init__(message)
        self.mended = mended


class Change(Struct, frozen=True):
    """What a note changes."""

    keep: tuple[Rest, ...] = ()
    drop: tuple[Key, ...] = ()


Decide = Callable[[list[Rest]], tuple[R, Change]]


class Backend(Protocol):
    """Every method raises `Trouble` and nothing else, and takes no longer than a caller can wait."""

    def news(self) -> tuple[list[Rest], list[Quota]] | None:
        """Return everything when somebody has changed something since the last call; else `None`, cheaply."""

    def change(self, decide: Decide[R]) -> R:
        """Decide over every rest and do it in one step; `decide` may be asked again when others came first."""

    def save_quotas(self, quotas: Iterable[Quota]) -> None:
        """Write quotas over those of their names."""

    def close(self) -> None:
        """Give back what is open; it may be used again."""
