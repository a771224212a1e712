"""What the gateway is made of: handed in by whoever starts it, swapped whole when the config changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from jackfield.client import AsyncClient
from jackfield.credential import Secret
from jackfield.errors import Error
from jackfield.gateway.access import Access, Grant
from jackfield.gateway.cache import Cache
from jackfield.gateway.door import Places
from jackfield.gateway.entry import Entries, Entry
from jackfield.gateway.exchange import Exchange, Message
from jackfield.gateway.heartbeat import Heart
from jackfield.gateway.keys import Key
from jackfield.gateway.record import Finished, Listener, Told, as_name, tell
from jackfield.gateway.routes import Route
from jackfield.gateway.target import Targets
from jackfield.ledger.writer import Ledger
from jackfield.message import ChatResponse, Usage

BODY_LIMIT = 32 * 1024 * 1024
PING_S = 15.0


class Settings(Struct, frozen=True, kw_only=True):
    """What the config says of the gateway's manners."""

    body_limit: int = BODY_LIMIT
    disabled: frozenset[str] = frozenset()  # endpoints that are switched off
    ping_s: float = PING_S  # longest silence of a stream
    is_open: bool = False  # who brings no good key is let in, too


class Glance(Struct):
    """A head that is known: what the server read in it, and whom it lets in."""

    scope: Message
    entry: Entry | None = None


class Clock(Struct, frozen=True):
    """Time and chance; tests bring their own."""

    now_ms: Callable[[], int]  # Unix milliseconds
    seconds: Callable[[], float]  # monotonic
    make_id: Callable[[], str]


class Parts(Struct, kw_only=True, dict=True):
    """One set-up: requests that began with it end with it."""

    client: AsyncClient
    access: Access
    listeners: Sequence[Listener] = ()
    settings: Settings = Settings()
    cache: Cache | None = None
    places: Places | None = None  # the names it may be called by, where they may change
    ledger: Ledger | None = None  # asked for how it is; its rows come from a listener
    admin_token: Secret | None = None  # what it is looked after with, where anybody may
    open_calls: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)

    @cached_property
    def entries(self) -> Entries:
        """Who is let in."""
        assert self.places is not None
        return Entries(self.access, self.places, self.settings.disabled, is_open=self.settings.is_open)

    @cached_property
    def glances(self) -> dict[bytes, Glance]:
        """The heads that are known at a glance."""
        return {}

    @cached_property
    def targets(self) -> Targets:
        """Where names lead on the short way."""
        return Targets(self.client)

    @cached_property
    def heart(self) -> Heart:
        """What keeps silent streams alive."""
        return Heart(self.settings.ping_s)

    def ledger_state(self) -> str:
        """Return `ok`, `behind` (the database is away, rows wait in memory, calls go on), or `none`."""
        if self.ledger is None:
            return "none"
        return "behind" if self.ledger.trouble else "ok"

    def gauges(self) -> dict[str, int]:
        """Return what is counted elsewhere, for the page of metrics."""
        found = {"jackfield_rests": len(self.client.health.view().rests)}
        if self.ledger is not None:
            found["jackfield_ledger_waiting"] = self.ledger.waiting
            found["jackfield_ledger_dropped_total"] = self.ledger.dropped
        return found

    def enter(self) -> None:
        """Count a request that begins."""
        self.open_calls += 1

    def leave(self) -> None:
        """Count a request that ends."""
        self.open_calls -= 1
        if not self.open_calls:
            self.idle.set()

    async def close(self) -> None:
        """Give everything back."""
        await self.access.close()
        await self.client.close()
        for each in self.listeners:
            # What waits to be written may take a while, and other requests go on.
            await asyncio.to_thread(each.close)

    async def wait_idle(self) -> None:
        """Return when no request is open; nobody begins one any more."""
        self.idle.clear()
        if self.open_calls:
            await self.idle.wait()

    def note(self, call: Finished) -> None:
        """Tell everybody of a call."""
        for each in self.listeners:
            each.note(call)


class Visit(Struct):
    """One request that was let in, and what has become of it so far."""

    parts: Parts
    exchange: Exchange
    entry: Entry
    route: Route
    key: Key
    clock: Clock
    came_s: float
    came_ms: int
    requested: str = ""
    end_user: str = ""
    grant: Grant | None = None
    first_ms: int | None = None  # when the first piece of a stream went out
    heard: Callable[[], ChatResponse | Told] | None = None  # the reply, as far as it has come
    fail: Callable[[Error], bytes] | None = None  # says in a stream that it breaks
    cache: str = ""  # what the cache had: `hit`, `miss`

    def elapsed_ms(self) -> int:
        """Return how long ago it came."""
        return round((self.clock.seconds() - self.came_s) * 1000)

    def told(self, error: Error | None) -> Told:
        """Return what the call has come to; what the cache gave was used by nobody."""
        if self.heard is None:
            return tell((error and error.partial) or ChatResponse(attempts=error.attempts if error else ()))
        said = self.heard()
        told = said if isinstance(said, Told) else tell(said)
        return replace(told, usage=Usage()) if self.cache == "hit" else told

    def tell_cache(self, had: str) -> None:
        """Note, and tell the caller, what the cache had."""
        self.cache = had
        self.exchange.further = [("x-jackfield-cache", had)]

    def finish(self, told: Told, outcome: str) -> Finished:
        """Return what is kept of the call."""
        route, key = self.route, self.key
        return Finished(
            request_id=self.exchange.id,
            at_ms=self.came_ms,
            ms=self.elapsed_ms(),
            first_ms=self.first_ms,
            wire=route.wire,
            kind=route.kind,
            key_id=key.id,
            key_name=key.name,
            end_user=self.end_user and as_name(self.end_user),
            requested=told.requested or as_name(self.requested),
            model=told.model,
            outcome=outcome,
            status=self.exchange.status,
            is_stream=self.fail is not None,
            attempts=told.attempts,
            usage=told.usage,
            cost_usd=told.cost_usd,
            cache=self.cache,
        )
