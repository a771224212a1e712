"""Requests, both ways. Model and streaming stand in the URL, so neither is in a body.

A caller may spell fields as JSON does (`generationConfig`) or as Google's messages do
(`generation_config`). Fields without a value of ours stay in the request's `opaque`.
"""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from jackfield.errors import InvalidRequest
from jackfield.message import ChatRequest, JsonObject, ResponseFormat, TextBlock
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, as_opaque, decode_request, own_fields
from jackfield.protocols.fields import as_object, merge_fields, read, require, rest, said, wrong
from jackfield.protocols.google_generative_ai.calls import CallIds
from jackfield.protocols.google_generative_ai.schema import parse_openapi, render_schema
from jackfield.protocols.google_generative_ai.thinking import parse_thinking, render_thinking
from jackfield.protocols.google_generative_ai.tools import (
    CONFIG,
    parse_choice,
    parse_tools,
    render_choice,
    render_tools,
)
from jackfield.protocols.google_generative_ai.turns import parse_contents, parse_parts, render_contents, render_system
from jackfield.protocols.google_generative_ai.wire import LIMITS, NAME, takes_levels, to_camel
from jackfield.protocols.signatures import mark
from jackfield.protocols.spare import spare
from jackfield.protocols.structured import as_instruction

MAX_STOPS = 5
NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?")
JSON = "application/json"
# Fields of ours → those of `generationConfig`, with their type.
SETTINGS: tuple[tuple[str, str, type], ...] = (
    ("max_tokens", "maxOutputTokens", int),
    ("temperature", "temperature", float),
    ("top_p", "topP", float),
    ("top_k", "topK", int),
    ("seed", "seed", int),
    ("presence_penalty", "presencePenalty", float),
    ("frequency_penalty", "frequencyPenalty", float),
)
SCHEMAS = ("responseSchema", "responseJsonSchema")
KNOWN = ("model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "serviceTier")


# -- wire to value -----------------------------------------------------------------


def parse_request(body: Body) -> ChatRequest:
    """Read a caller's request; raise `InvalidRequest` naming the field that is wrong."""
    try:
        return _parse(to_camel(decode_request(body)))
    except RecursionError as error:
        raise InvalidRequest("the request is nested too deep", status=400) from error


def _parse(wire: JsonObject) -> ChatRequest:
    config, own = read(wire, "generationConfig", dict) or {}, rest(wire, KNOWN)
    tool_config = read(wire, "toolConfig", dict) or {}
    calling = read(tool_config, CONFIG, dict, "toolConfig.") or {}
    wanted, left = _parse_format(config)
    request = ChatRequest(
        model=(read(wire, "model", str) or "").removeprefix("models/"),
        messages=mark(parse_contents(require(wire, "contents", list)), NAME),
        system=_parse_system(wire),
        tools=list(parse_tools(read(wire, "tools", list) or [])),
        tool_choice=parse_choice(calling),
        **{ours: _parse_number(config, name, kind) for ours, name, kind in SETTINGS},
        stop=_parse_stop(config),
        logprobs=_parse_logprobs(config),
        service_tier=read(wire, "serviceTier", str),
        thinking=parse_thinking(read(config, "thinkingConfig", dict, "generationConfig.") or {}),
        response_format=wanted,
    )
    if left:
        own["generationConfig"] = left
    if said(calling) != render_choice(request):
        own["toolConfig"] = said(tool_config)
    elif more := rest(tool_config, (CONFIG,)):
        own["toolConfig"] = more
    return replace(request, opaque=as_opaque(own, NAME))


def _parse_number(config: JsonObject, name: str, kind: type) -> Any:
    value = config.get(name)
    # The JSON of Google's messages takes a number as text, and a whole one with a point.
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, float) and kind is int and value.is_integer():
        value = int(value)
    return read({name: value}, name, kind, "generationConfig.")


def _parse_system(wire: JsonObject) -> list[TextBlock]:
    held = wire.get("systemInstruction")
    if isinstance(held, str):
        return [TextBlock(held)] if held else []
    blocks = parse_parts(read(wire, "systemInstruction", dict) or {}, "systemInstruction.", CallIds())
    if not all(isinstance(block, TextBlock) for block in blocks):
        raise wrong("systemInstruction", "takes text only")
    return [block for block in blocks if isinstance(block, TextBlock)]


def _parse_stop(config: JsonObject) -> list[str]:
    stop = read(config, "stopSequences", list, "generationConfig.") or []
    if not all(isinstance(text, str) for text in stop):
        raise wrong("generationConfig.stopSequences", "must be a list of strings")
    return stop


def _parse_logprobs(config: JsonObject) -> int | None:
    is_wanted = read(config, "responseLogprobs", bool, "generationConfig.")
    return (read(config, "logprobs", int, "generationConfig.") or 0) if is_wanted else None


def _parse_format(config: JsonObject) -> tuple[ResponseFormat | None, JsonObject]:
    """Return the wanted format, and the fields of `generationConfig` that no value of ours names."""
    known = {name for _, name, _ in SETTINGS} | {"stopSequences", "responseLogprobs", "thinkingConfig"}
    known |= {"logprobs"} if config.get("responseLogprobs") else set()
    mime = read(config, "responseMimeType", str, "generationConfig.")
    left = rest(config, known)
    if mime != JSON:
        return None, left
    openapi = read(config, "responseSchema", dict, "generationConfig.")
    schema = read(config, "responseJsonSchema", dict, "generationConfig.") or parse_openapi(openapi)
    wanted = ResponseFormat(schema)
    fields = {"responseMimeType", *SCHEMAS}
    if _render_format(wanted, NATIVE) == {name: value for name, value in left.items() if name in fields}:
        return wanted, rest(left, fields)
    return wanted, left


# -- value to wire -----------------------------------------------------------------


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write a request's body; what only other wires understand is left out."""
    request = spare(request, NAME, LIMITS, compat)
    if is_json_refused(request, compat):
        request = as_instruction(request)
    own = dict(own_fields(request.opaque, NAME))
    config = _render_config(request, compat, as_object(own.pop("generationConfig", None)))
    body: JsonObject = {"contents": render_contents(request.messages, compat), **render_system(request.system)}
    if tools := render_tools(request.tools, compat):
        body["tools"] = tools
    if calling := render_choice(request):
        body["toolConfig"] = {CONFIG: calling}
    if config:
        body["generationConfig"] = config
    if request.service_tier is not None:
        body["serviceTier"] = request.service_tier
    merge_fields(body, own)
    merge_fields(body, request.extras)
    return body


def is_json_refused(request: ChatRequest, compat: Compat) -> bool:
    """Tell a format that cannot be enforced: Gemini 2.5 takes none beside tools.

    The API says "Function calling with a response mime type: 'application/json' is unsupported"
    (github.com/googleapis/python-genai/issues/867, read 2026-11-21); from 3 on both go together.
    """
    return request.response_format is not None and bool(request.tools) and not takes_levels(compat)


def _render_config(request: ChatRequest, compat: Compat, own: JsonObject) -> JsonObject:
    config = said({name: getattr(request, ours) for ours, name, _ in SETTINGS})
    if request.stop:
        config["stopSequences"] = list(request.stop[:MAX_STOPS])
    if request.logprobs is not None:
        config |= {"responseLogprobs": True, **({"logprobs": request.logprobs} if request.logprobs else {})}
    if thinking := render_thinking(request.thinking, request.max_tokens, compat):
        config["thinkingConfig"] = thinking
    # A format that came on this wire is here in its own spelling.
    if request.response_format and "responseMimeType" not in own:
        config |= _render_format(request.response_format, compat)
    elif not request.response_format:
        own = rest(own, SCHEMAS if own.get("responseMimeType") == JSON else ())
    return {**config, **own}


def _render_format(wanted: ResponseFormat, compat: Compat) -> dict[str, Any]:
    schema = {} if wanted.schema is None else render_schema(wanted.schema, compat, "response")
    return {"responseMimeType": JSON, **schema}
