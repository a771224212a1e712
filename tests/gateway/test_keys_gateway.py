"""Two real gateways, one PostgreSQL, one Redis, one key with a cent: nobody spends more, whatever is asked and whoever dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import redis

from jackfield.ledger.database import open_database
from tests.commands import run, write_config
from tests.gateway.command import gateway_child
from tests.patience import PATIENCE_S, await_true, until
from tests.servers import Received, Server, Step, json_reply, serve, sse_reply
from tests.stores import Store, postgres_server, redis_server

OWNER = "owner-token-0123"
COST = Decimal("0.0002")  # of an answer: 20 tokens at 10 dollars a million
CHAT = {"model": "box/m", "max_tokens": 20, "messages": [{"role": "user", "content": "Hello"}]}
QUESTIONS: Sequence[tuple[str, dict[str, Any]]] = (
    ("/v1/chat/completions", CHAT),
    ("/v1/chat/completions", CHAT | {"stream": True}),
    ("/v1/messages", CHAT),
    ("/v1/messages", CHAT | {"stream": True}),
    ("/v1/messages/count_tokens", {key: value for key, value in CHAT.items() if key != "max_tokens"}),
    ("/v1beta/models/box/m:generateContent", {"contents": [{"parts": [{"text": "Hello"}]}], "generationConfig": {"maxOutputTokens": 20}}),
)  # fmt: skip
USAGE = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}


def answering(go_on: threading.Event) -> Callable[[Received], Sequence[Step]]:
    """Return a provider that answers as OpenAI does, a twentieth of a second after it may."""
    common = {"id": "c", "created": 1, "model": "m"}
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    whole = common | {"object": "chat.completion", "choices": [choice], "usage": USAGE}
    said, end = (
        {"index": 0, "delta": {"role": "assistant", "content": "Hi"}},
        {"index": 0, "delta": {}, "finish_reason": "stop"},
    )
    first, *rest = (
        common | {"object": "chat.completion.chunk"} | each
        for each in ({"choices": [said]}, {"choices": [end]}, {"choices": [], "usage": USAGE})
    )

    def answer(received: Received) -> Sequence[Step]:
        if received.json().get("stream"):
            return sse_reply(first, go_on, 0.05, *rest, "[DONE]")
        return [go_on, 0.05, *json_reply(whole)]

    return answer


@contextmanager
def gateways(count: int, upstream: Server, postgres: Store, shared: Store) -> Iterator[list[tuple[str, int]]]:
    """Run gateways that share their stores; yields their addresses and processes."""
    model = {"id": "m", "cost": {"input": 10, "output": 10, "cacheRead": 10, "cacheWrite": 10}, "contextWindow": 1000}
    box = {
        "baseUrl": f"{upstream.url}/v1",
        "api": "openai-completions",
        "apiKey": "sk-box-0123456789",
        "models": [model],
    }
    write_config(
        json.dumps(
            {
                "models": {"providers": {"box": box}},
                "gateway": {"database": postgres.url, "sharedState": shared.url, "auth": {"token": OWNER}},
            }
        )
    )
    with ExitStack() as stack:
        started = []
        for number in range(count):
            child, lines = stack.enter_context(
                gateway_child("gateway", "--port", "0", err=Path(os.environ["HOME"]) / f"stderr-{number}")
            )
            started.append((lines[0].split()[1], child.pid))
        for url, _ in started:
            await_ready(url)
        yield started


def await_ready(url: str) -> None:
    def is_ready() -> bool:
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=PATIENCE_S).close()
        except (OSError, urllib.error.URLError):
            return False
        return True

    await_true(is_ready, url)


def knows(url: str, key: str) -> bool:
    request = urllib.request.Request(f"{url}/v1/models", headers={"x-api-key": key})
    try:
        urllib.request.urlopen(request, timeout=PATIENCE_S).close()
    except urllib.error.HTTPError:
        return False
    return True


async def ask_many(urls: Sequence[str], key: str, times: int) -> Counter[int]:
    """Ask every question many times, fifty at a time; count the answers by status, 0 for a lost connection."""
    statuses: Counter[int] = Counter()
    turn = asyncio.Semaphore(50)

    async def ask(session: aiohttp.ClientSession, number: int) -> None:
        path, body = QUESTIONS[number % len(QUESTIONS)]
        url, head = urls[number % len(urls)], {"x-api-key": key}
        async with turn:
            try:
                async with session.post(url + path, json=body, headers=head) as reply:
                    await reply.read()
                    statuses[reply.status] += 1
            except aiohttp.ClientError:
                statuses[0] += 1

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(ask(session, number) for number in range(times)))
    return statuses


async def test_a_key_with_a_cent_spends_no_more_over_two_gateways_of_which_one_is_killed() -> None:
    go_on = threading.Event()
    go_on.set()
    with serve(answering(go_on)) as upstream, postgres_server() as postgres, redis_server() as shared:
        with gateways(2, upstream, postgres, shared) as ((one, dying), (two, _)):
            made = run("gateway", "keys", "create", "cent", "--budget-day", "0.01", "--json").json()
            warm = await ask_many([one, two], OWNER, 24)
            for url in (one, two):
                await_true(partial(knows, url, made["key"]))
            # The one that is killed may hold all that is left of the cent, and then nobody writes a row.
            early = await ask_many([two], made["key"], 4)
            before = len(upstream.journal)
            go_on.clear()
            # Nobody gives anything back meanwhile: who comes first may hold all there is.
            asking = asyncio.create_task(ask_many([one], made["key"], 30))
            await until(lambda: len(upstream.journal) > before, "a call under way")
            beside = asyncio.create_task(ask_many([two], made["key"], 30))
            os.kill(dying, signal.SIGKILL)  # in the middle of the answers to some of them
            go_on.set()
            first, _ = await asking, await beside
            waves = [await ask_many([two], made["key"], 60) for _ in range(4)]
            owners = await ask_many([two], OWNER, 6)

        with redis.Redis(port=shared.port) as client:
            settled = int(client.hget(f"jackfield:{{{made['id']}}}", "day_spent") or 0)
        database = open_database(postgres.url)
        ((written,),) = database.rows("SELECT coalesce(sum(cost_nanos), 0) FROM attempts WHERE key_id = ?", made["id"])
        database.close()

    asked_by_owner = (warm[200] + owners[200]) * 5 // 6  # to count tokens asks nobody
    paid = (len(upstream.journal) - asked_by_owner) * COST
    assert (warm, owners) == ({200: 24}, {200: 6})
    assert early[200] > 0
    assert first[0] > 0
    assert set().union(*waves) <= {200, 402, 429}
    assert waves[-1][200] <= 20, "most of the last wave finds the cent spent"
    assert paid <= Decimal("0.01")
    assert settled <= 10_000_000
    assert 0 < int(written) <= settled
