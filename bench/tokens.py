"""Measure the token estimate against what providers counted.

    python bench/tokens.py RECORDINGS

RECORDINGS holds `<wire>/<provider>/<case>/request.json` and `expect.json` (a recorded request and,
under `usage`, its provider's own count). Requests with files or the provider's own tools, and
replies without a count, are left out. Prints the median and 90th percentile of the relative
error of the input, without and with tools, and of the output where all of it is plain text.
Requests of which more tokens were counted than one for two bytes sent are a row of their own:
there the server added words that nobody outside can see.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from jackfield.errors import Error
from jackfield.message import ChatRequest, TextBlock, ThinkingBlock, ToolCall, ToolResult
from jackfield.protocols import PACKAGES, load
from jackfield.protocols.estimate import estimate_input, estimate_text

# Folder of recordings → the protocol that reads them, where the names differ.
API_OF = {"mistral": "openai-completions", "bedrock-converse": "bedrock-converse-stream", "ollama-native": "ollama"}
# Where wires count the whole input: the fields are added up.
INPUT = (
    ("prompt_tokens",),
    ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    ("promptTokenCount",),
    ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),
    ("prompt_eval_count",),
)
OUTPUT = ("completion_tokens", "output_tokens", "candidatesTokenCount", "outputTokens", "eval_count")
HIDDEN = "input, words added"
# Wires whose own share of tools is known and part of the estimate.
ADDS_TOO = frozenset({"anthropic-messages", "bedrock-converse-stream"})
WORDS = (TextBlock, ThinkingBlock, ToolCall, ToolResult)


def main(recordings: Path) -> None:
    found: dict[str, list[float]] = {"input": [], "input with tools": [], "output": [], HIDDEN: []}
    for path in sorted(recordings.glob("*/*/*/expect.json")):
        api = API_OF.get(path.parts[-4], path.parts[-4])
        if api in PACKAGES:
            measure(path, api, found)
    for name, errors in found.items():
        if len(errors) > 1:
            middle, high = median(errors), quantiles(errors, n=10)[-1]
            print(f"{name:18} {len(errors):4} cases   median {middle:4.0%}   90th percentile {high:4.0%}")


def measure(path: Path, api: str, found: dict[str, list[float]]) -> None:
    expect = json.loads(path.read_text(encoding="utf-8"))
    usage = expect.get("usage") or {}
    if (whole := count_input(usage)) and (request := parse(path.with_name("request.json"), api)):
        is_more = whole > path.with_name("request.json").stat().st_size / 2
        kind = HIDDEN if is_more and api not in ADDS_TOO else "input with tools" if request.tools else "input"
        found[kind].append(abs(estimate_input(request, api) / whole - 1))
    written = next((usage[name] for name in OUTPUT if usage.get(name)), 0)
    text, hidden = expect.get("text"), expect.get("tool_calls") or expect.get("reasoning") or thinks(usage)
    if text and written > 15 and not hidden:
        found["output"].append(abs(estimate_text(text) / written - 1))


def count_input(usage: dict[str, Any]) -> int:
    names = next((names for names in INPUT if isinstance(usage.get(names[0]), int)), ())
    fields = names if names != INPUT[1] or "input_tokens_details" not in usage else names[:1]
    return sum(usage.get(name) or 0 for name in fields)


def thinks(usage: dict[str, Any]) -> bool:
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or usage
    return bool(details.get("reasoning_tokens") or details.get("thoughtsTokenCount") or usage.get("reasoning_tokens"))


def parse(path: Path, api: str) -> ChatRequest | None:
    """Return a recorded request of words and functions alone; `None` when it is none, or holds more."""
    if not path.is_file():
        return None
    try:
        request = load(api).parse_request(path.read_bytes())
    except Error:
        return None
    blocks = [block for message in request.messages for block in message.content]
    blocks += [inner for block in blocks if isinstance(block, ToolResult) for inner in block.content]
    plain = all(isinstance(block, WORDS) for block in blocks) and all(tool.parameters for tool in request.tools)
    return request if plain else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
