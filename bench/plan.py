"""What a plan costs: twenty candidates, their credentials and what failed lately, weighed for one request.

Names are worked out once per config, as in a client or a gateway; a plan is made anew for every
request. The best of many rounds, in time of the processor, beside Python's `json.loads` and
`json.dumps` of the same request, which no gateway can do without.

    python bench/plan.py [--write]      --write puts the table into bench/README.md
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

import msgspec

from jackfield.auth.sources import Source
from jackfield.catalog.load import Catalog
from jackfield.config.paths import Paths
from jackfield.config.schema import Config
from jackfield.credential import Secret
from jackfield.health.record import Place, Rest
from jackfield.health.view import NOTHING, View
from jackfield.message import ChatRequest, ImageBlock, Message, ResponseFormat, TextBlock, Tool
from jackfield.model import ProviderInfo
from jackfield.routing.plan import Moment, plan

README = Path(__file__).with_name("README.md")
AIM_US = 100
ROUNDS, TIMES = 40, 100
PROVIDERS = ("openai", "anthropic", "venice", "groq", "google", "mistral", "xai", "deepseek", "zai", "openrouter")
HOME = Path("/nowhere")
PATHS = Paths(
    home=HOME, config=HOME / "jackfield.json", auth=HOME / "auth.json", cache=HOME / "cache", dotenv=HOME / ".env"
)
NOW_MS = 1_000_000
WORDS = "Name the capital of France, and say in one sentence how it came to be the capital. "


def main() -> None:
    catalog = Catalog(Config(paths=PATHS))
    refs = [f"{name}/{model.id}" for name in PROVIDERS for model in catalog.models(name)[-2:]]
    config = Config(paths=PATHS, primary=refs[0], fallbacks=tuple(refs[1:]))
    catalog = Catalog(config)
    short = ChatRequest(model="default", messages=[Message.user(WORDS)])
    busy = View(
        Rest(place=Place(name, model=refs[2 * at].partition("/")[2]), kind="rate_limit", until_ms=NOW_MS * at)
        for at, name in enumerate(PROVIDERS)
    )
    full = ChatRequest(
        model="default",
        messages=[Message.user(WORDS * 500, ImageBlock("image/png", "iVBORw=="))],
        tools=[
            Tool(f"tool_{at}", WORDS, {"type": "object", "properties": {"x": {"type": "string"}}}) for at in range(9)
        ],
        response_format=ResponseFormat({"type": "object"}),
    )
    talk = [Message("user" if at % 2 else "assistant", [TextBlock(WORDS)]) for at in range(1, 60)]
    rows = [
        ("a question", short, NOTHING, 1),
        ("a question, half of the models resting or back", short, busy, 1),
        ("a question, three keys per provider (60 candidates)", short, NOTHING, 3),
        ("sixty turns", ChatRequest(model="default", messages=talk), NOTHING, 1),
        ("40,000 characters, a picture, nine tools, a schema", full, NOTHING, 1),
    ]
    lines = ["| request | plan µs | × its JSON |", "|---|---|---|"]
    for name, request, health, keys in rows:
        sources = tuple(Source(kind="env", label="env: KEYS", secret=Secret(f"key {at}")) for at in range(keys))

        def credentials(_: ProviderInfo, listed: tuple[Source, ...] = sources) -> tuple[Source, ...]:
            return listed

        def make(request: ChatRequest = request, health: View = health, ask: object = credentials) -> object:
            return plan(request, config, catalog, Moment(credentials=ask, health=health, now_ms=NOW_MS))  # type: ignore[arg-type]

        value = msgspec.to_builtins(request)
        took_us, json_us = best_us(make), best_us(lambda value=value: json.loads(json.dumps(value)))
        over = " **over**" if took_us > AIM_US else ""
        lines.append(f"| {name} | {took_us:.0f}{over} | {took_us / json_us:.1f} |")
    print("\n".join(lines))
    if "--write" in sys.argv:
        marked = re.compile(r"(<!-- plan -->\n).*?(<!-- end -->)", re.DOTALL)
        table = "\n".join(lines)
        text = marked.sub(lambda match: f"{match[1]}{table}\n{match[2]}", README.read_text(encoding="utf-8"))
        README.write_text(text, encoding="utf-8")


def best_us(work: Callable[[], object]) -> float:
    """Return how long one piece of work takes, in the best of many rounds."""
    work()
    best = float("inf")
    for _ in range(ROUNDS):
        started = process_time()
        for _ in range(TIMES):
            work()
        best = min(best, process_time() - started)
    return best / TIMES * 1e6


if __name__ == "__main__":
    main()
