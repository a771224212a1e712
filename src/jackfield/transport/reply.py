"""An HTTP answer as its reader sees it, wherever it comes from: a socket, a recording or a script."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

from jackfield.errors import BadReply, Error
from jackfield.transport.request import HttpRequest, shown_url

REPLY_LIMIT = 64 * 1024 * 1024  # bytes after decompression; an answer with images is some megabytes
REFUSAL_LIMIT = 1024 * 1024


class HttpReply:
    """An answer whose body has not been read yet. Whoever opened it closes it, however it ends.

    `body` yields the unpacked pieces and raises our errors; `release` gives back what it stands on;
    `take` returns all that is left of it, where that is there already.
    """

    def __init__(
        self,
        request: HttpRequest,
        status: int,
        headers: Mapping[str, str],  # names are lower-case
        body: AsyncIterator[bytes],
        release: Callable[[], None] = lambda: None,
        take: Callable[[], bytes | None] = lambda: None,
    ) -> None:
        self.request = request
        self.status = status
        self.headers = headers
        self._body = body
        self.release = release
        self._take = take
        self._refusal: bytes | None = None

    @property
    def url(self) -> str:
        """The URL called, fit to be shown."""
        return shown_url(self.request.url)

    def chunks(self) -> AsyncIterator[bytes]:
        """Return the body as it comes, cut anywhere; reading raises `StreamBroken` or `TimeoutExpired`."""
        return self._body

    async def read(self, limit: int = REPLY_LIMIT) -> bytes:
        """Return the whole body; raise `BadReply` when it is over `limit` bytes."""
        # A short answer comes with its head, and to wait for pieces of it costs as much as to send the request.
        if (whole := self._take()) is not None and len(whole) <= limit:
            return whole
        body = bytearray(whole or b"")
        async for chunk in self._body:
            body += chunk
            if len(body) > limit:
                await self.close()
                raise BadReply(f"the answer of {self.url} is over {limit} bytes")
        return bytes(body)

    async def read_refusal(self, limit: int = REFUSAL_LIMIT) -> bytes:
        """Return the start of a refusal's body, as far as it comes; asked again, the same: its status says the rest."""
        if self._refusal is not None:
            return self._refusal
        body = bytearray()
        try:
            async for chunk in self._body:
                body += chunk
                if len(body) > limit:
                    break
        except Error:
            pass
        await self.close()
        self._refusal = bytes(body[:limit])
        return self._refusal

    async def close(self) -> None:
        """Give the connection back if the body was read to its end, else close it at once."""
        self.release()


class Sender(Protocol):
    """What a client asks through: `http.Transport`, a recording, a script."""

    is_live: bool  # somebody is asked, who will want a credential

    async def open(self, request: HttpRequest) -> HttpReply:
        """Send a request and return its reply once the headers are there, whatever the status."""
        ...

    async def close(self) -> None:
        """Give back all that is held, for good."""
        ...
