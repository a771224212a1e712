"""Requests, read: a body that somebody wrote for Converse."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from jackfield.message import ChatRequest, JsonObject, Message, ResponseFormat, Role, TextBlock, Tool, ToolChoice
from jackfield.protocols.base import Body, as_opaque, decode_request
from jackfield.protocols.bedrock_converse.blocks import parse_content, render_block
from jackfield.protocols.bedrock_converse.thinking import KEYS, parse_thinking
from jackfield.protocols.bedrock_converse.wire import NAME, keep_rest, parse_mark
from jackfield.protocols.fields import objects, read, require, rest, said, wrong
from jackfield.protocols.signatures import mark

KNOWN = frozenset({
    "messages", "system", "inferenceConfig", "toolConfig", "additionalModelRequestFields", "serviceTier", "outputConfig",
    "modelId",
})  # fmt: skip
SAMPLING = ("maxTokens", "temperature", "topP", "stopSequences")


def parse_request(body: Body) -> ChatRequest:
    """Read a caller's request; raise `InvalidRequest` naming the field that is wrong.

    The model is in the URL, so that it is empty here unless an SDK's `modelId` stands in the body.
    """
    wire = decode_request(body)
    messages, hoisted = _parse_messages(read(wire, "messages", list) or [])
    config, tools = read(wire, "inferenceConfig", dict) or {}, read(wire, "toolConfig", dict) or {}
    own = read(wire, "additionalModelRequestFields", dict) or {}
    output, tier = read(wire, "outputConfig", dict) or {}, read(wire, "serviceTier", dict) or {}
    left = {
        **rest(wire, KNOWN),
        "inferenceConfig": rest(config, SAMPLING) or None,
        "additionalModelRequestFields": rest(own, (*KEYS, "top_k")) or None,
        "outputConfig": rest(output, ("textFormat", "effort")) or None,
    }
    return ChatRequest(
        model=read(wire, "modelId", str) or "",
        messages=mark(messages, NAME),
        system=[*_parse_system(read(wire, "system", list) or [], "system"), *hoisted],
        tools=_parse_tools(read(tools, "tools", list, "toolConfig.") or []),
        tool_choice=_parse_choice(read(tools, "toolChoice", dict, "toolConfig.") or {}),
        max_tokens=read(config, "maxTokens", int, "inferenceConfig."),
        temperature=read(config, "temperature", float, "inferenceConfig."),
        top_p=read(config, "topP", float, "inferenceConfig."),
        top_k=read(own, "top_k", int, "additionalModelRequestFields."),
        stop=_parse_stop(config),
        service_tier=read(tier, "type", str, "serviceTier."),
        thinking=parse_thinking(own, read(output, "effort", str, "outputConfig.")),
        response_format=_parse_format(read(output, "textFormat", dict, "outputConfig.")),
        opaque=as_opaque(said(left), NAME),
    )


def _parse_messages(wires: list[Any]) -> tuple[list[Message], list[TextBlock]]:
    messages: list[Message] = []
    hoisted: list[TextBlock] = []
    for at, wire in objects(wires, "messages"):
        role, content = require(wire, "role", str, at), read(wire, "content", list, at) or []
        if role not in {"user", "assistant", "system"}:
            raise wrong(f"{at}role", f"must be user, assistant or system, not {role!r}")
        if role == "system" and not messages:
            hoisted += _parse_system(content, f"{at}content")
            continue
        # A system turn in the middle is a user turn to other wires; on this one it stays what it is.
        opaque = keep_rest(wire, "content") if role == "system" else keep_rest(wire, "content", "role")
        author: Role = "assistant" if role == "assistant" else "user"
        messages.append(Message(author, parse_content(content, f"{at}content"), opaque=opaque))
    return messages, hoisted


def _parse_system(wires: list[Any], at: str) -> list[TextBlock]:
    texts: list[TextBlock] = []
    for block in parse_content(wires, at):
        if isinstance(block, TextBlock):
            texts.append(block)
        elif wire := render_block(block):  # words to nobody else, but this wire gets them back
            texts.append(TextBlock("", opaque=as_opaque(wire, NAME)))
    return texts


def _parse_tools(wires: list[Any]) -> list[Tool]:
    tools: list[Tool] = []
    for at, wire in objects(wires, "toolConfig.tools"):
        point = read(wire, "cachePoint", dict, at)
        if point is not None and tools and tools[-1].cache_control is None:
            tools[-1] = replace(tools[-1], cache_control=parse_mark(point))
        else:
            tools.append(_parse_tool(wire, at))
    return tools


def _parse_tool(wire: JsonObject, at: str) -> Tool:
    spec = read(wire, "toolSpec", dict, at)
    if spec is None:  # one that the service runs, or a cache point before any tool
        kept = next((value for value in wire.values() if isinstance(value, dict)), {})
        return Tool(read(kept, "name", str, at) or "", opaque=as_opaque(wire, NAME))
    at = f"{at}toolSpec."
    return Tool(
        name=require(spec, "name", str, at),
        description=read(spec, "description", str, at) or "",
        parameters=read(require(spec, "inputSchema", dict, at), "json", dict, f"{at}inputSchema.") or {},
        strict=read(spec, "strict", bool, at),
        opaque=keep_rest(spec, "name", "description", "inputSchema", "strict"),
    )


def _parse_choice(wire: JsonObject) -> ToolChoice | None:
    match next(iter(wire), None):
        case None:
            return None
        case "auto":
            return ToolChoice("auto")
        case "any":
            return ToolChoice("required")
        case "tool":
            tool = require(wire, "tool", dict, "toolConfig.toolChoice.")
            return ToolChoice("tool", require(tool, "name", str, "toolConfig.toolChoice.tool."))
        case kind:
            raise wrong("toolConfig.toolChoice", f"must be one of auto, any, tool, not {kind!r}")


def _parse_stop(config: JsonObject) -> list[str]:
    stop = read(config, "stopSequences", list, "inferenceConfig.") or []
    if not all(isinstance(text, str) for text in stop):
        raise wrong("inferenceConfig.stopSequences", "must be a list of strings")
    return stop


def _parse_format(wire: JsonObject | None) -> ResponseFormat | None:
    at = "outputConfig.textFormat.structure."
    if not wire:
        return None
    form = require(require(wire, "structure", dict, "outputConfig.textFormat."), "jsonSchema", dict, at)
    text = require(form, "schema", str, f"{at}jsonSchema.")
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise wrong(f"{at}jsonSchema.schema", f"must be JSON: {error}") from error
    if not isinstance(schema, dict):
        raise wrong(f"{at}jsonSchema.schema", "must be an object")
    name = read(form, "name", str, f"{at}jsonSchema.")
    description = read(form, "description", str, f"{at}jsonSchema.")
    return ResponseFormat(schema, name=name or "answer", description=description)
