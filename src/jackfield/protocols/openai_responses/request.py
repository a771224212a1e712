"""Requests of this wire, both ways: all of the body but its items and tools.

A request that was read from this wire has a share in `opaque` even when it is empty: what it
does not say, its caller left to the server. To any other request for thoughts we add that
they come back encrypted and that nothing is kept, so that the next turn can carry them.
"""

from __future__ import annotations

from jackfield.message import ChatRequest, JsonObject, ResponseFormat, TextBlock
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, decode_request
from jackfield.protocols.fields import as_object, as_text, merge_fields, read, require, rest, said, wrong
from jackfield.protocols.openai_responses.item_renderer import render_input
from jackfield.protocols.openai_responses.items import parse_input
from jackfield.protocols.openai_responses.limits import LIMITS, least_tokens
from jackfield.protocols.openai_responses.reasoning import is_asked_to_think, parse_thinking, render_thinking
from jackfield.protocols.openai_responses.tools import parse_choice, parse_tools, render_tools
from jackfield.protocols.openai_responses.wire import ENCRYPTED, LOGPROBS, NAME, own
from jackfield.protocols.spare import spare
from jackfield.protocols.structured import with_json_word

KNOWN = frozenset((
    "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens", "temperature",
    "top_p", "top_logprobs", "service_tier", "user", "prompt_cache_key", "reasoning", "text", "include", "stream",
))  # fmt: skip
# Either of these can hold the conversation instead of `input`.
STORED = ("prompt", "previous_response_id", "conversation")


# -- value → wire ------------------------------------------------------------------


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write the body of `POST /responses`; never a null, never a field `compat` rules out."""
    return render_body(spare(request, NAME, LIMITS, compat), compat)


def render_body(request: ChatRequest, compat: Compat) -> JsonObject:
    """Write a request from which all has gone that the server does not take."""
    request = with_json_word(request, NAME)
    held = own(request.opaque)
    is_ours = NAME in (request.opaque or {})
    is_stateless = is_asked_to_think(request) and not is_ours and compat.supports_store is not True
    instructions, items = render_input(request, compat, is_stateless=is_stateless)
    body: JsonObject = {"model": request.model} if request.model else {}
    if items or "prompt" not in held:
        body["input"] = items
    body |= said({"instructions": instructions, "store": False if is_stateless else None})
    body |= _render_fields(request, compat) | render_tools(request, compat)
    if request.thinking is not None:
        body |= render_thinking(request.thinking, compat)
    if text := _render_text(request, held, compat):
        body["text"] = text
    wanted = {LOGPROBS: request.logprobs is not None, ENCRYPTED: is_stateless}
    if include := list(dict.fromkeys([*held.get("include", ()), *(name for name in wanted if wanted[name])])):
        body["include"] = include
    body |= rest(held, ("text", "include"))
    if compat.supports_store is False:
        body.pop("store", None)
    merge_fields(body, request.extras)
    return body | ({"stream": True} if request.stream else {})


def _render_fields(request: ChatRequest, compat: Compat) -> JsonObject:
    is_alone = compat.supports_top_p_with_temperature is False and request.temperature is not None
    return said(
        {
            "max_output_tokens": least_tokens(request),
            "temperature": request.temperature,
            "top_p": None if is_alone else request.top_p,
            "top_logprobs": request.logprobs or None,
            "service_tier": request.service_tier,
            # Its successor `safety_identifier` is known to few servers.
            "user": None if "safety_identifier" in own(request.opaque) else request.user,
            "prompt_cache_key": request.cache_key,
        }
    )


def _render_text(request: ChatRequest, held: JsonObject, compat: Compat) -> JsonObject:
    wanted, text = request.response_format, as_object(held.get("text"))
    if wanted is None:
        return text
    if wanted.schema is None:
        return {"format": {"type": "json_object"}, **text}
    strict = wanted.strict if compat.supports_strict_mode is not False else None
    fields = {"name": wanted.name, "schema": wanted.schema, "strict": strict, "description": wanted.description}
    return {"format": {"type": "json_schema", **said(fields)}, **text}


# -- wire → value ------------------------------------------------------------------


def parse_request(body: Body) -> ChatRequest:
    """Read a caller's request; fields this codec does not know stay for this wire."""
    wire = decode_request(body)
    instructions = read(wire, "instructions", str)
    system, messages = parse_input(_find_input(wire))
    choice, left = parse_choice(wire)
    wanted, text = _parse_text(read(wire, "text", dict) or {})
    include = [name for name in read(wire, "include", list) or [] if isinstance(name, str)]
    probable = 0 if LOGPROBS in include else None
    kept = {"include": [name for name in include if name != LOGPROBS], "text": text, **left}
    return ChatRequest(
        model=read(wire, "model", str) or "" if "prompt" in wire else require(wire, "model", str),
        messages=messages,
        system=([TextBlock(instructions)] if instructions else []) + system,
        tools=parse_tools(wire),
        tool_choice=choice,
        parallel_tools=read(wire, "parallel_tool_calls", bool),
        max_tokens=read(wire, "max_output_tokens", int),
        temperature=read(wire, "temperature", float),
        top_p=read(wire, "top_p", float),
        logprobs=read(wire, "top_logprobs", int) or probable,
        service_tier=read(wire, "service_tier", str),
        user=read(wire, "safety_identifier", str) or read(wire, "user", str),
        cache_key=read(wire, "prompt_cache_key", str),
        thinking=parse_thinking(read(wire, "reasoning", dict) or {}),
        response_format=wanted,
        stream=bool(read(wire, "stream", bool)),
        opaque={NAME: {**rest(wire, KNOWN), **{name: value for name, value in kept.items() if value}}},
    )


def _find_input(wire: JsonObject) -> object:
    if wire.get("input") is not None:
        return wire["input"]
    if any(wire.get(name) for name in STORED):
        return []
    raise wrong("input", "is required")


def _parse_text(wire: JsonObject) -> tuple[ResponseFormat | None, JsonObject]:
    """Read `text`: the format, and the rest for this wire, one of an unknown kind with it."""
    held, left = read(wire, "format", dict, "text.") or {}, rest(wire, ("format",))
    match held.get("type"):
        case None | "text":
            return None, left
        case "json_object":
            return ResponseFormat(), left
        case "json_schema":
            at = "text.format."
            schema = read(held, "schema", dict, at) or {}
            name = as_text(held.get("name")) or "answer"
            strict, description = read(held, "strict", bool, at), read(held, "description", str, at)
            return ResponseFormat(schema, name, strict, description), left
        case _:
            return None, {**left, "format": held}
