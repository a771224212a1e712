"""What a protocol costs: per streamed piece of text, and for a request with a large picture in it.

`parse` is a reply's bytes to events, one read per piece, as a client hears it; `relay` is the
same and then written in another wire, as a gateway says it. A figure is the median over 2,000
pieces, of the best round, in time of the processor: what else the machine does only ever adds.
The picture's request is encoded JSON read and written back. The last row is a config file.

    python bench/protocols.py [--write]      --write puts the tables into bench/README.md
"""

from __future__ import annotations

import json
import re
import struct
import sys
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from time import process_time

import msgspec

from jackfield import protocols
from jackfield.config import json5
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import ChatRequest, ImageBlock, Message, TextBlock, Usage
from jackfield.protocols.base import Protocol

README = Path(__file__).with_name("README.md")
PIECES = 2_000
BATCH = 50  # pieces timed at once: one is over before the clock has moved
ROUNDS = 7
TRIES = 15  # of a whole piece of work; fresh memory for megabytes varies more than words do
AIM_US = 4.0
PICTURE_BYTES = 20_000_000  # of base64
AIM_MS = 30.0
OPENAI, ANTHROPIC = "openai-completions", "anthropic-messages"
TEXT = [f"word {number} " for number in range(PIECES)]
EVENTS: list[StreamEvent] = [
    MessageStart("msg_1", "model"),
    BlockStart(0, TextBlock("")),
    *[BlockDelta(0, text) for text in TEXT],
    BlockEnd(0),
    MessageEnd("stop", Usage(input=10, output=PIECES)),
]
Pieces = list[bytes]


def main() -> None:
    streams = [*map(measure_stream, sorted(protocols.PACKAGES))]
    pictures = [*measure_pictures()]
    config = measure_config()
    head = ["| wire | parse µs | × json.loads | relayed to | parse and render µs |", "|---|---|---|---|---|"]
    written = {
        "streams": [*head, *streams],
        "pictures": ["| read as | written as | ms | of it JSON |", "|---|---|---|---|", *pictures],
    }
    written["config"] = ["| text | parse µs | × json.loads |", "|---|---|---|", config]
    for name, lines in written.items():
        print("\n".join([f"\n{name}", *lines]))
    if "--write" in sys.argv:
        text = README.read_text(encoding="utf-8")
        for name, lines in written.items():
            table = "\n".join(lines)
            marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
            text = marked.sub(lambda match, table=table: f"{match[1]}{table}\n{match[2]}", text)
        README.write_text(text, encoding="utf-8")


# -- streams -----------------------------------------------------------------------


def measure_stream(name: str) -> str:
    """Return a wire's row: microseconds per piece of text."""
    protocol, pieces = protocols.load(name), render_stream(name)
    target = protocols.load(ANTHROPIC if name == OPENAI else OPENAI)
    bodies = [body for piece in pieces if (body := find_json(piece))]
    loads = per_piece(lambda: (json.loads, bodies))
    parse = per_piece(lambda: (protocol.StreamParser().feed, pieces))
    relay = per_piece(lambda: (Relay(protocol, target).feed, pieces))
    return f"| `{name}` | {mark(parse)} | {parse / loads:.1f} | `{target.NAME}` | {mark(relay)} |"


class Relay:
    """A reply on its way through: parsed, and written in another wire."""

    def __init__(self, source: Protocol, target: Protocol) -> None:
        self._parser = source.StreamParser()
        self._renderer = target.StreamRenderer()

    def feed(self, data: bytes) -> list[bytes]:
        """Return what the next bytes become."""
        return [self._renderer.feed(event) for event in self._parser.feed(data)]


def per_piece(begin: Callable[[], tuple[Callable[[bytes], object], Iterable[bytes]]]) -> float:
    """Return the median time of one call in microseconds, of the best of several rounds."""
    rounds = []
    for _ in range(ROUNDS):
        feed, pieces = begin()
        times, whole = [], list(pieces)
        for at in range(0, len(whole), BATCH):
            batch = whole[at : at + BATCH]
            start = process_time()
            for piece in batch:
                feed(piece)
            times.append((process_time() - start) / len(batch) * 1e6)
        rounds.append(median(times))
    return min(rounds)


def render_stream(name: str) -> Pieces:
    """Return the reply as a server of this wire says it, piece by piece."""
    if name in SPOKEN:
        return list(SPOKEN[name]())
    renderer = protocols.load(name).StreamRenderer()
    pieces = [renderer.feed(event) for event in EVENTS]
    return [piece for piece in [*pieces, renderer.close()] if piece]


def find_json(piece: bytes) -> bytes:
    """Return the JSON in a piece, nothing where there is none; a binary frame has other braces as well."""
    body = piece[piece.find(b"{") : piece.rfind(b"}") + 1]
    try:
        json.loads(body)
    except ValueError:
        return b""
    return body


# Wires whose server's side does not exist here: the pieces of text alone, after what must come first.
def _say_ollama() -> Iterable[bytes]:
    for text in TEXT:
        yield _line(
            {
                "model": "m",
                "created_at": "2026-11-21T06:00:00Z",
                "message": {"role": "assistant", "content": text},
                "done": False,
            }
        )


def _say_cohere() -> Iterable[bytes]:
    yield _event({"type": "message-start", "id": "1", "delta": {"message": {"role": "assistant", "content": []}}})
    yield _event({"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}})
    for text in TEXT:
        yield _event({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}})


def _say_bedrock() -> Iterable[bytes]:
    yield _frame("messageStart", {"role": "assistant"})
    for text in TEXT:
        yield _frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}, "p": "abcdefgh"})


def _say_cloud_code() -> Iterable[bytes]:
    for piece in render_stream("google-generative-ai"):
        yield re.sub(rb"data: (\{.*\})", rb'data: {"response":\1}', piece)


SPOKEN: dict[str, Callable[[], Iterable[bytes]]] = {
    "ollama": _say_ollama,
    "cohere": _say_cohere,
    "bedrock-converse-stream": _say_bedrock,
    "google-gemini-cli": _say_cloud_code,
    "openai-codex-responses": lambda: render_stream("openai-responses"),
}


def _line(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"


def _event(value: dict[str, object]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (str(value["type"]).encode(), msgspec.json.encode(value))


def _frame(kind: str, value: object) -> bytes:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    head = b"".join(
        b"%c%s\x07%s%s" % (len(name), name.encode(), struct.pack(">H", len(text)), text.encode())
        for name, text in headers.items()
    )
    body = msgspec.json.encode(value)
    prelude = struct.pack(">II", 16 + len(head) + len(body), len(head))
    framed = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + body
    return framed + struct.pack(">I", zlib.crc32(framed))


# -- pictures ----------------------------------------------------------------------


def measure_pictures() -> Iterable[str]:
    """Yield a row for each pair of wires: the whole way of a request's body."""
    picture = ImageBlock("image/png", "iVBORw0K" * (PICTURE_BYTES // 8))
    asked = ChatRequest(model="m", max_tokens=9, messages=[Message.user("What is this?", picture)])
    callers = sorted(protocols.PACKAGES.keys() - protocols.ONE_SIDED)
    pairs = [(OPENAI, name) for name in sorted(protocols.PACKAGES)] + [
        (name, OPENAI) for name in callers if name != OPENAI
    ]
    for source, target in pairs:
        body = msgspec.json.encode(protocols.load(source).render_request(asked))
        parse, render = protocols.load(source).parse_request, protocols.load(target).render_request
        ms = best(lambda body=body, parse=parse, render=render: msgspec.json.encode(render(parse(body)))) * 1000
        written = render(parse(body))
        decode = best(lambda body=body: msgspec.json.decode(body))
        encode = best(lambda written=written: msgspec.json.encode(written))
        yield f"| `{source}` | `{target}` | {ms:.0f}{' **over**' if ms > AIM_MS else ''} | {(decode + encode) * 1000:.0f} |"


# -- configs -----------------------------------------------------------------------


def measure_config() -> str:
    """Return the row of a config file, the same text read by both."""
    model = {"name": "A model", "reasoning": False, "input": ["text"], "contextWindow": 131072, "maxTokens": 8192}
    models = [{"id": f"model-{number}", **model, "cost": {"input": 0.5, "output": 1.5}} for number in range(165)]
    text = json.dumps({"models": {"providers": {"box": {"baseUrl": "http://127.0.0.1:1/v1", "models": models}}}})
    parse, loads = best(lambda: json5.parse(text)), best(lambda: json.loads(text))
    return f"| JSON5 with positions, {len(text) // 1000} kB | {parse * 1e6:.1f} | {parse / loads:.1f} |"


def mark(us: float) -> str:
    """Return a figure, marked when it is over the aim."""
    return f"{us:.1f}{' **over**' if us > AIM_US else ''}"


def best(work: Callable[[], object]) -> float:
    """Return the shortest time of a piece of work, in seconds."""
    times = []
    for _ in range(TRIES):
        start = process_time()
        work()
        times.append(process_time() - start)
    return min(times)


if __name__ == "__main__":
    main()
