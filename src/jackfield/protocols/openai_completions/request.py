"""Chat requests of this wire, both ways: all of the body but its messages and the level of thinking."""

from __future__ import annotations

import re
from typing import Literal, TypeVar

from jackfield.errors import BadReply, InvalidRequest
from jackfield.message import ChatRequest, JsonObject, ResponseFormat, Tool, ToolChoice
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, decode
from jackfield.protocols.fields import as_list, as_object, as_text, rest, said, wrong
from jackfield.protocols.openai_completions.fields import keep, own
from jackfield.protocols.openai_completions.message_parser import parse_messages
from jackfield.protocols.openai_completions.message_renderer import render_messages
from jackfield.protocols.openai_completions.thinking import parse_thinking, render_thinking
from jackfield.protocols.schema import strip_keywords

KNOWN = frozenset((
    "model", "messages", "tools", "functions", "tool_choice", "function_call", "parallel_tool_calls", "max_tokens",
    "max_completion_tokens", "temperature", "top_p", "stop", "seed", "reasoning_effort", "reasoning", "response_format",
    "stream", "stream_options",
))  # fmt: skip
CHOICES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto", "none": "none", "required": "required", "any": "required",  # `any` is Mistral's word
}  # fmt: skip
# Fields of other wires that no server of this one takes.
FOREIGN = frozenset({
    "anthropic_beta", "anthropic_version", "container", "context_management", "generationConfig", "inference_geo",
    "mcp_servers", "output_config", "previous_response_id", "safetySettings", "stop_sequences",
})  # fmt: skip
ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")  # in a schema's name, which is a label and no more
NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}
Number = TypeVar("Number", int, float)


# -- value → wire ------------------------------------------------------------------


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write the body of `POST /chat/completions`; never a null, never a field `compat` rules out."""
    body: JsonObject = {"model": request.model, "messages": render_messages(request, compat)}
    body.update(_render_tools(request, compat))
    body.update(_render_sampling(request, compat))
    if request.thinking is not None:
        body.update(render_thinking(request.thinking, compat))
    if request.response_format is not None:
        body["response_format"] = _render_format(request.response_format, compat)
    body.update(rest(request.extras, {"stream_options", *foreign_fields(request.extras), *_refused(compat)}))
    if request.stream:
        body["stream"] = True
        options = {"include_usage": True} if compat.supports_usage_in_streaming is not False else {}
        if options := {**options, **as_object(request.extras.get("stream_options"))}:
            body["stream_options"] = options
    return body


def foreign_fields(extras: JsonObject) -> set[str]:
    """Return the fields that only other wires understand."""
    # Anthropic's `metadata` holds nothing but a user; OpenAI refuses any without `store`.
    is_claudes = as_object(extras.get("metadata")).keys() == {"user_id"}
    return {*(FOREIGN & extras.keys()), *(("metadata",) if is_claudes else ())}


def _refused(compat: Compat) -> list[str]:
    switches = {"store": compat.supports_store, "prompt_cache_key": compat.supports_prompt_cache_key}
    return [name for name, supported in switches.items() if supported is False]


def _render_sampling(request: ChatRequest, compat: Compat) -> JsonObject:
    tempered = compat.supports_temperature is not False
    return said(
        {
            compat.max_tokens_field or "max_tokens": request.max_tokens,
            "temperature": request.temperature if tempered else None,
            "top_p": request.top_p if tempered else None,
            "stop": (list(request.stop) or None) if compat.supports_stop is not False else None,
            "seed": request.seed,
        }
    )


def _render_tools(request: ChatRequest, compat: Compat) -> JsonObject:
    tools = [wire for tool in request.tools if (wire := _render_tool(tool, compat)) is not None]
    if not tools or compat.supports_tools is False:
        return {}
    body: JsonObject = {"tools": tools}
    if request.tool_choice is not None:
        pinned = {"type": "function", "function": {"name": request.tool_choice.name}}
        body["tool_choice"] = pinned if request.tool_choice.mode == "tool" else request.tool_choice.mode
    if request.parallel_tools is not None and compat.supports_parallel_tool_calls is not False:
        body["parallel_tool_calls"] = request.parallel_tools
    return body


def _render_tool(tool: Tool, compat: Compat) -> JsonObject | None:
    held = own(tool.opaque)
    if tool.parameters is None:
        return held or None
    function: JsonObject = {"name": tool.name, **as_object(held.get("function"))}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = strip_keywords(tool.parameters or NO_PARAMETERS, compat)
    if tool.strict is not None and compat.supports_strict_mode is not False:
        function["strict"] = tool.strict
    wire: JsonObject = {"type": "function", "function": function, **rest(held, ("function",))}
    if tool.cache_control and compat.supports_cache_control:
        wire["cache_control"] = tool.cache_control
    return wire


def _render_format(wanted: ResponseFormat, compat: Compat) -> JsonObject:
    if wanted.schema is None or compat.supports_response_format is False:
        return {"type": "json_object"}
    strict = wanted.strict if compat.supports_strict_mode is not False else None
    name = ILLEGAL.sub("_", wanted.name)[:64] or "answer"
    fields = {"name": name, "description": wanted.description, "schema": wanted.schema, "strict": strict}
    return {"type": "json_schema", "json_schema": said(fields)}


# -- wire → value ------------------------------------------------------------------


def parse_request(body: Body) -> ChatRequest:
    """Read a caller's request; fields this codec does not know go to `extras`."""
    try:
        wire = decode(body, "request")
    except BadReply as error:
        raise InvalidRequest(error.message) from error
    system, messages = parse_messages(wire.get("messages"))
    limit = "max_completion_tokens" if wire.get("max_completion_tokens") is not None else "max_tokens"
    return ChatRequest(
        model=_required_text(wire, "model"),
        messages=messages,
        system=system,
        tools=_parse_tools(wire),
        tool_choice=_parse_choice(wire),
        parallel_tools=_flag(wire, "parallel_tool_calls"),
        max_tokens=_number(wire, limit, int),
        temperature=_number(wire, "temperature", float),
        top_p=_number(wire, "top_p", float),
        stop=_parse_stop(wire),
        seed=_number(wire, "seed", int),
        thinking=parse_thinking(wire),
        response_format=_parse_format(wire.get("response_format")),
        stream=bool(_flag(wire, "stream")),
        extras=_parse_extras(wire),
    )


def _required_text(wire: JsonObject, field: str) -> str:
    if not isinstance(value := wire.get(field), str) or not value:
        raise wrong(field, "must be text")
    return value


def _flag(wire: JsonObject, field: str) -> bool | None:
    if not isinstance(value := wire.get(field), bool | None):
        raise wrong(field, f"must be true or false, not {value!r}")
    return value


def _number(wire: JsonObject, field: str, kind: type[Number]) -> Number | None:
    """Read a number; text that spells one counts, as several servers take it."""
    value = wire.get(field)
    if value is None:
        return None
    try:
        if isinstance(value, bool):
            raise TypeError
        return kind(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise wrong(field, f"must be a number, not {value!r}") from error


def _parse_stop(wire: JsonObject) -> list[str]:
    stop = wire.get("stop")
    return [stop] if isinstance(stop, str) else [text for text in as_list(stop) if isinstance(text, str)]


def _parse_tools(wire: JsonObject) -> list[Tool]:
    tools = [_parse_tool(tool) for tool in as_list(wire.get("tools")) if isinstance(tool, dict)]
    legacy = [{"type": "function", "function": function} for function in as_list(wire.get("functions"))]
    return tools + [_parse_tool(tool) for tool in legacy]


def _parse_tool(wire: JsonObject) -> Tool:
    function = as_object(wire.get("function"))
    if wire.get("type", "function") != "function" or not as_text(function.get("name")):
        return Tool(as_text(wire.get("name")) or as_text(wire.get("type")), opaque=keep(wire))
    strict = function.get("strict")
    more = rest(function, ("name", "description", "parameters", "strict"))
    return Tool(
        function["name"],
        as_text(function.get("description")),
        as_object(function.get("parameters")) or NO_PARAMETERS,
        strict if isinstance(strict, bool) else None,
        as_object(wire.get("cache_control")) or None,
        keep({**rest(wire, ("type", "function", "cache_control")), "function": more or None}),
    )


def _parse_choice(wire: JsonObject) -> ToolChoice | None:
    choice = wire.get("tool_choice", wire.get("function_call"))
    if isinstance(choice, str) and choice in CHOICES:
        return ToolChoice(CHOICES[choice])
    name = _pinned(choice)
    return ToolChoice("tool", name) if name else None


def _pinned(choice: object) -> str:
    held = as_object(choice)
    return as_text(as_object(held.get("function")).get("name")) or as_text(held.get("name"))


def _parse_format(wire: object) -> ResponseFormat | None:
    match as_object(wire).get("type"):
        case "json_object":
            return ResponseFormat()
        case "json_schema":
            held = as_object(as_object(wire).get("json_schema"))
            strict = held.get("strict")
            return ResponseFormat(
                as_object(held.get("schema")),
                as_text(held.get("name")) or "answer",
                strict if isinstance(strict, bool) else None,
                held.get("description") if isinstance(held.get("description"), str) else None,
            )
        case _:
            return None


def _parse_extras(wire: JsonObject) -> JsonObject:
    extras = rest(wire, KNOWN)
    options = rest(as_object(wire.get("stream_options")), ())
    if options.get("include_usage") is True:
        del options["include_usage"]
    if options:
        extras["stream_options"] = options
    # A choice or format of a kind we have no value for goes on unread.
    if wire.get("tool_choice") is not None and _parse_choice(wire) is None:
        extras["tool_choice"] = wire["tool_choice"]
    kind = as_object(wire.get("response_format")).get("type")
    if kind is not None and kind not in ("text", "json_object", "json_schema"):
        extras["response_format"] = wire["response_format"]
    return extras
