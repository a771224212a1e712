"""The short way: the caller's wire is the model's wire, so bytes pass, with another name of the model in them.

One try and no more. What goes wrong before the first content is handed back, and the long way
goes on from there as if that try had been its own.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec.structs import replace

from jackfield.catalog.price import bill_usd
from jackfield.errors import BadReply, Error, InvalidRequest, forget_way
from jackfield.gateway.exchange import render_lines
from jackfield.gateway.head import COST
from jackfield.gateway.parts import Visit
from jackfield.gateway.passing import Passing
from jackfield.gateway.record import Told
from jackfield.gateway.target import Target
from jackfield.gateway.whole import Shallow, read_whole
from jackfield.gateway.wires import HABITS, load_wire
from jackfield.message import Attempt, ChatRequest, ChatResponse, Usage
from jackfield.protocols.base import preview
from jackfield.protocols.estimate import fill_usage
from jackfield.providers.provider import check_reply
from jackfield.providers.reply import is_answer, redact
from jackfield.reply import Tried
from jackfield.routing.walk import LEFT
from jackfield.transport.http import Transport
from jackfield.transport.http1 import Begun
from jackfield.transport.reply import HttpReply

GONE = "cancelled"
OK = 200
ENCODER = msgspec.json.Encoder()


class NoStream(BadReply):
    """The server has no streams; a codec makes one of its whole reply."""


@lru_cache(1000)
def _head_lines(kind: str, ref: str) -> str:
    return render_lines([("content-type", kind), ("x-jackfield-model", ref), ("x-jackfield-attempts", "1")])


class Express:
    """One call on the short way."""

    def __init__(self, visit: Visit, target: Target, body: Shallow, raw: bytes, passing: Passing | None) -> None:
        self.ref = target.ref
        self._visit = visit
        self._target = target
        self._body = body
        self.raw = raw
        self._passing = passing  # of a stream
        self._whole: Told | None = None
        self._end: str | None = GONE  # why the try ended; `None`: well
        self._said: tuple[str | None, int | None] = LEFT, None  # the same in words, and its HTTP status

    def begin(self) -> Begun | None:
        """Send the request of a whole call at once; `None`: nothing was sent."""
        self._visit.heard = self.heard
        sender = self._visit.parts.client.direct.sender
        return sender.begin(self._target.rewrite(self._body)) if isinstance(sender, Transport) else None

    def answer_now(self, begun: Begun) -> None:
        """Answer with the reply, where all of a usual one has come; raise what is wrong with it."""
        headers, client = begun.headers, self._visit.parts.client
        if not is_answer(OK, headers) or (data := begun.take()) is None:
            return
        client.toll.hear(self._target.candidate, headers)
        try:
            lines, body = self._read_whole(data)
        except Error as error:
            self._end, self._said = error.type, (error.message, error.status)
            redact(error, self._target.template)
            raise
        self._visit.exchange.answer_now(OK, lines, body)
        client.note_success(self._target.auth.profile_id)

    async def answer(self, begun: Begun | None = None) -> Error | None:
        """Answer the call; return what went wrong before the first content, raise what went wrong after it."""
        self._visit.heard = self.heard
        candidate, client = self._target.candidate, self._visit.parts.client
        try:
            reply = await (begun.open() if begun else client.direct.sender.open(self._target.rewrite(self._body)))
            client.toll.hear(candidate, reply.headers)
            try:
                if not is_answer(reply.status, reply.headers):
                    await check_reply(reply, candidate.info, candidate.model, self._target.auth.source)
                await (self._pass_stream(reply, self._passing) if self._passing else self._pass_whole(reply))
            except Error as error:
                redact(error, reply.request)
                raise
            finally:
                await reply.close()
        except Error as error:
            self._end, self._said = error.type, (error.message, error.status)
            if self._passing and self._passing.has_begun:
                error.attempts = (self._attempt(),)
                place = (candidate.info.id, candidate.credential, candidate.model.id)
                await asyncio.to_thread(client.health.note_failure, *place, error)
                raise
            forget_way(error)
            return error
        self._end = None
        client.note_success(self._target.auth.profile_id)
        return None

    async def _pass_whole(self, reply: HttpReply) -> None:
        await self._visit.exchange.answer_lines(OK, *self._read_whole(await reply.read()))

    def _read_whole(self, data: bytes) -> tuple[str, bytes]:
        """Return lines of a head, and the body, for the caller."""
        target = self._target
        read = read_whole(self._visit.route.wire, data, target.named)
        self._end = None
        self._whole = self._told(*self._bill(read.usage, read.reply))
        usd = self._whole.cost_usd
        lines = target.lines if usd is None else f"{target.lines}{COST}: {usd:f}\r\n"
        return lines, ENCODER.encode(read.fields)

    async def _pass_stream(self, reply: HttpReply, passing: Passing) -> None:
        if reply.headers.get("content-type", "").startswith("application/json"):
            raise NoStream(f"no stream but a whole reply: {preview(await reply.read())}")
        visit, exchange = self._visit, self._visit.exchange
        wire = load_wire(visit.route.wire)
        visit.fail = wire.StreamRenderer().fail
        kind = [("content-type", wire.STREAM_TYPE)]

        def pass_on(chunk: bytes) -> bytes:
            # What can leave at once does, while nobody is woken for it.
            data = passing.feed(chunk)
            is_usual = data and visit.first_ms is not None and not passing.failed
            return b"" if is_usual and exchange.write_now(data) else data

        with visit.parts.heart.beat(exchange, HABITS[visit.route.wire].ping, kind):
            async with aclosing(reply.pieces(pass_on)) as pieces:
                async for data in pieces:
                    await self._write(data, wire.STREAM_TYPE)
                    if passing.failed:
                        raise passing.failed
            last = passing.close()
            if visit.first_ms is None:
                await self._write(b"", wire.STREAM_TYPE)
        self._end = None
        await exchange.end(last)

    async def _write(self, data: bytes, kind: str) -> None:
        visit, exchange = self._visit, self._visit.exchange
        if visit.first_ms is None:
            visit.first_ms = visit.elapsed_ms()
            if not exchange.status:
                await exchange.start_lines(_head_lines(kind, self.ref), data)
                return
        await exchange.write(data)

    def give_up(self, error: Error) -> Tried | None:
        """Return the failed try for the long way to go on from; lanes end.

        A refusal of the request as it stood is none: the codec may say the same in a way that is taken.
        A reply that cannot be read is one: it is paid for, and would be no better the second time.
        """
        self._visit.parts.targets.forget()
        if isinstance(error, InvalidRequest | NoStream):
            return None
        began = self._visit.parts.client.pulse.clock() - self._visit.elapsed_ms() / 1000
        return Tried(self._target.candidate.ref, error, began)

    # -- what is told ------------------------------------------------------------------

    def heard(self) -> Told:
        """Return what the call has come to."""
        if self._whole:
            return self._whole
        said = self._passing.reply() if self._passing else ChatResponse()
        # Who is left alone with a request has read it, and counts that.
        is_billed = self._end == GONE or (self._passing and (said.content or self._passing.is_complete))
        return self._told(*(self._bill(said.usage, said) if is_billed else (said.usage, None)))

    def _told(self, usage: Usage, usd: Decimal | None) -> Told:
        return Told(self._target.shown, self._target.requested, (self._attempt(usage, usd),), usage, usd)

    def _attempt(self, usage: Usage | None = None, usd: Decimal | None = None) -> Attempt:
        target, ms = self._target, self._visit.elapsed_ms()
        said, status = self._said if self._end else (None, None)
        return Attempt(target.shown, target.auth.profile_id, self._end, ms, said, usage, usd, status=status)

    def _bill(self, usage: Usage, said: ChatResponse | None) -> tuple[Usage, Decimal | None]:
        if self._passing and not self._passing.is_complete:
            usage = replace(usage, output=None)  # a start's count is none of what came after it
        if said and (usage.input is None or usage.output is None):
            usage = fill_usage(replace(said, usage=usage), self._request(), self._visit.route.wire)
        return usage, bill_usd(usage, self._target.candidate.model.cost or None)

    def _request(self) -> ChatRequest:
        # Read only where its tokens must be counted by us.
        try:
            return load_wire(self._visit.route.wire).parse_request(self.raw)
        except InvalidRequest:
            return ChatRequest(model=self.ref)
