"""What every protocol is held to: recorded cases, streams in pieces, and the laws of a two-sided codec."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from msgspec import Struct

from jackfield.errors import Error
from jackfield.events import Accumulator, StreamEvent
from jackfield.message import ChatResponse, Usage
from jackfield.protocols import aws_eventstream

# Framings of an answer that comes in pieces.
STREAMS = ("sse", "aws-eventstream", "ndjson")
# A protocol's package, or what `load` returns: the same thing, which the type checker cannot know.
Wire: TypeAlias = Any

# -- recordings --------------------------------------------------------------------


class Case(Struct, frozen=True):
    """One recorded exchange: `expect` is what its own reader makes of it."""

    name: str  # provider/case
    meta: dict[str, Any]
    expect: dict[str, Any]
    request: dict[str, Any] | None
    body: bytes

    @property
    def status(self) -> int:
        return int(self.meta["http_status"])

    @property
    def framing(self) -> str:
        return str(self.meta["response_framing"])


@cache
def load_cases(folder: Path) -> tuple[Case, ...]:
    """Return all cases of one wire."""
    return tuple(_load_case(path.parent) for path in sorted(folder.glob("*/*/meta.json")))


def _load_case(folder: Path) -> Case:
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return Case(
        f"{folder.parent.name}/{folder.name}",
        meta,
        json.loads((folder / "expect.json").read_text(encoding="utf-8")),
        json.loads((folder / "request.json").read_text(encoding="utf-8")),
        (folder / meta["response_file"]).read_bytes(),
    )


def read_case(protocol: Wire, case: Case) -> ChatResponse | Error:
    """Return what the protocol makes of a recorded answer."""
    if case.status >= 400:
        return protocol.parse_error(case.status, case.body)
    if case.framing in STREAMS:
        return Heard(protocol, [sse_bytes(case)]).outcome
    try:
        return protocol.parse_response(case.body)
    except Error as error:
        return error


def sse_bytes(case: Case) -> bytes:
    """Return a recorded stream as its protocol reads it: as server-sent events, unless frames are its own."""
    if case.framing != "aws-eventstream" or case.meta["wire_api"] == "bedrock-converse":
        return case.body
    frames = aws_eventstream.FrameDecoder()
    body = b"".join(aws_eventstream.as_sse(frame) for frame in frames.feed(case.body))
    frames.close()
    return body


def differences(case: Case, outcome: ChatResponse | Error, usage: Usage) -> Iterator[str]:
    """Say where an answer is not what the recording's own reader found; `usage` is its raw count in our buckets."""
    failed = case.status >= 400 or "error_in_stream" in case.expect or "error_in_body" in case.expect
    if failed != isinstance(outcome, Error):
        yield f"expected {'an error' if failed else 'a reply'}, got {outcome!r}"
        return
    if isinstance(outcome, Error):
        yield from _error_differences(case, outcome)
        if outcome.partial is None:
            return
    reply = outcome.partial if isinstance(outcome, Error) else outcome
    assert reply is not None
    plan = case.expect.get("tool_plan") or ""  # of Cohere, a thought before the calls
    found: dict[str, Any] = {
        "text": reply.text, "reasoning": reply.thinking.removesuffix(plan), "id": reply.id, "model": reply.model, "refusal": reply.refusal,
    }  # fmt: skip
    if not failed:
        word = reply.raw_finish_reason
        found["finish_reason"] = word if word is not None else reply.finish_reason
        if reply.usage != usage:
            yield f"usage: expected {usage}, got {reply.usage}"
    for name, value in found.items():
        if name in case.expect and (case.expect[name] or "") != value:
            yield f"{name}: expected {case.expect[name]!r}, got {value!r}"
    if not reply.thinking.endswith(plan):
        yield f"plan: expected {plan!r}, got {reply.thinking!r}"
    yield from _call_differences(case, reply)


def _error_differences(case: Case, error: Error) -> Iterator[str]:
    said = next(
        (case.expect[name] for name in ("error", "error_in_stream", "error_in_body") if name in case.expect), {}
    )
    words = (said or {}).get("message") if isinstance(said, dict) else said
    if words and str(words) not in error.message:
        yield f"error: expected {words!r}, got {error.message!r}"


def _call_differences(case: Case, reply: ChatResponse) -> Iterator[str]:
    expected = list(case.expect["tool_calls"])
    legacy = case.expect.get("function_call") or {}
    if legacy.get("name"):
        expected.append(legacy)
    if len(expected) != len(reply.tool_calls):
        yield f"tool calls: expected {expected}, got {reply.tool_calls}"
        return
    for want, call in zip(expected, reply.tool_calls, strict=True):
        if not call.id or call.id != (want["id"] or call.id) or call.name != want["name"]:
            yield f"tool call: expected {want}, got {call}"
        raw = want["arguments_raw"]
        if raw is None and json.loads(call.arguments) != want["arguments"]:
            yield f"arguments: expected {want['arguments']}, got {call.arguments}"
        elif raw is not None and call.arguments != (raw or "{}"):
            yield f"arguments: expected {raw}, got {call.arguments}"


# -- streams -----------------------------------------------------------------------


class Heard:
    """What a protocol's parser made of a stream that came in these pieces."""

    def __init__(self, protocol: Wire, pieces: Iterable[bytes]) -> None:
        parser = self.parser = protocol.StreamParser()
        self.events: list[StreamEvent] = []
        self.error: Error | None = None
        try:
            for piece in pieces:
                self.events += parser.feed(piece)
            self.events += parser.close()
        except Error as error:
            self.error = error

    @property
    def reply(self) -> ChatResponse:
        """Return the reply the events spell."""
        accumulator = Accumulator()
        for event in self.events:
            accumulator.feed(event)
        return accumulator.response()

    @property
    def outcome(self) -> ChatResponse | Error:
        """Return the reply, or the error that ended it."""
        return self.error or self.reply

    def signature(self) -> tuple[Any, ...]:
        """Return what may not depend on how the bytes were cut."""
        error = self.error
        return self.events, self.parser.skipped, type(error), error and (error.message, error.code, error.partial)


def cut(data: bytes, positions: Iterable[int]) -> list[bytes]:
    """Cut bytes at these positions."""
    edges = [0, *sorted(positions), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def rewrites(data: bytes) -> dict[str, bytes]:
    """Return a stream in other spellings that mean the same."""
    lines = data.replace(b"\r\n", b"\n")
    return {
        "CRLF": lines.replace(b"\n", b"\r\n"),
        "CR": lines.replace(b"\n", b"\r"),
        "comments": b": first\n" + lines.replace(b"\n\n", b"\n\n: ping\n\n"),
        "no final newline": lines.rstrip(b"\n"),
        "no space after the colon": b"\n".join(
            line.replace(b"data: ", b"data:", 1) if line.startswith(b"data: ") else line for line in lines.split(b"\n")
        ),
        "a mark of byte order": b"\xef\xbb\xbf" + lines,
    }


def random_cuts(data: bytes, seed: int, pieces: int = 12) -> list[bytes]:
    """Cut bytes at seeded random positions, anywhere: inside characters, lines and line ends."""
    random = Random(seed)
    return cut(data, sorted(random.randrange(len(data) + 1) for _ in range(pieces)))


def render_stream(protocol: Wire, events: Sequence[StreamEvent]) -> bytes:
    """Return a whole stream as the protocol's renderer writes it."""
    renderer = protocol.StreamRenderer()
    return b"".join(renderer.feed(event) for event in events) + renderer.close()
