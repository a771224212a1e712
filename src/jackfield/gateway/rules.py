"""What a caller may do as plain numbers, for those who count."""

from __future__ import annotations

from msgspec import Struct

from jackfield.catalog.price import as_nanos
from jackfield.config.gateway import Limits


class Rules(Struct, frozen=True):
    """A key's limits; 0 means: none."""

    requests: int = 0  # a minute
    tokens: int = 0  # a minute
    calls: int = 0  # at a time
    day: int = -1  # nano-dollars; below 0: no limit, since a budget of nothing is one
    month: int = -1

    @property
    def has_budget(self) -> bool:
        """Tell whether money is limited."""
        return self.day >= 0 or self.month >= 0

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to count."""
        return not (self.requests or self.tokens or self.calls or self.has_budget)


def compile_rules(limits: Limits) -> Rules:
    """Return limits as numbers."""
    return Rules(
        limits.requests_per_minute or 0,
        limits.tokens_per_minute or 0,
        limits.concurrency or 0,
        -1 if limits.budget_day is None else as_nanos(limits.budget_day),
        -1 if limits.budget_month is None else as_nanos(limits.budget_month),
    )
