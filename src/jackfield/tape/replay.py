"""Playing back: answers from recorded exchanges, and from nothing else.

A request is answered by the recording of the same method, address and question; headers do
not count, and neither do switches that leave the question the same, unless two recordings
differ in them alone. The same question asked again gets its next recording.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct

from jackfield.errors import StreamBroken, UsageError
from jackfield.tape.exchange import Answer, Exchange, Request, as_request, load_exchange
from jackfield.tape.redact import Redactor
from jackfield.transport.reply import HttpReply, Told
from jackfield.transport.request import HttpRequest

# What the question is made of, on any wire.
QUESTION = frozenset({
    "model", "messages", "message", "chat_history", "input", "contents", "prompt", "system", "instructions",
    "systemInstruction", "tools", "stream", "request",
})  # fmt: skip
MOST_NAMED = 3  # recordings, and differences of each
LONGEST = 60


class _Tape(Struct):
    name: str
    exchange: Exchange
    is_played: bool = False


class Player:
    """A sender without a network. `in_time` keeps the pauses of the recording."""

    is_live = False

    def __init__(self, folder: Path, *, in_time: bool = False) -> None:
        self._folder = folder
        self._in_time = in_time
        self._tapes: list[_Tape] | None = None

    async def open(self, request: HttpRequest) -> HttpReply:
        """Return the recorded answer; raise `UsageError` saying what comes nearest where there is none."""
        clean = Redactor(request)
        asked = as_request(request.method, clean.url(request.url), {}, clean.body(request.body))
        answer = self._pick(asked)
        return HttpReply(request, answer.status, answer.headers, Told(self._play(answer, request)))

    async def close(self) -> None:
        """Do nothing: a recording holds nothing."""

    def _pick(self, asked: Request) -> Answer:
        wanted = _question(asked)
        alike = [tape for tape in self._load() if _question(tape.exchange.request) == wanted]
        fresh = [tape for tape in alike if not tape.is_played]
        if not fresh:
            raise self._miss(asked, len(alike))
        tape = next((tape for tape in fresh if tape.exchange.request.json == asked.json), fresh[0])
        tape.is_played = True
        return tape.exchange.answer

    def _load(self) -> list[_Tape]:
        if self._tapes is None:
            if not self._folder.is_dir():
                raise UsageError(f"there is no folder {self._folder} to answer from", hint=RECORD)
            self._tapes = [_Tape(path.name, load_exchange(path)) for path in sorted(self._folder.glob("*.json"))]
        return self._tapes

    def _miss(self, asked: Request, played: int) -> UsageError:
        what = f"{asked.method} {asked.url}"
        if played:
            said = "1 recording" if played == 1 else f"{played} recordings"
            return UsageError(f"{what} was asked once more than {self._folder} has answers: {said}", hint=RECORD)
        wanted = _question(asked)
        apart = sorted(
            ((list(_differences(_question(tape.exchange.request), wanted)), tape.name) for tape in self._load()),
            key=lambda each: (len(each[0]), each[1]),
        )
        near = [f"{name}: {'; '.join(differences[:MOST_NAMED])}" for differences, name in apart[:MOST_NAMED]]
        hint = "\n".join(["nearest:", *near, RECORD]) if near else f"{self._folder} holds no recording; {RECORD}"
        return UsageError(f"no recording in {self._folder} answers {what}", hint=hint)

    async def _play(self, answer: Answer, request: HttpRequest) -> AsyncIterator[bytes]:
        played_ms = 0
        for piece in answer.pieces:
            # Also without its pauses a stream lets others work between its pieces.
            await asyncio.sleep((piece.ms - played_ms) / 1000 if self._in_time else 0)
            played_ms = piece.ms
            yield piece.data()
        if answer.broken:
            raise StreamBroken(
                f"the recorded answer of {Redactor(request).url(request.url)} ended here ({answer.broken})"
            )


RECORD = "to record: jackfield chat --record DIR, or AsyncClient(record=DIR)"


def _question(request: Request) -> dict[str, Any]:
    body = request.json
    asked = {key: value for key, value in body.items() if key in QUESTION} if isinstance(body, dict) else body
    return {"method": request.method, "url": request.url, "body": asked or request.text or request.base64}


def _differences(recorded: Any, asked: Any, at: str = "") -> Iterator[str]:
    """Yield in words where two values differ, the innermost place each."""
    if isinstance(recorded, dict) and isinstance(asked, dict):
        for key in sorted(recorded.keys() | asked.keys()):
            yield from _differences(recorded.get(key), asked.get(key), f"{at}.{key}" if at else key)
    elif isinstance(recorded, list) and isinstance(asked, list) and len(recorded) == len(asked):
        for index, (was, now) in enumerate(zip(recorded, asked, strict=True)):
            yield from _differences(was, now, f"{at}[{index}]")
    elif isinstance(recorded, list) and isinstance(asked, list):
        yield f"{at} has {len(recorded)} entries recorded, {len(asked)} asked"
    elif recorded != asked:
        yield f"{at} is {_glimpse(recorded)} recorded, {_glimpse(asked)} asked"


def _glimpse(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
