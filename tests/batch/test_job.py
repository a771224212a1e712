"""The job: how many rows at a time, what is asked again, and when there is no sense in going on."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from jackfield.batch.job import MOST_HOPELESS, Asking, Job
from jackfield.batch.record import Record
from jackfield.batch.row import parse_row
from jackfield.client import AsyncClient
from jackfield.errors import Error, OverBudget
from tests.batch.box import CONFIG_COST, completion, echo, prompt_of, prompts, refusing
from tests.patience import PATIENCE_S, until
from tests.servers import Received, Reply, Server, json_reply, serve


def config(server: Server, **more: Any) -> dict[str, Any]:
    model = {"id": "m", "cost": CONFIG_COST, "contextWindow": 100_000, "maxTokens": 1000}
    box = {"baseUrl": server.url, "api": "openai-completions", "apiKey": "sk-0123456789", "models": [model]}
    return {"models": {"policy": {"maxWait": 0}, "providers": {"box": box}, **more}}


async def ask(
    said: dict[str, Any],
    rows: Iterable[Any],
    stop: Callable[[], bool] = lambda: False,
    **how: Any,
) -> tuple[list[Record], Error | None]:
    """Run a job; it is stopped once `stop` says so."""
    records = list[Record]()
    lines = (parse_row(number, json.dumps(row).encode(), "box/m") for number, row in enumerate(rows, 1))
    async with AsyncClient(said) as client:
        job = Job(client, lines, records.append, Asking(**{"pauses_s": (), **how}))

        async def keep_looking() -> None:
            await until(stop)
            job.stop()

        looking = asyncio.create_task(keep_looking())
        await job.run()
        looking.cancel()
    return records, job.why


def slow(received: Received) -> Reply:
    return [0.03, *echo(received)]


async def test_so_many_rows_are_asked_at_a_time_and_no_more() -> None:
    with serve(slow) as server:
        records, why = await ask(config(server), prompts(40), concurrency=5)

    assert (len(records), why) == (40, None)
    assert server.connections == 5


async def test_rows_are_read_as_they_are_asked() -> None:
    taken = []

    def rows() -> Iterable[Any]:
        for row in prompts(30):
            taken.append(row)
            yield row

    ahead = list[int]()

    def note(received: Received) -> Reply:
        ahead.append(len(taken) - len(server.journal))
        return echo(received)

    with serve(note) as server:
        await ask(config(server), rows(), concurrency=4)

    assert len(taken) == 30
    assert max(ahead) <= 4


async def test_a_row_that_fails_costs_the_others_nothing() -> None:
    with serve(refusing("say 3")) as server:
        records, why = await ask(config(server), prompts(10))

    assert why is None
    assert sorted(record.place.line for record in records) == [*range(1, 11)]
    assert [record.failed for record in records if record.failed] == ["invalid_request"]
    assert sum(record.input for record in records) == 90


async def test_what_passes_by_itself_is_waited_for() -> None:
    met = set[str]()

    def flaky(received: Received) -> Reply:
        if (prompt := prompt_of(received)) not in met:
            met.add(prompt)
            return json_reply({"error": {"message": "busy", "type": "overloaded"}}, 503)
        return echo(received)

    with serve(flaky) as server:
        records, _ = await ask(config(server), prompts(6), pauses_s=(0.01,))

    assert [record.failed for record in records] == [""] * 6
    assert len(server.journal) == 12


async def test_who_stops_it_waits_for_no_pause() -> None:
    with serve(json_reply({"error": {"message": "busy", "type": "overloaded"}}, 503)) as server:
        async with asyncio.timeout(PATIENCE_S):
            records, why = await ask(
                config(server), prompts(6), lambda: len(server.journal) == 6, pauses_s=(10 * PATIENCE_S,)
            )

    assert (records, why) == ([], None)


async def test_rows_under_way_are_finished_when_it_is_stopped() -> None:
    go_on = threading.Event()

    def stop() -> bool:
        if len(server.journal) < 3:
            return False
        asyncio.get_running_loop().call_soon(go_on.set)
        return True

    with serve(lambda received: [go_on, *echo(received)]) as server:
        records, _ = await ask(config(server), prompts(50), stop, concurrency=3)

    assert len(records) == len(server.journal) == 3


async def test_a_dead_key_does_not_run_through_the_input() -> None:
    with serve(json_reply({"error": {"message": "bad key", "type": "authentication_error"}}, 401)) as server:
        records, why = await ask(config(server), prompts(500), concurrency=4)

    assert why is not None
    assert why.type == "auth"
    assert MOST_HOPELESS <= len(records) < MOST_HOPELESS + 4
    assert len(server.journal) < 100


# -- money ---------------------------------------------------------------------------


def capped(server: Server, usd: str) -> dict[str, Any]:
    return config(server, budget={"perSession": usd})


async def test_the_job_stops_before_it_would_cost_more() -> None:
    # A row costs 0.00101.
    with serve(lambda received: json_reply(completion(prompt_of(received), tokens=1000))) as server:
        rows = [{**row, "max_tokens": 1000} for row in prompts(50)]
        records, why = await ask(capped(server, "0.0102"), rows, concurrency=3)

    assert isinstance(why, OverBudget)
    assert len(records) == len(server.journal) == 10
    assert sum(record.cost_usd or 0 for record in records) == Decimal("0.0101")
    assert not any(record.failed for record in records)


async def test_money_that_is_only_held_is_waited_for() -> None:
    # Each of eight rows may cost 0.001 and costs 0.00002: no more than one is paid for at a time.
    with serve(slow) as server:
        rows = [{**row, "max_tokens": 1000} for row in prompts(12)]
        records, why = await ask(capped(server, "0.0015"), rows, concurrency=8)

    assert why is None
    assert [record.failed for record in records] == [""] * 12
