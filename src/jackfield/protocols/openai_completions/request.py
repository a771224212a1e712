"""Chat requests of this wire, both ways: all of the body but its messages and the level of thinking."""

from __future__ import annotations

import re
from typing import Literal, TypeVar

from msgspec.structs import replace

from jackfield.message import NO_PARAMETERS, ChatRequest, JsonObject, ResponseFormat, Tool, ToolChoice
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, Body, as_opaque, decode_request
from jackfield.protocols.fields import as_list, as_object, as_text, merge_fields, rest, said, wrong
from jackfield.protocols.openai_completions.fields import NAME, keep, own
from jackfield.protocols.openai_completions.losses import find_limits
from jackfield.protocols.openai_completions.message_parser import parse_messages
from jackfield.protocols.openai_completions.message_renderer import render_messages
from jackfield.protocols.openai_completions.thinking import parse_thinking, render_thinking
from jackfield.protocols.schema import strip_keywords
from jackfield.protocols.spare import spare
from jackfield.protocols.structured import as_instruction, with_json_word

KNOWN = frozenset((
    "model", "messages", "tools", "functions", "tool_choice", "function_call", "parallel_tool_calls", "max_tokens",
    "max_completion_tokens", "temperature", "top_p", "stop", "seed", "reasoning_effort", "reasoning", "response_format",
    "stream", "stream_options", "top_k", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs",
    "service_tier", "user", "prompt_cache_key", "web_search_options", "random_seed",
))  # fmt: skip
CHOICES: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto", "none": "none", "required": "required", "any": "required",  # `any` is Mistral's word
}  # fmt: skip
ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")  # in a schema's name, which is a label and no more
SEARCH = "web_search_options"
Number = TypeVar("Number", int, float)


# -- value → wire ------------------------------------------------------------------


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write the body of `POST /chat/completions`; never a null, never a field `compat` rules out."""
    request = spare(request, NAME, find_limits(compat), compat)
    wanted = request.response_format
    if wanted and wanted.schema is not None and compat.supports_response_format is False:
        request = replace(as_instruction(request), response_format=ResponseFormat())
    request = with_json_word(request, NAME)
    body: JsonObject = {"model": request.model, "messages": render_messages(request, compat)}
    body.update(_render_tools(request, compat))
    body.update(_render_plain(request, compat))
    if request.thinking is not None:
        body.update(render_thinking(request.thinking, compat))
    if request.response_format is not None:
        body["response_format"] = _render_format(request.response_format, compat)
    if request.stream:
        body["stream"] = True
        if compat.supports_usage_in_streaming is not False:
            body["stream_options"] = {"include_usage": True}
    for more in (own(request.opaque), request.extras):
        merge_fields(body, more)
    unwanted = {"store": compat.supports_store is False, "stream_options": not request.stream}
    return {name: value for name, value in body.items() if not unwanted.get(name)}


def _render_plain(request: ChatRequest, compat: Compat) -> JsonObject:
    # The newer name of the same: it stands in `opaque` where the caller used it.
    is_safety = own(request.opaque).get("safety_identifier") == request.user
    return said(
        {
            compat.max_tokens_field or "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "top_k": request.top_k,
            "presence_penalty": request.presence_penalty,
            "frequency_penalty": request.frequency_penalty,
            "stop": list(request.stop) or None,
            compat.seed_field or "seed": request.seed,
            "logprobs": True if request.logprobs is not None else None,
            "top_logprobs": request.logprobs or None,
            "service_tier": request.service_tier,
            "user": None if is_safety else request.user,
            "prompt_cache_key": request.cache_key,
        }
    )


def _render_tools(request: ChatRequest, compat: Compat) -> JsonObject:
    tools = [
        wire for tool in request.tools if not _is_search(tool) and (wire := _render_tool(tool, compat)) is not None
    ]
    search = next((own(tool.opaque).get(SEARCH, {}) for tool in request.tools if _is_search(tool)), None)
    body: JsonObject = {} if search is None else {SEARCH: search}
    if not tools:
        return body
    body["tools"] = tools
    if request.tool_choice is not None:
        pinned = {"type": "function", "function": {"name": request.tool_choice.name}}
        body["tool_choice"] = pinned if request.tool_choice.mode == "tool" else request.tool_choice.mode
    if request.parallel_tools is not None:
        body["parallel_tool_calls"] = request.parallel_tools
    return body


def _is_search(tool: Tool) -> bool:
    # OpenAI's own search is a field of the body; other servers of this wire have a tool for it.
    return tool.builtin == "web_search" and (not own(tool.opaque) or SEARCH in own(tool.opaque))


def _render_tool(tool: Tool, compat: Compat) -> JsonObject | None:
    held = own(tool.opaque)
    if tool.parameters is None:
        return held or None
    function: JsonObject = {"name": tool.name, **as_object(held.get("function"))}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = strip_keywords(tool.parameters or NO_PARAMETERS, compat)
    if tool.strict is not None:
        function["strict"] = tool.strict
    wire: JsonObject = {"type": "function", "function": function, **rest(held, ("function",))}
    if tool.cache_control:
        wire["cache_control"] = tool.cache_control
    return wire


def _render_format(wanted: ResponseFormat, compat: Compat) -> JsonObject:
    if wanted.schema is None:
        return {"type": "json_object"}
    strict = wanted.strict if compat.supports_strict_mode is not False else None
    name = ILLEGAL.sub("_", wanted.name)[:64] or "answer"
    fields = {"name": name, "description": wanted.description, "schema": wanted.schema, "strict": strict}
    return {"type": "json_schema", "json_schema": said(fields)}


# -- wire → value ------------------------------------------------------------------


def parse_request(body: Body) -> ChatRequest:
    """Read a caller's request; fields this codec does not know stay in `opaque`."""
    wire = decode_request(body)
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
        top_k=_number(wire, "top_k", int),
        presence_penalty=_number(wire, "presence_penalty", float),
        frequency_penalty=_number(wire, "frequency_penalty", float),
        stop=_parse_stop(wire),
        seed=_number(wire, "seed" if wire.get("seed") is not None else "random_seed", int),
        logprobs=_parse_logprobs(wire),
        service_tier=as_text(wire.get("service_tier")) or None,
        user=as_text(wire.get("user")) or as_text(wire.get("safety_identifier")) or None,
        cache_key=as_text(wire.get("prompt_cache_key")) or None,
        thinking=parse_thinking(wire),
        response_format=_parse_format(wire.get("response_format")),
        stream=bool(_flag(wire, "stream")),
        opaque=keep(_keep_unread(wire)),
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


def _parse_logprobs(wire: JsonObject) -> int | None:
    """Read how many alternatives are wanted; some servers take their number in `logprobs` itself."""
    asked = wire.get("logprobs")
    if isinstance(asked, int) and not isinstance(asked, bool):
        return asked
    return (_number(wire, "top_logprobs", int) or 0) if asked else None


def _parse_stop(wire: JsonObject) -> list[str]:
    stop = wire.get("stop")
    return [stop] if isinstance(stop, str) else [text for text in as_list(stop) if isinstance(text, str)]


def _parse_tools(wire: JsonObject) -> list[Tool]:
    tools = [_parse_tool(tool) for tool in as_list(wire.get("tools")) if isinstance(tool, dict)]
    legacy = [{"type": "function", "function": function} for function in as_list(wire.get("functions"))]
    search = wire.get(SEARCH)
    searches = [Tool("web_search", builtin="web_search", opaque=as_opaque({SEARCH: search}, NAME))]
    return tools + [_parse_tool(tool) for tool in legacy] + (searches if isinstance(search, dict) else [])


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


def _keep_unread(wire: JsonObject) -> JsonObject:
    extras = rest(wire, KNOWN)
    if wire.get("logprobs") is False:
        extras["logprobs"] = False
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
