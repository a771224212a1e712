"""Amounts of money as people write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import click

from jackfield.config.spend import AMOUNT


class Usd(click.ParamType[Decimal]):
    """An amount in dollars."""

    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount, or fail as click does."""
        text = str(value).strip().removeprefix("$")
        if not AMOUNT.fullmatch(text):
            self.fail(f"{value!r} is no amount in dollars; write 5 or 0.50", param, ctx)
        return Decimal(text)
