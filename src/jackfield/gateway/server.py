"""The HTTP server under the gateway: uvicorn, held to limits of its own.

It tells by itself that a caller has left (`exchange.WATCH`). A head has a size and a time within which it must be complete; a worker that is told to end
(SIGTERM) takes no more requests and finishes those it has.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import Any, Literal
from weakref import proxy

from uvicorn import Config, Server
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.supervisors import Multiprocess

from jackfield.gateway.exchange import ANSWER, END, QUIET, START, TAKE, WATCH, WRITE
from jackfield.gateway.oddities import TOO_LARGE, send_unchunked, without_offer
from jackfield.gateway.signals import watch_terminal

HEAD_LIMIT = 64 * 1024
HEAD_S = 30.0
# Longer than clients and proxies keep a connection, so that they close it first.
KEEP_ALIVE_S = 75
DRAIN_S = 60
PROMPT = "jackfield.gateway.prompt:PromptProtocol"  # built on this module, and loaded by uvicorn
END_S = 2  # for what is open after that; the application has let its requests finish by then


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's connection, with an end to how much and how long a head may be; says when it is lost."""

    _head_size = 0
    _is_in_head = True
    _has_moved = False
    _due_s = inf  # when the connection ends unless something comes
    _rings_s = inf  # when somebody looks whether it does
    _timer: asyncio.TimerHandle | None = None
    _task: asyncio.Task[None] | None = None  # that answers
    _note_left: Callable[[], None] | None = None
    _has_written = False  # a piece of a stream, since somebody last asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for a head."""
        super().connection_made(transport)  # type: ignore[arg-type]  # a stream's, as in every server
        self._extensions = {
            WATCH: self._watch, TAKE: self._take, ANSWER: self._answer,
            START: self._start, WRITE: self._write, END: self._end, QUIET: self._was_quiet,
        }  # fmt: skip
        self._wait(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)
        self._leave()
        # Each of these holds the connection, which would wait for the collector.
        self._extensions, self.scope = {}, {}  # type: ignore[typeddict-item]  # no request comes any more
        self._drop_cycle()

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._is_in_head = True
        super().on_message_begin()
        self.scope["extensions"] = self._extensions  # type: ignore[typeddict-item]  # ours; uvicorn names only ASGI's own

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; one behind the body (a trailer) is none: whoever checked the head has not seen it."""
        # As uvicorn does it: to ask it for each of many takes as long as to take them.
        if self._is_in_head:
            name = name.lower()
            self.headers.append((name, value))
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """Note that a head has ended."""
        self._is_in_head, self._has_moved = False, True
        super().on_headers_complete()
        if self.scope["http_version"] == "1.0":
            # The task that answers begins in the loop's next round.
            self.cycle.send = partial(send_unchunked, proxy(self.cycle))  # type: ignore[method-assign]

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._has_moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request has ended."""
        self._has_moved = True
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # As uvicorn does it; who is left by their caller is ended by it.
        self._task = task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self._end_task)
        self.tasks.add(task)

    def _end_task(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if self not in self.connections:
            self._drop_cycle()

    def _drop_cycle(self) -> None:
        """Forget the last request of a connection that is lost, once nobody answers it any more."""
        if self._task is None or self._task.done():
            self.cycle = None  # type: ignore[assignment]

    def on_response_complete(self) -> None:
        """Wait for another request, or go on with the one that came behind this one."""
        # As uvicorn does it, but for a timer of its own for every answer.
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        if not self._is_in_head:
            self._wait(KEEP_ALIVE_S)

    def data_received(self, data: bytes) -> None:
        """Take the next bytes; a head that does not end in time or size ends the connection."""
        self._has_moved, was_in_head = False, self._is_in_head
        super().data_received(without_offer(data) if was_in_head and b"h2c" in data else data)
        if self._is_in_head:
            if not was_in_head:
                self._wait(HEAD_S)
        elif self._has_moved:
            self._due_s = inf  # whoever answers has timers of their own
            if self.cycle.response_complete:
                self._wait(KEEP_ALIVE_S)  # for the rest of a body that nobody reads
        self._head_size = 0 if self._has_moved else self._head_size + len(data)
        if self._head_size > HEAD_LIMIT and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    # -- what ASGI has no words for; of requests that came one behind the other only the first is being answered ---

    def _watch(self, note_left: Callable[[], None] | None) -> None:
        self._note_left = note_left
        if note_left is None:
            return
        if self.cycle.disconnected:
            self._leave()
        # A long body has stopped the reading, without which nobody is seen to leave.
        self.flow.resume_reading()

    def _leave(self) -> None:
        if self._note_left is not None and self._task is not None:
            self._note_left()
            self._task.cancel()

    def _take(self) -> bytes | None:
        cycle = self.cycle
        if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue or self.pipeline:
            return None
        body, cycle.body = bytes(cycle.body), bytearray()
        cycle.message_event.clear()
        return body

    def _answer(self, status: int, lines: bytes, body: bytes) -> bool:
        # As uvicorn does it in two steps with checks of each header, which are made where they are put together.
        if not self._write_head(status, lines, body):
            return False
        self._finish()
        return True

    def _start(self, lines: bytes, data: bytes) -> bool:
        if not self._write_head(200, lines + b"transfer-encoding: chunked\r\n", _as_chunk(data)):
            return False
        self.cycle.chunked_encoding, self._has_written = True, True
        return True

    def _write_head(self, status: int, lines: bytes, body: bytes) -> bool:
        cycle = self.cycle
        is_usual = cycle.keep_alive and not (cycle.response_started or cycle.disconnected)
        if not is_usual or self.pipeline or self.flow.write_paused or cycle.scope["method"] == "HEAD":
            return False
        own = [b"%b: %b\r\n" % each for each in self.server_state.default_headers]
        self.transport.write(b"".join((STATUS_LINE[status], *own, lines, b"\r\n", body)))
        cycle.response_started, cycle.waiting_for_100_continue = True, False
        return True

    def _finish(self) -> None:
        cycle = self.cycle
        cycle.response_complete = True
        cycle.message_event.set()
        cycle.on_response()

    def _end(self, data: bytes) -> bool:
        if not (self.cycle.keep_alive and self._write()):
            return False
        self.transport.write(_as_chunk(data) + b"0\r\n\r\n")
        self._finish()
        return True

    def _was_quiet(self) -> bool:
        was_quiet, self._has_written = not self._has_written, False
        return was_quiet

    def _write(self, data: bytes = b"") -> bool:
        # As uvicorn does it, without its questions: they cost each piece of a stream a fifth of its time.
        cycle = self.cycle
        is_open = cycle.chunked_encoding and not (cycle.disconnected or cycle.response_complete)
        if not is_open or self.pipeline or self.flow.write_paused:
            return False
        if data:
            self._has_written = True
            self.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    # -- patience ---

    def _wait(self, limit_s: float) -> None:
        self._due_s = self.loop.time() + limit_s
        if self._due_s < self._rings_s:
            self._set_timer(self._due_s)

    def _set_timer(self, at_s: float) -> None:
        # One timer serves many waits: it looks whether the moment has moved on, which is cheaper than a new one each.
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._rings_s = self.loop.call_at(at_s, self._ring), at_s

    def _ring(self) -> None:
        self._timer, self._rings_s = None, inf
        if self._due_s < inf:
            if self.loop.time() < self._due_s:
                self._set_timer(self._due_s)
            else:
                self.timeout_keep_alive_handler()


def _as_chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def configure(
    app: Callable[..., Any],
    *,
    factory: bool = False,
    workers: int = 1,
    drain_s: int = DRAIN_S,
    lifespan: Literal["on", "off"] = "on",
) -> Config:
    """Return uvicorn's settings for an application, or for what makes one in each process."""
    return Config(
        app,
        factory=factory,
        interface="asgi3",
        workers=workers,
        http=PROMPT,
        ws="none",
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=drain_s,
    )


class Workers(Multiprocess):
    """uvicorn's supervisor, but SIGHUP is handed on: each worker reads the config again, and none is replaced."""

    is_hangup: Callable[[], bool] = staticmethod(lambda: False)

    def handle_hup(self) -> None:
        """Hand the signal on; the terminal's end is everybody's."""
        if self.is_hangup():
            self.should_exit.set()
            return
        for process in self.processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)


def run(make: Callable[[], Any], listeners: Sequence[Any], *, workers: int = 1) -> None:
    """Serve until told to end. With several workers `make` is pickled and called in each of their processes."""
    config = configure(make, factory=True, workers=workers, drain_s=END_S)
    if workers > 1:
        Workers.is_hangup = staticmethod(watch_terminal())
        Workers(config, sockets=list(listeners)).run()
        return
    server = Server(config)

    def end(*_: object) -> None:
        server.should_exit = True

    # Who is told to end before uvicorn listens for it ends, too. It repeats the signal at its own end; that is no failure.
    signal.signal(signal.SIGTERM, end)
    server.run(sockets=list(listeners))
