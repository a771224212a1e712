"""The gateway under steady load for a long time: does it keep its memory, its files, its threads?

python bench/soak.py [--minutes 20] [--rate 200] [--every 15]

A real `jackfield gateway` in a process of its own, before a canned server in another. Of ten requests six
are streams that pass, one a stream in another wire, two are whole, and one caller leaves amid the words.
Ends by itself; with status 1 when an answer was wrong, or when memory grew by more than a tenth
between the middle third of the time and the last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path

import aiohttp
from msgspec import Struct

TOKEN = "soak-0123456789"  # of a gateway that lives as long as this run
WORDS = 20
COLUMNS = ("minute", "asked a second", "wrong", "RSS MB", "files", "threads", "open", "ledger waits")
GROWTH = 1.10


class Sample(Struct, frozen=True):
    """What was seen at one moment."""

    minute: float
    rate: float
    wrong: int
    rss_mb: float
    files: int
    threads: int
    open: int
    waiting: int


# -- the server behind ----------------------------------------------------------------


def piece(delta: object, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(body)}\n\n".encode()


def canned() -> tuple[bytes, bytes]:
    """Return a streamed and a whole reply."""
    usage = {"prompt_tokens": 9, "completion_tokens": WORDS, "total_tokens": 9 + WORDS}
    counted = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": usage}
    events = [piece({"role": "assistant", "content": ""}), *(piece({"content": f"word{n} "}) for n in range(WORDS))]
    events += [piece({}, "stop"), f"data: {json.dumps(counted)}\n\n".encode(), b"data: [DONE]\n\n"]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in events)
    stream = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        + chunks
        + b"0\r\n\r\n"
    )
    said = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    whole = json.dumps(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [said], "usage": usage}
    )
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(whole)}\r\n\r\n"
    return stream, (head + whole).encode()


def serve(port: multiprocessing.Queue[int]) -> None:
    stream, whole = canned()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                if b'"stream":true' in body.replace(b" ", b""):
                    middle = len(stream) // 2
                    writer.write(stream[:middle])
                    await asyncio.sleep(0.02)
                    writer.write(stream[middle:])
                else:
                    writer.write(whole)
                await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


# -- the load ---------------------------------------------------------------------------


class Load:
    """Asks at a steady rate, whatever the answers do."""

    def __init__(self, url: str) -> None:
        self.done: Counter[str] = Counter()
        self._url = url
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, rate: float, until: float) -> None:
        """Ask until the time is over."""
        connector = aiohttp.TCPConnector(limit=0)
        head = {"authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(
            connector=connector, headers=head, timeout=aiohttp.ClientTimeout(30)
        ) as session:
            began, number = time.monotonic(), 0
            while (now := time.monotonic()) < until:
                while number < (now - began) * rate:
                    # A machine that cannot keep up asks less, and says so.
                    if len(self._running) < 4 * rate:
                        task = asyncio.create_task(self._ask(session, number % 10))
                        self._running.add(task)
                        task.add_done_callback(self._running.discard)
                    number += 1
                await asyncio.sleep(0.01)
            await asyncio.gather(*self._running)

    async def _ask(self, session: aiohttp.ClientSession, kind: int) -> None:
        is_whole = kind in {1, 2}
        path = "/v1/messages" if kind == 3 else "/v1/chat/completions"
        body = {
            "model": "box/m",
            "max_tokens": 99,
            "stream": not is_whole,
            "messages": [{"role": "user", "content": "Hi"}],
        }
        try:
            async with session.post(self._url + path, json=body) as reply:
                if kind == 0:
                    await reply.content.readany()
                    reply.close()
                    is_good = reply.status == 200
                else:
                    said = await reply.read()
                    end = b"Hi" if is_whole else b"message_stop" if kind == 3 else b"[DONE]"
                    is_good = reply.status == 200 and end in said and (is_whole or b"word19" in said)
            self.done["good" if is_good else "wrong"] += 1
        except (TimeoutError, aiohttp.ClientError):
            self.done["wrong"] += 1


# -- what is seen ------------------------------------------------------------------------


def look(pid: int, url: str) -> tuple[float, int, int, int, int]:
    """Return memory in MB, open files, threads, open requests, rows that wait."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    request = urllib.request.Request(f"{url}/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        page = reply.read().decode()
    values = [
        re.search(rf"^{name} (\d+)", page, re.MULTILINE)
        for name in ("jackfield_open_requests", "jackfield_ledger_waiting")
    ]
    is_open, waiting = (int(each[1]) if each else 0 for each in values)
    rss = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    return (
        rss,
        len(list(Path(f"/proc/{pid}/fd").iterdir())),
        int(status.partition("Threads:")[2].split()[0]),
        is_open,
        waiting,
    )


async def watch(load: Load, pid: int, url: str, until: float, every_s: float) -> list[Sample]:
    """Print a line every so often and return them all."""
    began, asked, samples = time.monotonic(), 0, []
    print(" | ".join(COLUMNS), flush=True)
    while time.monotonic() + every_s < until:
        await asyncio.sleep(every_s)
        seen = await asyncio.to_thread(look, pid, url)
        total = load.done.total()
        minute = (time.monotonic() - began) / 60
        samples.append(Sample(minute, (total - asked) / every_s, load.done["wrong"], *seen))
        asked = total
        last = samples[-1]
        print(
            f"{minute:.1f} | {last.rate:.0f} | {last.wrong} | {last.rss_mb:.1f} | " + " | ".join(map(str, seen[1:])),
            flush=True,
        )
    return samples


def judge(samples: list[Sample]) -> str:
    """Return what is wrong with a run, empty: nothing."""
    third = max(1, len(samples) // 3)
    early, late = (
        statistics.median(each.rss_mb for each in part) for part in (samples[third : 2 * third], samples[-third:])
    )
    print(f"RSS: {early:.1f} MB in the middle third, {late:.1f} MB in the last")
    if samples[-1].wrong:
        return f"{samples[-1].wrong} answers were wrong"
    return f"memory grew from {early:.1f} to {late:.1f} MB" if late > early * GROWTH else ""


def write_config(home: Path, upstream: int) -> None:
    row = {"id": "m", "cost": {"input": 1, "output": 1, "cacheRead": 1, "cacheWrite": 1}}
    box = {
        "baseUrl": f"http://127.0.0.1:{upstream}/v1",
        "api": "openai-completions",
        "apiKey": "sk-soak",
        "models": [row],
    }
    root = {"models": {"providers": {"box": box}}, "gateway": {"auth": {"token": TOKEN}, "admin": {"enabled": False}}}
    folder = home / ".jackfield"
    folder.mkdir(mode=0o700)
    (folder / "jackfield.json").write_text(json.dumps(root), encoding="utf-8")


def await_ready(url: str) -> None:
    for _ in range(400):
        with suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"{url}/readyz", timeout=1).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"{url} is not ready")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=20)
    arguments.add_argument("--rate", type=float, default=200)
    arguments.add_argument("--every", type=float, default=15)
    given = arguments.parse_args()
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    upstream = multiprocessing.Process(target=serve, args=(ports,), daemon=True)
    upstream.start()
    with tempfile.TemporaryDirectory() as home:
        write_config(Path(home), ports.get())
        command = [sys.executable, "-m", "jackfield", "gateway", "--port", "0"]
        kept = {name: text for name, text in os.environ.items() if not name.startswith("JACKFIELD")}
        with subprocess.Popen(
            command, env={**kept, "HOME": home}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as gateway:
            try:
                assert gateway.stdout
                found = re.search(r"http://127\.0\.0\.1:\d+", gateway.stdout.readline())
                assert found
                url = found[0]
                await_ready(url)
                samples = asyncio.run(soak(url, gateway.pid, given))
            finally:
                gateway.terminate()
    upstream.kill()
    wrong = judge(samples)
    print(wrong or "flat")
    return bool(wrong)


async def soak(url: str, pid: int, given: argparse.Namespace) -> list[Sample]:
    load, until = Load(url), time.monotonic() + given.minutes * 60
    samples, _ = await asyncio.gather(watch(load, pid, url, until, given.every), load.run(given.rate, until))
    return samples


if __name__ == "__main__":
    sys.exit(main())
