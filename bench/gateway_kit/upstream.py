"""A canned model server: its answers are ready, and the name of the model says how a stream is paced.

    python bench/gateway_kit/upstream.py PORT

`m-N-D` streams N pieces, D ms apart. Every piece holds `@SECONDS@`, the monotonic time when it
was given to the kernel, so that a reader on the same machine can tell how long it was on its way.
Speaks OpenAI's chat and Anthropic's messages.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from dataclasses import dataclass

PACE = re.compile(rb'"m-(\d+)-(\d+)"')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
STREAM = re.compile(rb'"stream": ?true')
WORDS = "The quick brown fox jumps over the lazy dog. " * 8
STAMP = "@0000000.000000@"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def event(value: object, kind: str = "") -> bytes:
    return (
        (f"event: {kind}\n" if kind else "").encode()
        + b"data: "
        + json.dumps(value, separators=(",", ":")).encode()
        + b"\n\n"
    )


def chunk(delta: object, reason: str | None = None, usage: object = None) -> bytes:
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": reason}]
    frame = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "mock",
        "choices": choices,
    }
    return event(frame | ({"usage": usage} if usage else {}))


def said(kind: str, **fields: object) -> bytes:
    return event({"type": kind, **fields}, kind)


@dataclass(frozen=True)
class Wire:
    """A reply in parts: whole; and of a stream the beginning, a piece, the end."""

    whole: bytes
    start: bytes
    piece: bytes
    end: bytes


CHAT = Wire(
    json.dumps({
        "id": "c1", "object": "chat.completion", "created": 1_700_000_000, "model": "mock",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": WORDS}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 25, "completion_tokens": 80, "total_tokens": 105},
    }).encode(),
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": STAMP}),
    chunk({}, "stop") + chunk(None, usage={"prompt_tokens": 25, "completion_tokens": 100, "total_tokens": 125})
    + b"data: [DONE]\n\n",
)  # fmt: skip
MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "mock",
    "stop_reason": None,
    "stop_sequence": None,
}
MESSAGES = Wire(
    json.dumps(MESSAGE | {
        "content": [{"type": "text", "text": WORDS}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 25, "output_tokens": 80},
    }).encode(),
    said("message_start", message={**MESSAGE, "content": [], "usage": {"input_tokens": 25, "output_tokens": 1}})
    + said("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    said("content_block_delta", index=0, delta={"type": "text_delta", "text": STAMP}),
    said("content_block_stop", index=0)
    + said("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 100})
    + said("message_stop"),
)  # fmt: skip


class Upstream(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._held = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # of a stream server

    def connection_lost(self, _: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(b"\r\n\r\n")
        if end < 0 or (found := LENGTH.search(self._held[:end])) is None:
            return
        whole = end + 4 + int(found[1])
        if len(self._held) >= whole:
            head, body, self._held = self._held[:end], self._held[end + 4 : whole], self._held[whole:]
            self._answer(MESSAGES if b"/messages" in head.partition(b"\r\n")[0] else CHAT, body)

    def _answer(self, wire: Wire, body: bytes) -> None:
        if not STREAM.search(body):
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(wire.whole)
            self._transport.write(head + wire.whole)
            return
        pace = PACE.search(body)
        pieces, pause_ms = (int(pace[1]), int(pace[2])) if pace else (100, 0)
        self._transport.write(HEAD + framed(wire.start))
        self._next_s = asyncio.get_running_loop().time()
        self._say(wire, pieces, pause_ms / 1000)

    def _say(self, wire: Wire, left: int, pause_s: float) -> None:
        stamp = f"@{time.monotonic():014.6f}@".encode()
        self._transport.write(framed(wire.piece.replace(STAMP.encode(), stamp)))
        if left > 1:
            self._next_s += pause_s
            self._timer = asyncio.get_running_loop().call_at(self._next_s, self._say, wire, left - 1, pause_s)
        else:
            self._timer = None
            self._transport.write(framed(wire.end) + b"0\r\n\r\n")


def framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1])))
