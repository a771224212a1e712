"""A caller who goes away: the connection closes at once, nobody else is asked, the money is settled, the place is free."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import jackfield
from jackfield import BlockDelta, ChatRequest, Message
from jackfield.errors import ServerError
from jackfield.health.store import MemoryHealth
from jackfield.reply import ChatStream
from jackfield.routing.walk import Pulse
from tests.cli.test_chat import chunk, whole
from tests.commands import run, write_config
from tests.patience import PATIENCE_S, TRIES, once_of_many, until
from tests.pulse import Day
from tests.servers import HANG, Reply, Server, head, json_reply, serve, sse_reply

SILENT: Reply = [head(content_type="text/event-stream", transfer_encoding="chunked"), HANG]
BEGUN = sse_reply(chunk({"content": "Hi there"}), HANG)
POINTS: dict[str, Reply] = {"first token": SILENT, "middle": BEGUN, "whole": [HANG]}
AT_ONCE_S = 0.2
# Long for a busy machine, short for a program that waits for a reply or for a timer first.
SOON_S = 20.0


def config(server: Server, **provider: Any) -> Path:
    rows = [{"id": name, "cost": {"input": 1, "output": 10}} for name in ("m", "two")]
    box = {"baseUrl": server.url, "api": "openai-completions", "apiKey": "sk-box-0123456789", "models": rows}
    route = {"primary": "box/m", "fallbacks": ["box/two"]}
    models = {"providers": {"box": box | provider}, "routes": {"both": route}, "budget": {"perDay": 1}}
    return write_config(json.dumps({"models": models}))


def ask(*, stream: bool = True) -> ChatRequest:
    return ChatRequest(model="both", messages=[Message.user("Hello")], max_tokens=100, stream=stream)


def open_reply(client: jackfield.AsyncClient, point: str) -> ChatStream:
    """Return a reply that can be asked afterwards what became of it, as `chat` keeps none."""
    request = ask(stream=point != "whole")
    return ChatStream(client, request, client.plan(request), {})


def balance() -> tuple[Decimal, Decimal]:
    today = run("budget", "--json").json()["today"]
    return Decimal(today["spentUsd"]), Decimal(today["reservedUsd"])


NOTHING = Decimal(0), Decimal(0)


async def leave(server: Server, reply: ChatStream, point: str) -> float:
    """Cancel a reply at a point; return after how many seconds the server saw its caller go."""
    task = asyncio.create_task(reply.response())
    await until(server.heard.is_set)
    await until(lambda: point != "middle" or reply.heard().text)
    left = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await server.was_left()
    return server.dropped_at - left


@pytest.mark.parametrize("point", POINTS)
async def test_who_cancels_is_gone_at_once_everywhere(point: str) -> None:
    took_s = AT_ONCE_S + 1
    replies: list[ChatStream] = []
    while took_s > AT_ONCE_S and len(replies) < TRIES:
        with serve(POINTS[point]) as server:
            async with jackfield.AsyncClient(config(server)) as client:
                replies.append(open_reply(client, point))
                took_s = await leave(server, replies[-1], point)
                assert client.health.view().rests == ()
            assert len(server.journal) == 1, "nobody else is asked"
    assert took_s <= AT_ONCE_S

    [attempt] = replies[-1].heard().attempts
    assert (attempt.model, attempt.reason) == ("box/m", "cancelled")
    assert attempt.usage is not None
    assert attempt.usage.estimated
    assert attempt.usage.input
    spent, reserved = balance()
    assert spent > 0
    assert reserved == 0


async def test_a_reply_that_is_closed_in_the_middle_is_cancelled() -> None:
    with serve(BEGUN) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            stream = client.stream(ask())
            async for event in stream:
                if isinstance(event, BlockDelta):
                    break
            await stream.aclose()
            assert await server.saw_drop()
            assert [each.reason for each in stream.heard().attempts] == ["cancelled"]
        assert len(server.journal) == 1
    assert balance()[1] == 0


async def test_a_loop_over_a_reply_that_is_left_closes_it() -> None:
    with serve(BEGUN) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            async for event in client.stream(ask()):
                if isinstance(event, BlockDelta):
                    break
            assert await server.saw_drop()
        assert len(server.journal) == 1
    assert balance()[1] == 0


# -- while nothing is sent -----------------------------------------------------------


class Waiting:
    """A clock whose sleeper says that he sleeps, and never wakes."""

    def __init__(self) -> None:
        self.sleeps = asyncio.Event()

    async def sleep(self, _: float) -> None:
        self.sleeps.set()
        await asyncio.Event().wait()

    @property
    def pulse(self) -> Pulse:
        day = Day()
        return Pulse(day.now_s, self.sleep, day.pulse.jitter, day.now_ms)


@asynccontextmanager
async def cancelled_while(client: jackfield.AsyncClient, waits: asyncio.Event) -> AsyncIterator[None]:
    task = asyncio.create_task(client.chat(ask()))
    async with asyncio.timeout(PATIENCE_S):
        await waits.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    yield


async def test_who_cancels_while_a_retry_is_waited_for_is_not_asked_for_again() -> None:
    waiting = Waiting()
    with serve(json_reply({"error": {"message": "slow down"}}, 429, retry_after="2"), json_reply(whole())) as server:
        async with (
            jackfield.AsyncClient(config(server), pulse=waiting.pulse) as client,
            cancelled_while(client, waiting.sleeps),
        ):
            assert client.health.view().rests == ()
        assert len(server.journal) == 1
    assert balance() == NOTHING


async def test_who_cancels_while_he_waits_for_his_turn_gives_back_what_was_held() -> None:
    waiting = Waiting()
    with serve(json_reply(whole())) as server:
        path = config(server, pace={"requestsPerMinute": 1})
        async with jackfield.AsyncClient(path, pulse=waiting.pulse) as client:
            await client.chat(ask())
            spent = balance()[0]
            async with cancelled_while(client, waiting.sleeps):
                assert balance() == (spent, NOTHING[1])
        assert len(server.journal) == 1


async def test_who_cancels_while_a_credential_is_looked_up_sends_nothing(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    command = f"import time; open({str(asked)!r}, 'w').close(); time.sleep({SOON_S}); print('k')"
    key = {"source": "exec", "id": shlex.join([sys.executable, "-c", command])}
    with serve(json_reply(whole())) as server:
        async with jackfield.AsyncClient(config(server, apiKey=key)) as client:
            task = asyncio.create_task(client.chat(ask()))
            await until(asked.exists)
            left = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - left < SOON_S / 2
        assert server.journal == []
    assert balance() == NOTHING


# -- the probe of a place that failed ------------------------------------------------


@pytest.mark.parametrize("point", ["first token", "middle"])
async def test_who_cancels_a_probe_leaves_it_to_the_next_caller(point: str) -> None:
    day = Day()
    health = MemoryHealth(day.now_ms)
    with serve(POINTS[point], json_reply(whole())) as server:
        async with jackfield.AsyncClient(config(server), pulse=day.pulse, health=health) as client:
            key = client.plan(ask()).candidates[0].credential
            health.note_failure("box", key, "m", ServerError("broke", status=500))
            day.passed_s += 20
            reply = open_reply(client, point)
            await leave(server, reply, point)
            [candidate, _] = client.plan(ask()).candidates
            assert candidate.half_open
            assert (await client.chat(ask())).model == "box/m"
    assert health.view().rests == ()


# -- Ctrl-C -------------------------------------------------------------------------

PROGRAM = """
import sys
import jackfield
with jackfield.Client() as client:
    try:
        if sys.argv[1] == "whole":
            client.chat(jackfield.ChatRequest(model="both", messages=[jackfield.Message.user("Hello")], max_tokens=100))
        for event in client.stream(jackfield.ChatRequest(model="both", messages=[jackfield.Message.user("Hello")], max_tokens=100)):
            print(type(event).__name__, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


async def test_a_task_that_reads_a_reply_is_cancelled_when_another_closes_it() -> None:
    with serve(SILENT) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            stream = client.stream(ask())
            task = asyncio.create_task(stream.response())
            await until(server.heard.is_set)
            await asyncio.gather(stream.aclose(), stream.aclose())
            assert await server.saw_drop()
            with pytest.raises(asyncio.CancelledError):
                await task
    assert balance()[1] == 0


async def test_a_reply_that_was_left_is_never_taken_for_whole() -> None:
    with serve(BEGUN) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            stream = client.stream(ask())
            async for event in stream:
                if isinstance(event, BlockDelta):
                    break
            assert await server.saw_drop()
            with pytest.raises(jackfield.Error, match="left before its end") as left:
                await stream.response()
    assert left.value.partial is not None
    assert left.value.partial.text == "Hi there"


def test_a_reply_that_was_left_without_async_is_never_taken_for_whole() -> None:
    with serve(BEGUN) as server, jackfield.Client(config(server)) as client:
        stream = client.stream(ask())
        for event in stream:
            if isinstance(event, BlockDelta):
                break
        with pytest.raises(jackfield.Error, match="left before its end"):
            stream.response()


async def test_a_reply_whose_loop_was_left_can_be_read_on_at_once() -> None:
    with serve(sse_reply(chunk({"content": "Hi"}), 0.05, chunk({"content": " there"}, "stop"), "[DONE]")) as server:
        async with jackfield.AsyncClient(config(server)) as client:
            stream = client.stream(ask())
            async for event in stream:
                if isinstance(event, BlockDelta):
                    break
            assert (await stream.response()).text == "Hi there"


@pytest.mark.parametrize("point", POINTS)
async def test_ctrl_c_in_a_program_without_async_closes_the_connection(point: str) -> None:
    async def is_prompt() -> bool:
        return await interrupt(point) < 1

    assert await once_of_many(is_prompt)


async def interrupt(point: str) -> float:
    """Press Ctrl-C at a point of a program; return after how many seconds the server saw its caller go."""
    with serve(POINTS[point]) as server:
        config(server)
        program = subprocess.Popen(  # noqa: ASYNC220  it is left to itself
            [sys.executable, "-c", PROGRAM, point], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        try:
            assert await asyncio.to_thread(server.heard.wait, PATIENCE_S)
            assert program.stdout is not None
            while point == "middle" and "BlockDelta" not in await asyncio.to_thread(program.stdout.readline):
                continue
            left = time.monotonic()
            program.send_signal(signal.SIGINT)
            assert await server.saw_drop()
            out, _ = await asyncio.to_thread(program.communicate, timeout=PATIENCE_S)
        finally:
            program.kill()
        assert out.endswith("interrupted\n")
        assert len(server.journal) == 1
    assert balance()[1] == 0
    return server.dropped_at - left
