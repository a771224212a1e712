"""Who changes the config, in words: said once by the program, written beside each change it makes."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar


def _nobody() -> str:
    return "jackfield"


WRITER: ContextVar[Callable[[], str]] = ContextVar("writer", default=_nobody)
