"""What a codec costs per streamed piece, beside Python's own JSON on the same bytes.

`parse` is a reply's bytes to events, one read per piece, as a client hears it; `render` is
events to bytes, as a server says it. The last row is a config file. Best of several rounds:
what else the machine does only ever adds.

    python bench/codec.py [--write]      --write puts the table into bench/README.md
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from jackfield import protocols
from jackfield.config import json5
from jackfield.events import BlockDelta, BlockEnd, BlockStart, MessageEnd, MessageStart, StreamEvent
from jackfield.message import TextBlock, Usage

README = Path(__file__).with_name("README.md")
PIECES = 1_000
ROUNDS = 15
EVENTS: list[StreamEvent] = [
    MessageStart("msg_1", "model"),
    BlockStart(0, TextBlock("")),
    *[BlockDelta(0, f"word {number} ") for number in range(PIECES)],
    BlockEnd(0),
    MessageEnd("stop", Usage(input=10, output=PIECES)),
]


def main() -> None:
    rows = [*map(measure_protocol, protocols.PACKAGES), measure_json5()]
    header = ["| what | parse µs | × json.loads | render µs | × json.dumps |", "|---|---|---|---|---|"]
    table = "\n".join([*header, *rows])
    print(table)
    if "--write" in sys.argv:
        text = README.read_text(encoding="utf-8")
        marked = re.compile(r"(<!-- codec -->\n).*?(<!-- end -->)", re.DOTALL)
        README.write_text(marked.sub(lambda match: match[1] + table + "\n" + match[2], text), encoding="utf-8")


def measure_protocol(name: str) -> str:
    """Return a protocol's row: microseconds per streamed piece."""
    protocol = protocols.load(name)
    pieces = render_all(protocol)
    bodies = [line[6:] for piece in pieces for line in piece.decode().splitlines() if line.startswith("data: {")]
    values = list(map(json.loads, bodies))

    def parse() -> None:
        parser = protocol.StreamParser()
        for piece in pieces:
            parser.feed(piece)
        parser.close()

    loads = best(lambda: list(map(json.loads, bodies)))
    dumps = best(lambda: list(map(json.dumps, values)))
    return row(f"`{name}`, per piece", (best(parse), loads), (best(lambda: render_all(protocol)), dumps), PIECES)


def render_all(protocol: protocols.Protocol) -> list[bytes]:
    """Return the reply as the protocol's own server side says it, piece by piece."""
    renderer = protocol.StreamRenderer()
    pieces = [renderer.feed(event) for event in EVENTS]
    return [piece for piece in [*pieces, renderer.close()] if piece]


def measure_json5() -> str:
    """Return the row of a config file, the same text read by both."""
    model = {"name": "A model", "reasoning": False, "input": ["text"], "contextWindow": 131072, "maxTokens": 8192}
    models = [{"id": f"model-{number}", **model, "cost": {"input": 0.5, "output": 1.5}} for number in range(165)]
    text = json.dumps({"models": {"providers": {"box": {"baseUrl": "http://127.0.0.1:1/v1", "models": models}}}})
    parse, loads = best(lambda: json5.parse(text)), best(lambda: json.loads(text))
    return row(f"JSON5 with positions, {len(text) // 1000} kB", (parse, loads), None, 1)


def row(what: str, parse: tuple[float, float], render: tuple[float, float] | None, count: int) -> str:
    """Return a line of the table; each pair is our seconds and Python's own."""
    cells = [f"{parse[0] / count * 1e6:.1f}", f"{parse[0] / parse[1]:.1f}"]
    cells += [f"{render[0] / count * 1e6:.1f}", f"{render[0] / render[1]:.1f}"] if render else ["", ""]
    return f"| {what} | {' | '.join(cells)} |"


def best(work: Callable[[], object]) -> float:
    """Return the shortest time of a piece of work, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
