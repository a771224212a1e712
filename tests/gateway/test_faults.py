"""Sixteen ways in which providers fail, through the gateway: four wires in, four wires out, streamed and whole.

After the scenarios of Failover Bench (2026), at timings a suite can wait for. Judged by what the
caller's own wire says: no broken reply ends well, no answer is cut, who answered is named.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import pytest

from jackfield.routing.walk import Pulse
from jackfield.scripted.script import Asked, Script
from jackfield.scripted.server import open_server
from tests.gateway.callers import APIS, Heard, ask
from tests.gateway.serving import configured, running
from tests.patience import PATIENCE_S, until
from tests.promises.test_faults import ANSWER, BREAKS, FAULTS, GOOD, WORDS, Fault
from tests.pulse import Day

SHAPES = ("error", "restart", "continue", "whole")  # the route's word on broken streams; the last is not streamed
SILENT, SILENCE_S = {"s06", "s07", "s09"}, 1.5
OUTAGE_S, APART_S, CALLS = 60, 4.0, 20


def replies_of(name: str, cell: str, fault: Fault) -> list[dict[str, Any]]:
    """Return what a cell's two models say."""
    primary, fallback = {"model": f"bad-{cell}"}, {"model": f"ok-{cell}"}
    rest = {"text": " ".join(["", *WORDS[fault.said :]]), "when": {**primary, "prefill": True}, "repeat": True}
    refusal = {"when": {**fallback, "prefill": True}, "error": "invalid_request", "message": "invalid_prefill"}
    return [
        *([rest] if fault.said else []),
        *({**each, "when": primary} for each in fault.does),
        {**refusal, "repeat": True},
        {**GOOD, "when": fallback, "repeat": True},
    ]


def config_of(url: str, api: str, cells: Mapping[str, str]) -> dict[str, Any]:
    """Return a config in which every cell is a route; `cells`: its name → the word on broken streams."""
    rows: list[dict[str, Any]] = []
    for cell in cells:
        # Where nobody is silent a short patience would only measure how busy this machine is.
        timeouts = {"firstToken": SILENCE_S, "idle": SILENCE_S} if cell[:3] in SILENT else {}
        rows += [{"id": f"bad-{cell}", "compat": {"assistantPrefill": True}, "timeouts": timeouts}]
        rows += [{"id": f"ok-{cell}"}]
    routes = {
        cell: {"primary": f"wall/bad-{cell}", "fallbacks": [f"wall/ok-{cell}"], "onStreamBreak": word}
        for cell, word in cells.items()
    }
    wall = {"baseUrl": url, "api": api, "apiKey": "sk-wall-0123456789", "models": rows}
    return configured(primary=f"wall/{rows[0]['id']}", routes=routes, wall=wall)


def check(name: str, shape: str, heard: Heard, asked: Sequence[Asked]) -> None:
    """Hold an answer to what its scenario promises."""
    fault, primary = FAULTS[name], [each for each in asked if each.request.model.startswith("bad")]
    assert fault.least <= len(primary) <= fault.most, "as often as it may be asked"
    prefilled = [each for each in asked if each.request.messages[-1].role == "assistant"]
    assert not [each for each in prefilled if each.request.model.startswith("ok")]
    assert shape == "continue" or not prefilled
    if name == "s13" or (name in BREAKS and shape == "error"):
        assert heard.error
        assert heard.torn or not heard.ended, "never a clean end after a break"
        assert heard.text == " ".join(WORDS[: fault.said])
        assert "sk-wall" not in heard.raw.decode()
        return
    assert heard.is_whole, heard
    assert heard.text == ANSWER
    assert heard.output
    assert heard.model == f"wall/{asked[-1].request.model}", "who answered is named"
    if name == "s16":
        assert heard.model.startswith("wall/ok"), "and not who was asked"


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("wire", APIS)
async def test_no_way_of_failing_reaches_a_caller_as_an_answer(wire: str, api: str) -> None:
    cells = {f"{name}-{shape}": (name, shape) for name in FAULTS for shape in SHAPES}
    script = Script([reply for cell, (name, _) in cells.items() for reply in replies_of(name, cell, FAULTS[name])])
    words = {cell: "error" if shape == "whole" else shape for cell, (_, shape) in cells.items()}

    turn = asyncio.Semaphore(12)

    async def soon(seconds: float) -> None:
        await asyncio.sleep(seconds / 100)

    with (
        open_server(script) as url,
        running(config_of(url, api, words), pulse=Pulse(time.monotonic, soon, lambda: 0.0, Day().now_ms)) as gateway,
    ):
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_S)) as session:

            async def play(cell: str, shape: str) -> tuple[Heard, Heard]:
                async with turn:
                    heard = await ask(session, gateway.url, wire, cell, stream=shape != "whole")
                    return heard, await ask(session, gateway.url, wire, f"wall/ok-{cell}", stream=False)

            found = await asyncio.gather(*(play(cell, shape) for cell, (_, shape) in cells.items()))
        await until(lambda: not gateway.gateway.open, "the end of all calls")
    for (cell, (name, shape)), (heard, probe) in zip(cells.items(), found, strict=True):
        # The last question of each cell was the probe's.
        asked = [each for each in script.requests if each.request.model.endswith(f"-{cell}")]
        try:
            check(name, shape, heard, asked[:-1])
        except AssertionError as error:
            raise AssertionError(f"{cell}: {error}\n{heard.raw[-600:]!r}") from error
        assert probe.text == ANSWER, "it lives on"


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_an_outage_is_served_from_elsewhere_and_ends_soon_after_it_ends(stream: bool) -> None:
    day, pairs = Day(still=True), [(wire, api) for wire in APIS for api in APIS]
    fault = Fault([{"error": "overloaded", "status": 503, "forS": OUTAGE_S}, {**GOOD, "repeat": True}], most=20)

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    script = Script(
        [reply for wire, api in pairs for reply in replies_of("s15", f"{wire}.{api}", fault)], clock=day.now_s
    )
    with open_server(script) as url:
        config = configured(primary="openai-completions/x")
        for api in APIS:
            own = config_of(url, api, {f"{wire}.{api}": "error" for wire in APIS})
            config["models"]["providers"][api] = own["models"]["providers"]["wall"]
        config["models"]["routes"] = {
            f"{wire}.{api}": {"primary": f"{api}/bad-{wire}.{api}", "fallbacks": [f"{api}/ok-{wire}.{api}"]}
            for wire, api in pairs
        }
        pulse = Pulse(day.now_s, at_once, lambda: 0.0, day.now_ms)
        served: dict[float, list[Heard]] = {}
        with running(config, pulse=pulse) as gateway:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_S)) as session:
                for call in range(CALLS):
                    day.passed_s = APART_S * call
                    asking = (ask(session, gateway.url, wire, f"{wire}.{api}", stream=stream) for wire, api in pairs)
                    served[day.passed_s] = await asyncio.gather(*asking)
    for at, answers in served.items():
        assert all(each.is_whole and each.text == ANSWER for each in answers), at
        if at < OUTAGE_S:
            assert all("/ok-" in each.model for each in answers), at
        if at >= OUTAGE_S + 16:
            assert [each.model for each in answers if "/bad-" not in each.model] == [], at
