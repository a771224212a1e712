"""The playground in a browser: a gateway before scripted providers, and what a person does there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator, Page

from jackfield.scripted.script import Script
from jackfield.scripted.server import open_server
from tests.commands import write_config
from tests.gateway.command import Process, gateway_process
from tests.servers import Received, Reply, Server, json_reply, serve

ROWS = [
    {"id": "m", "cost": {"input": 1, "output": 2}, "contextWindow": 128_000, "reasoning": True, "input": ["text", "image"]},
    {"id": "spare"},
    {"id": "other-7b"},
]  # fmt: skip


def write(url: str, rows: Any = ROWS, *, primary: str = "box/m") -> None:
    """Write a config with a provider named box, and a default model unless that is empty."""
    entry = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": "sk-up-0123456789", "models": rows}
    models = {"providers": {"box": entry}}
    agents = {"defaults": {"model": {"primary": primary}}} if primary else {}
    write_config(json.dumps({"agents": agents, "models": models}))


@contextmanager
def scripted(*replies: str | Mapping[str, Any], args: tuple[str, ...] = ()) -> Iterator[tuple[Process, Script]]:
    """Run a gateway before a scripted provider."""
    script = Script(replies)
    with open_server(script) as url:
        write(url)
        with gateway_process(*args) as process:
            yield process, script


@contextmanager
def served(reply: Callable[[Received], Reply]) -> Iterator[tuple[Process, Server]]:
    """Run a gateway before a provider that answers chats by a function; other views ask it for its models."""
    with serve(lambda received: reply(received) if received.method == "POST" else json_reply({"data": []})) as server:
        write(server.url)
        with gateway_process() as process:
            yield process, server


def piece(text: str) -> dict[str, Any]:
    """Return some words of a stream."""
    return {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {"content": text}}]}


END = {"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def question(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Question")


def ask(page: Page, text: str) -> None:
    """Write a question and send it, as a person at the keyboard does."""
    question(page).click()
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")


def answer(page: Page, number: int = -1) -> Locator:
    """Return an answer as it stands in the conversation."""
    found = page.locator(".answer")
    return found.last if number < 0 else found.nth(number)


def figures(found: Locator) -> dict[str, str]:
    """Return the figures of an answer by their names."""
    rows = found.get_by_label("Figures").locator("div").all()
    return {row.locator("dt").inner_text(): row.locator("dd").inner_text() for row in rows}
