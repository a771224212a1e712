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
        return Decimal(text) if AMOUNT.fullmatch(text) else self.fail(f"{value!r} is no amount in dollars", param, ctx)
