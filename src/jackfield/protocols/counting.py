"""How providers count a request's tokens without answering it: one row per counter, both ways.

A counter takes a chat request of one wire, or the part of it that matters. Which server has
which counter is the catalog's to say (`ProviderInfo.counting`), never tried out.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from jackfield.errors import BadReply, ConfigError
from jackfield.message import ChatRequest, JsonObject
from jackfield.model import Compat
from jackfield.protocols import load
from jackfield.protocols.base import NATIVE, Body, as_count, decode, decode_request
from jackfield.protocols.fields import as_list, as_object, as_text

Wrap = Callable[[JsonObject, str], JsonObject]  # a chat body and the model's id → the counter's body


class Counter(Struct, frozen=True):
    """One endpoint that counts."""

    path: str  # below the version; `{model}` is the model's id
    count: str  # where its reply says the number, or lists the tokens
    fields: frozenset[str]  # what it takes of a chat body
    wrap: Wrap = lambda body, _: body
    unwrap: Callable[[JsonObject], JsonObject] = lambda body: body
    version: str | None = None  # of its path, where it is not that of chat
    is_whole: bool = True  # False: it counts the words and not what frames them


def _wrap_gemini(body: JsonObject, model: str) -> JsonObject:
    # The bare form takes the conversation alone; what else is in a request is counted only in this one.
    return {"generateContentRequest": {"model": f"models/{model.removeprefix('models/')}", **body}}


def _unwrap_gemini(body: JsonObject) -> JsonObject:
    return as_object(body.get("generateContentRequest")) or body


def _wrap_converse(body: JsonObject, _: str) -> JsonObject:
    return {"input": {"converse": body}}


def _unwrap_converse(body: JsonObject) -> JsonObject:
    return as_object(as_object(body.get("input")).get("converse"))


def _wrap_words(body: JsonObject, model: str) -> JsonObject:
    contents = [as_object(message).get("content") for message in as_list(body.get("messages"))]
    parts = [part for content in contents for part in ([content] if isinstance(content, str) else as_list(content))]
    words = [part if isinstance(part, str) else as_text(as_object(part).get("text")) for part in parts]
    return {"model": model, "text": "\n".join(filter(None, words))}


GEMINI = frozenset({"contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "cachedContent"})
# By the wire whose requests they take, after each provider's API reference ("count tokens"), read 2026-11-21.
COUNTERS: dict[str, Counter] = {
    "anthropic-messages": Counter(
        "/messages/count_tokens",
        "input_tokens",
        frozenset({"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"}),
    ),
    "openai-responses": Counter(
        "/responses/input_tokens",
        "input_tokens",
        frozenset({
            "model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "parallel_tool_calls",
            "previous_response_id", "conversation", "truncation",
        }),
    ),
    # vLLM's own, which applies the model's chat template.
    "openai-completions": Counter("/tokenize", "count", frozenset({"model", "messages", "tools"}), version=""),
    "cohere": Counter("/tokenize", "tokens", frozenset({"messages"}), _wrap_words, version="/v1", is_whole=False),
    "google-generative-ai": Counter("/models/{model}:countTokens", "totalTokens", GEMINI, _wrap_gemini, _unwrap_gemini),
    "google-vertex": Counter("/models/{model}:countTokens", "totalTokens", GEMINI),
    "bedrock-converse-stream": Counter(
        "/model/{model}/count-tokens",
        "inputTokens",
        frozenset({"messages", "system", "toolConfig", "additionalModelRequestFields"}),
        _wrap_converse,
        _unwrap_converse,
    ),
}  # fmt: skip


def find_counter(api: str) -> Counter:
    """Return the counter that takes a wire's requests; raise `ConfigError` when there is none."""
    if api not in COUNTERS:
        raise ConfigError(f"no way to count tokens is called {api!r}", hint=f"known: {', '.join(COUNTERS)}")
    return COUNTERS[api]


def render_request(request: ChatRequest, api: str, compat: Compat = NATIVE) -> JsonObject:
    """Write the body that has a chat request counted; what has no part in its size is left out."""
    counter = find_counter(api)
    body = load(api).render_request(request, compat)
    return counter.wrap({name: value for name, value in body.items() if name in counter.fields}, request.model)


def parse_request(body: Body, api: str) -> ChatRequest:
    """Read a caller's request to count; raise `InvalidRequest` naming the field that is wrong."""
    wire = decode_request(body)
    return load(api).parse_request(find_counter(api).unwrap(wire))


def render_response(tokens: int, api: str) -> JsonObject:
    """Write a count as the wire says it."""
    name = find_counter(api).count
    return {"object": "response.input_tokens", name: tokens} if api == "openai-responses" else {name: tokens}


def parse_response(body: Body, api: str) -> int:
    """Read a count; raise `BadReply` when there is none."""
    wire, name = decode(body, "count"), find_counter(api).count
    found = wire.get(name)
    tokens = len(found) if isinstance(found, list) else as_count(found)
    if tokens is None or tokens < 0:
        raise BadReply(f"the count has no {name}: its fields are {', '.join(sorted(wire)) or 'none'}")
    return tokens
