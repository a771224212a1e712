"""The body of an answer as its reader gets it: unpacked, guarded by the timers. Knows no socket and no library."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from jackfield.transport.failures import explain_packing
from jackfield.transport.request import HttpRequest
from jackfield.transport.timers import Timers
from jackfield.transport.unpack import Unpacker


class Source(Protocol):
    """A body as it comes over the wire, and the connection it comes over."""

    async def read(self) -> bytes:
        """Return the next bytes, none at the end; raise `StreamBroken` or `TimeoutExpired`."""
        ...

    def release(self) -> None:
        """Give the connection back if all was read, else close it at once."""
        ...


async def read_body(
    source: Source, headers: Mapping[str, str], timers: Timers, request: HttpRequest
) -> AsyncIterator[bytes]:
    """Yield a body as it comes, cut anywhere; raise `StreamBroken`, `TimeoutExpired` or `BadReply`."""
    is_events = "event-stream" in headers.get("content-type", "")
    try:
        encoding = headers.get("content-encoding")
        unpacker = Unpacker(encoding) if encoding else None
        while packed := await source.read():
            if unpacker is None:
                timers.hear(packed, is_events=is_events)
                yield packed
                continue
            for chunk in unpacker.feed(packed):
                timers.hear(chunk, is_events=is_events)
                yield chunk
    except zlib.error as error:
        raise explain_packing(error, request) from error
    finally:
        # At its end the connection goes back to the pool, anywhere else it closes at once.
        source.release()
