"""Asks over kept connections, as many at a time as told, and says how it went in one line of JSON.

    python bench/gateway_kit/load.py '{"url": …, "headers": {…}, "body": …, "at_once": 32, "total": 4000, "pieces": 0}'

`pieces` is how many stamped pieces a streamed reply must have (`upstream.py`); a reply counts
only when it is whole. `ramp_s` spreads the beginnings.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

STAMP = re.compile(rb"@(\d{7}\.\d{6})@")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
END = b"0\r\n\r\n"


class Caller(asyncio.Protocol):
    """One connection, which asks until there is nothing more to ask."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a client's is a stream
        self._ask()

    def _ask(self) -> None:
        self._got, self._tail, self._pieces, self._is_open = b"", b"", 0, False
        if next(self._run.turns, None) is None:
            self._transport.close()
            return
        self._is_open, self._asked_s = True, time.monotonic()
        self._transport.write(self._run.request)

    def data_received(self, data: bytes) -> None:
        now_s = time.monotonic()
        if self._run.pieces:
            self._hear(data, now_s)
            return
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end >= 0 and (found := LENGTH.search(self._got[: end + 2])) and len(self._got) >= end + 4 + int(found[1]):
            self._finish(b" 200 " in self._got[:20], now_s)

    def _hear(self, data: bytes, now_s: float) -> None:
        seen = self._tail + data
        last = 0
        for found in STAMP.finditer(seen):
            if not self._pieces:
                self._run.first_s.append(now_s - self._asked_s)
            self._pieces += 1
            self._run.lag_s.append(now_s - float(found[1]))
            last = found.end()
        self._tail = seen[max(last, len(seen) - 15) :]
        if seen.endswith(END):
            self._finish(self._pieces == self._run.pieces, now_s)

    def _finish(self, is_whole: bool, now_s: float) -> None:
        self._run.note(is_whole, now_s - self._asked_s)
        self._ask()

    def connection_lost(self, _: Exception | None) -> None:
        if self._is_open:
            self._run.note(False, 0.0)
        self._run.close_one()


class Run:
    """All connections of one measurement."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.pieces: int = spec["pieces"]
        self.turns: Iterator[int] = iter(range(spec["total"]))
        self.first_s: list[float] = []
        self.lag_s: list[float] = []
        self._took_s: list[float] = []
        self._spec = spec
        self._failed = 0
        place = urlsplit(spec["url"])
        self._host, self._port = place.hostname, place.port
        head = {"host": place.netloc, "content-type": "application/json", **spec["headers"]}
        body = spec["body"].encode()
        lines = "".join(f"{name}: {text}\r\n" for name, text in (head | {"content-length": len(body)}).items())
        self.request = f"POST {place.path} HTTP/1.1\r\n{lines}\r\n".encode() + body

    def note(self, is_whole: bool, took_s: float) -> None:
        self._failed += not is_whole
        if is_whole:
            self._took_s.append(took_s)

    def close_one(self) -> None:
        self._open -= 1
        if not self._open:
            self._over.set()

    async def go(self) -> dict[str, Any]:
        loop, self._over, self._open = asyncio.get_running_loop(), asyncio.Event(), self._spec["at_once"]
        began_s = time.monotonic()
        for at in range(self._spec["at_once"]):
            await loop.create_connection(lambda: Caller(self), self._host, self._port)
            ramp_s: float = self._spec.get("ramp_s", 0.0)
            await asyncio.sleep(max(0.0, began_s + ramp_s * (at + 1) / self._spec["at_once"] - time.monotonic()))
        async with asyncio.timeout(self._spec.get("patience_s", 60)):
            await self._over.wait()
        return {
            "whole": len(self._took_s), "failed": self._failed, "wall_s": time.monotonic() - began_s,
            "units": len(self.lag_s) if self.pieces else len(self._took_s),
            "p50_ms": quantile(self._took_s, 0.5), "first_p50_ms": quantile(self.first_s, 0.5),
            "lag_p50_ms": quantile(self.lag_s, 0.5), "lag_p99_ms": quantile(self.lag_s, 0.99),
        }  # fmt: skip


def quantile(seconds: list[float], share: float) -> float:
    return sorted(seconds)[int(len(seconds) * share)] * 1000 if seconds else 0.0


if __name__ == "__main__":
    import uvloop

    print(json.dumps(uvloop.run(Run(json.loads(sys.argv[1])).go())))
