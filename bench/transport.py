"""What a request costs on its way: processor time per request and per piece of a paced stream, by both ways.

The other side is a canned server in a process of its own, whose time does not count. Both ways
take turns on the same server within each round, so that a busy moment of the machine meets
both; the figure is the median round, in microseconds of processor time, and their ratio.

    python bench/transport.py [--rounds 7] [--write]      --write puts the table into bench/README.md
"""

from __future__ import annotations

import argparse
import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import repeat
from pathlib import Path
from statistics import median

from jackfield.transport.http import Transport
from jackfield.transport.request import HttpRequest

README = Path(__file__).with_name("README.md")
CONNECTIONS = 32
REQUESTS = 4_000
STREAMS = 64
PIECES = 50
PACE_S = 0.01
BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 1_040 + b'"}]}'
ANSWER = b'{"choices":[{"message":{"role":"assistant","content":"' + b"x" * 570 + b'"}}]}'
JSON_REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(ANSWER),
    ANSWER,
)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b'data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
PIECE = b"%x\r\n%s\r\n" % (len(EVENT), EVENT)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--write", action="store_true")
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve:
        asyncio.run(serve())
        return
    with canned_server() as port:
        rows = [row for name, loop in list_loops() for row in measure(name, loop, port, chosen.rounds)]
    table = "\n".join(
        [
            f"{time.strftime('%Y-%m-%d', time.gmtime())}, medians of {chosen.rounds} interleaved rounds.",
            "",
            "| loop | work | http1 µs | library µs | library ÷ http1 |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )
    print(table)
    if chosen.write:
        text = README.read_text(encoding="utf-8")
        marked = re.compile(r"(<!-- transport -->\n).*?(<!-- end -->)", re.DOTALL)
        README.write_text(marked.sub(lambda match: match[1] + table + "\n" + match[2], text), encoding="utf-8")


def list_loops() -> Iterator[tuple[str, Callable[[], asyncio.AbstractEventLoop]]]:
    """Yield the event loops there are."""
    yield "asyncio", asyncio.new_event_loop
    if find_spec("uvloop"):
        import uvloop  # noqa: PLC0415  not on Windows

        yield "uvloop", uvloop.new_event_loop


def measure(name: str, loop: Callable[[], asyncio.AbstractEventLoop], port: int, rounds: int) -> list[str]:
    """Return the table's rows for one event loop."""
    costs: dict[tuple[str, bool], list[float]] = {}
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(time_requests(port, http1=True))  # warm
        for round_ in range(rounds):
            for http1 in (True, False) if round_ % 2 else (False, True):
                costs.setdefault(("request", http1), []).append(runner.run(time_requests(port, http1=http1)))
                costs.setdefault(("piece", http1), []).append(runner.run(time_pieces(port, http1=http1)))
    works = {
        "request": f"a request, {CONNECTIONS} at a time",
        "piece": f"a piece of {STREAMS} streams, one each {PACE_S * 1000:g} ms",
    }
    return [
        f"| {name} | {said} | {(own := median(costs[work, True])):.1f} | {(its := median(costs[work, False])):.1f} | {its / own:.1f} |"
        for work, said in works.items()
    ]


async def time_requests(port: int, *, http1: bool) -> float:
    """Return microseconds of processor time per request on kept connections."""
    request = HttpRequest(url=f"http://127.0.0.1:{port}/json", headers={"content-type": "application/json"}, body=BODY)

    async def ask(turns: Iterator[None], transport: Transport) -> None:
        for _ in turns:
            assert len(await (await transport.open(request)).read()) == len(ANSWER)

    async with Transport(http1=http1) as transport:
        await asyncio.gather(*(ask(repeat(None, 1), transport) for _ in range(CONNECTIONS)))
        turns = repeat(None, REQUESTS)
        started = time.process_time()
        await asyncio.gather(*(ask(turns, transport) for _ in range(CONNECTIONS)))
        return (time.process_time() - started) / REQUESTS * 1e6


async def time_pieces(port: int, *, http1: bool) -> float:
    """Return microseconds of processor time per piece of paced streams."""
    request = HttpRequest(url=f"http://127.0.0.1:{port}/paced", body=BODY, stream=True)
    heard = 0

    async def listen(transport: Transport) -> None:
        nonlocal heard
        async for _ in (await transport.open(request)).chunks():
            heard += 1

    async with Transport(http1=http1) as transport:
        started = time.process_time()
        await asyncio.gather(*(listen(transport) for _ in range(STREAMS)))
        return (time.process_time() - started) / (STREAMS * PIECES) * 1e6


# -- the other side ---


@contextmanager
def canned_server() -> Iterator[int]:
    """Run the server in a process of its own; yields its port."""
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield int(process.stdout.readline())
        process.terminate()


async def serve() -> None:
    """Answer until ended; the port is printed."""
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Canned(asyncio.Protocol):
    """Answers each request, which comes whole or nearly so, with the same bytes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to listen."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._heard = b""

    def data_received(self, data: bytes) -> None:
        """Answer once the body's end is there."""
        self._heard += data
        if not self._heard.endswith(BODY):
            return
        if self._heard.startswith(b"POST /json"):
            self._transport.write(JSON_REPLY)
        else:
            self._transport.write(STREAM_HEAD)
            asyncio.get_running_loop().call_later(PACE_S, self._pour, PIECES)
        self._heard = b""

    def _pour(self, left: int) -> None:
        self._transport.write(PIECE if left else b"0\r\n\r\n")
        if left:
            asyncio.get_running_loop().call_later(PACE_S, self._pour, left - 1)


if __name__ == "__main__":
    main()
