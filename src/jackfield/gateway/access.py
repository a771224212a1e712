"""Who may ask what, how often and for how much: the gateway's own keys, their limits, and money held before a call.

`identify` before the body is read, `reserve` when it is known what is asked; or `admit`, which is
both. A `Grant` is held while the call lasts.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from types import TracebackType
from typing import Self

from msgspec import Struct

from jackfield.catalog.price import as_nanos
from jackfield.config.gateway import Limits
from jackfield.credential import Secret
from jackfield.errors import AuthError, Error, NotAllowed, OverBudget, Overloaded, RateLimit
from jackfield.gateway.keybook import KeyBook
from jackfield.gateway.keys import Key, digest
from jackfield.gateway.limits import Need, Refused, Taken
from jackfield.gateway.meters import LocalMeters, Meters, now_ms
from jackfield.gateway.redis_meters import open_shared
from jackfield.gateway.rules import Rules
from jackfield.ledger.database import open_database
from jackfield.message import Usage

FREE = Decimal(0)
WHERE = "send it as Authorization: Bearer, x-api-key or x-goog-api-key"
OWNER = "owner"  # id of who has the gateway's own token
ANYONE = Key(id="", name="anyone", digest="")
UNSENT_TOKEN = AuthError(
    "no gateway token is given", hint="send it as Authorization: Bearer, x-api-key or x-goog-api-key"
)
NOTHING_TAKEN = Taken(0, 0, 0, 0)


class Stores(Struct, frozen=True, kw_only=True):
    """Where keys and counts are, and the keys that are known without looking."""

    token: Secret | None = None  # the gateway's own
    limits: Limits = Limits()  # of whoever has that token
    keys: tuple[Key, ...] = ()  # of the config
    anyone: bool = False  # who brings no key is let in, too
    database: str = ""  # URL; empty: no keys are made
    shared: str = ""  # URL of Redis or Valkey; empty: counts of this process alone


class Grant:
    """Leave for one call. Ends with its `async with`, or with `release`.

    What was held is put right by `settle`; without it all is given back, unless the call was
    broken off: then nobody knows what it cost, and what was held counts.
    """

    __slots__ = ("_is_open", "_is_settled", "_meters", "_rules", "_taken", "key")

    def __init__(self, key: Key, meters: Meters, rules: Rules, taken: Taken) -> None:
        self.key = key
        self._meters = meters
        self._rules = rules
        self._taken = taken
        self._is_open = True
        self._is_settled = rules.is_empty

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, Error):
            self._is_settled = True
        self.release()

    def allows(self, ref: str) -> bool:
        """Tell whether the key may ask this model, too: each candidate of a chain is asked about."""
        return self.key.limits.allows(ref)

    def settle(self, usage: Usage, usd: Decimal | None) -> None:
        """Say what the call took, once; `usd=None`: nobody knows, so all that was held."""
        if self._is_settled:
            return
        self._is_settled = True
        tokens = (usage.input or 0) + (usage.output or 0) + (usage.cache_read or 0) + (usage.cache_write or 0)
        nanos = self._taken.nanos if usd is None else as_nanos(usd)
        self._meters.settle(self.key.id, self._rules, self._taken, Need(tokens, nanos))

    def release(self) -> None:
        """End the call; what was held and never settled is given back. A second time does nothing."""
        if not self._is_open:
            return
        self._is_open = False
        if self._rules.is_empty:
            return
        if not self._is_settled:
            self._is_settled = True
            self._meters.settle(self.key.id, self._rules, self._taken, Need())
        self._meters.leave(self.key.id, self._taken)


class Access:
    """The door: keys and meters. Belongs to one event loop."""

    def __init__(
        self, book: KeyBook, meters: Meters, *, is_open: bool = False, now: Callable[[], int] = now_ms
    ) -> None:
        self._book = book
        self._meters = meters
        self._is_open = is_open  # whoever brings no key is let in
        self._now_ms = now

    @classmethod
    async def open(
        cls, stores: Stores, *, say: Callable[[str], None] = lambda _: None, local: LocalMeters | None = None
    ) -> Access:
        """Open the door; waits two seconds at most for a database that is away.

        `say` is told when a store goes and when it comes back, on whatever thread notices. `local` are
        the counts of the door before this one: what callers have used is not forgotten with it.
        """
        token = stores.token
        owner = [Key(id=OWNER, name=OWNER, digest=digest(token.reveal()), limits=stores.limits)] if token else []
        opener = partial(open_database, stores.database) if stores.database else None
        book = KeyBook([*owner, *stores.keys], opener, say=say)
        local = local or LocalMeters()
        local.follow(book.spent)
        meters = open_shared(stores.shared, local, say=say) if stores.shared else local
        book.start()
        await asyncio.to_thread(book.wait)
        return cls(book, meters, is_open=stores.anyone)

    def identify(self, tokens: Sequence[str]) -> Key:
        """Return the key of whoever brings these credentials; raise `AuthError` when none of them is good."""
        for token in tokens:
            if key := self._book.find(token):
                return self._in_force(key)
        if self._is_open and not tokens:
            return ANYONE
        if not tokens:
            raise AuthError("no gateway token is given", hint=WHERE)
        if not self._book.is_read:
            raise Overloaded("the gateway cannot read its keys just now", retry_after_s=1)
        raise AuthError("the gateway does not know this key")

    @property
    def keys_version(self) -> int:
        """A number that is another one when any key is."""
        return self._book.version

    def is_in_force(self, key: Key, keys_version: int) -> bool:
        """Tell whether a key that was identified at that version still is."""
        return keys_version == self._book.version and (key.expires_ms is None or self._now_ms() < key.expires_ms)

    async def reserve(self, key: Key, *, model: str, est_tokens: int = 0, est_usd: Decimal | None = FREE) -> Grant:
        """Hold what a call is thought to take; `est_usd=None`: its price is unknown.

        Raises `NotAllowed` for a model that is not the key's, `RateLimit` with the time to wait, and
        `OverBudget` with the time until the budget begins anew.
        """
        limits = key.limits
        if not limits.allows(model):
            raise NotAllowed(f"the key {key.name} may not ask {model}", hint=f"it may ask {', '.join(limits.models)}")
        rules = key.rules
        if rules.is_empty:
            return Grant(key, self._meters, rules, NOTHING_TAKEN)
        if est_usd is None and rules.has_budget and not limits.allow_unpriced:
            raise OverBudget(f"the price of {model} is unknown, and the key {key.name} has a budget")
        need = Need(est_tokens, as_nanos(est_usd) if est_usd else 0)
        taken = await self._meters.take(key.id, rules, need)
        if isinstance(taken, Refused):
            raise _refusal(key, taken)
        return Grant(key, self._meters, rules, taken)

    def reserve_roughly(self, key: Key, tokens: int, nanos: int) -> Grant | None:
        """Hold more than a call to one of the key's models will take, where that leaves half of every limit.

        `None`: the limits are nearer than that, and what the call takes is to be known better.
        """
        taken = self._meters.take_roughly(key.id, key.rules, Need(tokens, nanos))
        return None if taken is None else Grant(key, self._meters, key.rules, taken)

    async def admit(
        self, token: str | None, *, model: str, est_tokens: int = 0, est_usd: Decimal | None = FREE
    ) -> Grant:
        """Identify and reserve in one."""
        key = self.identify([] if token is None else [token])
        return await self.reserve(key, model=model, est_tokens=est_tokens, est_usd=est_usd)

    async def close(self) -> None:
        """Send what waits for the shared store, and stop following the keys."""
        await self._meters.close()
        await asyncio.to_thread(self._book.close)

    def _in_force(self, key: Key) -> Key:
        match key.state(self._now_ms()):
            case "active":
                return key
            case ended:
                raise AuthError(f"the key {key.name} is {ended}")


def _refusal(key: Key, refused: Refused) -> Error:
    limits, wait_s = key.limits, math.ceil(refused.retry_ms / 1000)
    match refused.which:
        case "calls":
            said = f"the key {key.name} has {limits.concurrency} calls under way, which is its limit"
        case "requests":
            said = f"the key {key.name} may make {limits.requests_per_minute} requests a minute"
        case "tokens":
            said = f"the key {key.name} may use {limits.tokens_per_minute} tokens a minute"
        case "day":
            return OverBudget(
                f"the key {key.name} has no room left in its budget of ${limits.budget_day} a day", retry_after_s=wait_s
            )
        case _:
            return OverBudget(
                f"the key {key.name} has no room left in its budget of ${limits.budget_month} a month",
                retry_after_s=wait_s,
            )
    return RateLimit(said, hint=f"try again in {wait_s} s", retry_after_s=wait_s)
