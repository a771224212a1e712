"""Rows asked so many at a time, each until it is done with; stops taking new ones when told, or when there is no sense in more.

A row that meets what passes by itself (a rate limit, an outage) keeps its turn and is asked again
after a pause, so that trouble slows the job down and does not run through the input.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from jackfield.batch.record import Record, render_answer, render_failure
from jackfield.batch.row import Row
from jackfield.client import AsyncClient
from jackfield.embedding import EmbedRequest, EmbedResponse
from jackfield.errors import Error, OverBudget
from jackfield.message import ChatResponse

CONCURRENCY = 8
PAUSES_S = (5.0, 30.0)  # before a row is asked a second and a third time
LONGEST_PAUSE_S = 300.0  # whatever a provider asks for
# Failures that say nothing of a row: after so many without one answer between them, the rest would fail alike.
HOPELESS = frozenset({"auth", "missing_key", "permission", "billing", "config", "connection", "not_allowed"})
MOST_HOPELESS = 20


class Asking(Struct, frozen=True, kw_only=True):
    """How rows are asked."""

    model: str = ""  # for rows that name none
    concurrency: int = CONCURRENCY
    fallbacks: Sequence[str] = ()
    profile_id: str | None = None
    pauses_s: Sequence[float] = PAUSES_S


class Job:
    """The rows on their way. `flying`: how many are being asked now; `why`: what stopped it, where anything did."""

    def __init__(
        self, client: AsyncClient, rows: Iterator[Row], deliver: Callable[[Record], None], asking: Asking
    ) -> None:
        self.flying = 0
        self.why: Error | None = None
        self._client = client
        self._rows = rows
        self._deliver = deliver
        self._asking = asking
        self._stopped = asyncio.Event()
        self._landings = 0  # rows that were asked and paid for
        self._landed = asyncio.Event()  # set for a moment at each of them
        self._hopeless = 0  # failures in a row that say nothing of it

    async def run(self) -> None:
        """Ask until there are no more rows, or it is stopped; every row that was asked is delivered then."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._asking.concurrency):
                group.create_task(self._work())

    def stop(self, why: Error | None = None) -> None:
        """Take no new rows; those under way are finished."""
        self.why = self.why or why
        self._stopped.set()
        self._landed.set()

    async def _work(self) -> None:
        for row in self._rows:
            if self._stopped.is_set():
                return
            record = await self._settle(row)
            if record is None:
                return
            try:
                self._deliver(record)
            except Error as error:
                self.stop(error)
                return
            if self._stopped.is_set():
                return

    async def _settle(self, row: Row) -> Record | None:
        """Return what became of a row; `None`: the job has stopped, and the row counts as not asked."""
        started = time.monotonic()
        for pause_s in (*self._asking.pauses_s, None):
            try:
                reply = await self._ask(row)
            except OverBudget as error:
                self.stop(None if self._stopped.is_set() else error)
                return None
            except Error as error:
                if pause_s is None or not error.retryable:
                    return self._failed(row, error, _ms(started))
                await self._pause(max(pause_s, min(error.retry_after_s or 0.0, LONGEST_PAUSE_S)))
                if self._stopped.is_set():
                    return None
            else:
                self._hopeless = 0
                return render_answer(row, reply, _ms(started), int(time.time()))
        raise AssertionError  # the last pause is none

    async def _ask(self, row: Row) -> ChatResponse | EmbedResponse:
        """Ask once; a row that cannot be paid for waits for what others hold and may give back."""
        while True:
            landings = self._landings
            self.flying += 1
            try:
                reply = await self._ask_now(row)
            except OverBudget:
                self.flying -= 1
                has_waited_for_all = self.flying == 0 and self._landings == landings
                if has_waited_for_all or self._stopped.is_set():
                    raise
            except BaseException:
                self._land()
                raise
            else:
                self._land()
                return reply
            if self._landings == landings:
                await self._landed.wait()

    def _land(self) -> None:
        self.flying -= 1
        self._landings += 1
        self._landed.set()
        if not self._stopped.is_set():
            self._landed.clear()

    async def _ask_now(self, row: Row) -> ChatResponse | EmbedResponse:
        how = self._asking
        match row.asked:
            case Error() as error:
                raise error
            case EmbedRequest() as request:
                return await self._client.embed(request, profile_id=how.profile_id)
            case request:
                return await self._client.chat(request, fallbacks=how.fallbacks, profile_id=how.profile_id)

    def _failed(self, row: Row, error: Error, ms: int) -> Record:
        if not isinstance(row.asked, Error):
            self._hopeless = self._hopeless + 1 if error.type in HOPELESS else 0
        if self._hopeless >= MOST_HOPELESS:
            self.stop(error)
        return render_failure(row, error, ms)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return


def _ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
