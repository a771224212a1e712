"""The body of an answer as its reader gets it: unpacked, guarded by the timers. Knows no socket and no library."""

from __future__ import annotations

import zlib
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Protocol, TypeVar

from jackfield.transport.failures import explain_packing
from jackfield.transport.request import HttpRequest
from jackfield.transport.timers import Timers
from jackfield.transport.unpack import Unpacker

T = TypeVar("T")


class Source(Protocol):
    """A body as it comes over the wire, and the connection it comes over."""

    async def read(self, read: Callable[[bytes], T]) -> T | None:
        """Return the next of what `read` makes of the bytes that is anything, `None` at the end.

        Raises `StreamBroken` or `TimeoutExpired`, and what `read` raises.
        """
        ...

    def take_rest(self) -> bytes | None:
        """Return all that is left, `None` where it is not there yet."""
        ...

    def release(self) -> None:
        """Give the connection back if all was read, else close it at once."""
        ...


class TimedBody:
    """One body. Its pieces are yielded once, and give the connection back when they end."""

    def __init__(self, source: Source, headers: Mapping[str, str], timers: Timers, request: HttpRequest) -> None:
        self.release = source.release
        self._source = source
        self._timers = timers
        self._request = request
        self._encoding = headers.get("content-encoding")
        self._is_events = "event-stream" in headers.get("content-type", "")

    async def pieces(self, read: Callable[[bytes], T]) -> AsyncGenerator[T, None]:
        """Yield what `read` makes of the bytes as they come; raise `StreamBroken`, `TimeoutExpired` or `BadReply`."""

        def hear(piece: bytes) -> T:
            self._timers.hear(piece, is_events=self._is_events)
            return read(piece)

        try:
            if self._encoding is None:
                while (made := await self._source.read(read if self._timers.answered else hear)) is not None:
                    yield made
                return
            unpacker = Unpacker(self._encoding)
            while packed := await self._source.read(bytes):
                for piece in unpacker.feed(packed):
                    if made := hear(piece):
                        yield made
        except zlib.error as error:
            raise explain_packing(error, self._request) from error
        finally:
            # At its end the connection goes back to the pool, anywhere else it closes at once.
            self.release()

    def take_rest(self) -> bytes | None:
        """Return all that is left, `None` where it is not there yet or is packed."""
        return self._source.take_rest() if self._encoding is None else None
