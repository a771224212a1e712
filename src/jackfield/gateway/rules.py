"""What a key may do: as the user writes it, and as plain numbers for those who count."""

from __future__ import annotations

import re
from decimal import Decimal
from fnmatch import translate
from functools import cached_property

from msgspec import Struct

from jackfield.spend.account import as_nano


class Rules(Struct, frozen=True):
    """A key's limits as plain numbers; 0 means: none."""

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


class Limits(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, dict=True):
    """What a key may do; what is not said is not limited."""

    models: tuple[str, ...] = ()  # `provider/model`, `provider/*`; empty: every model
    budget_day: Decimal | None = None  # US dollars in a day, from midnight UTC
    budget_month: Decimal | None = None
    allow_unpriced: bool = False  # models without a price may be asked although a budget is set
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None  # calls at a time

    def allows(self, ref: str) -> bool:
        """Tell whether a model may be asked; case does not matter."""
        return not self.models or self._pattern.fullmatch(ref) is not None

    @cached_property
    def rules(self) -> Rules:
        """The same as plain numbers, worked out once."""
        return Rules(
            self.requests_per_minute or 0,
            self.tokens_per_minute or 0,
            self.concurrency or 0,
            -1 if self.budget_day is None else as_nano(self.budget_day),
            -1 if self.budget_month is None else as_nano(self.budget_month),
        )

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(translate, self.models)), re.IGNORECASE)
