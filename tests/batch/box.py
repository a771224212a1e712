"""A provider that answers with what it was told, row by row, and the files of a batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.servers import Received, Reply, json_reply

CONFIG_COST = {"input": 1, "output": 1, "cacheRead": 0, "cacheWrite": 0}  # dollars per million tokens


def completion(text: str, tokens: int = 10) -> dict[str, Any]:
    """Return a whole reply of OpenAI's that says `text`."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens},
    }


def prompt_of(received: Received) -> str:
    """Return what a request's user said."""
    text = received.json()["messages"][-1]["content"]
    assert isinstance(text, str)
    return text


def echo(received: Received) -> Reply:
    """Say the prompt again."""
    return json_reply(completion(prompt_of(received)))


def refusing(words: str, status: int = 400, answer: Callable[[Received], Reply] = echo) -> Callable[[Received], Reply]:
    """Return a provider that refuses prompts with these words."""

    def reply(received: Received) -> Reply:
        if words in prompt_of(received):
            return json_reply({"error": {"message": f"no {words}", "type": "invalid_request_error"}}, status)
        return answer(received)

    return reply


def write_rows(path: Path, rows: Iterable[Any]) -> Path:
    """Write rows as lines; text goes as it is."""
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def prompts(count: int) -> list[dict[str, Any]]:
    """Return simple rows, each with words of its own."""
    return [{"id": f"row-{number}", "prompt": f"say {number}"} for number in range(count)]


def read_rows(path: Path) -> list[Any]:
    """Return the lines of an output."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
