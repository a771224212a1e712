"""The user's limits of money: asked before a call leaves, told what it cost.

A day is UTC's, as in the ledger and for the gateway's keys; a call counts for the day on which
it left. A session is what the caller says is one, else this client from its
opening to its end. Where no limit is set nothing is counted and no file is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from threading import Lock

from jackfield.catalog.price import as_nanos, as_usd, shown
from jackfield.config.schema import Config
from jackfield.config.spend import BudgetRules
from jackfield.errors import Cancelled, ConnectionLost, Error, OverBudget, ProviderError, StreamBroken, TimeoutExpired
from jackfield.message import ChatRequest
from jackfield.model import Model, ProviderInfo
from jackfield.spend.account import (
    COMMAND,
    DAY,
    SESSION,
    Accounts,
    Allowance,
    Hold,
    MemoryAccounts,
    Refused,
    find_refusal,
)
from jackfield.spend.estimate import fitting_tokens, worst_usd

# What may come after the server has begun to work; a connection that never was is none of these.
UNHEARD = (TimeoutExpired, StreamBroken, ConnectionLost, ProviderError, Cancelled)
FREE = Hold(0, (), 0)
RAISE = {
    DAY: "raise the limit: jackfield config set models.budget.perDay",
    SESSION: "raise the limit: jackfield config set models.budget.perSession",
    COMMAND: "raise the limit: --max-cost",
}
UNPRICED = "its price is unknown, and a limit is set"
ALLOW = "give its prices in models.providers, or allow it: jackfield config set models.budget.allowUnpriced true"


class Budget:
    """The limits of one client. `own` names it: its session, and its command, are nobody else's."""

    def __init__(
        self, rules: BudgetRules, open_accounts: Callable[[], Accounts], now_ms: Callable[[], int], own: str
    ) -> None:
        self.rules = rules
        self._open_accounts = open_accounts
        self._now_ms = now_ms
        self._own = own
        self._opened: Accounts | None = None
        self._lock = Lock()

    @property
    def is_set(self) -> bool:
        """Whether there is any limit."""
        rules = self.rules
        return any(limit is not None for limit in (rules.per_day, rules.per_session, rules.per_command))

    def refusal(self, request: ChatRequest, info: ProviderInfo, model: Model, session: str = "") -> str:
        """Say why a model may not be paid for now; empty when it may. Holds nothing: for a plan."""
        if not self.is_set:
            return ""
        usd = worst_usd(request, info, model)
        if usd is None:
            return "" if self.rules.allow_unpriced else UNPRICED
        allowances = self.allowances(session)
        refused = find_refusal(allowances, self._accounts().balances([each.key for each in allowances]), as_nanos(usd))
        return _describe(refused, usd) if refused and usd else ""

    def reserve(self, request: ChatRequest, info: ProviderInfo, model: Model, session: str = "") -> Hold:
        """Hold what a call may cost at most; raise `OverBudget` when a limit does not cover it.

        `request` is the one that leaves (`providers.provider.for_wire`). Whoever gets a hold settles or releases it.
        """
        if not self.is_set:
            return FREE
        name, usd = f"{info.id}/{model.id}", worst_usd(request, info, model)
        return self.reserve_usd(name, usd, session, room=lambda left: fitting_tokens(request, info, model, left))

    def reserve_usd(
        self, name: str, usd: Decimal | None, session: str = "", *, room: Callable[[Decimal], int] = lambda _: 0
    ) -> Hold:
        """Hold an amount for a call to `name`; `None`: its price is unknown. `room`: how long an answer would fit."""
        if not self.is_set:
            return FREE
        if usd is None and not self.rules.allow_unpriced:
            raise OverBudget(f"{name} is not asked: {UNPRICED}", hint=ALLOW)
        allowances = self.allowances(session)
        if usd == 0:  # what is free stays free when a limit is reached; a figure of the provider's still counts
            return Hold(0, tuple(each.key for each in allowances), 0)
        found = self._accounts().reserve(allowances, as_nanos(usd or Decimal(0)))
        if isinstance(found, Hold):
            return found
        raise OverBudget(f"{name} is not asked: {_describe(found, usd or Decimal(0))}", hint=_hint(found, room))

    def end(self, hold: Hold, usd: Decimal | None, error: BaseException | None, *, used: bool) -> None:
        """Settle or release the hold of a try that has ended: `usd` is its price, `used` whether it used anything up.

        A refusal costs nothing, nor does what never left. A server that fell silent, or whose answer
        nobody waited for, may charge what it did until then: that costs what was held.
        """
        if used:
            self.settle(hold, usd)
        elif isinstance(error, Error) and (error.status is not None or not isinstance(error, UNHEARD)):
            self.release(hold)
        else:
            self.settle(hold, None)

    def settle(self, hold: Hold, usd: Decimal | None) -> None:
        """Book what a call cost; `None`: nobody knows, so what was held."""
        if hold.keys and (hold.id or usd):
            self._accounts().settle(hold, None if usd is None else as_nanos(usd))

    def release(self, hold: Hold) -> None:
        """Give back what was held for a call that did not reach its provider."""
        if hold.id:
            self._accounts().release(hold)

    def close(self) -> None:
        """Close the accounts, where they were opened."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def allowances(self, session: str = "") -> tuple[Allowance, ...]:
        """Return the limits that hold now, the narrowest first."""
        rules = self.rules
        said = (
            (rules.per_command, COMMAND + self._own, "--max-cost"),
            (rules.per_session, SESSION + (session or self._own), "the session's budget"),
            (rules.per_day, DAY + day_of(self._now_ms()), "today's budget"),
        )
        return tuple(Allowance(key, words, as_nanos(limit)) for limit, key, words in said if limit is not None)

    def _accounts(self) -> Accounts:
        # Two sets of accounts in memory would know of half the calls each.
        with self._lock:
            if self._opened is None:
                # A command's limit is this process's alone; the others need the file, or nothing leaves.
                alone = self.rules.per_day is None and self.rules.per_session is None
                self._opened = MemoryAccounts() if alone else self._open_accounts()
            return self._opened


def open_budget(config: Config, now_ms: Callable[[], int], own: str, *, is_live: bool = True) -> Budget:
    """Return the budget of a client; what a script or a recording answers is counted in memory alone."""

    # Only who has a limit pays for SQLite.
    def open_file() -> Accounts:
        from jackfield.spend.store import open_accounts  # noqa: PLC0415

        return open_accounts(config.paths.home, now_ms)

    return Budget(config.budget, open_file if is_live else MemoryAccounts, now_ms, own)


def day_of(now_ms: int) -> str:
    """Return the day of a moment in UTC, as an ISO date."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()


def _describe(refused: Refused, usd: Decimal) -> str:
    allowance, balance = refused.allowance, refused.balance
    held = f" and {shown(as_usd(balance.held))} reserved" if balance.held else ""
    return (
        f"it may cost up to {shown(usd)}, and of {allowance.words} of {shown(as_usd(allowance.limit))} "
        f"{shown(as_usd(balance.spent))} {'are' if held else 'is'} spent{held}"
    )


def _hint(refused: Refused, room: Callable[[Decimal], int]) -> str:
    left = as_usd(max(0, refused.allowance.limit - refused.balance.spent - refused.balance.held))
    kind = next(kind for kind in RAISE if refused.allowance.key.startswith(kind))
    tokens = room(left)
    shorter = [f"ask for a shorter answer: --max-tokens {tokens}"] if tokens > 0 else []
    return "\n".join([*shorter, RAISE[kind], "see: jackfield budget"])
