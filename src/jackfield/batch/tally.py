"""What a run has come to so far: rows, tokens, money. Counts what it is fed; knows no file."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from jackfield.batch.record import Record


class Tally:
    """The rows that one run has delivered."""

    def __init__(self) -> None:
        self.answered = 0
        self.failures: Counter[str] = Counter()  # by the error's type
        self.input = 0  # tokens
        self.output = 0
        self.cost_usd = Decimal(0)
        self.unpriced = 0  # answered rows whose cost nobody knows

    @property
    def failed(self) -> int:
        """How many rows have no answer."""
        return self.failures.total()

    @property
    def rows(self) -> int:
        """How many rows were delivered."""
        return self.answered + self.failed

    def feed(self, record: Record) -> None:
        """Count a row."""
        if record.failed:
            self.failures[record.failed] += 1
        else:
            self.answered += 1
            self.unpriced += record.cost_usd is None
        self.input += record.input
        self.output += record.output
        self.cost_usd += record.cost_usd or 0
