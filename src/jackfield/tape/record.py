"""Recording: asks through another sender and keeps what was said, without its secrets."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from jackfield.errors import ConfigError, Error
from jackfield.tape.exchange import Answer, Exchange, as_piece, as_request, prepare_folder, save_exchange, timestamp
from jackfield.tape.redact import Redactor
from jackfield.transport.reply import HttpReply, Sender, Told
from jackfield.transport.request import HttpRequest

LEFT = "the reader left"


class Recorder:
    """A sender that writes every exchange into `folder`, made when absent, as soon as its answer is over.

    An answer that could not be kept is paid for all the same, so it goes on to its reader;
    `problems` says what was not recorded.
    """

    def __init__(self, sender: Sender, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self.is_live = sender.is_live
        self._sender = sender
        self._folder = folder
        self._clock = clock
        self.problems: list[str] = []

    async def open(self, request: HttpRequest) -> HttpReply:
        """Send a request; its answer is recorded as it is read."""
        prepare_folder(self._folder)
        started = self._clock()
        reply = await self._sender.open(request)
        take = _Take(reply, self._keep, started, self._clock)
        return HttpReply(request, reply.status, reply.headers, Told(take.chunks(), take.release))

    async def close(self) -> None:
        """Close the sender."""
        await self._sender.close()

    def _keep(self, exchange: Exchange) -> None:
        try:
            save_exchange(self._folder, exchange, secrets.token_hex(3))
        except ConfigError as error:
            self.problems.append(f"the exchange is not recorded: {error.message}")


class _Take:
    """One answer while it is recorded; written once, however it ends."""

    def __init__(
        self, reply: HttpReply, keep: Callable[[Exchange], None], started: float, clock: Callable[[], float]
    ) -> None:
        self._reply = reply
        self._keep = keep
        self._started = started
        self._clock = clock
        self._pieces: list[tuple[int, bytes]] = []
        self._broken = LEFT
        self._written = False

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._reply.chunks():
                self._pieces.append((round((self._clock() - self._started) * 1000), chunk))
                yield chunk
            self._broken = ""
        except Error as error:
            self._broken = f"{error.type}: {error.message}"
            raise
        finally:
            self.release()

    def release(self) -> None:
        self._reply.release()
        if not self._written:
            self._written = True
            self._keep(self._exchange())

    def _exchange(self) -> Exchange:
        request, clean = self._reply.request, Redactor(self._reply.request)
        asked = as_request(
            request.method, clean.url(request.url), clean.headers(request.headers), clean.body(request.body)
        )
        pieces = clean.pieces([data for _, data in self._pieces])
        return Exchange(
            asked_at=timestamp(self._started),
            request=asked,
            answer=Answer(
                self._reply.status,
                clean.headers(self._reply.headers),
                [as_piece(ms, data) for (ms, _), data in zip(self._pieces, pieces, strict=True)],
                clean.text(self._broken),
            ),
        )
