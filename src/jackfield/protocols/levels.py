"""Levels of thinking in a server's own words: mapped, or the nearest it knows."""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.message import EFFORTS, Effort
from jackfield.model import Compat

# A budget in words, for servers that take no number: the first row whose limit it does not pass.
BUDGETS: tuple[tuple[int, Effort], ...] = ((1024, "minimal"), (4096, "low"), (12288, "medium"))


def budget_effort(budget_tokens: int | None) -> Effort | None:
    """Return the level that stands for a budget."""
    if budget_tokens is None:
        return None
    return next((effort for limit, effort in BUDGETS if budget_tokens <= limit), "high")


def level_word(effort: Effort, compat: Compat) -> str | None:
    """Return the server's word for a level: mapped, else the nearest below that it supports."""
    words, known = compat.reasoning_effort_map or {}, compat.supported_reasoning_efforts
    if effort in words:
        return words[effort]
    if effort == "off":
        # Not every server can switch thinking off; one that can says so.
        return next((word for word in ("none", "off") if word in (known or ())), None)
    return effort if known is None else nearest(effort, known)


def nearest(effort: Effort, known: Sequence[str]) -> str | None:
    """Return the level below that is known, else the one above."""
    levels = EFFORTS[1:]
    at = levels.index(effort)
    return next((level for level in (*reversed(levels[: at + 1]), *levels[at + 1 :]) if level in known), None)
