"""Money that is spent, held and allowed, as values; and accounts in memory, which show what all others do.

Amounts are whole billionths of a dollar (`catalog.price.as_nanos`). What a call may
cost is held before it leaves; then it is settled at what it did cost, or released when nothing
was sent. A hold that nobody settles, because its process was killed, counts until it is reset
or its day is over: the provider may well have charged it. So the settled sum goes beyond a
limit only by what a call costs above the most it was thought to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import Protocol

from msgspec import Struct

DAY = "day:"  # keys: `day:2026-11-21`, `session:<id>`, `command:<id>`
SESSION = "session:"
COMMAND = "command:"


class Allowance(Struct, frozen=True):
    """A limit, and the account it is a limit of."""

    key: str
    words: str  # today's budget, the session's budget, --max-cost
    limit: int


class Balance(Struct, frozen=True):
    """What an account has spent, and what is held of it for calls under way or never settled."""

    spent: int = 0
    held: int = 0


class Hold(Struct, frozen=True):
    """Money set aside for one call."""

    id: int
    keys: tuple[str, ...]
    amount: int


class Refused(Struct, frozen=True):
    """The first allowance that does not cover a call, and why."""

    allowance: Allowance
    balance: Balance


class Accounts(Protocol):
    """Accounts by key; every method is one step that nobody else's comes into."""

    def reserve(self, allowances: Sequence[Allowance], amount: int) -> Hold | Refused:
        """Hold an amount on all accounts, or say which limit does not cover it and hold nothing."""
        ...

    def settle(self, hold: Hold, amount: int | None) -> None:
        """Book what a call cost in the place of what was held; `None`: nobody knows, so all of it."""
        ...

    def release(self, hold: Hold) -> None:
        """Give back what was held for a call that was not sent."""
        ...

    def balances(self, keys: Sequence[str]) -> Mapping[str, Balance]:
        """Return the balance of each account."""
        ...

    def close(self) -> None:
        """Let go of what the accounts stand on."""
        ...


def find_refusal(allowances: Iterable[Allowance], balances: Mapping[str, Balance], amount: int) -> Refused | None:
    """Return the first allowance that does not cover an amount beside what is spent and held."""
    for allowance in allowances:
        balance = balances[allowance.key]
        if balance.spent + balance.held + amount > allowance.limit:
            return Refused(allowance, balance)
    return None


class MemoryAccounts:
    """Accounts of this process alone: enough for one command's limit."""

    def __init__(self) -> None:
        self._spent: Counter[str] = Counter()
        self._holds: dict[int, Hold] = {}
        self._last = 0
        self._lock = Lock()

    def reserve(self, allowances: Sequence[Allowance], amount: int) -> Hold | Refused:
        """Hold an amount on all accounts, or say which limit does not cover it and hold nothing."""
        keys = tuple(each.key for each in allowances)
        with self._lock:
            if refused := find_refusal(allowances, self._balances(keys), amount):
                return refused
            self._last += 1
            hold = self._holds[self._last] = Hold(self._last, keys, amount)
            return hold

    def settle(self, hold: Hold, amount: int | None) -> None:
        """Book what a call cost in the place of what was held; `None`: nobody knows, so all of it."""
        with self._lock:
            self._holds.pop(hold.id, None)
            for key in hold.keys:
                self._spent[key] += hold.amount if amount is None else amount

    def release(self, hold: Hold) -> None:
        """Give back what was held for a call that was not sent."""
        with self._lock:
            self._holds.pop(hold.id, None)

    def balances(self, keys: Sequence[str]) -> Mapping[str, Balance]:
        """Return the balance of each account."""
        with self._lock:
            return self._balances(keys)

    def close(self) -> None:
        """Let go of what the accounts stand on: nothing."""

    def _balances(self, keys: Sequence[str]) -> Mapping[str, Balance]:
        held = Counter(dict.fromkeys(keys, 0))
        for hold in self._holds.values():
            for key in hold.keys:
                held[key] += hold.amount
        return {key: Balance(self._spent[key], held[key]) for key in keys}
