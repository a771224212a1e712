"""Whole calls that are passed on without a task: sent as their request comes in, answered as the reply does.

That holds for a request whose head is known byte by byte, whose lane is known and plain, and for which
a connection rests; all others go the ordinary way before anything is sent. Once it was sent, a reply that
is not there as a whole, or any trouble, is taken up by a task, which goes on from there in the ordinary way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from jackfield.errors import Error
from jackfield.gateway.chat import answer_long
from jackfield.gateway.exchange import Exchange, Message
from jackfield.gateway.express import Express
from jackfield.gateway.parts import Glance, Visit
from jackfield.gateway.permit import settle
from jackfield.gateway.shortcut import spot_express
from jackfield.message import Usage
from jackfield.transport.http1 import Begun

if TYPE_CHECKING:
    from jackfield.gateway.gateway import Gateway

AT_ONCE = "jackfield.passages"  # where the server finds them
CLOSE = "jackfield.close"  # one more of the server's extensions: ends a connection whose request nobody has answered
MOST, LONGEST = 1000, 4000  # heads that are known, and bytes of one
KEEP = b"keep-alive"
WANTED = ("method", "path", "query_string", "headers")  # of what the server has read
# Of a stream, which goes the ordinary way; what only looks so goes it, too.
STREAM = re.compile(rb'"stream": ?true')
# Headers that change how a body is read, or whether it is.
ODD = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"te", b"trailer", b"content-encoding"})


class Passages:
    """Begins passages."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def begin(self, said: bytes, body: bytes, own: Message) -> Passage | None:
        """Begin to answer a request; `None`: nothing has been done, it is one for the ordinary way.

        `said` is the head without the number that says how long the body is, `own` the server's extensions.
        """
        gateway = self._gateway
        parts = gateway.parts
        glance = parts.glances.get(said) if parts is not None else None
        is_ordinary = gateway.is_draining or gateway.telemetry is not None
        if parts is None or glance is None or is_ordinary or parts.cache is not None or STREAM.search(body):
            return None
        clock = gateway.clock
        exchange = Exchange({**glance.scope, "extensions": own}, _unasked, _unasked, clock.make_id)
        entry = glance.entry
        if entry is None or not parts.access.is_in_force(entry.key, entry.keys_version):
            try:
                entry = glance.entry = parts.entries.find(exchange)
            except Error:
                return None
        if entry.route.kind != "chat" or len(body) > parts.settings.body_limit:
            return None
        visit = Visit(parts, exchange, entry, entry.route, entry.key, clock, clock.seconds(), clock.now_ms())
        express = spot_express(visit, body)
        if express is None:
            return None
        begun = express.begin()
        if begun is None:
            settle(visit.grant, Usage(), None)
            return None
        return Passage(gateway, visit, express, begun, own[CLOSE])

    def knows(self, said: bytes) -> bool:
        """Tell whether a head is known."""
        parts = self._gateway.parts
        return parts is not None and said in parts.glances

    def learn(self, said: bytes, scope: Mapping[str, Any], length: int) -> None:
        """Know a head from now on, by what the server has read in it."""
        parts, headers = self._gateway.parts, dict(scope["headers"])
        is_plain = (
            len(headers) == len(scope["headers"])
            and ODD.isdisjoint(headers)
            and headers.get(b"connection", KEEP).lower() == KEEP
            and headers.get(b"content-length") == b"%d" % length
        )
        if parts is None or not is_plain or len(said) > LONGEST:
            return
        if len(parts.glances) >= MOST:
            parts.glances.clear()
        parts.glances[said] = Glance({name: scope[name] for name in WANTED})


class Passage:
    """One call on its way. Belongs to the server's connection until it has answered."""

    def __init__(
        self, gateway: Gateway, visit: Visit, express: Express, begun: Begun, close: Callable[[Passage], None]
    ) -> None:
        self._gateway = gateway
        self._visit = visit
        self._express = express
        self._begun = begun
        self._close = close
        self._task: asyncio.Task[None] | None = None  # goes on in the ordinary way
        visit.parts.enter()
        gateway.open.add(visit.exchange)
        gateway.passing.add(self)
        begun.woken.add_done_callback(self._hear)

    def leave(self) -> None:
        """End the call: its caller has left."""
        self._visit.exchange.has_left = True
        self.cancel()

    def cancel(self) -> None:
        """End the call, unanswered."""
        if self._task is not None:
            # One that has not begun would end without a word of what it was to do.
            asyncio.get_running_loop().call_soon(self._task.cancel)
        elif self in self._gateway.passing:
            self._begun.abandon()
            self._end("cancelled")
            self._close(self)

    def _hear(self, woken: asyncio.Future[Any]) -> None:
        if not woken.cancelled():
            woken.exception()  # a timer that ran out; it does so once more for who goes on
        if self not in self._gateway.passing:
            return  # its caller has left in the same moment
        failure = None
        try:
            self._express.answer_now(self._begun)
        except Error as error:
            failure = error
        finally:
            if self._visit.exchange.status:
                self._end("ok")
            else:
                self._take_up(failure)

    def _take_up(self, failure: Error | None) -> None:
        gateway, visit = self._gateway, self._visit
        answering = gateway.guard(visit.exchange, visit.parts, gateway.follow(visit, self._go_on(failure)))
        self._task = asyncio.get_running_loop().create_task(answering)
        self._task.add_done_callback(self._end_task)

    def _end_task(self, _: asyncio.Task[None]) -> None:
        self._gateway.passing.discard(self)
        self._close(self)

    def _end(self, outcome: str) -> None:
        self._gateway.passing.discard(self)
        try:
            self._gateway.tell(self._visit, outcome)
        finally:
            self._gateway.leave(self._visit.exchange, self._visit.parts)

    async def _go_on(self, failure: Error | None) -> None:
        failure = failure or await self._express.answer(self._begun)
        if failure is not None:
            await answer_long(self._visit, self._express.raw, self._express.give_up(failure))


async def _unasked(*_: object) -> Any:
    raise RuntimeError("who is answered at once has no words of ASGI's")
