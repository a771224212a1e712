"""No built-in provider is sent what it refuses: the strictest server of its wire accepts every feature's example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from jackfield.catalog import defaults
from jackfield.catalog.load import Catalog
from jackfield.config.paths import Paths
from jackfield.config.schema import Config
from jackfield.credential import RequestAuth, Secret
from jackfield.message import ChatRequest
from jackfield.model import Compat, Model, ProviderInfo
from jackfield.providers.provider import find_losses, render
from tests.protocols.examples import EXAMPLES
from tests.protocols.strict import find_problems
from tests.protocols.test_conformance import CONVERSATION

NOWHERE = Paths(home=Path(), config=Path(), auth=Path(), cache=Path(), dotenv=Path())
CATALOG = Catalog(
    Config(paths=NOWHERE, environ={"NEON_AI_GATEWAY_BASE_URL": "https://example.com", "AZURE_RESOURCE_NAME": "here"})
)
AUTH = RequestAuth(secret=Secret("sk-1234567890"), source="env: X_API_KEY")
# What a provider of OpenAI's wire refuses of it: its own page says so.
REFUSED = {
    "groq": {"logprobs", "top_logprobs", "logit_bias", "top_k", "prompt_cache_key"},  # console.groq.com/docs/openai
    "azure-openai": {"top_k"},  # `Unrecognized request argument supplied`
    "xai": {"presence_penalty", "frequency_penalty", "stop"},  # docs.x.ai, reasoning
    "cerebras": {
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
        "service_tier",
    },  # hexdocs.pm/req_llm/cerebras.html
}
ONLY_REASONING = {"xai"}  # whose models that do not reason take all of it
# What servers of OpenAI's wire have beyond OpenAI, where their row declares it.
DIALECTS: dict[str | None, set[str]] = {
    "zai": {"thinking"},
    "qwen": {"enable_thinking", "thinking_budget"},
    "qwen-chat-template": {"chat_template_kwargs"},
    "openrouter": {"reasoning"},
    "together": {"reasoning"},
}
ECHOES = ("reasoning_content", "reasoning", "reasoning_text", "reasoning_details")


def body_of(info: ProviderInfo, model: Model, request: ChatRequest) -> dict[str, Any]:
    """Return the body that asks a provider's model."""
    body: dict[str, Any] = json.decode(render(request, info, model, AUTH).body)
    return body


def picked(info: ProviderInfo) -> list[Model]:
    """Return the model a provider starts with, one that thinks and one that sees."""
    rows = list(CATALOG.models(info.id)) or [Model(id="any")]
    first = next((row for row in rows if row.id == info.default_model), rows[0])
    thinks = next((row for row in rows if row.reasoning is True), first)
    sees = next((row for row in rows if row.input and "image" in row.input), first)
    return list({row.id: row for row in (first, thinks, sees)}.values())


def problems(info: ProviderInfo, model: Model, request: ChatRequest) -> Iterator[str]:
    """Yield what the provider's server would refuse of our request."""
    api, compat, body = defaults.api(model, info), defaults.compat(model, info), body_of(info, model, request)
    refused = REFUSED.get(info.id, set()) if model.reasoning or info.id not in ONLY_REASONING else set()
    yield from (f"{name}: refused" for name in refused & body.keys())
    known = frozenset(
        {*({"top_k"} if api == "openai-completions" else ()), *DIALECTS.get(compat.thinking_format, set())}
    )
    judge = "mistral" if info.id == "mistral" else api
    yield from find_problems(judge, _declared(body, compat) if api == "openai-completions" else body, known)


def _declared(value: Any, compat: Compat) -> Any:
    """Return a body without what the row declares its server to take beyond OpenAI."""
    if isinstance(value, list):
        return [_declared(part, compat) for part in value if not _is_film(part)]
    if not isinstance(value, dict):
        return value
    echoes = compat.reasoning_field not in (None, "none") or compat.requires_reasoning_content_on_assistant_messages
    gone = {*(ECHOES if echoes and value.get("role") == "assistant" else ())}
    gone |= {"cache_control"} if compat.supports_cache_control else set()
    return {name: _declared(part, compat) for name, part in value.items() if name not in gone}


def _is_film(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "video_url"


# One without an address is the user's own to fill in.
PROVIDERS = [name for name in CATALOG.provider_ids() if (row := CATALOG.provider(name)) and row.base_url]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_strict_server_accepts_every_feature_as_a_provider_is_sent_it(provider: str) -> None:
    info = CATALOG.provider(provider)
    assert info
    requests = {name: example.request for name, example in EXAMPLES.items()} | {"a conversation": CONVERSATION}
    wrong = [
        f"{model.id}: {name}: {problem}"
        for model in picked(info)
        for name, request in requests.items()
        for problem in problems(info, model, request)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("provider", "feature"),
    [("groq", "logprobs"), ("azure-openai", "top_k"), ("xai", "frequency_penalty"), ("cerebras", "frequency_penalty")],
)
def test_what_a_server_refuses_is_named(provider: str, feature: str) -> None:
    info = CATALOG.provider(provider)
    assert info
    losses = find_losses(EXAMPLES[feature].request, info, picked(info)[0])
    assert f"{feature}: left out: the server refuses it" in losses


def test_only_models_that_reason_are_spared_what_reasoning_rules_out() -> None:
    info = CATALOG.provider("xai")
    assert info
    rows = list(CATALOG.models("xai"))
    assert {bool(row.reasoning) for row in rows} == {True, False}
    for row in rows:
        request = ChatRequest(model=row.id, messages=CONVERSATION.messages, stop=["END"], presence_penalty=0.5)
        sent = {"stop", "presence_penalty"} & set(body_of(info, row, request))
        assert sent == (set() if row.reasoning else {"stop", "presence_penalty"}), row.id


HI = [{"role": "user", "content": "Hi"}]
CONTENTS = [{"role": "user", "parts": [{"text": "Hi"}]}]
CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ASKED = [{"role": "user", "content": [{"text": "Hi"}]}]
TOOL_USE = {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a", "name": "f", "input": {}}}]}
# What a strict server takes, and in each list, what it does not of that.
GOOD: dict[str, dict[str, Any]] = {
    "anthropic-messages": {"model": "m", "max_tokens": 1, "messages": HI},
    "bedrock-converse-stream": {"messages": ASKED},
    "cohere": {"model": "m", "messages": HI},
    "google-gemini-cli": {"model": "m", "request": {"contents": CONTENTS}},
    "google-generative-ai": {"contents": CONTENTS},
    "mistral": {"model": "m", "messages": HI},
    "ollama": {"model": "m", "messages": HI},
    "openai-completions": {"model": "m", "messages": HI},
    "openai-responses": {"model": "m", "input": "Hi"},
}
BAD: dict[str, list[dict[str, Any]]] = {
    "anthropic-messages": [
        {"messages": [{"role": "assistant", "content": "Hi"}]},
        {"seed": 1},
        {"max_tokens": True},
    ],
    "bedrock-converse-stream": [
        {"messages": [{"role": "user", "content": [{"words": "Hi"}]}]},
        {"messages": [*ASKED, TOOL_USE]},
    ],
    "cohere": [
        {"top_k": 1},
        {"messages": [{"role": "robot", "content": "Hi"}]},
        {"messages": [{"role": "user", "content": [{"type": "robot"}]}]},
        {"messages": [{"role": "user", "content": "Hi", "name": "Bo"}]},
        {"messages": [*HI, {"role": "assistant", "tool_calls": [CALL]}]},
        {"messages": [*HI, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {}}}]},
                      {"role": "tool", "tool_call_id": "a", "content": "x"}]},
        {"messages": [*HI, {"role": "assistant", "content": "See", "tool_calls": [CALL]},
                      {"role": "tool", "tool_call_id": "a", "content": "x"}]},
    ],
    "google-gemini-cli": [
        {"of_tomorrow": 1},
        {"request": {"contents": CONTENTS, "model": "m"}},
    ],
    "google-generative-ai": [
        {"contents": [{"role": "user", "parts": [{"text": "Hi", "of_tomorrow": 1}]}]},
        {"safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "limit": "none"}]},
    ],
    "mistral": [
        {"messages": [{"role": "user", "content": [{"type": "robot"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", "of_tomorrow": 1}]}]},
        {"messages": [{"role": "user", "content": 3}]},
        {"messages": [*HI, {"role": "assistant", "content": "", "tool_calls": [CALL]},
                      {"role": "tool", "tool_call_id": "a", "content": "x"}]},
    ],
    "ollama": [
        {"seed": 1},
        {"messages": [{"role": "robot", "content": "Hi"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
        {"messages": [*HI, {"role": "assistant", "content": "", "tool_calls": [CALL]},
                      {"role": "tool", "tool_call_id": "a", "content": "x"}]},
        {"messages": [{"role": "tool", "tool_call_id": "a", "content": "x"}]},
    ],
    "openai-completions": [
        {"of_tomorrow": 1},
        {"user": None},
        {"max_tokens": True},
        {"messages": [{"role": "robot", "content": "Hi"}]},
        {"messages": [{"role": "tool", "content": "Hi", "tool_call_id": "a"}]},
        {"messages": [*HI, {"role": "assistant", "tool_calls": [CALL]}]},
    ],
    "openai-responses": [{"input": [{"type": "function_call_output", "call_id": "a", "output": "x"}]}],
}  # fmt: skip


@pytest.mark.parametrize(("api", "wrong"), [(api, wrong) for api, rows in BAD.items() for wrong in rows])
def test_the_judge_itself_refuses_what_it_must(api: str, wrong: dict[str, Any]) -> None:
    assert not find_problems(api, GOOD[api])
    assert find_problems(api, {**GOOD[api], **wrong})
