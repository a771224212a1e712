"""The README's two pictures: drawn from the real page, rewritten with WRITE_README=1, and small enough to be shown."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from jackfield.ledger.database import sqlite_url
from jackfield.ledger.writer import Ledger
from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.commands import write_config
from tests.gateway.command import gateway_process
from tests.ledger.rows import row
from tests.page.conftest import IMAGES, PageOf
from tests.page.playing import ask

LARGEST = 150_000
DAY_MS = 86_400_000
QUESTION = "How do I read the first ten lines of a large file?"
SMALL = """Use `head`:

```sh
head -n 10 large.log
```

It stops after ten lines, however long the file is."""
LARGE = """In a shell, `head -n 10 large.log`. In Python, without reading the rest:

```python
from itertools import islice

with open("large.log", encoding="utf-8") as file:
    for line in islice(file, 10):
        print(line, end="")
```

Both stop after the tenth line."""
# Model, tokens in, dollars a call, how often a day.
USED = [
    ("anthropic/claude-opus-4-5", 5200, "0.061", 5),
    ("openai/gpt-5.2", 3400, "0.024", 7),
    ("google/gemini-3-pro", 4100, "0.017", 4),
    ("venice/llama-3.3-70b", 2600, "0.003", 9),
]


def test_the_playground_with_two_models_side_by_side(page_of: PageOf, shot: Callable[..., None]) -> None:
    usage = {"input": 31, "output": 64}
    script = Script([
        {"when": {"model": "small"}, "text": SMALL, "perTokenS": 0.01, "usage": usage, "repeat": True},
        {"when": {"model": "large"}, "text": LARGE, "thinking": "Two ways come to mind: the shell's, and Python's.", "perTokenS": 0.015, "usage": usage, "repeat": True},
    ])  # fmt: skip
    with open_server(script) as url:
        rows = [
            {"id": "small", "cost": {"input": 0.2, "output": 0.6}},
            {"id": "large", "reasoning": True, "cost": {"input": 3, "output": 15}},
        ]
        entry = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": "sk-up-0123456789", "models": rows}
        write_config(json.dumps({"models": {"providers": {"lab": entry}}}))
        with gateway_process() as process:
            page = page_of(process, "playground", height=860)
            page.get_by_role("combobox", name="Model", exact=True).fill("lab/small")
            page.keyboard.press("Enter")
            page.get_by_label("Side by side").check()
            page.get_by_role("combobox", name="Second model").fill("lab/large")
            page.keyboard.press("Enter")
            ask(page, QUESTION)
            expect(page.get_by_role("button", name="Regenerate")).to_have_count(2)
            shot(page, "page-playground", readme=True)


def test_two_months_of_use(home: Path, page_of: PageOf, shot: Callable[..., None]) -> None:
    (home / ".jackfield").mkdir()
    note_use(home / ".jackfield" / "state.sqlite", time.time_ns() // 1_000_000)
    with gateway_process() as process:
        page = page_of(process, "usage?days=30", height=860, theme="dark")
        expect(page.locator(".chart canvas").first).to_be_visible()
        expect(page.get_by_text("anthropic/claude-opus-4-5").first).to_be_visible()
        shot(page, "page-usage", readme=True)


def note_use(file: Path, now_ms: int) -> None:
    """Write two months of calls, fewer at weekends, as a gateway does."""
    ledger = Ledger.open(sqlite_url(file))
    for day in range(60):
        for at, (model, tokens, usd, often) in enumerate(USED):
            for number in range(max(1, often + (day * 3 + at * 7 + day // 6) % 6 - day // 10 - 4 * (day % 7 > 4))):
                fails = (day + number) % 19 == 0
                ledger.note(row(
                    at_ms=now_ms - day * DAY_MS - number * 2_400_000, served=model, provider=model.partition("/")[0],
                    key_id="k", key_name="team", input=tokens, output=tokens // 8, cache_read=tokens // 2,
                    cost_nanos=0 if fails else int(float(usd) * 1e9), total_ms=2100 + 350 * at + 90 * number,
                    first_ms=310 + 45 * at, outcome="rate_limit" if fails else "ok",
                ))  # fmt: skip
    assert ledger.close(10) == 0


@pytest.mark.skipif("WRITE_README" in os.environ, reason="they are being written")
@pytest.mark.parametrize("name", ["page-playground", "page-usage"])
def test_a_picture_is_there_and_small(name: str) -> None:
    picture = (IMAGES / f"{name}.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) <= LARGEST
