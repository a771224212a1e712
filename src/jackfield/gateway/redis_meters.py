"""The meters of all keys for many processes, in Redis or Valkey (extra `redis`); one round trip before a call, none after it.

A script takes all that a call needs in one step, by the store's own clock. What is settled goes
into an outbox that a task empties; a batch has a number, so that sending it twice changes nothing. A call whose
answer was not heard, in time or at all, is taken back by its name, whether the store gets to it before or after that.

While the store is away each process counts alone: money goes on from the last sum it heard, paces
and calls begin anew. What was spent meanwhile is added when the store is back. A store that lost
its memory is told what this process knew, and holds the largest of what it is told.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from msgspec import Struct

from jackfield.errors import ConfigError
from jackfield.gateway.limits import MINUTE_MS, Need, Refused, Taken, until_day_end_ms, until_month_end_ms
from jackfield.gateway.meters import LocalMeters
from jackfield.gateway.rules import Rules
from jackfield.gateway.scripts import GIVE, REFUSALS, TAKE, VOID

PATIENCE_S = 1.0  # for one answer; calls wait for it
AT_ONCE = (
    16  # calls that ask: of a hundred that open a connection each the last would be too late by their number alone
)
PROBE_S = 0.5
LEASE_MS = 30_000  # a call of a process that was killed counts for so long
RENEW_S = 10.0
PREFIX = "jackfield"
UNTIL = {"day": until_day_end_ms, "month": until_month_end_ms}
Unheard = tuple[str, Rules, Taken]  # whose call it was, and what it takes if it has come


class Debt(Struct):
    """What the store has not been told of a key; `number` tells one of them from another."""

    number: int
    day: int = 0
    day_nanos: int = 0
    month: int = 0
    month_nanos: int = 0
    tokens_ms: float = 0.0  # by how much the tokens' bucket will be full later
    ended: list[str] = []

    def add(self, taken: Taken, nanos: int) -> None:
        """Add money to the day and the month a call belongs to; those before them are over."""
        if taken.day > self.day:
            self.day, self.day_nanos = taken.day, 0
        if taken.month > self.month:
            self.month, self.month_nanos = taken.month, 0
        self.day_nanos += nanos if taken.day == self.day else 0
        self.month_nanos += nanos if taken.month == self.month else 0


class SharedMeters:
    """Counts in a store; belongs to one event loop."""

    def __init__(
        self, client: Any, errors: tuple[type[Exception], ...], local: LocalMeters, say: Callable[[str], None]
    ) -> None:
        self.trouble = ""  # why each process counts alone; empty: it does not
        self._client = client
        self._errors = errors
        self._local = local
        self._say = say
        self._take = client.register_script(TAKE)
        self._give = client.register_script(GIVE)
        self._void = client.register_script(VOID)
        self._me = secrets.token_hex(6)
        self._number = 0
        self._epochs: dict[str, str] = {}  # of a key's counts in the store: another one means that it forgot
        self._debts: dict[str, Debt] = {}
        self._sending: dict[str, Debt] = {}  # sent, not confirmed
        self._unheard: dict[str, Unheard] = {}  # calls whose answer nobody heard
        self._renewed_s = 0.0
        self._room = asyncio.Semaphore(AT_ONCE)
        self._falls = 0  # how often the store was found away
        self._told = 0  # batches that it has taken
        self._newest: dict[str, int] = {}  # of a key's calls that were answered: the number of the last one asked
        self._open: dict[str, str] = {}  # calls under way → their key
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def take(self, key_id: str, rules: Rules, need: Need) -> Taken | Refused:
        """Take what a call needs, or all of nothing."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_sending())
        self._number += 1
        number = self._number
        try:
            async with self._room:
                if not self.trouble and (there := await self._take_there(key_id, rules, need, number)):
                    return there
        except self._errors as error:
            self._fall_back(error)
        taken = self._local.take_here(key_id, rules, need)
        if isinstance(taken, Taken):
            self._debt(key_id).add(taken, taken.nanos)
        return taken

    def take_roughly(self, key_id: str, rules: Rules, need: Need) -> Taken | None:  # noqa: ARG002  the protocol's signature
        """Take nothing: what is left is known elsewhere, and to ask there takes longer than to estimate."""
        return None

    def settle(self, key_id: str, rules: Rules, taken: Taken, need: Need) -> None:
        """Put what a call did take in the place of what was taken for it."""
        self._local.settle(key_id, rules, taken, need)
        self._owe(key_id, rules, taken, need)

    def leave(self, key_id: str, taken: Taken) -> None:
        """End a call."""
        self._local.leave(key_id, taken)
        if taken.call in self._open:
            del self._open[taken.call]
            self._debt(key_id).ended.append(taken.call)

    async def close(self) -> None:
        """Send what waits, once, and close the connections."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2 * PATIENCE_S)
        with suppress(*self._errors):
            await self._send_all()
        with suppress(*self._errors):
            await self._client.aclose()

    # -- the store -----------------------------------------------------------------

    async def _take_there(self, key_id: str, rules: Rules, need: Need, number: int) -> Taken | Refused | None:
        """Take in the store; `None` where others have begun to count alone meanwhile, of which it did not know."""
        meter, call = self._local.meter(key_id), f"{self._me}-{number}"
        told, falls = self._told, self._falls
        meter.turn(self._local.now_ms())
        limits = (rules.requests, rules.tokens, rules.calls, rules.day, rules.month)
        taken = Taken(min(need.tokens, rules.tokens), need.nanos, meter.day, meter.month, call)
        try:
            code, retry_ms, day_spent, month_spent, epoch = await self._take(
                keys=_names(key_id), args=[*self._knowledge(key_id), *limits, need.tokens, need.nanos, call, LEASE_MS]
            )
        except BaseException:
            self._unheard[call] = key_id, rules, taken
            self._wake.set()
            raise
        self._epochs[key_id] = as_text(epoch)
        if not code and falls != self._falls:
            self._owe(key_id, rules, taken, Need())
            self._debt(key_id).ended.append(call)
            return None
        unsent_day, unsent_month = self._unsent(key_id)
        sums = day_spent + unsent_day, month_spent + unsent_month
        if number < self._newest.get(key_id, 0) or told != self._told:
            # Answers overtake each other, and whoever counts alone goes on from these sums: an older one lowers none.
            sums = max(sums[0], meter.day_spent), max(sums[1], meter.month_spent)
        meter.day_spent, meter.month_spent = sums
        self._newest[key_id] = max(number, self._newest.get(key_id, 0))
        if code:
            which = REFUSALS[code]
            return Refused(which, UNTIL[which](self._local.now_ms()) if which in UNTIL else retry_ms)
        meter.calls += 1
        self._open[call] = key_id
        return taken

    def _knowledge(self, key_id: str) -> Sequence[object]:
        """Return the periods, the sums the store was told, and its epoch: what it needs to begin a day, or anew."""
        meter, (unsent_day, unsent_month) = self._local.meter(key_id), self._unsent(key_id)
        told = (meter.day_spent - unsent_day, meter.month_spent - unsent_month)
        return (meter.day, meter.month, *told, self._epochs.get(key_id, ""), secrets.token_hex(4))

    def _unsent(self, key_id: str) -> tuple[int, int]:
        """Return this day's and this month's money that the store has not confirmed."""
        meter = self._local.meter(key_id)
        debts = [each[key_id] for each in (self._debts, self._sending) if key_id in each]
        return (
            sum(debt.day_nanos for debt in debts if debt.day == meter.day),
            sum(debt.month_nanos for debt in debts if debt.month == meter.month),
        )

    # -- the outbox ----------------------------------------------------------------

    def _owe(self, key_id: str, rules: Rules, taken: Taken, need: Need) -> None:
        debt = self._debt(key_id)
        debt.add(taken, need.nanos - taken.nanos)
        if rules.tokens:
            debt.tokens_ms += (need.tokens - taken.tokens) * MINUTE_MS / rules.tokens

    def _debt(self, key_id: str) -> Debt:
        self._wake.set()
        debt = self._debts.get(key_id)
        if debt is None:
            self._number += 1
            debt = self._debts[key_id] = Debt(self._number)
        return debt

    async def _keep_sending(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(PROBE_S if self.trouble else RENEW_S):
                    await self._wake.wait()
            try:
                await self._send_all()
            except self._errors as error:
                self._fall_back(error)
                await asyncio.sleep(PROBE_S)
                continue
            if self.trouble:
                self._say("the shared state is back: limits hold over all processes again")
                self.trouble = ""

    async def _send_all(self) -> None:
        self._wake.clear()
        # What was under way when the store went keeps its number: it may have arrived.
        for key_id in (*self._sending, *self._debts):
            await self._send(key_id)
        for call in tuple(self._unheard):
            await self._take_back(call, *self._unheard[call])
            del self._unheard[call]
        if self.trouble or time.monotonic() - self._renewed_s >= RENEW_S:
            await self._renew()

    async def _send(self, key_id: str) -> None:
        debt = self._sending.get(key_id) or self._debts.pop(key_id, None)
        if debt is None:
            return
        self._sending[key_id] = debt
        told = self._knowledge(key_id)
        money = (debt.day, debt.day_nanos, debt.month, debt.month_nanos, debt.tokens_ms)
        names = [*_names(key_id), f"{PREFIX}:{{{key_id}}}:sent:{self._me}"]
        self._epochs[key_id] = as_text(await self._give(keys=names, args=[*told, debt.number, *money, *debt.ended]))
        del self._sending[key_id]
        self._told += 1

    async def _take_back(self, call: str, key_id: str, rules: Rules, taken: Taken) -> None:
        money = (taken.day, taken.nanos, taken.month, taken.nanos)
        paces = (
            MINUTE_MS / rules.requests if rules.requests else 0,
            taken.tokens * MINUTE_MS / rules.tokens if rules.tokens else 0,
        )
        args = [*self._knowledge(key_id), call, *money, *paces]
        self._epochs[key_id] = as_text(await self._void(keys=_names(key_id), args=args))

    async def _renew(self) -> None:
        """Show that the calls under way still are; and that the store answers."""
        seconds, micros = await self._client.time()
        until_ms = seconds * 1000 + micros // 1000 + LEASE_MS
        for call, key_id in tuple(self._open.items()):
            await self._client.zadd(_names(key_id)[1], {call: until_ms}, xx=True)
        self._renewed_s = time.monotonic()

    def _fall_back(self, error: Exception) -> None:
        if not self.trouble:
            said = str(error).strip().partition("\n")[0] or type(error).__name__
            self._say(f"the shared state is away ({said}): each process counts alone, from the sums it last heard")
            self.trouble = said
            self._falls += 1
        self._wake.set()


def open_shared(url: str, local: LocalMeters, *, say: Callable[[str], None] = lambda _: None) -> SharedMeters:
    """Return meters in the store at a URL (`redis://…`, `valkey://…`); it is reached at the first call."""
    try:
        redis, retry = import_module("redis.asyncio"), import_module("redis.asyncio.retry")
        backoff = import_module("redis.backoff")
    except ImportError as error:
        raise ConfigError("limits over many processes need an extra", hint="pip install 'jackfield[redis]'") from error
    try:
        client = redis.from_url(
            url.replace("valkey", "redis", 1) if url.startswith("valkey") else url,
            socket_timeout=PATIENCE_S,
            socket_connect_timeout=PATIENCE_S,
            # A script that is sent twice takes twice.
            retry=retry.Retry(backoff.NoBackoff(), 0),
        )
    except ValueError as error:
        raise ConfigError("gateway.sharedState is no URL of a store", hint="write redis://HOST:PORT") from error
    return SharedMeters(client, (redis.RedisError, OSError), local, say)


def as_text(value: object) -> str:
    """Return what the store said as text."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _names(key_id: str) -> list[str]:
    # The braces keep a key's entries on one node of a cluster.
    return [f"{PREFIX}:{{{key_id}}}", f"{PREFIX}:{{{key_id}}}:calls", f"{PREFIX}:{{{key_id}}}:void"]
