"""Requests, both ways; `losses` says what of one this wire cannot carry.

Rules for what the API refuses (each an HTTP 400 of api.anthropic.com): `max_tokens` is
always sent and exceeds a thinking budget; text without words is left out; turns of one role
are joined, tool results first; an assistant turn ends neither in thinking nor, as the last
message, in white space; tool ids fit `[a-zA-Z0-9_-]{1,64}`; at most four cache marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jackfield.message import ChatRequest, JsonObject, Message, ResponseFormat, Role, TextBlock, ToolChoice
from jackfield.model import Compat
from jackfield.protocols.anthropic_messages.blocks import is_blank, parse_content, render_block, render_content
from jackfield.protocols.anthropic_messages.losses import MAX_MARKS, SERVICE_TIERS, find_limits
from jackfield.protocols.anthropic_messages.thinking import (
    may_think,
    parse_thinking,
    render_sampling,
    render_thinking,
)
from jackfield.protocols.anthropic_messages.tools import parse_tool, render_tool
from jackfield.protocols.anthropic_messages.wire import NAME, keep_rest
from jackfield.protocols.base import NATIVE, Body, as_opaque, decode_request, own_fields
from jackfield.protocols.fields import as_object, as_text, merge_fields, objects, read, require, rest, said, wrong
from jackfield.protocols.opening import OPENING
from jackfield.protocols.signatures import mark
from jackfield.protocols.spare import spare
from jackfield.protocols.structured import as_instruction
from jackfield.protocols.toolids import legal_ids

KNOWN = frozenset({
    "model", "messages", "system", "tools", "tool_choice", "max_tokens", "temperature", "top_p", "stop_sequences",
    "thinking", "stream", "output_config", "output_format", "top_k", "service_tier", "metadata",
})  # fmt: skip
CHOICES = {"auto": "auto", "any": "required", "none": "none", "tool": "tool"}
WIRE_CHOICES = {ours: wire for wire, ours in CHOICES.items()}


# -- wire to value -----------------------------------------------------------------


def parse_request(body: Body) -> ChatRequest:
    """Read a caller's request; raise `InvalidRequest` naming the field that is wrong."""
    wire = decode_request(body)
    messages, hoisted = _parse_messages(require(wire, "messages", list))
    choice = read(wire, "tool_choice", dict) or {}
    serial = read(choice, "disable_parallel_tool_use", bool, "tool_choice.")
    config = read(wire, "output_config", dict) or {}
    return ChatRequest(
        # Bedrock and Vertex name the model in the URL.
        model=read(wire, "model", str) or "" if "anthropic_version" in wire else require(wire, "model", str),
        messages=mark(messages, NAME),
        system=[*_parse_system(wire), *hoisted],
        tools=[parse_tool(tool, at) for at, tool in objects(read(wire, "tools", list) or [], "tools")],
        tool_choice=_parse_choice(choice),
        parallel_tools=None if serial is None else not serial,
        max_tokens=read(wire, "max_tokens", int),
        temperature=read(wire, "temperature", float),
        top_p=read(wire, "top_p", float),
        top_k=read(wire, "top_k", int),
        stop=_parse_stop(wire),
        service_tier=read(wire, "service_tier", str),
        user=as_text(as_object(wire.get("metadata")).get("user_id")) or None,
        thinking=parse_thinking(read(wire, "thinking", dict), read(config, "effort", str, "output_config.")),
        response_format=_parse_format(read(config, "format", dict) or read(wire, "output_format", dict)),
        stream=read(wire, "stream", bool) or False,
        opaque=_keep_unread(wire, config),
    )


def _parse_messages(wires: list[Any]) -> tuple[list[Message], list[TextBlock]]:
    messages: list[Message] = []
    hoisted: list[TextBlock] = []
    for at, wire in objects(wires, "messages"):
        role, content = require(wire, "role", str, at), parse_content(wire, at)
        if role not in {"user", "assistant", "system"}:
            raise wrong(f"{at}role", f"must be user, assistant or system, not {role!r}")
        if role == "system" and not messages:
            hoisted += [block for block in content if isinstance(block, TextBlock)]
            continue
        # A system turn in the middle is a user turn to other wires; on this one it stays what it is.
        opaque = keep_rest(wire, "content") if role == "system" else keep_rest(wire, "content", "role")
        author: Role = "assistant" if role == "assistant" else "user"
        if messages and messages[-1].role == author and not opaque and not messages[-1].opaque:
            content = [*messages.pop().content, *content]  # as the API does
        messages.append(Message(author, content, opaque=opaque))
    return messages, hoisted


def _parse_system(wire: JsonObject) -> list[TextBlock]:
    blocks = parse_content({"content": wire.get("system")}, "system.")
    if not all(isinstance(block, TextBlock) for block in blocks):
        raise wrong("system", "takes text only")
    return [block for block in blocks if isinstance(block, TextBlock)]


def _parse_choice(wire: JsonObject) -> ToolChoice | None:
    if not wire:
        return None
    match CHOICES.get(kind := require(wire, "type", str, "tool_choice.")):
        case "tool":
            return ToolChoice("tool", require(wire, "name", str, "tool_choice."))
        case "auto" | "none" | "required" as mode:
            return ToolChoice(mode)
        case _:
            raise wrong("tool_choice.type", f"must be one of {', '.join(CHOICES)}, not {kind!r}")


def _parse_stop(wire: JsonObject) -> list[str]:
    stop = read(wire, "stop_sequences", list) or []
    if not all(isinstance(text, str) for text in stop):
        raise wrong("stop_sequences", "must be a list of strings")
    return stop


def _parse_format(wire: JsonObject | None) -> ResponseFormat | None:
    # `output_format` is the name of the beta; `output_config.format` is the one that stayed.
    return ResponseFormat(require(wire, "schema", dict, "output_config.format.")) if wire else None


def _keep_unread(wire: JsonObject, config: JsonObject) -> JsonObject | None:
    inner = {"output_config": rest(config, ("effort", "format")), "metadata": _metadata(wire)}
    return as_opaque({**rest(wire, KNOWN), **{name: more for name, more in inner.items() if more}}, NAME)


def _metadata(wire: JsonObject) -> JsonObject:
    held = as_object(wire.get("metadata"))
    return rest(held, ("user_id",) if as_text(held.get("user_id")) else ())


# -- value to wire -----------------------------------------------------------------


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write a request; without a `max_tokens` of the caller's, 8192 are left for the answer."""
    limits = find_limits(compat)
    request = spare(request, NAME, limits, compat)
    if (wanted := request.response_format) and (wanted.schema is None or "response_format.schema" in limits):
        request = as_instruction(request)
    thinking, effort, max_tokens = render_thinking(request.thinking, request.max_tokens, compat)
    mode = thinking.get("type") if thinking else None
    if not may_think(request, mode):
        thinking, mode = None, None
    body: JsonObject = {"model": request.model} if request.model else {}
    body |= {"max_tokens": max_tokens, "messages": _render_messages(request, compat)}
    body |= _render_system(request) | _render_tools(request, compat) | render_sampling(request, mode, compat)
    body |= _render_plain(request)
    if config := _output_config(request, effort):
        body["output_config"] = config
    body |= {"thinking": thinking} if thinking else {}
    for more in (own_fields(request.opaque, NAME), request.extras):
        merge_fields(body, more)
    _trim_marks(body)
    return body


def _render_system(request: ChatRequest) -> JsonObject:
    system = [wire for block in request.system if (wire := render_block(block)) and not is_blank(wire)]
    if not system:
        return {}
    return {"system": system[0]["text"] if len(system) == 1 and len(system[0]) == 2 else system}


def _render_tools(request: ChatRequest, compat: Compat) -> JsonObject:
    tools = [wire for tool in request.tools if (wire := render_tool(tool, compat))]
    return {"tools": tools, **_render_choice(request)} if tools else {}


def _render_plain(request: ChatRequest) -> JsonObject:
    tier = request.service_tier if request.service_tier in SERVICE_TIERS else None
    stop = [text for text in request.stop if text.strip()] or None
    metadata = None if request.user is None else {"user_id": request.user}
    fields = {"stop_sequences": stop, "service_tier": tier, "metadata": metadata, "stream": request.stream or None}
    return said(fields)


def _render_messages(request: ChatRequest, compat: Compat) -> list[JsonObject]:
    turns: list[JsonObject] = []
    for message in legal_ids(request.messages, "alnum64"):
        own = own_fields(message.opaque, NAME)
        content = render_content(message.content)
        last = turns[-1] if turns else {}
        if last.get("role") == message.role and not own and len(last) == 2:
            last["content"] += content
        elif content:
            turns.append({"role": message.role, "content": content, **own})
    for turn in turns:
        turn["content"] = _in_order(turn["content"], turn["role"])
    turns = [turn for turn in turns if turn["content"]]
    if turns and turns[-1]["role"] == "assistant":
        _strip_end(turns[-1]["content"])
    if compat.requires_string_content:
        for turn in turns:
            turn["content"] = _as_string(turn["content"])
    turns = [turn for turn in turns if turn["content"]]
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"type": "text", "text": OPENING}]})
    return turns


def _in_order(content: list[JsonObject], role: Role) -> list[JsonObject]:
    if role == "user":
        return sorted(content, key=lambda wire: wire.get("type") != "tool_result")
    end = len(content)
    while end and content[end - 1].get("type") in {"thinking", "redacted_thinking"}:
        end -= 1
    return content[:end]


def _strip_end(content: list[JsonObject]) -> None:
    if content[-1].get("type") == "text":
        content[-1]["text"] = content[-1]["text"].rstrip()


def _as_string(content: list[JsonObject]) -> str | list[JsonObject]:
    plain = all(wire.get("type") == "text" and len(wire) == 2 for wire in content)
    return "\n".join(wire["text"] for wire in content) if plain else content


def _render_choice(request: ChatRequest) -> JsonObject:
    choice, parallel = request.tool_choice, request.parallel_tools
    if choice is None and parallel is not False:
        return {}
    wire: JsonObject = {"type": WIRE_CHOICES[choice.mode] if choice else "auto"}
    if choice and choice.name is not None and choice.mode == "tool":
        wire["name"] = choice.name
    if parallel is not None and wire["type"] != "none":
        wire["disable_parallel_tool_use"] = not parallel
    return {"tool_choice": wire}


def _output_config(request: ChatRequest, effort: str | None) -> JsonObject:
    wanted = request.response_format
    form = {"type": "json_schema", "schema": wanted.schema} if wanted else None
    return said({"effort": effort, "format": form})


def _trim_marks(body: JsonObject) -> None:
    """Take out all cache marks but the last four; the blocks are fresh, their owner's are untouched."""
    marked = [wire for wire in _prompt_order(body) if wire.get("cache_control")]
    for wire in marked[: max(0, len(marked) - MAX_MARKS)]:
        del wire["cache_control"]


def _prompt_order(body: JsonObject) -> Iterator[JsonObject]:
    yield from body.get("tools", ())
    yield from body["system"] if isinstance(body.get("system"), list) else ()
    for turn in body["messages"]:
        for wire in turn["content"] if isinstance(turn["content"], list) else ():
            inner = wire.get("content") if wire.get("type") == "tool_result" else None
            yield from inner if isinstance(inner, list) else ()
            yield wire
    yield body
