"""What the gateway writes to stderr: a line per attempt, and a line for whatever else there is to say.

What was asked and answered is never in it, and no secret. The keys of a line are a glossary:

    at level event message traceback   when (UTC); info, warn or error; `attempt`, or `note` with its words
    request key endUser                the call's id (`x-request-id`), its caller's name, and whom that one asks for
    wire kind stream requested         the caller's protocol, what was asked (chat, embed, …), and by which name
    attempt model profile              which try this is, of whom, with which credential's name
    ms reason                          how long the try took, why it failed (an error's type)
    outcome status totalMs firstMs input output costUsd cache   of the call, in the line of its last try
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import UNSET, Struct, UnsetType

from jackfield.gateway.record import Finished
from jackfield.message import Attempt, JsonObject

ENCODER = msgspec.json.Encoder(decimal_format="number")
RANKS = {"info": 0, "warn": 1, "error": 2}
PIPE_BYTES = 4096  # what a pipe takes in one piece, at the least
Write = Callable[[bytes], object]


class Log:
    """Says every attempt as one line, of JSON or of words."""

    def __init__(self, write: Write, form: str = "json", level: str = "info") -> None:
        self._write = write
        self._render = LINES[form]
        self._least = RANKS[level]

    def note(self, call: Finished) -> None:
        """Write the lines of a call in one piece."""
        lines = [line for line in lines_of(call) if RANKS[line.level] >= self._least]
        if lines:
            self._write(b"".join(map(self._render, lines)))

    def close(self) -> None:
        """Do nothing: whoever gave the place to write to has it."""


class Gathered:
    """Lines that are written together. Belongs to one thread."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._lines: list[bytes] = []

    def add(self, line: bytes) -> None:
        """Keep a line for later."""
        self._lines.append(line)

    def flush(self) -> None:
        """Write what was kept, in pieces that a pipe takes whole: the lines of several workers do not mix."""
        lines, self._lines = self._lines, []
        piece = b""
        for line in lines:
            if piece and len(piece) + len(line) > PIPE_BYTES:
                self._write(piece)
                piece = b""
            piece += line
        if piece:
            self._write(piece)


class Notes(logging.Handler):
    """Says what the program logs, warnings of its libraries too, in the same form."""

    def __init__(self, write: Write, form: str = "json", level: str = "info") -> None:
        super().__init__()
        self._write = write
        self._render = NOTES[form]
        self._least = RANKS[level]

    def emit(self, record: logging.LogRecord) -> None:
        """Write one note."""
        level = "error" if record.levelno >= logging.ERROR else "warn" if record.levelno >= logging.WARNING else "info"
        if RANKS[level] < self._least:
            return
        line = {
            "at": _time(int(record.created * 1000)),
            "level": level,
            "event": "note",
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = (self.formatter or logging.Formatter()).formatException(record.exc_info)
        self._write(self._render(line))


def install(write: Write, form: str = "json", level: str = "info") -> None:
    """Have everything that this process logs written so, instead of any way before."""
    root = logging.getLogger()
    root.handlers[:] = [Notes(write, form, level)]
    root.setLevel(logging.WARNING)
    logging.getLogger("jackfield").setLevel(logging.INFO)


class Line(Struct, frozen=True, rename="camel"):
    """One try of a call; what the call has come to stands in the line of its last one."""

    at: str
    level: str
    event: str
    request: str
    key: str
    end_user: str
    wire: str
    kind: str
    stream: bool
    requested: str
    attempt: int
    model: str
    profile: str | None
    ms: int | None
    reason: str | None
    outcome: str | UnsetType = UNSET
    status: int | UnsetType = UNSET
    total_ms: int | UnsetType = UNSET
    first_ms: int | UnsetType | None = UNSET
    input: int | UnsetType | None = UNSET
    output: int | UnsetType | None = UNSET
    cost_usd: Decimal | UnsetType | None = UNSET
    cache: str | UnsetType = UNSET


def lines_of(call: Finished) -> list[Line]:
    """Return a line for every try of a call, and one for a call that led to none."""
    at, usage = _time(call.at_ms), call.usage
    asked = (call.request_id, call.key_name, call.end_user, call.wire, call.kind, call.is_stream, call.requested)
    told = (call.outcome, call.status, call.ms, call.first_ms, usage.input, usage.output, call.cost_usd, call.cache)
    tries = call.attempts or (Attempt(call.model),)
    found = []
    for number, each in enumerate(tries, 1):
        is_last = number == len(tries)
        tried = (number, each.model, each.profile, each.ms, each.reason)
        level = _level(call, each, is_last=is_last)
        found.append(Line(at, level, "attempt", *asked, *tried, *(told if is_last else ())))
    return found


def _level(call: Finished, tried: Attempt, *, is_last: bool) -> str:
    if is_last and call.outcome not in {"ok", "cancelled"}:
        return "error" if call.status >= 500 or call.status < 400 else "warn"
    return "warn" if tried.reason not in {None, "cancelled"} else "info"


# -- forms -------------------------------------------------------------------------


def _as_json(line: Line | JsonObject) -> bytes:
    return ENCODER.encode(line) + b"\n"


def _line_as_text(line: Line) -> bytes:
    said = f"{line.at} {line.level:<5} {line.request} {line.wire} {line.requested} → {line.model or 'nobody'}"
    said += f" #{line.attempt} {line.reason or 'ok'} {line.ms or 0}ms"
    if line.outcome is not UNSET:
        said += f" | {line.outcome} {line.status} {line.total_ms}ms {line.cache and f'cache {line.cache}'}"
    # A caller's words make no second line.
    return said.rstrip().replace("\n", " ").encode(errors="replace") + b"\n"


def _note_as_text(note: JsonObject) -> bytes:
    said = f"{note['at']} {note['level']:<5} {note['message']}\n{note.get('traceback', '')}"
    return said.rstrip().encode(errors="replace") + b"\n"


LINES: dict[str, Callable[[Line], bytes]] = {"json": _as_json, "text": _line_as_text}
NOTES: dict[str, Callable[[JsonObject], bytes]] = {"json": _as_json, "text": _note_as_text}


def _time(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
