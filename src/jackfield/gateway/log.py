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
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

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
        self._render = FORMS[form]
        self._least = RANKS[level]

    def note(self, call: Finished) -> None:
        """Write the lines of a call in one piece."""
        lines = [line for line in lines_of(call) if RANKS[line["level"]] >= self._least]
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
        self._render = FORMS[form]
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


def lines_of(call: Finished) -> Iterator[JsonObject]:
    """Yield a line for every try of a call, and one for a call that led to none."""
    common: JsonObject = {
        "event": "attempt",
        "request": call.request_id,
        "key": call.key_name,
        "endUser": call.end_user,
        "wire": call.wire,
        "kind": call.kind,
        "stream": call.is_stream,
        "requested": call.requested,
    }
    end: JsonObject = {
        "outcome": call.outcome,
        "status": call.status,
        "totalMs": call.ms,
        "firstMs": call.first_ms,
        "input": call.usage.input,
        "output": call.usage.output,
        "costUsd": call.cost_usd,
        "cache": call.cache,
    }
    tries = call.attempts or (Attempt(call.model),)
    at = _time(call.at_ms)
    for number, each in enumerate(tries, 1):
        is_last = number == len(tries)
        tried = {"attempt": number, "model": each.model, "profile": each.profile, "ms": each.ms, "reason": each.reason}
        yield {"at": at, "level": _level(call, each, is_last=is_last), **common, **tried, **(end if is_last else {})}


def _level(call: Finished, tried: Attempt, *, is_last: bool) -> str:
    if is_last and call.outcome not in {"ok", "cancelled"}:
        return "error" if call.status >= 500 or call.status < 400 else "warn"
    return "warn" if tried.reason not in {None, "cancelled"} else "info"


# -- forms -------------------------------------------------------------------------


def _as_json(line: JsonObject) -> bytes:
    return ENCODER.encode(line) + b"\n"


def _as_text(line: JsonObject) -> bytes:
    head = f"{line['at']} {line['level']:<5}"
    if line["event"] == "note":
        return f"{head} {line['message']}\n{line.get('traceback', '')}".rstrip().encode(errors="replace") + b"\n"
    said = f"{head} {line['request']} {line['wire']} {line['requested']} → {line['model'] or 'nobody'}"
    said += f" #{line['attempt']} {line['reason'] or 'ok'} {line['ms'] or 0}ms"
    if "outcome" in line:
        said += (
            f" | {line['outcome']} {line['status']} {line['totalMs']}ms {line['cache'] and 'cache ' + line['cache']}"
        )
    # A caller's words make no second line.
    return said.rstrip().replace("\n", " ").encode(errors="replace") + b"\n"


FORMS: dict[str, Callable[[JsonObject], bytes]] = {"json": _as_json, "text": _as_text}


def _time(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
