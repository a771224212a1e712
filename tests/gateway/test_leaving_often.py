"""A thousand callers that leave, in every state a call can be in: nothing stays behind."""

from __future__ import annotations

import asyncio
import json
import random
from decimal import Decimal

from jackfield.catalog.price import as_nanos
from jackfield.config.gateway import Limits
from jackfield.credential import Secret
from jackfield.gateway.access import Stores
from jackfield.gateway.keys import Key, digest
from tests.gateway.callers import APIS, request_of
from tests.gateway.serving import TOKEN, Running, configured, provider, running
from tests.patience import PATIENCE_S, until
from tests.servers import HANG, Received, Server, Step, serve, sse_reply

TIMES = 1000
AT_ONCE = 25
WORD = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": "one "}}]}
# When a caller leaves: after so much of its request, or after so much of the answer.
STATES = ("connected", "in the head", "before the body", "in the body", "asked", "waiting", "amid the words", "reset")


def answer(received: Received) -> list[Step]:
    """Say some words and then nothing, or nothing at all."""
    return sse_reply(WORD, HANG) if received.json().get("stream") else [HANG]


async def leave(port: int, chance: random.Random, state: str) -> None:
    """Ask as somebody does who leaves in this state."""
    path, body = request_of(
        chance.choice(APIS), "box/m", "x", stream=state == "amid the words" or chance.random() < 0.5
    )
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {chance.choice(TOKENS)}\r\ncontent-length: {len(data)}\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    whole = head.encode() + data
    most = {"connected": 0, "in the head": 30, "before the body": len(head), "in the body": len(head) + 9}
    writer.write(whole[: most.get(state, len(whole))])
    if state == "waiting":
        await asyncio.sleep(chance.random() * 0.05)
    elif state == "amid the words":
        await asyncio.wait_for(reader.read(4096), PATIENCE_S)
    if state == "reset":
        await asyncio.sleep(chance.random() * 0.02)
        writer.transport.abort()
    else:
        writer.close()


LIMITED = "jfk-limited-0123456789"
TOKENS = (TOKEN, LIMITED)
KEY = Key(id="k", name="k", digest=digest(LIMITED), limits=Limits(concurrency=100, budget_day=Decimal(1000)))


async def test_a_thousand_callers_that_leave_leave_nothing_behind() -> None:
    chance = random.Random(7)
    cost = {"input": 1, "output": 1, "cacheRead": 1, "cacheWrite": 1}
    with serve(answer) as server:
        row = {"id": "m", "cost": cost, "contextWindow": 10_000, "maxTokens": 100}
        config = configured(box=provider(f"{server.url}/v1", models=[row]))
        with running(config, stores=Stores(token=Secret(TOKEN), keys=(KEY,))) as gateway:
            port = int(gateway.url.rpartition(":")[2])
            turn = asyncio.Semaphore(AT_ONCE)

            async def one(number: int) -> None:
                async with turn:
                    await leave(port, chance, STATES[number % len(STATES)])

            await asyncio.gather(*map(one, range(len(STATES))))
            before = await settle(gateway, server)
            await asyncio.gather(*map(one, range(TIMES)))
            after = await settle(gateway, server)
            assert (after, server.talking) == (before, 0)
            assert not gateway.gateway.open
            assert gateway.gateway.parts
            assert gateway.gateway.parts.open_calls == 0
            assert {each.outcome for each in gateway.calls} == {"cancelled"}
            meter = gateway.gateway.parts.access._meters.meter("k")
            own = [each for each in gateway.calls if each.key_id == "k"]
            assert own
            assert meter.calls == 0, "no leave is held"
            assert meter.day_spent == sum(as_nanos(each.cost_usd or Decimal(0)) for each in own), "and no money"
            asked = [each for each in gateway.calls if each.attempts]
            assert len(asked) >= TIMES // 8
            assert len(server.journal) <= len(asked)
            assert all(each.usage.input and each.cost_usd for each in asked), "who was asked is paid for"


async def settle(gateway: Running, server: Server) -> int:
    """Return how many tasks the gateway has once all who left have been noticed."""
    assert gateway.loop
    await until(lambda: not (gateway.gateway.open or server.talking), "the end of all calls")
    return len(asyncio.all_tasks(gateway.loop))
