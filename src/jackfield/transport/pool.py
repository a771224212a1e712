"""Connections that are kept for the next request, and the queue for those that are not there.

So many per place and in all; who finds none free waits, first come first served. Opens no
socket itself: `dial` does, and whoever waits sets the time limit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import count

from msgspec import Struct

from jackfield.transport.connection import Connection
from jackfield.transport.ends import Lost
from jackfield.transport.head import Place

Dial = Callable[[Place, Callable[[Connection], None]], Awaitable[Connection]]
Turn = asyncio.Future[Connection | None]  # a kept connection, or leave to open one


class PoolLimits(Struct, frozen=True, kw_only=True):
    """How many connections there may be, and how long one rests."""

    per_place: int = 1_000
    in_all: int = 2_000
    idle_s: float = 30.0  # well before routers and load balancers forget a connection


class Shelf:
    """The connections of one place: those that rest (oldest first), how many there are, and who waits."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.idle: list[Connection] = []
        self.count = 0
        self.queue: deque[tuple[int, Turn]] = deque()


class Pool:
    """Holds every connection of one event loop until `close()`."""

    def __init__(self, dial: Dial, limits: PoolLimits) -> None:
        self._dial = dial
        self._limits = limits
        self._shelves: dict[Place, Shelf] = {}
        self._homes: dict[Connection, Shelf] = {}  # of every open connection, busy or not
        self._count = 0  # of the open ones and those being opened
        self._tickets = count()
        self._waiting = 0
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def take(self, place: Place) -> Connection | None:
        """Return a connection that rests, if there is one: the one used last."""
        return self._shelves[place].idle.pop() if self.has_resting(place) else None

    def has_resting(self, place: Place) -> bool:
        """Tell whether `take` would return one."""
        shelf = self._shelves.get(place)
        while shelf and shelf.idle:
            if shelf.idle[-1].is_open:
                return True
            shelf.idle.pop()
        return False

    async def open(self, place: Place, *, fresh: bool = False) -> Connection:
        """Return a connection, waiting for a free one if need be; a `fresh` one has not rested."""
        if not fresh and (kept := self.take(place)):
            return kept
        shelf = self._shelves.setdefault(place, Shelf(place))
        if not self._make_room(shelf) and (handed := await self._queue_up(shelf)):
            return handed
        try:
            connection = await self._dial(place, self.discard)
        except BaseException:
            self._free(shelf)
            raise
        self._homes[connection] = shelf
        if self._closed or not connection.is_open:
            self.discard(connection)
        return connection

    def release(self, connection: Connection) -> None:
        """Keep a connection whose exchange has ended well for whoever is next; close any other."""
        shelf = self._homes.get(connection)
        if shelf is None or not connection.is_reusable:
            self.discard(connection)
            return
        connection.rest(asyncio.get_running_loop().time())
        self._pass_on(connection, shelf)

    def discard(self, connection: Connection) -> None:
        """Close a connection at once and let another take its room."""
        connection.abort()
        shelf = self._homes.pop(connection, None)
        if shelf is None:
            return
        if connection in shelf.idle:
            shelf.idle.remove(connection)
        self._free(shelf)

    def close(self) -> None:
        """Close every connection, for good; whoever waits for one gets `Lost`."""
        self._closed = True
        if self._sweeper:
            self._sweeper.cancel()
        for shelf in self._shelves.values():
            for _, turn in shelf.queue:
                if not turn.done():
                    turn.set_result(None)
            shelf.queue.clear()
        for connection in list(self._homes):
            self.discard(connection)

    # -- room and turns ---

    def _make_room(self, shelf: Shelf) -> bool:
        if shelf.count >= self._limits.per_place:
            return False
        if self._count >= self._limits.in_all:
            resting = [each.idle[0] for each in self._shelves.values() if each.idle]
            if not resting:
                return False
            self.discard(min(resting, key=lambda each: each.idle_since))
        self._grant(shelf)
        return True

    def _grant(self, shelf: Shelf) -> None:
        self._shelves[shelf.place] = shelf
        shelf.count += 1
        self._count += 1

    def _free(self, shelf: Shelf) -> None:
        shelf.count -= 1
        self._count -= 1
        if self._count < self._limits.in_all and (first := self._first_in_line()):
            self._grant(first)
            first.queue.popleft()[1].set_result(None)
        if not shelf.count and not shelf.queue:
            self._shelves.pop(shelf.place, None)

    def _pass_on(self, connection: Connection, shelf: Shelf) -> None:
        first = self._first_in_line(shelf)
        if first is shelf:
            shelf.queue.popleft()[1].set_result(connection)
        elif first:
            self.discard(connection)
        else:
            shelf.idle.append(connection)
            self._sweeper = self._sweeper or asyncio.get_running_loop().call_later(self._limits.idle_s, self._sweep)

    def _first_in_line(self, giver: Shelf | None = None) -> Shelf | None:
        """Return the shelf whose first in line has waited longest, of those with room or a `giver` of a connection."""
        found: Shelf | None = None
        for shelf in self._shelves.values() if self._waiting else ():
            while shelf.queue and shelf.queue[0][1].done():  # cancelled, and not yet told
                shelf.queue.popleft()
            may = shelf.queue and (shelf is giver or shelf.count < self._limits.per_place)
            if may and (found is None or shelf.queue[0][0] < found.queue[0][0]):
                found = shelf
        return found

    async def _queue_up(self, shelf: Shelf) -> Connection | None:
        turn: Turn = asyncio.get_running_loop().create_future()
        shelf.queue.append((next(self._tickets), turn))
        self._waiting += 1
        try:
            handed = await turn
        except asyncio.CancelledError:
            self._give_back(turn, shelf)
            raise
        finally:
            self._waiting -= 1
        if self._closed:
            raise Lost
        return handed

    def _give_back(self, turn: Turn, shelf: Shelf) -> None:
        """Hand on what came to somebody who has left in the same moment."""
        if turn.cancelled():
            return
        if connection := turn.result():
            self._pass_on(connection, shelf)
        elif not self._closed:
            self._free(shelf)

    def _sweep(self) -> None:
        self._sweeper = None
        loop = asyncio.get_running_loop()
        resting = [each for shelf in self._shelves.values() for each in shelf.idle]
        for connection in resting:
            if connection.idle_since + self._limits.idle_s <= loop.time():
                self.discard(connection)
        left = [each.idle_since for shelf in self._shelves.values() for each in shelf.idle]
        if left:
            self._sweeper = loop.call_at(min(left) + self._limits.idle_s, self._sweep)
