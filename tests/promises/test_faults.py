"""Sixteen ways in which providers fail, on four wires, streamed and whole: what the caller gets.

After the scenarios of Failover Bench (2026), at timings a suite can wait for: pauses of the walk
are taken from an injected clock, timers of the network from a loop whose clock runs ahead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import product
from typing import Any

import pytest
from msgspec import Struct

import jackfield
from jackfield import ChatRequest, ChatResponse, Message
from jackfield.errors import ContentFilter, StreamBroken, TimeoutExpired
from jackfield.health.store import MemoryHealth
from jackfield.scripted.script import Asked, Script
from jackfield.scripted.server import open_server
from tests.late import put_forward
from tests.pulse import Day

WIRES = ("openai-completions", "openai-responses", "anthropic-messages", "google-generative-ai")
WORDS = [f"word{number}" for number in range(60)]
ANSWER = " ".join(WORDS)
LONG_S = 120.0  # of a silence
SHORT_S = 30.0  # of the timers that end it, on a clock that runs ahead of the real one
STEPS = 60  # in which it does: between two of them all that is ready has its turn, however slow the machine
EVER_S = 36_000.0
PROBE = "wall/fb-ok"


class Fault(Struct, frozen=True):
    """What the primary does, how often it may be asked, and how far its answer may come."""

    does: list[dict[str, Any]]
    most: int
    said: int = 0  # words that are out when it breaks
    least: int = 1

    @property
    def is_silent(self) -> bool:
        return any({"silentAfter", "delayS"} & each.keys() for each in self.does)


GOOD = {"text": ANSWER}
OVERLOADED = {"error": "overloaded", "status": 503, "repeat": True}
FAULTS = {
    "s01": Fault([{**GOOD, "fault": "s01"}], most=2, least=2),
    "s02": Fault([{**GOOD, "fault": "s02"}], most=4),
    "s03": Fault([{**GOOD, "fault": "s03"}], most=2, least=2),
    "s04": Fault([{**GOOD, "fault": "s04"}], most=6),
    "s05": Fault([{**GOOD, "fault": "s05"}], most=2),
    "s06": Fault([{**GOOD, "silentAfter": 0, "silenceS": LONG_S, "repeat": True}], most=1),
    "s07": Fault([{**GOOD, "delayS": LONG_S, "repeat": True}], most=1),
    "s08": Fault([{**GOOD, "cutAfter": 40, "repeat": True}], most=2, said=40),
    "s09": Fault([{**GOOD, "silentAfter": 20, "silenceS": LONG_S, "repeat": True}], most=2, said=20),
    "s10": Fault([{**GOOD, "fault": "s10"}], most=1),
    "s11": Fault([{**GOOD, "fault": "s11"}], most=1),
    "s12": Fault([{**GOOD, "fault": "s12"}], most=1),
    "s13": Fault([{**GOOD, "fault": "s13"}], most=1),
    "s14": Fault([{**GOOD, "cutAfter": 40, "repeat": True}], most=2, said=40),
    "s16": Fault([{**GOOD, "fault": "s16"}], most=6),
}
BREAKS = {"s08", "s09", "s14"}  # after the first words
SERVED_ELSEWHERE = {"s02", "s04", "s06", "s07", "s12", "s16"}


@contextmanager
def wall(wire: str, fault: Fault, day: Day, *, on_break: str = "error", prefill: bool = True) -> Iterator[Any]:
    """Serve a primary that fails and a fallback that does not; yield the config of both, and the script."""
    for_primary = {"model": "bad"}
    rest = {"text": " ".join(["", *WORDS[fault.said :]]), "when": {**for_primary, "prefill": True}, "repeat": True}
    no_prefill = {"when": {"model": "fb-ok", "prefill": True}, "error": "invalid_request", "repeat": True}
    script = Script(
        [
            *([rest] if fault.said else []),
            *({**each, "when": for_primary} for each in fault.does),
            {**no_prefill, "message": "invalid_prefill"},
            {**GOOD, "when": {"model": "fb-ok"}, "repeat": True},
        ],
        clock=day.now_s,
    )
    with open_server(script) as url:
        bad: dict[str, Any] = {"id": "bad", "compat": {"assistantPrefill": prefill}}
        if fault.is_silent:
            bad["timeouts"] = {"firstToken": SHORT_S, "idle": SHORT_S}
        provider = {"baseUrl": url, "api": wire, "apiKey": "sk-wall", "models": [bad, {"id": "fb-ok"}]}
        provider["timeouts"] = dict.fromkeys(("connect", "firstToken", "idle", "total"), EVER_S)
        route = {"primary": "wall/bad", "fallbacks": ["wall/fb-ok"], "onStreamBreak": on_break}
        yield {"models": {"providers": {"wall": provider}, "routes": {"both": route}}}, script


@asynccontextmanager
async def hastened(fault: Fault) -> AsyncIterator[None]:
    """Let the timers of a silence run out soon."""

    async def run_ahead() -> None:
        while fault.is_silent:
            await asyncio.sleep(0.01)
            put_forward(SHORT_S / STEPS)

    clock = asyncio.create_task(run_ahead())
    try:
        yield
    finally:
        clock.cancel()


async def ask(config: dict[str, Any], day: Day, *, stream: bool) -> ChatResponse:
    """Ask, and see that the client is alive afterwards."""
    # What one of those that ask at the same time has met is nothing to the others.
    health = MemoryHealth(day.now_ms)
    async with jackfield.AsyncClient(config, pulse=day.pulse, health=health) as client:
        request = ChatRequest(model="both", messages=[Message.user("Sixty words, please.")])
        try:
            return await (client.stream(request).response() if stream else client.chat(request))
        finally:
            probe = await client.chat(ChatRequest(model=PROBE, messages=request.messages))
            assert probe.text == ANSWER


def primaries(script: Script) -> list[Asked]:
    return [each for each in script.requests if each.request.model == "bad"]


def is_prefilled(asked: Asked) -> bool:
    return asked.request.messages[-1].role == "assistant"


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", FAULTS)
async def test_what_the_caller_gets_of_a_provider_that_fails(name: str, wire: str) -> None:
    # At once: most of the time of each is spent in timers.
    async with hastened(FAULTS[name]), asyncio.TaskGroup() as group:
        for stream, mode in product((True, False), ("error", "restart", "continue")):
            group.create_task(hold(name, wire, stream=stream, mode=mode), name=f"{mode}, stream: {stream}")


async def hold(name: str, wire: str, *, stream: bool, mode: str) -> None:
    """Ask in one way, and hold what comes to what is promised."""
    fault, day, began = FAULTS[name], Day(), time.monotonic()
    with wall(wire, fault, day, on_break=mode) as (config, script):
        is_safe = name in BREAKS and stream and mode == "error"
        if name == "s13":
            with pytest.raises(ContentFilter):
                await ask(config, day, stream=stream)
        elif is_safe:
            with pytest.raises((StreamBroken, TimeoutExpired)) as broken:
                await ask(config, day, stream=stream)
            assert broken.value.partial is not None
            assert broken.value.partial.text == " ".join(WORDS[: fault.said])
        else:
            reply = await ask(config, day, stream=stream)
            assert reply.text == ANSWER
            assert reply.usage.output
            assert reply.model == f"wall/{script.requests[-2].request.model}", "who answered is named"
            assert reply.model == PROBE or name not in SERVED_ELSEWHERE
            assert name != "s11" or not reply.usage.estimated
            assert reply.attempts[-1].reason is None
            if name == "s10" and stream:
                assert reply.warnings == ("wall/bad: malformed events of the stream were skipped: 1",)
        assert fault.least <= len(primaries(script)) <= fault.most
        # Who refuses a prefill never sees one, and who is not asked to go on is not given one.
        assert not any(is_prefilled(each) for each in script.requests if each.request.model == "fb-ok")
        assert mode == "continue" or not any(map(is_prefilled, script.requests))
        assert time.monotonic() - began < LONG_S, "no silence is waited out"
        if name == "s10" and stream:
            assert script.requests[-2].request.model == "bad", "it goes on where it was"
        if name == "s01":
            assert day.slept == [2.0]
        if name in {"s06", "s07"}:
            assert day.slept == [], "silence is not waited for twice"


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", sorted(BREAKS))
async def test_without_a_model_that_takes_a_prefill_a_broken_stream_is_an_error(name: str, wire: str) -> None:
    fault, day = FAULTS[name], Day()
    with wall(wire, fault, day, on_break="continue", prefill=False) as (config, script):
        async with hastened(fault):
            with pytest.raises((StreamBroken, TimeoutExpired)):
                await ask(config, day, stream=True)
        assert len(primaries(script)) == len(script.requests) - 1 == 1, "the other is the probe"
        assert not any(map(is_prefilled, script.requests))


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("wire", WIRES)
async def test_an_outage_is_served_from_elsewhere_and_ends_soon_after_it_ends(wire: str, stream: bool) -> None:
    day = Day(still=True)
    fault = Fault([{**OVERLOADED, "forS": 60}, {**GOOD, "repeat": True}], most=20)
    with wall(wire, fault, day) as (config, _):
        served: list[tuple[float, str]] = []
        async with jackfield.AsyncClient(config, pulse=day.pulse) as client:
            request = ChatRequest(model="both", messages=[Message.user("Sixty words, please.")])
            began = day.now_s()
            for call in range(20):
                day.passed_s = max(day.passed_s, 4.0 * call)
                reply = await (client.stream(request).response() if stream else client.chat(request))
                assert reply.text == ANSWER
                served.append((day.now_s() - began, reply.model))
    assert {model for at, model in served if at < 60} == {"wall/fb-ok"}
    back = next(at for at, model in served if model == "wall/bad")
    assert back <= 60 + 16, "the run ends sixteen seconds after the outage"


@pytest.mark.parametrize("wire", WIRES)
async def test_the_cost_of_a_broken_try_is_counted_with_the_one_that_answers(wire: str) -> None:
    fault, day = FAULTS["s08"], Day()
    with wall(wire, fault, day, on_break="continue") as (config, _):
        for row in config["models"]["providers"]["wall"]["models"]:
            row["cost"] = {"input": 1, "output": 10}
        reply = await ask(config, day, stream=True)
    assert [attempt.reason for attempt in reply.attempts] == ["stream_broken", None]
    parts = [attempt.usage for attempt in reply.attempts]
    assert all(parts)
    assert reply.usage.output == sum(part.output or 0 for part in parts if part)
    assert reply.usage.estimated
    assert reply.cost_usd == sum(attempt.cost_usd or 0 for attempt in reply.attempts)


async def test_a_reply_that_breaks_again_and_again_is_an_error_in_the_end() -> None:
    day = Day()
    script = Script([{"text": "never the whole", "cutAfter": 1, "repeat": True}])
    with open_server(script) as url:
        row = {"id": "bad", "compat": {"assistantPrefill": True}}
        provider = {"baseUrl": url, "api": "openai-completions", "apiKey": "sk-wall", "models": [row]}
        route = {"primary": "wall/bad", "onStreamBreak": "continue"}
        config = {"models": {"providers": {"wall": provider}, "routes": {"both": route}}}
        async with jackfield.AsyncClient(config, pulse=day.pulse) as client:
            stream = client.stream(ChatRequest(model="both", messages=[Message.user("Sixty words, please.")]))
            with pytest.raises(StreamBroken):
                await stream.response()
    assert 2 <= len(script.requests) <= 12
