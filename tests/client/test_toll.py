"""Limits of money and pace where requests leave: nothing is sent that they do not allow, everything sent is counted."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import jackfield
from jackfield import ChatRequest, Message
from jackfield.errors import OverBudget, Paced, RateLimit
from jackfield.health.store import open_health
from tests.cli.test_chat import HELLO, whole
from tests.commands import impatient, run, write_config
from tests.pulse import Day
from tests.servers import HANG, Server, json_reply, serve

DEAR, CHEAP = {"input": 100, "output": 100}, {"input": 0.1, "output": 0.1}


def config(server: Server, budget: dict[str, Any], **provider: Any) -> dict[str, Any]:
    rows = [{"id": "dear", "cost": DEAR}, {"id": "cheap", "cost": CHEAP}]
    box = {"baseUrl": server.url, "api": "openai-completions", "apiKey": "sk-box-0123456789", "models": rows}
    return {"models": {"providers": {"box": box | provider}, "budget": budget}}


def ask(model: str = "box/dear", max_tokens: int | None = 10) -> ChatRequest:
    return ChatRequest(model=model, messages=[Message.user("Hello")], max_tokens=max_tokens)


def told() -> Any:
    return run("budget", "--json").json()


def save(said: dict[str, Any]) -> Path:
    return write_config(json.dumps(said))


def test_a_call_beyond_the_limit_is_not_sent_and_a_cheaper_one_is() -> None:
    with serve(json_reply(whole())) as server:
        path = save(config(server, {"perDay": "0.001"}))
        with jackfield.Client(path) as client:
            with pytest.raises(OverBudget, match=r"of today's budget of \$0\.001"):
                client.chat(ask())
            reply = client.chat(ask(), fallbacks=["box/cheap"])

    assert len(server.journal) == 1
    assert reply.model == "box/cheap"
    assert told()["today"]["spentUsd"] == format(reply.cost_usd or 0, "f")
    assert told()["today"]["reservedUsd"] == "0"


def test_refusals_cost_nothing_and_silence_what_was_held() -> None:
    refusal = json_reply({"error": {"message": "slow down"}}, status=429)
    with serve(refusal) as server:
        path = write_config(impatient(json.dumps(config(server, {"perDay": 1}))))
        with jackfield.Client(path) as client, pytest.raises(RateLimit):
            client.chat(ask())
    assert told()["today"]["spentUsd"] == "0"

    with serve(HANG) as server:
        path = save(config(server, {"perDay": 1}, timeouts={"firstToken": 0.2, "total": 0.2}))
        with jackfield.Client(path) as client, pytest.raises(jackfield.Error):
            client.chat(ask())
    assert Decimal(told()["today"]["spentUsd"]) > Decimal("0.005")


def test_a_stream_left_early_is_counted_as_far_as_it_went() -> None:
    with serve(HELLO) as server, jackfield.Client(save(config(server, {"perDay": 1}))) as client:
        stream = client.stream(ask())
        for event in stream:
            if isinstance(event, jackfield.BlockDelta):
                break
        stream.close()

    assert told()["today"]["reservedUsd"] == "0"
    assert Decimal(told()["today"]["spentUsd"]) > 0


def test_a_model_without_a_price_is_refused_where_a_limit_is_set() -> None:
    def said(budget: dict[str, Any]) -> dict[str, Any]:
        box = {"baseUrl": "https://box.example/v1", "api": "openai-completions", "models": [{"id": "new"}]}
        return {"models": {"providers": {"box": box}, "budget": budget}}

    with jackfield.fake([], config=said({"perDay": 1})) as client, pytest.raises(OverBudget, match="price is unknown"):
        client.chat(ask("box/other"))
    with jackfield.fake(["Hi"], config=said({"perDay": 1, "allowUnpriced": True})) as client:
        assert client.chat(ask("box/other")).text == "Hi"


async def test_fifty_streams_at_once_stay_within_a_cent() -> None:
    answered, refused = [], []
    with serve(json_reply(whole())) as server:
        async with jackfield.AsyncClient(save(config(server, {"perDay": "0.01"}))) as client:

            async def call(number: int) -> None:
                try:
                    answered.append(await client.chat(ask(("box/dear", "box/cheap")[number % 2])))
                except OverBudget as error:
                    refused.append(error)

            await asyncio.gather(*(call(number) for number in range(50)))

    assert refused
    assert len(server.journal) == len(answered) >= 25
    spent = sum(reply.cost_usd or Decimal(0) for reply in answered)
    assert Decimal(told()["today"]["spentUsd"]) == spent <= Decimal("0.01")


async def test_sessions_have_limits_of_their_own() -> None:
    with serve(json_reply(whole())) as server:
        async with jackfield.AsyncClient(save(config(server, {"perSession": "0.012"}))) as client:
            await client.chat(ask(max_tokens=5), session="a")
            with pytest.raises(OverBudget, match="the session's budget"):
                await client.chat(ask(max_tokens=100), session="a")
            await client.chat(ask(max_tokens=5), session="b")

    assert {row["session"] for row in told()["sessions"]} == {"a", "b"}


def test_one_commands_limit() -> None:
    with serve(json_reply(whole())) as server:
        save({**config(server, {}), "gateway": {"ledger": {"commandLine": False}}})
        failed = run("chat", "--max-cost", "0.001", "--model", "box/dear", "--max-tokens", "9", "--json", "Hello")
        good = run("chat", "--max-cost", "0.1", "--model", "box/dear", "--max-tokens", "9", "--no-stream", "Hello")

    assert failed.json()["error"]["type"] == "billing"
    assert "--max-cost" in failed.json()["error"]["message"]
    assert good.out == "Hi there\n"
    assert len(server.journal) == 1
    assert not (Path(os.environ["HOME"]) / ".jackfield" / "state.sqlite").exists()


def test_a_file_that_cannot_be_used_lets_nothing_through_when_a_limit_is_set() -> None:
    with serve(json_reply(whole())) as server:
        path = save(config(server, {"perDay": 1}))
        (path.parent / "state.sqlite").mkdir()
        with (
            jackfield.Client(path) as client,
            pytest.raises(jackfield.errors.ConfigError, match="the budget cannot be kept"),
        ):
            client.chat(ask())

    assert server.journal == []


async def test_turns_are_waited_for_or_left_to_another_candidate() -> None:
    day = Day(still=True)
    with serve(json_reply(whole())) as server:
        said = config(server, {}, pace={"requestsPerMinute": 10})
        async with jackfield.AsyncClient(said, pulse=day.pulse) as client:
            left = []
            for _ in range(25):
                await client.chat(ask())
                left.append(day.now_s())
        assert max(sum(at <= each < at + 60 for each in left) for at in left) <= 10
        assert 120 <= left[-1] - left[0] <= 125

        said["models"]["providers"]["box"]["timeouts"] = {"total": 20}
        async with jackfield.AsyncClient(said, pulse=Day(still=True).pulse) as client:
            for _ in range(10):
                await client.chat(ask())
            reply = await client.chat(ask(), fallbacks=["box/cheap"])
            with pytest.raises(Paced):
                await client.chat(ask())
    assert reply.model == "box/cheap"


async def test_what_replies_tell_of_quotas_is_kept_and_paces_those_who_listen() -> None:
    day = Day(still=True)
    headers = {
        "x_ratelimit_limit_requests": "100",
        "x_ratelimit_remaining_requests": "0",
        "x_ratelimit_reset_requests": "100s",
    }
    reply = json_reply(whole(), **headers)
    with serve(reply) as server:
        async with jackfield.AsyncClient(config(server, {}, pace="auto"), pulse=day.pulse) as client:
            await client.chat(ask())
            await client.chat(ask())
    with closing(open_health(client.config, day.now_ms)) as health:
        [quota] = health.view().every_quota

    assert sum(day.slept) == pytest.approx(1.0)
    assert (quota.provider, quota.name, quota.used) == ("box", "requests", 1.0)
    assert quota.resets_ms == quota.read_ms + 100_000
