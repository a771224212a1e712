"""Sixteen ways in which a provider fails, at their real timings: who is served, how soon, by whom.

python bench/faults.py [--write]      --write puts the tables into bench/README.md; it takes two minutes

After the scenarios of Failover Bench (2026) and its verdicts. Every scenario meets every word on
broken streams at the same time, each with models of its own on one scripted server.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from msgspec import Struct

import jackfield
from jackfield.errors import Error
from jackfield.message import ChatRequest, ChatResponse, Message
from jackfield.scripted.play import Answer
from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server

README = Path(__file__).with_name("README.md")
WORDS = [f"word{number}" for number in range(60)]
ANSWER = " ".join(WORDS)
TIMEOUTS = {"firstToken": 10, "idle": 10}  # as a user sets them for a model that is no slow thinker
MODES = ("error", "restart", "continue", "whole")  # the route's word on broken streams; the last is not streamed
BREAKS = {"s08": 40, "s09": 20, "s14": 40}  # words that are out by then
MOST_S = {
    "s01": 20, "s02": 40, "s03": 20, "s04": 40, "s05": 20, "s06": 130, "s07": 60, "s08": 40,
    "s09": 70, "s10": 30, "s11": 30, "s12": 20, "s13": 20, "s14": 40, "s15": 80, "s16": 40,
}  # fmt: skip
CALLS, APART_S, OUTAGE_S, BACK_S = 20, 4.0, 60.0, 30.0


class Outcome(Struct, frozen=True, kw_only=True):
    """What a caller got, and what the servers behind saw of it; times are seconds from the call."""

    reply: ChatResponse | None
    error: Error | None
    seconds: float
    primary: list[float]  # when it was asked
    fallback: list[float]
    prefilled: bool = False  # who refuses the start of an answer was given one
    alive: bool = True  # the client answers the next question
    streamed: bool = True

    @property
    def is_rescued(self) -> bool:
        """Tell whether the whole answer came."""
        return self.reply is not None and self.reply.text == ANSWER


Check = Callable[[Outcome], bool]
# Must hold; else it has failed.
REQUIRED: Mapping[str, tuple[Check, ...]] = {
    "s01": (lambda seen: sum(at < 1.5 for at in seen.primary) <= 2,),
    "s02": (lambda seen: sum(at < 3 for at in seen.primary) <= 4, lambda seen: len(seen.primary) <= 6),
    "s04": (lambda seen: len(seen.primary) <= 6,),
    "s06": (lambda seen: seen.seconds <= 100,),
    "s09": (lambda seen: seen.seconds <= 45, lambda seen: seen.alive),
    "s10": (lambda seen: seen.alive,),
    "s11": (lambda seen: seen.seconds <= 8,),
    "s12": (lambda seen: len(seen.primary) <= 1,),
    "s13": (lambda seen: len(seen.primary) <= 1,),
    "s14": (lambda seen: not seen.prefilled,),
    "s16": (
        lambda seen: len(seen.primary) <= 6,
        lambda seen: seen.reply is None or "fb-ok" in seen.reply.model,
    ),
}  # fmt: skip
# Should hold; else a rescue is a partial one.
ADVISED: Mapping[str, tuple[Check, ...]] = {
    "s01": (lambda seen: len(seen.primary) >= 2 and seen.primary[1] - seen.primary[0] >= 1.8,),
    "s03": (lambda seen: len(seen.primary) >= 2,),
    "s06": (lambda seen: len(seen.primary) == 1,),
    "s07": (lambda seen: seen.seconds <= 15,),
    # A whole reply that is no JSON has nothing in it to go on with.
    "s10": (lambda seen: len(seen.primary) == 1 and not (seen.streamed and seen.fallback),),
    "s11": (lambda seen: seen.reply is not None and bool(seen.reply.usage.output),),
    "s16": (lambda seen: seen.reply is not None and bool(seen.reply.usage.output),),
}


def judge(name: str, seen: Outcome) -> str:
    """Return pass, partial, safe or fail."""
    is_wrong = seen.reply is not None and not seen.is_rescued
    if is_wrong or seen.seconds > MOST_S[name] + 1 or not all(check(seen) for check in REQUIRED.get(name, ())):
        return "fail"
    if name == "s13":
        return "pass" if seen.error else "partial"
    if not seen.is_rescued:
        return "safe"
    return "pass" if all(check(seen) for check in ADVISED.get(name, ())) else "partial"


class Wall:
    """The script's server side, with the moment of each request."""

    def __init__(self, script: Script) -> None:
        self.asked: list[tuple[float, str, bool]] = []  # when, which model, whether with the start of an answer
        self._script = script
        self.refuse = script.refuse

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """See `Script.answer`."""
        said = self._script.answer(method, url, headers, body)
        request = self._script.requests[-1].request
        self.asked.append((time.monotonic(), request.model, request.messages[-1].role == "assistant"))
        return said


# -- a cell: one scenario in one mode ------------------------------------------------


def fallback_of(cell: str) -> str:
    return f"fb-ok-noprefill-{cell}" if cell.startswith("s14") else f"fb-ok-{cell}"


def replies(name: str, cell: str) -> list[dict[str, Any]]:
    """Return what a cell's two models say."""
    primary, fallback, said = {"model": cell}, {"model": fallback_of(cell)}, BREAKS.get(name, 0)
    rest = {"text": " ".join(["", *WORDS[said:]]), "repeat": True}
    good = {"text": ANSWER, "repeat": True}
    refusal = {"error": "invalid_request", "message": "invalid_prefill", "repeat": True}
    fault = "s08" if name == "s14" else name  # its primary takes the start of an answer, its fallback does not
    broken = {"text": ANSWER, "fault": fault, "when": primary}
    return [
        *([{**rest, "when": {**primary, "prefill": True}}] if said else []),
        broken | ({"repeat": True} if name in BREAKS else {}),
        *([{**good, "when": primary}] if name == "s15" else []),
        {**(refusal if name == "s14" else rest), "when": {**fallback, "prefill": True}},
        {**good, "when": fallback},
    ]


def configure(url: str, cells: Sequence[str]) -> dict[str, Any]:
    """Return a config of one provider in which every cell is a route of its own."""
    rows: list[dict[str, Any]] = []
    routes = {}
    for cell in cells:
        name, mode = cell.split("-")
        takes = {"compat": {"assistantPrefill": True}}
        rows.append({"id": cell, "timeouts": TIMEOUTS, **takes})
        rows.append({"id": fallback_of(cell)} | ({} if name == "s14" else takes))
        break_word = "error" if mode == "whole" else mode
        routes[cell] = {
            "primary": f"wall/{cell}",
            "fallbacks": [f"wall/{fallback_of(cell)}"],
            "onStreamBreak": break_word,
        }
    provider = {"baseUrl": url, "api": "openai-completions", "apiKey": "sk-wall", "models": rows}
    return {"models": {"providers": {"wall": provider}, "routes": routes}}


async def call(client: jackfield.AsyncClient, model: str, *, streamed: bool) -> ChatResponse | Error:
    request = ChatRequest(model=model, messages=[Message.user("Sixty words, please.")])
    try:
        return await (client.stream(request).response() if streamed else client.chat(request))
    except Error as error:
        return error


async def run_cell(client: jackfield.AsyncClient, wall: Wall, cell: str) -> tuple[str, Outcome]:
    """Ask once, or for the outage as often as it takes; return the verdict and what was seen."""
    name, streamed, began = cell.split("-", maxsplit=1)[0], not cell.endswith("whole"), time.monotonic()
    verdict = await run_outage(client, cell, began) if name == "s15" else ""
    answer = None if verdict else await call(client, cell, streamed=streamed)
    seconds = time.monotonic() - began
    probe = await call(client, f"wall/{fallback_of(cell)}", streamed=False) if name in {"s09", "s10"} else None
    asked = [(at - began, model, prefill) for at, model, prefill in wall.asked if at - began <= seconds]
    seen = Outcome(
        reply=answer if isinstance(answer, ChatResponse) else None,
        error=answer if isinstance(answer, Error) else None,
        seconds=seconds,
        primary=[at for at, model, _ in asked if model == cell],
        fallback=[at for at, model, _ in asked if model == fallback_of(cell)],
        prefilled=any(prefill for _, model, prefill in asked if model == fallback_of(cell) and "noprefill" in model),
        alive=not isinstance(probe, Error),
        streamed=streamed,
    )
    return verdict or judge(name, seen), seen


async def run_outage(client: jackfield.AsyncClient, cell: str, began: float) -> str:
    """Ask all through an outage and after it; return the verdict on all calls together."""
    served: list[tuple[float, ChatResponse | Error]] = []
    for number in range(CALLS):
        await asyncio.sleep(max(0.0, began + number * APART_S - time.monotonic()))
        served.append((time.monotonic() - began, await call(client, cell, streamed=not cell.endswith("whole"))))
    is_whole = all(isinstance(answer, ChatResponse) and answer.text == ANSWER for _, answer in served)
    back = [
        at for at, answer in served
        if at >= OUTAGE_S and isinstance(answer, ChatResponse) and answer.model == f"wall/{cell}"
    ]  # fmt: skip
    return "pass" if is_whole and back and back[0] <= OUTAGE_S + BACK_S else "fail"


# -- the tables ----------------------------------------------------------------------


async def measure() -> dict[str, tuple[str, Outcome]]:
    cells = [f"{name}-{mode}" for name in MOST_S for mode in MODES]
    script = Script([reply for cell in cells for reply in replies(cell.split("-", maxsplit=1)[0], cell)])
    wall = Wall(script)
    with open_server(wall) as url:  # type: ignore[arg-type]  # it takes what answers
        async with jackfield.AsyncClient(configure(url, cells)) as client:
            found = await asyncio.gather(*(run_cell(client, wall, cell) for cell in cells))
    return dict(zip(cells, found, strict=True))


def render(found: Mapping[str, tuple[str, Outcome]]) -> str:
    """Return the score, and a row per scenario: verdict, requests to the primary and the fallback, seconds."""
    words = {
        "error": "`error` (the default)",
        "restart": "`restart`",
        "continue": "`continue`",
        "whole": "not streamed",
    }
    score = ["| a stream that breaks | pass | partial | safe | fail |", "|---|---|---|---|---|"]
    for mode in MODES:
        count = Counter(found[f"{name}-{mode}"][0] for name in MOST_S)
        score.append(f"| {words[mode]} | {' | '.join(str(count[v]) for v in ('pass', 'partial', 'safe', 'fail'))} |")
    head = f"| | {' | '.join(words[mode] for mode in MODES)} |"
    rows = [head, "|---|---|---|---|---|"]
    for name in MOST_S:
        cells = (found[f"{name}-{mode}"] for mode in MODES)
        told = (f"{v}, {len(seen.primary)}+{len(seen.fallback)}, {seen.seconds:.1f} s" for v, seen in cells)
        rows.append(f"| {name.upper()} | {' | '.join(told)} |")
    return "\n".join([f"Measured on {date.today()}.", "", *score, "", *rows])  # noqa: DTZ011  the user's day


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home  # no failure of this run is remembered in the user's
        os.environ.pop("JACKFIELD_CONFIG", None)
        os.environ.pop("JACKFIELD_HOME", None)
        table = render(asyncio.run(measure()))
    print(table)
    if "--write" in sys.argv:
        text = README.read_text(encoding="utf-8")
        README.write_text(
            re.sub(r"(<!-- faults -->\n).*?(<!-- end -->)", rf"\1{table}\n\2", text, flags=re.DOTALL), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
