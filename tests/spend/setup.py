"""Accounts, budgets and priced models for these tests; the clock stands unless a test moves it."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from pathlib import Path

from jackfield.config.spend import BudgetRules
from jackfield.message import ChatRequest, Message
from jackfield.model import Cost, Model, ProviderInfo
from jackfield.spend.account import Accounts, Allowance, MemoryAccounts
from jackfield.spend.budget import Budget
from jackfield.spend.store import TABLES, SqliteAccounts, open_accounts

NOON_MS = 1_795_000_000_000
INFO = ProviderInfo(id="venice")
PRICED = Model(id="m", cost=Cost(Decimal(3), Decimal(15)), max_tokens=4000)
CHEAP = Model(id="small", cost=Cost(Decimal("0.1"), Decimal("0.4")), max_tokens=4000)
FREE = Model(id="free", cost=Cost(Decimal(0), Decimal(0)))
OPENED: list[SqliteAccounts] = []
UNPRICED = Model(id="new")


class Clock:
    """A time that stands until it is moved."""

    def __init__(self, now_ms: int = NOON_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


def open_memory(clock: Clock | None = None) -> SqliteAccounts:
    """Open accounts in a database without a file."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(TABLES)
    OPENED.append(SqliteAccounts(connection, clock or Clock(), ":memory:"))
    return OPENED[-1]


def open_file(home: Path, clock: Clock | None = None) -> SqliteAccounts:
    """Open a home's accounts as another process would, in a connection of its own."""
    OPENED.append(open_accounts(home, clock or Clock()))
    return OPENED[-1]


def ask(words: str = "Hello", max_tokens: int | None = 100) -> ChatRequest:
    return ChatRequest(model="venice/m", messages=[Message.user(words)], max_tokens=max_tokens)


def limit(amount: int, key: str = "day:2026-11-21") -> Allowance:
    return Allowance(key, "today's budget", amount)


def open_budget(
    accounts: Accounts | None = None, clock: Clock | None = None, own: str = "a", **rules: object
) -> Budget:
    """Return a budget over accounts; limits are decimal texts."""
    said = {name: Decimal(value) if isinstance(value, str) else value for name, value in rules.items()}
    shared = accounts or MemoryAccounts()
    return Budget(BudgetRules(**said), lambda: shared, clock or Clock(), own)  # type: ignore[arg-type]  # from texts
