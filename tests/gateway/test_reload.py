"""A config that changes under a gateway that runs: new requests see it, open streams do not."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jackfield.gateway.server import DRAIN_S, END_S
from jackfield.gateway.watch import list_files, take_print
from tests.commands import write_config
from tests.gateway.command import Process, gateway_process
from tests.patience import await_true
from tests.servers import Received, Step, json_reply, serve, sse_reply

WORD = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "word "}}]}
END = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
WHOLE = {"id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
STREAMS = 500


def config(url: str, *, name: str = "m", **gateway: Any) -> str:
    entry = {
        "baseUrl": f"{url}/v1",
        "api": "openai-completions",
        "apiKey": "sk-up-0123456789",
        "models": [{"id": name}],
    }
    return json.dumps({
        "agents": {"defaults": {"model": {"primary": f"box/{name}"}}},
        "models": {"providers": {"box": entry}, "aliases": {"quick": f"box/{name}"}},
        "gateway": gateway,
    })  # fmt: skip


def swap(path: Path, text: str) -> None:
    """Put a new file in the old one's place, as editors do."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def held(until: threading.Event) -> Callable[[Received], Iterator[Step]]:
    """Return a reply whose second half waits."""
    steps = sse_reply(WORD, WORD, END, "[DONE]")

    def reply(_: Received) -> Iterator[Step]:
        yield from steps[:2]
        while not until.is_set():
            yield 0.1
        yield from steps[2:]

    return reply


async def stream(process: Process, begun: asyncio.Semaphore, path: str = "/v1/chat/completions") -> bytes:
    """Ask for a stream and return all that came; `begun` is released by its first word."""
    said = [{"role": "user", "content": "x"}]
    body = json.dumps({"model": "quick", "stream": True, "max_tokens": 9, "messages": said}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port)
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {process.token}\r\n"
    writer.write(f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    heard = b""
    try:
        while b"word" not in heard and (piece := await reader.read(65536)):
            heard += piece
        begun.release()
        while piece := await reader.read(65536):
            heard += piece
    finally:
        writer.close()
    return heard


@pytest.mark.parametrize(
    ("path", "wire", "end"),
    [
        ("/v1/chat/completions", "openai-completions", b"[DONE]"),
        ("/v1/messages", "anthropic-messages", b"message_stop"),
    ],
    ids=["bytes", "codecs"],
)
async def test_no_open_stream_breaks_when_the_config_changes(home, path, wire, end) -> None:
    go_on = threading.Event()
    with serve(held(go_on)) as old, serve(json_reply(WHOLE)) as new:
        file = write_config(config(old.url))
        with gateway_process() as process:
            begun = asyncio.Semaphore(0)
            asked = [asyncio.create_task(stream(process, begun, path)) for _ in range(STREAMS)]
            for _ in range(STREAMS):
                await begun.acquire()
            swap(file, config(new.url, name="other"))
            await asyncio.to_thread(process.wait_for, process.page, 'jackfield_config_reloads_total{outcome="ok"} 1')
            answer = await asyncio.to_thread(process.ask, "quick")
            assert answer["model"] == "box/other"
            assert answer["choices"][0]["message"]["content"] == "Hi"
            assert not any(task.done() for task in asked)
            go_on.set()
            said = await asyncio.gather(*asked)
            assert [each.count(b"word ") for each in said] == [2] * STREAMS
            assert all(end in each and b"error" not in each for each in said)
            line = f'jackfield_requests_total{{wire="{wire}",kind="chat",model="box/m",outcome="ok"}} {STREAMS}'
            assert line in process.page()
    assert len(old.journal) == STREAMS


def test_a_bad_config_is_told_and_changes_nothing(home) -> None:
    with serve(json_reply(WHOLE)) as server:
        path = write_config(config(server.url))
        with gateway_process() as process:
            swap(path, '{\n  "models": {"providers": {"box": {"baseUrl": 7}}}\n}')
            process.wait_for(lambda: process.get("/readyz"), "refused")
            assert process.ask("quick")["model"] == "box/m"
            assert json.loads(process.get("/readyz"))["status"] == "ready"
            assert 'jackfield_config_reloads_total{outcome="failed"} 1' in process.page()
            assert "jackfield_config_refused 1" in process.page()
            swap(path, config(server.url, name="mended", port=4999))
            process.wait_for(lambda: process.ask("quick"), "box/mended")
            assert "jackfield_config_refused 0" in process.page()
        rows = [json.loads(line) for line in process.err.splitlines()]
    refused = [row for row in rows if row["level"] == "error"]
    assert len(refused) == 1
    assert f"{path}:2:" in refused[0]["message"]
    assert any("gateway.port changed" in row["message"] for row in rows if row["event"] == "note")


def test_a_changed_include_or_variable_counts_too(home) -> None:
    with serve(json_reply(WHOLE)) as server:
        path = write_config('{"$include": "parts.json5"}')
        path.with_name("parts.json5").write_text(config("${WHERE}"), encoding="utf-8")
        path.with_name(".env").write_text("WHERE=http://127.0.0.1:1\n", encoding="utf-8")
        with gateway_process() as process:
            path.with_name(".env").write_text(f"WHERE={server.url}\n", encoding="utf-8")
            process.wait_for(lambda: process.ask("quick"), "Hi")
            swap(path.with_name("parts.json5"), config("${WHERE}", name="other"))
            process.wait_for(lambda: process.ask("quick"), "box/other")


def test_files_that_are_missing_are_waited_for(home) -> None:
    path = write_config('{"$include": ["late.json5"]}')
    from jackfield.app import App

    app = App()
    files = list_files(app.paths, app.environ, app.cwd)
    assert path.with_name("late.json5") in files
    before = take_print(files)
    path.with_name("late.json5").write_text("{}", encoding="utf-8")
    assert take_print(files) != before


def settled(look: Callable[[], int]) -> int:
    """Return a number once it stands still: what was before the last reload closes."""
    seen = [look()]
    while len(seen) < 2 or seen[-1] != seen[-2]:
        time.sleep(0.3)
        seen.append(look())
    return seen[-1]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP")
def test_many_reloads_leave_nothing_open(home) -> None:
    with serve(json_reply(WHOLE)) as server:
        write_config(config(server.url))
        with gateway_process() as process:
            files = threads = kb = 0
            for count in range(1, 27):
                process.ask("quick")
                os.kill(process.pid, signal.SIGHUP)
                process.wait_for(process.page, f'jackfield_config_reloads_total{{outcome="ok"}} {count}\n')
                if count == 6:
                    files, threads, kb = settled(process.open_files), settled(process.threads), process.resident_kb()
            await_true(lambda: process.open_files() <= files + 1, "the end of all open files")
            await_true(lambda: process.threads() <= threads + 2, "the end of all threads")
            assert process.resident_kb() - kb < 12_000


def test_open_requests_finish_while_probes_hear_of_the_end(home) -> None:
    go_on = threading.Event()
    with serve(held(go_on), json_reply(WHOLE)) as server:
        write_config(config(server.url))
        with gateway_process() as process:
            begun = asyncio.Semaphore(0)

            async def end() -> bytes:
                asked = asyncio.create_task(stream(process, begun))
                await begun.acquire()
                os.kill(process.pid, signal.SIGTERM)
                await asyncio.to_thread(process.wait_for, lambda: process.get("/readyz"), "draining")
                await asyncio.sleep(END_S + 0.3)  # longer than the server under it waits
                assert process.status("/readyz") == 503
                assert process.status("/healthz") == 200
                assert process.status("/v1/chat/completions", b'{"model": "quick", "messages": []}') in {503, 529}
                go_on.set()
                return await asked

            assert b"[DONE]" in asyncio.run(end())
            assert process.wait() == 0


def test_workers_all_reload_and_tell_their_numbers_together(home) -> None:
    with serve(json_reply(WHOLE)) as server:
        path = write_config(config(server.url))
        with gateway_process("--workers", "2") as process:
            process.wait_for(process.page, "jackfield_processes 2")
            for _ in range(12):
                process.ask("quick")
            line = 'jackfield_requests_total{wire="openai-completions",kind="chat",model="box/m",outcome="ok"} 12'
            process.wait_for(process.page, line)
            await_true(lambda: all(line in process.page() for _ in range(6)), "each worker's word to the others")
            swap(path, config(server.url, name="other"))
            process.wait_for(process.page, 'jackfield_config_reloads_total{outcome="ok"} 2')
            assert {process.ask("quick")["model"] for _ in range(8)} == {"box/other"}
            os.kill(process.pid, signal.SIGHUP)
            process.wait_for(process.page, 'jackfield_config_reloads_total{outcome="ok"} 4')
            assert process.admin("reload", {})[1] == {"ok": True, "trouble": "", "told": 2}
            # Whoever is asked reads it at once, to say how that went, and with all others when the supervisor tells them.
            process.wait_for(process.page, 'jackfield_config_reloads_total{outcome="ok"} 7')


def test_who_says_it_twice_means_at_once(home) -> None:
    go_on = threading.Event()
    with serve(held(go_on)) as server:
        write_config(config(server.url))
        with gateway_process() as process:

            async def end() -> float:
                begun = asyncio.Semaphore(0)
                asked = asyncio.create_task(stream(process, begun))
                await begun.acquire()
                os.kill(process.pid, signal.SIGTERM)
                await asyncio.to_thread(process.wait_for, lambda: process.get("/readyz"), "draining")
                started = time.monotonic()
                os.kill(process.pid, signal.SIGTERM)
                await asyncio.to_thread(process.wait)
                await asked
                return time.monotonic() - started

            assert asyncio.run(end()) < DRAIN_S / 2
            go_on.set()


def test_a_limit_used_up_before_a_reload_is_used_up_after_it(home) -> None:
    with serve(json_reply(WHOLE)) as server:
        path = write_config(config(server.url, limits={"requestsPerMinute": 2}))
        with gateway_process() as process:
            assert [process.ask("quick")["model"] for _ in range(2)] == ["box/m"] * 2
            swap(path, config(server.url, name="other", limits={"requestsPerMinute": 2}))
            process.wait_for(process.page, 'jackfield_config_reloads_total{outcome="ok"} 1')
            assert "2 requests a minute" in process.ask("quick")["error"]["message"]


def test_a_stream_that_does_not_end_is_not_waited_for_longer_than_said(home) -> None:
    go_on = threading.Event()
    with serve(held(go_on)) as server:
        write_config(config(server.url, drainSeconds=1))
        with gateway_process() as process:

            async def end() -> float:
                begun = asyncio.Semaphore(0)
                asked = asyncio.create_task(stream(process, begun))
                await begun.acquire()
                started = time.monotonic()
                os.kill(process.pid, signal.SIGTERM)
                assert await asyncio.to_thread(process.wait) == 0
                assert b"[DONE]" not in await asked
                return time.monotonic() - started

            assert 1 <= asyncio.run(end()) < DRAIN_S / 2
            go_on.set()
