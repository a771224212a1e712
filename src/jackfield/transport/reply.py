"""An HTTP answer as its reader sees it, wherever it comes from: a socket, a recording or a script."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Protocol, TypeVar

from jackfield.errors import BadReply, Error
from jackfield.transport.request import HttpRequest, shown_url

T = TypeVar("T")
REPLY_LIMIT = 64 * 1024 * 1024  # bytes after decompression; an answer with images is some megabytes
REFUSAL_LIMIT = 1024 * 1024


class Body(Protocol):
    """What follows the headers of an answer."""

    def pieces(self, read: Callable[[bytes], T]) -> AsyncGenerator[T, None]:
        """Yield what `read` makes of the unpacked bytes as they come, cut anywhere, where it makes anything.

        Raises `StreamBroken` or `TimeoutExpired`, and what `read` raises.
        """
        ...

    def take_rest(self) -> bytes | None:
        """Return all that is left, `None` where it is not there yet."""
        ...

    def release(self) -> None:
        """Give back what it stands on: a connection that was read to its end is used again, any other closes at once."""
        ...


class Told:
    """A body that comes from elsewhere than a socket: a recording, a script."""

    def __init__(self, pieces: AsyncIterator[bytes], release: Callable[[], None] = lambda: None) -> None:
        self._pieces = pieces
        self.release = release

    async def pieces(self, read: Callable[[bytes], T]) -> AsyncGenerator[T, None]:
        """Yield what `read` makes of the pieces."""
        async for piece in self._pieces:
            if made := read(piece):
                yield made

    def take_rest(self) -> None:
        """Return nothing: it is told in its own time."""
        return


class HttpReply:
    """An answer whose body has not been read yet. Whoever opened it closes it, however it ends."""

    def __init__(
        self,
        request: HttpRequest,
        status: int,
        headers: Mapping[str, str],  # names are lower-case
        body: Body,
    ) -> None:
        self.request = request
        self.status = status
        self.headers = headers
        self._body = body
        self.release = body.release
        self._refusal: bytes | None = None

    @property
    def url(self) -> str:
        """The URL called, fit to be shown."""
        return shown_url(self.request.url)

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes, cut anywhere; raises `StreamBroken` or `TimeoutExpired`."""
        return self._body.pieces(bytes)

    def pieces(self, read: Callable[[bytes], T]) -> AsyncGenerator[T, None]:
        """Yield what `read` makes of the body in the moment it comes; of what it makes nothing, nobody is woken."""
        return self._body.pieces(read)

    async def read(self, limit: int = REPLY_LIMIT) -> bytes:
        """Return the whole body; raise `BadReply` when it is over `limit` bytes."""
        # A short answer comes with its head, and to wait for pieces of it costs as much as to send the request.
        if (whole := self._body.take_rest()) is not None and len(whole) <= limit:
            return whole
        body = bytearray(whole or b"")
        async for chunk in self.chunks():
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
            async for chunk in self.chunks():
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
