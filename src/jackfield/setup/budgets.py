"""What the user's limits of money leave: today's account and the sessions', with their limits. Opens no file that is not there."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from jackfield.catalog.price import as_usd
from jackfield.config.spend import BudgetRules
from jackfield.message import JsonObject
from jackfield.spend.account import DAY, SESSION, Balance
from jackfield.spend.budget import day_of

SHOWN = 10  # sessions, the one used last first


class AccountRow(Struct, frozen=True):
    """One account with its limit."""

    name: str
    key: str
    balance: Balance
    limit: Decimal | None

    @property
    def left(self) -> Decimal | None:
        """What may still be spent and is not reserved; `None`: there is no limit."""
        if self.limit is None:
            return None
        return max(Decimal(0), self.limit - as_usd(self.balance.spent + self.balance.held))


def load_budgets(
    home: Path, rules: BudgetRules, now_ms: Callable[[], int], session: str | None = None
) -> list[AccountRow]:
    """Return today's account and the sessions', or the one session's; raise `ConfigError` when they cannot be read."""
    # Who has no accounts pays for no database.
    from jackfield.spend.store import open_accounts  # noqa: PLC0415
    from jackfield.state import NAME  # noqa: PLC0415

    keys = [DAY + day_of(now_ms()), *([SESSION + session] if session else [])]
    if not (home / NAME).exists():
        return [as_account_row(key, Balance(), rules) for key in keys]
    accounts = open_accounts(home, now_ms)
    try:
        keys += [] if session else accounts.keys(SESSION)[:SHOWN]
        return [as_account_row(key, balance, rules) for key, balance in accounts.balances(keys).items()]
    finally:
        accounts.close()


def as_account_row(key: str, balance: Balance, rules: BudgetRules | None = None) -> AccountRow:
    """Return an account as a line; without rules it has no limit."""
    is_day = key.startswith(DAY)
    limit = None if rules is None else rules.per_day if is_day else rules.per_session
    return AccountRow("today" if is_day else f"session {key.removeprefix(SESSION)}", key, balance, limit)


def render_account(row: AccountRow) -> JsonObject:
    """Return a line as JSON; money is in decimal strings."""
    named = (
        {"session": row.key.removeprefix(SESSION)}
        if row.key.startswith(SESSION)
        else {"day": row.key.removeprefix(DAY)}
    )
    money = {
        "spentUsd": as_usd(row.balance.spent),
        "reservedUsd": as_usd(row.balance.held),
        "limitUsd": row.limit,
        "leftUsd": row.left,
    }
    return named | {name: None if usd is None else format(usd, "f") for name, usd in money.items()}
