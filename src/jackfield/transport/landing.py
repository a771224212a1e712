"""The page on this machine that a browser lands on after a sign-in elsewhere: heard once, then gone.

Listens on the loopback only, answers a GET on one exact path, and knows nothing of what the
query means: whoever opens it judges that.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from msgspec import Struct

from jackfield.errors import ConnectError
from jackfield.transport.loopback import HEAD_LIMIT, HOST, Malformed, Received, read_request

PAGE = "<!doctype html><html lang=en><meta charset=utf-8><title>Jackfield</title><p>{}</p></html>\n"
SLOWEST_REQUEST_S = 10
# Takes a query, returns why it is not good; empty: it is.
Judge = Callable[[str], str]


class Landing(Struct, frozen=True):
    """An open page: its port, and the query that will arrive there."""

    port: int
    query: asyncio.Future[str]


@asynccontextmanager
async def open_landing(path: str, port: int, judge: Judge) -> AsyncIterator[Landing]:
    """Listen until the block ends; port 0 is any free one. Raises `ConnectError` for a port that is taken.

    The query of the first GET on `path` is the result, good or not; the page says which.
    """
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, Malformed):
            async with asyncio.timeout(SLOWEST_REQUEST_S):
                if (received := await read_request(reader, writer)) is not None:
                    await _answer(received, writer, path, judge, heard)
        writer.close()

    try:
        server = await asyncio.start_server(talk, HOST, port, limit=HEAD_LIMIT)
    except OSError as error:
        raise ConnectError(f"port {port} of this machine is in use by another program") from error
    try:
        yield Landing(server.sockets[0].getsockname()[1], heard)
    finally:
        server.close()
        heard.cancel()


async def _answer(
    received: Received, writer: asyncio.StreamWriter, path: str, judge: Judge, heard: asyncio.Future[str]
) -> None:
    parts = urlsplit(received.target)
    if parts.path != path or heard.done():
        await _say(writer, "404 Not Found", "There is nothing here.")
    elif received.method != "GET":
        await _say(writer, "405 Method Not Allowed", "This page is only looked at.")
    elif problem := judge(parts.query):
        await _say(writer, "400 Bad Request", f"The sign-in failed: {problem}. Where you began it stands what to do.")
        _hear(heard, parts.query)
    else:
        await _say(writer, "200 OK", "Heard. You can close this page and go back to where you began.")
        _hear(heard, parts.query)


def _hear(heard: asyncio.Future[str], query: str) -> None:
    if not heard.done():
        heard.set_result(query)


async def _say(writer: asyncio.StreamWriter, status: str, text: str) -> None:
    body = PAGE.format(html.escape(text)).encode()
    head = (
        f"HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
        "cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
