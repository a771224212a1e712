"""Real servers on the loopback, scripted byte by byte, for every test that needs another side.

    with serve(json_reply({"ok": True}), sse_reply("one", 0.2, "two", RESET)) as server:
        ...                                  # talk to server.url
    server.journal[0].json()                 # what arrived

Each request gets the next reply; the last one repeats. A reply is a list of steps: bytes are
sent, a number is a pause in seconds, a `threading.Event` one until somebody sets it, CUT ends
the connection in good manners (FIN), RESET without (RST), HANG waits until the caller leaves.
A function `Received -> reply` may stand for a reply. The server runs on a thread of its own,
so that sync and async tests share it. With `tunnel` it stands for every host there is: a proxy
that ends each CONNECT at itself.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

from tests.patience import LOOK_S, PATIENCE_S


class Act(Enum):
    """What a server may do besides sending and waiting."""

    CUT = "fin"
    RESET = "rst"
    HANG = "hang"


# Below those that systems give to whoever connects. Of real chance: test processes share a seed.
UNGIVEN, CHANCE = range(15_000, 32_000), random.SystemRandom()
CUT, RESET, HANG = Act.CUT, Act.RESET, Act.HANG
Step = bytes | float | Act | threading.Event
Reply = Sequence[Step]
TURNS = 10  # of a loop, in which a connection that is closed is gone


@dataclass(frozen=True)
class Received:
    """One request as it arrived; header names are lower-case, `connection` counts from 1."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    at: float

    def json(self) -> Any:
        """Return the body's value."""
        return json.loads(self.body)


@dataclass
class Server:
    """A running server: where it is, what it heard, whether a caller left before its reply was over."""

    url: str
    port: int
    replies: Sequence[Reply | Callable[[Received], Reply]]
    journal: list[Received] = field(default_factory=list)
    tunnel: Callable[[str], ssl.SSLContext] | None = None  # host → how this server is that host
    connections: int = 0
    talking: int = 0  # connections that are open
    heard: threading.Event = field(default_factory=threading.Event)  # a request has arrived
    dropped: threading.Event = field(default_factory=threading.Event)
    dropped_at: float = 0.0  # time.monotonic()

    def next_reply(self, received: Received) -> Reply:
        """Return the steps for the request just noted."""
        reply = self.replies[min(len(self.journal), len(self.replies)) - 1]
        return reply(received) if callable(reply) else reply

    def note_drop(self) -> None:
        """Remember that a caller left early."""
        self.dropped_at = time.monotonic()
        self.dropped.set()

    async def saw_drop(self, within_s: float = PATIENCE_S) -> bool:
        """Wait, without blocking the loop, until a caller has left early."""
        return await asyncio.to_thread(self.dropped.wait, within_s)

    async def was_left(self) -> bool:
        """Tell whether a caller of this loop has left at once: the loop stands still, no timer of his comes."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return self.dropped.wait(PATIENCE_S)

    async def sees_cancelled(self, asking: asyncio.Task[Any]) -> bool:
        """Cancel who asks; tell whether he has left at once."""
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        return await self.was_left()


# -- replies -----------------------------------------------------------------------


def head(status: int = 200, **headers: str) -> bytes:
    """Write a status line and headers; `content_type="x"` becomes `content-type: x`."""
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name.replace('_', '-')}: {text}" for name, text in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def text_reply(text: str | bytes, status: int = 200, content_type: str = "text/plain", **headers: str) -> list[Step]:
    """Say a whole body with its length; the connection stays open for the next request."""
    body = text.encode() if isinstance(text, str) else text
    return [head(status, content_type=content_type, content_length=str(len(body)), **headers) + body]


def json_reply(value: object, status: int = 200, **headers: str) -> list[Step]:
    """Say a JSON value."""
    return text_reply(json.dumps(value), status, "application/json", **headers)


def chunk(data: bytes | str) -> bytes:
    """Frame one piece of a chunked body; an empty one ends it."""
    raw = data.encode() if isinstance(data, str) else data
    return b"%x\r\n%s\r\n" % (len(raw), raw)


def stream_reply(*steps: Step | str, content_type: str = "text/event-stream", **headers: str) -> list[Step]:
    """Send pieces of a chunked body with pauses between them; ends it well unless an act ends it otherwise."""
    framed: list[Step] = [head(200, content_type=content_type, transfer_encoding="chunked", **headers)]
    framed += [chunk(step) if isinstance(step, str | bytes) else step for step in steps]
    ends = steps and isinstance(steps[-1], Act)
    return framed if ends else [*framed, chunk(b"")]


def sse_reply(*steps: Step | str | Mapping[str, Any], **headers: str) -> list[Step]:
    """Send server-sent events: text or a JSON value becomes one `data:` event, bytes go as they are."""
    return stream_reply(*(_as_event(step) for step in steps), **headers)


def _as_event(step: Step | str | Mapping[str, Any]) -> Step:
    if isinstance(step, Mapping):
        step = json.dumps(step)
    return f"data: {step}\n\n".encode() if isinstance(step, str) else step


# -- servers -----------------------------------------------------------------------


@contextmanager
def serve(
    *replies: Reply | Callable[[Received], Reply],
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    tunnel: Callable[[str], ssl.SSLContext] | None = None,
) -> Iterator[Server]:
    """Run a scripted HTTP/1.1 server on a free port until the block ends."""
    listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    port = listener.getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    server = Server(f"{'https' if tls else 'http'}://{name}:{port}", port, replies, tunnel=tunnel)
    started: Future[Callable[[], object]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_run(server, listener, tls, started)), daemon=True)
    thread.start()
    stop = started.result(PATIENCE_S)
    try:
        yield server
    finally:
        stop()
        thread.join(PATIENCE_S)


def free_port() -> int:
    """Return a port nobody listens on (just now), nor is any connection given it that is made meanwhile."""
    while True:
        port = CHANCE.choice(UNGIVEN)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


async def _run(
    server: Server, listener: socket.socket, tls: ssl.SSLContext | None, started: Future[Callable[[], object]]
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _talk(server, reader, writer)
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(lambda *_: None)  # a refused TLS handshake is a test's aim
    # Hundreds may call at once, and the system has those call again later whom it has no room for: in seconds.
    listening = await asyncio.start_server(talk, sock=listener, ssl=tls, backlog=1024)
    started.set_result(partial(loop.call_soon_threadsafe, ended.set))
    await ended.wait()
    await asyncio.sleep(0.005)  # asyncio leaks a connection that is being accepted while its listener closes
    listening.close()
    talks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in talks:
        task.cancel()
    await asyncio.gather(*talks, return_exceptions=True)
    await asyncio.sleep(0.001)


async def _talk(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    server.connections += 1
    server.talking += 1
    try:
        await _converse(server, server.connections, reader, writer)
    finally:
        server.talking -= 1


async def _converse(
    server: Server, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while (received := await _read_request(reader, connection)) is not None:
        if received.method == "CONNECT" and server.tunnel:
            writer.write(head(200))
            await writer.start_tls(server.tunnel(received.target.rpartition(":")[0]))
            continue
        server.journal.append(received)
        server.heard.set()
        for step in server.next_reply(received):
            try:
                if not await _play(step, reader, writer):
                    return
            except _Left:
                server.note_drop()
                return


class _Left(Exception):
    """The caller closed the connection before the reply was over."""


async def _play(step: Step, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    match step:
        case bytes():
            writer.write(step)
            try:
                await writer.drain()
            except ConnectionError as error:
                raise _Left from error
        case Act.CUT:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            return False
        case Act.RESET:
            lost = writer.get_extra_info("socket")
            lost.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return False
        case Act.HANG:
            await _pause(None, reader)
        case threading.Event():
            while not step.is_set():
                await _pause(LOOK_S, reader)
        case _:
            await _pause(step, reader)
    return True


async def _pause(seconds: float | None, reader: asyncio.StreamReader) -> None:
    """Wait, but notice at once when the caller leaves."""
    try:
        async with asyncio.timeout(seconds):
            await reader.read(1)
    except TimeoutError:
        return
    except ConnectionError as error:
        raise _Left from error
    raise _Left


async def _read_request(reader: asyncio.StreamReader, connection: int) -> Received | None:
    try:
        first_byte = await reader.readexactly(1)
        if first_byte == b"\x16":  # a TLS handshake, which a plain server takes for a bad request
            return Received("", "", {}, first_byte, connection, time.monotonic())
        raw = first_byte + await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): text.strip() for name, _, text in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body, connection, time.monotonic())
