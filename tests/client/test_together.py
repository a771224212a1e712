"""Many requests of one client at once, and a state that is damaged under them: who is asked, how often, and who is served."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jackfield
from jackfield import ChatRequest, Message
from jackfield.errors import RateLimit, ServerError
from jackfield.health.store import MemoryHealth
from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from jackfield.state import NAME
from tests.cli.test_chat import whole
from tests.commands import impatient, run, write_config
from tests.pulse import Day
from tests.servers import Received, Reply, json_reply, serve, text_reply

DOWN = json_reply({"error": {"message": "out of order"}}, 500)
MANY = 300


def config(url: str, *names: str, **more: Any) -> dict[str, Any]:
    """Return a config of a chain of providers at one address, each of one model of its name."""
    providers = {
        name: {"baseUrl": url, "api": "openai-completions", "apiKey": f"sk-{name}", "models": [{"id": name}]}
        for name in names
    }
    chain = [f"{name}/{name}" for name in names]
    return {
        "models": {"providers": providers, **more},
        "agents": {"defaults": {"model": {"primary": chain[0], "fallbacks": chain[1:]}}},
    }


def ask() -> ChatRequest:
    return ChatRequest(model="", messages=[Message.user("Hello")])


class House:
    """Models behind one door; `down` says which of them fail."""

    def __init__(self, *down: str) -> None:
        self.down = set(down)
        self.asked: Counter[str] = Counter()

    def answer(self, received: Received) -> Reply:
        model = received.json()["model"]
        self.asked[model] += 1
        return DOWN if model in self.down else json_reply(whole())


async def test_of_many_requests_one_at_a_time_finds_out_whether_a_place_is_back() -> None:
    day, house = Day(still=True), House("one")
    health = MemoryHealth(day.now_ms)
    with serve(house.answer) as server:
        async with jackfield.AsyncClient(config(server.url, "one", "two"), pulse=day.pulse, health=health) as client:
            await client.chat(ask())
            assert house.asked == {"one": 2, "two": 1}
            day.passed_s += 10
            house.asked.clear()
            replies = await asyncio.gather(*(client.chat(ask()) for _ in range(MANY)))
            assert {reply.model for reply in replies} == {"two/two"}
            assert house.asked == {"one": 2, "two": MANY}, "one of them, and his retry"

            house.down.clear()
            day.passed_s += 20
            house.asked.clear()
            replies = await asyncio.gather(*(client.chat(ask()) for _ in range(MANY)))
            assert house.asked["one"] >= 1
            assert (await client.chat(ask())).model == "one/one"
            assert health.view().rests == ()


async def test_many_requests_to_one_that_was_down_are_all_answered() -> None:
    day, house = Day(still=True), House("one")
    health = MemoryHealth(day.now_ms)
    with serve(house.answer) as server:
        async with jackfield.AsyncClient(config(server.url, "one"), pulse=day.pulse, health=health) as client:
            with pytest.raises(ServerError):
                await client.chat(ask())
            house.down.clear()
            day.passed_s += 20
            replies = await asyncio.gather(*(client.chat(ask()) for _ in range(MANY)))
    assert {reply.text for reply in replies} == {"Hi there"}


async def test_two_clients_of_one_home_know_of_each_others_failures() -> None:
    house = House("one")
    with serve(house.answer) as server:
        said = config(server.url, "one", "two")
        async with jackfield.AsyncClient(said, pulse=Day().pulse) as first, jackfield.AsyncClient(said) as second:
            await first.chat(ask())
            house.asked.clear()
            reply = await second.chat(ask())
    assert house.asked == {"two": 1}
    assert (
        reply.notice
        == "two/two answers in place of one/one (cooling: server_error 500, one/one: out of order (HTTP 500))"
    )


# -- a clock that jumps --------------------------------------------------------------


@pytest.mark.parametrize("jump_s", [-10 * 365 * 86_400, -3_600, 3_600, 10 * 365 * 86_400])
async def test_a_clock_that_jumps_keeps_nobody_away(jump_s: float) -> None:
    day, house = Day(still=True), House("one")
    with serve(house.answer) as server:
        async with jackfield.AsyncClient(config(server.url, "one", "two"), pulse=day.pulse) as client:
            await client.chat(ask())
            house.down.clear()
            day.passed_s += jump_s
            assert (await client.chat(ask())).text == "Hi there"
            day.passed_s += 16 * 60
            assert (await client.chat(ask())).model == "one/one"


# -- a state that is damaged ---------------------------------------------------------


def state(home: Path) -> Path:
    return home / ".jackfield" / NAME


def damage(how: str, path: Path) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    if how == "rubbish":
        path.write_bytes(b"no database " * 1000)
    if how == "a folder":
        path.mkdir()


@pytest.mark.parametrize("how", ["rubbish", "a folder", "gone"])
def test_a_damaged_state_costs_a_warning_and_no_call(how: str, home: Path) -> None:
    house = House("one")
    with serve(house.answer) as server:
        write_config(impatient(json.dumps(config(server.url, "one", "two"))))
        with jackfield.Client() as client:
            client.chat(ask())
            damage(how, state(home))
            assert client.chat(ask()).model == "two/two"
        with jackfield.Client() as client:
            reply = client.chat(ask())
            assert reply.model == "two/two"
        found = run("chat", "Hello")
    assert found.out == "Hi there\n"
    assert "Traceback" not in found.err
    if how == "rubbish":
        assert list(state(home).parent.glob(f"{NAME}.*")), "it is kept under another name"


def test_a_state_that_is_damaged_before_the_first_call_is_told_of(home: Path) -> None:
    house = House("one")
    with serve(house.answer) as server:
        write_config(impatient(json.dumps(config(server.url, "one", "two"))))
        damage("rubbish", state(home))
        found = run("chat", "Hello")
    assert found.out == "Hi there\n"
    assert NAME in found.err


def test_a_state_that_another_holds_locked_delays_no_call_for_long(home: Path) -> None:
    house = House("one")
    with serve(house.answer) as server, jackfield.Client(config(server.url, "one", "two")) as client:
        client.chat(ask())
        holder = sqlite3.connect(state(home), isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        try:
            assert client.chat(ask()).model == "two/two"
        finally:
            holder.close()


# -- what servers say of waiting -----------------------------------------------------


@pytest.mark.parametrize(
    ("said", "slept"),
    [
        ("2", [2.0]), ("0", [0.1]), ("-1", []), ("NaN", []), ("inf", []), ("999999", []), ("soon", []),
        ("Wed, 21 Oct 2015 07:28:00 GMT", []),
    ],
)  # fmt: skip
async def test_a_wait_that_a_server_asks_for_is_kept_where_it_is_one(said: str, slept: list[float]) -> None:
    day = Day(still=True)
    refusal = text_reply("<html><h1>Slow down</h1></html>", 429, "text/html", retry_after=said)
    with serve(refusal, json_reply(whole())) as server:
        async with jackfield.AsyncClient(config(server.url, "one", "two"), pulse=day.pulse) as client:
            reply = await client.chat(ask())
    assert reply.text == "Hi there"
    assert reply.attempts[0].reason == "rate_limit"
    assert day.slept == slept
    assert reply.model == ("one/one" if slept else "two/two")


# -- what is told beforehand ---------------------------------------------------------


@given(chain=st.permutations("abcdef").map(lambda names: names[:4]), spoilt=st.sets(st.sampled_from("abcdef")))
def test_a_live_call_asks_whom_explain_names_in_its_order(chain: list[str], spoilt: set[str]) -> None:
    day = Day(still=True)
    health = MemoryHealth(day.now_ms)
    failing = {"error": "model_not_found", "repeat": True}

    async def call() -> None:
        async with jackfield.AsyncClient(config(url, *chain), pulse=day.pulse, health=health) as client:
            for name in spoilt & set(chain):
                key = next(each.credential for each in client.plan(ask()).candidates if each.info.id == name)
                health.note_failure(name, key, name, RateLimit("no", retry_after_s=70))
            told = client.explain(ask())
            with pytest.raises(jackfield.Error) as failed:
                await client.chat(ask())
            tried = [each.model for each in failed.value.attempts if each.ms is not None]
            assert tried == [each["model"] for each in told["candidates"]]
            untold = {each.model for each in failed.value.attempts if each.ms is None}
            assert untold == {each["model"] for each in told["skipped"]}

    with open_server(Script([failing])) as url:
        asyncio.run(call())


# -- credentials ---------------------------------------------------------------------


def with_keys(url: str, one: object) -> dict[str, Any]:
    said = config(url, "one", "two")
    said["models"]["providers"]["one"]["apiKey"] = one
    return said


async def test_a_credential_that_is_taken_away_leaves_the_call_to_the_next_model(home: Path) -> None:
    house, key = House(), home / "key"
    key.write_text("sk-one", encoding="utf-8")
    with serve(house.answer) as server:
        said = with_keys(server.url, {"source": "file", "id": str(key)})
        async with jackfield.AsyncClient(said, pulse=Day().pulse) as client:
            assert (await client.chat(ask())).model == "one/one"
            key.unlink()
            reply = await client.chat(ask())
            assert reply.model == "two/two"
            key.write_text("sk-one", encoding="utf-8")
            assert (await client.chat(ask())).model == "one/one"


async def test_ten_thousand_rests_delay_no_call() -> None:
    day, house = Day(still=True), House("one")
    health = MemoryHealth(day.now_ms)
    for number in range(10_000):
        health.note_failure("other", "key", str(number), ServerError("broke"))
    with serve(house.answer) as server:
        async with jackfield.AsyncClient(config(server.url, "one", "two"), pulse=day.pulse, health=health) as client:
            began = time.process_time()
            for _ in range(20):
                assert (await client.chat(ask())).model == "two/two"
    assert time.process_time() - began < 5
