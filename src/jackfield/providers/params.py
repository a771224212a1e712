"""The `params` bag of a provider or a model: defaults for request fields, in the spellings configs use."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from jackfield.errors import ConfigError
from jackfield.message import EFFORTS, ChatRequest, JsonObject, Thinking

# Spelling in a bag → field of the request. A field that the call sets beats the bag.
FIELDS: dict[str, str] = {
    "temperature": "temperature",
    "topP": "top_p", "top_p": "top_p",
    "maxTokens": "max_tokens", "max_tokens": "max_tokens",
    "topK": "top_k", "top_k": "top_k",
    "presencePenalty": "presence_penalty", "presence_penalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty", "frequency_penalty": "frequency_penalty",
    "serviceTier": "service_tier", "service_tier": "service_tier",
    "user": "user",
    "stop": "stop",
    "seed": "seed",
    "parallelToolCalls": "parallel_tools", "parallel_tool_calls": "parallel_tools",
}  # fmt: skip
# Spelling in a bag → the wire's own, for fields that are passed on unread.
RENAMED: dict[str, str] = {"numCtx": "num_ctx", "keepAlive": "keep_alive"}
BODIES = ("extra_body", "extraBody")  # their content belongs to the body's top level
# Settings of other programs that share the config; no server knows them.
NOT_FOR_THE_WIRE = frozenset({"transport", "cacheControlTtl", "cacheRetention", "context1m", "stream", "alias"})


def apply_params(request: ChatRequest, params: JsonObject) -> ChatRequest:
    """Return the request with a bag's defaults; raise `ConfigError` for a value of the wrong type."""
    if not params:
        return request
    fields: dict[str, object] = {}
    extras: JsonObject = {}
    for name, value in params.items():
        if name in FIELDS:
            fields[FIELDS[name]] = [value] if name == "stop" and isinstance(value, str) else value
        elif name == "thinking" and value in EFFORTS:
            fields["thinking"] = Thinking(effort=value)
        elif name in BODIES and isinstance(value, dict):
            extras |= value
        elif name not in NOT_FOR_THE_WIRE:
            extras[RENAMED.get(name, name)] = value
    said = {name: value for name, value in fields.items() if getattr(request, name) in (None, ())}
    stream = request.stream and params.get("stream") is not False
    return replace(request, **_checked(said), stream=stream, extras={**extras, **request.extras})


def _checked(fields: dict[str, object]) -> dict[str, object]:
    try:
        checked = msgspec.convert({"model": "", **fields}, ChatRequest)
    except msgspec.ValidationError as error:
        raise ConfigError(f"params of the config do not fit: {error}") from error
    return {name: getattr(checked, name) for name in fields}
