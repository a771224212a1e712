"""What a provider's server refuses (each an HTTP 400 of it), and that no request of ours holds it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jackfield.catalog.load import Catalog
from jackfield.config.paths import Paths
from jackfield.config.schema import Config, ProviderConfig
from jackfield.credential import RequestAuth
from jackfield.message import (
    ChatRequest,
    Message,
    ResponseFormat,
    TextBlock,
    Thinking,
    ThinkingBlock,
    ToolCall,
    ToolResult,
)
from jackfield.providers.provider import render

NOWHERE = Paths(home=Path(), config=Path(), auth=Path(), cache=Path(), dotenv=Path())
CATALOG = Catalog(Config(paths=NOWHERE, environ={}))
# Whoever chooses OpenAI's older wire is spared the same.
OLDER = Catalog(
    Config(paths=NOWHERE, environ={}, providers={"openai": ProviderConfig(id="openai", api="openai-completions")})
)
TOOL_USED = (
    Message.user("look"),
    Message.assistant(ThinkingBlock("Hm.", opaque={"openai-completions": {"field": "x"}}), ToolCall("c", "look", "{}")),
    Message.user(ToolResult("c", [TextBlock("seen")]), "and?"),
)


def body(ref: str, catalog: Catalog = CATALOG, **fields: Any) -> dict[str, Any]:
    provider, _, model = ref.partition("/")
    info = catalog.provider(provider)
    assert info
    asked = ChatRequest(model=ref, **{"messages": [Message.user("Hi")], **fields})
    sent = render(asked, info, catalog.model(provider, model), RequestAuth(secret=None, source="none"))
    return dict(json.loads(sent.body))


@pytest.mark.parametrize("ref", ["openai/gpt-5.2", "openai/o3", "openai/o3-mini-high", "openai/o1-mini"])
def test_openai_takes_no_stop_sequences_where_it_reasons(ref: str) -> None:
    assert "stop" not in body(ref, stop=["END"])
    assert "stop" not in body(ref, OLDER, stop=["END"])
    assert body("openai/gpt-4o", OLDER, stop=["END"])["stop"] == ["END"]


@pytest.mark.parametrize(("effort", "nearest"), [("minimal", "low"), ("xhigh", "high")])
def test_a_level_a_server_does_not_know_becomes_the_nearest(effort: Any, nearest: str) -> None:
    for ref in ("openai/o3-mini-high", "openai/o3-mini", "ollama/qwen3"):
        assert body(ref, OLDER, thinking=Thinking(effort))["reasoning_effort"] == nearest
    assert body("openai/o3-mini", thinking=Thinking(effort))["reasoning"]["effort"] == nearest


def test_openai_gets_no_thoughts_of_others() -> None:
    assert body("openai/gpt-5.2", OLDER, messages=TOOL_USED)["messages"][1].keys() == {"role", "tool_calls"}
    assert "reasoning" not in {item.get("type") for item in body("openai/gpt-5.2", messages=TOOL_USED)["input"]}


@pytest.mark.parametrize("ref", ["kimi-code/kimi-for-coding", "moonshot/kimi-k2.5", "deepseek/deepseek-chat"])
def test_a_past_tool_call_carries_thoughts_where_they_are_asked_for(ref: str) -> None:
    unthought = (TOOL_USED[0], Message.assistant(ToolCall("c", "look", "{}")), TOOL_USED[2])

    assert body(ref, messages=unthought)["messages"][1]["reasoning_content"] == ""


def test_mistral_hears_the_model_between_a_tool_and_the_user() -> None:
    roles = [turn["role"] for turn in body("mistral/mistral-large-latest", messages=TOOL_USED)["messages"]]

    assert roles == ["user", "assistant", "tool", "assistant", "user"]


def test_newer_claudes_take_one_of_temperature_and_top_p() -> None:
    for ref in ("anthropic/claude-opus-4-5", "anthropic/claude-sonnet-4-5", "anthropic/claude-haiku-4-5"):
        assert "top_p" not in body(ref, temperature=0.5, top_p=0.9)
    assert body("anthropic/claude-sonnet-4-0", temperature=0.5, top_p=0.9)["top_p"] == 0.9


def test_older_claudes_are_spared_a_schema_they_do_not_know() -> None:
    wanted = ResponseFormat({"type": "object", "properties": {}})

    assert "output_config" not in body("anthropic/claude-sonnet-4-0", response_format=wanted)
    assert "output_config" in body("anthropic/claude-sonnet-4-5", response_format=wanted)
