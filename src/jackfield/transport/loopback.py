"""A small HTTP/1.1 server on this machine's own address, for a program that answers by itself.

Knows no protocol above HTTP: whoever runs it turns a request into a status, headers and steps.
Bodies go out in chunks.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

from msgspec import Struct

from jackfield.errors import ConfigError

HOST = "127.0.0.1"
HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 64 * 1024 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Received(Struct, frozen=True):
    """One request as it arrived; header names are lower-case, the target is path and query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Lost(Exception):
    """Raised by an answer to lose the connection: in good manners, or with a reset."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("reset" if reset else "closed")
        self.reset = reset


class Sent(Struct, frozen=True):
    """An answer; its body may pause, and may raise `Lost`."""

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]


Answerer = Callable[[Received], Awaitable[Sent]]


async def serve(answer: Answerer, port: int, started: Callable[[str], None]) -> None:
    """Serve until cancelled; `started` hears the address. Raises `ConfigError` for a port that is taken."""
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            talks.add(task)
            task.add_done_callback(talks.discard)
        # Cancelled is who still talks when the server ends; its task has nobody else to tell.
        broken = (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError)
        with suppress(*broken, Malformed):
            await _talk(answer, reader, writer)
        writer.transport.abort()

    try:
        server = await asyncio.start_server(talk, HOST, port, limit=HEAD_LIMIT)
    except OSError as error:
        raise ConfigError(f"cannot listen on {HOST}:{port}: {error.strerror}", hint="choose another --port") from error
    async with server:
        started(f"http://{HOST}:{server.sockets[0].getsockname()[1]}")
        try:
            await asyncio.Event().wait()
        finally:
            await _end(talks)


async def _end(talks: set[asyncio.Task[None]]) -> None:
    for task in talks:
        task.cancel()
    await asyncio.gather(*talks, return_exceptions=True)
    await asyncio.sleep(0)  # a connection closes in the loop's next turn


async def _talk(answer: Answerer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while (received := await read_request(reader, writer)) is not None:
        try:
            await _send(await answer(received), writer)
        except Lost as lost:
            await _lose(writer, reset=lost.reset)
            return
        if received.headers.get("connection", "").lower() == "close":
            return


async def _send(sent: Sent, writer: asyncio.StreamWriter) -> None:
    try:
        reason = HTTPStatus(sent.status).phrase
    except ValueError:
        reason = "Scripted"
    lines = [f"HTTP/1.1 {sent.status} {reason}", *(f"{name}: {value}" for name, value in sent.headers.items())]
    lines += ["transfer-encoding: chunked", "", ""]
    writer.write("\r\n".join(lines).encode("latin-1", "replace"))
    await writer.drain()
    async for piece in sent.body:
        if piece:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def _lose(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if reset and (connection := writer.get_extra_info("socket")):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    writer.close()
    await writer.wait_closed()


# -- requests ----------------------------------------------------------------------


class Malformed(Exception):
    """What arrived is no request; the connection closes."""


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Received | None:
    """Return the next request of a connection, `None` at its end; raise `Malformed` for what is none."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        raise Malformed
    headers = {name.strip().lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(CONTINUE)
    return Received(words[0], words[1], headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader)
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > BODY_LIMIT:
        raise Malformed
    return await reader.readexactly(int(length))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        try:
            size = int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16)
        except ValueError:
            raise Malformed from None
        if len(body) + size > BODY_LIMIT:
            raise Malformed
        body += (await reader.readexactly(size + 2))[:size]
        if size == 0:
            return bytes(body)
