"""Requests, written as the service takes them.

It refuses (HTTP 400, `ValidationException`) turns that do not alternate or do not begin with
the user's, text without words, tool results that do not stand first, a history of tool calls
without `toolConfig`, ids of other letters than `[a-zA-Z0-9_-]`, two documents of one name, a
document without a word beside it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from jackfield.message import NO_PARAMETERS, ChatRequest, JsonObject, Role, Tool, ToolCall
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, own_fields
from jackfield.protocols.bedrock_converse.blocks import render_marked
from jackfield.protocols.bedrock_converse.losses import TIERS, as_sendable, needs_tools
from jackfield.protocols.bedrock_converse.media import name_documents
from jackfield.protocols.bedrock_converse.thinking import Mode, pick_mode, render_inference, render_top_k
from jackfield.protocols.bedrock_converse.wire import MAX_MARKS, NAME, render_mark
from jackfield.protocols.fields import as_object, merge_fields
from jackfield.protocols.opening import OPENING
from jackfield.protocols.schema import strip_keywords
from jackfield.protocols.toolids import legal_ids

# What stands beside a document that comes without a word.
SEE_DOCUMENT = "(See the document.)"


def render_request(request: ChatRequest, compat: Compat = NATIVE) -> JsonObject:
    """Write a request; the model and whether it streams are the URL's to say."""
    request = as_sendable(request, compat)
    mode, own = pick_mode(request, compat), own_fields(request.opaque, NAME)
    stop = {"stopSequences": kept} if (kept := [text for text in request.stop if text]) else {}
    body: JsonObject = {
        **own,
        "messages": _render_messages(request, compat),
        "system": [wire for text in request.system for wire in render_marked(text)],
        "inferenceConfig": {
            **as_object(own.get("inferenceConfig")), **render_inference(request, mode, compat), **stop,
        },
        "toolConfig": _render_tools(request, compat),
        "additionalModelRequestFields": _merged(
            as_object(own.get("additionalModelRequestFields")), render_top_k(request, mode, compat), mode.fields
        ),
        "outputConfig": {**as_object(own.get("outputConfig")), **_render_output(request, mode)},
        "serviceTier": {"type": request.service_tier} if request.service_tier in TIERS else {},
    }  # fmt: skip
    _trim_marks(body)
    return {name: value for name, value in body.items() if value not in ({}, [])} | request.extras


def _merged(*parts: JsonObject) -> JsonObject:
    merged: JsonObject = {}
    for part in parts:
        merge_fields(merged, part)
    return merged


# -- turns -------------------------------------------------------------------------


def _render_messages(request: ChatRequest, compat: Compat) -> list[JsonObject]:
    turns: list[JsonObject] = []
    for message in name_documents(legal_ids(request.messages, compat.tool_call_id_format or "alnum64")):
        own = own_fields(message.opaque, NAME)
        content = [render_marked(block) for block in message.content]
        last = turns[-1] if turns else {}
        if last.get("role") == message.role and not own and len(last) == 2:
            last["content"] += content
        elif any(content):
            turns.append({"role": message.role, "content": content, **own})
    for turn in turns:
        turn["content"] = [wire for wires in _in_order(turn["content"], turn["role"]) for wire in wires]
        kinds = {kind for wire in turn["content"] for kind in wire}
        if "document" in kinds and not kinds & {"text", "guardContent"}:
            turn["content"].append({"text": SEE_DOCUMENT})
    turns = [turn for turn in turns if turn["content"]]
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"text": OPENING}]})
    if turns and turns[-1]["role"] == "assistant" and "text" in turns[-1]["content"][-1]:
        # Claude takes the start of its answer, but no white space at its end.
        turns[-1]["content"][-1] = {"text": turns[-1]["content"][-1]["text"].rstrip()}
    return turns


def _in_order(content: list[list[JsonObject]], role: Role) -> list[list[JsonObject]]:
    """Return marked blocks with results first; a model's turn does not end in a thought."""
    content = [wires for wires in content if wires]
    if role == "user":
        return sorted(content, key=lambda wires: "toolResult" not in wires[0])
    while content and "reasoningContent" in content[-1][0]:
        content.pop()
    return content


# -- tools and output --------------------------------------------------------------


def _render_tools(request: ChatRequest, compat: Compat) -> JsonObject:
    choice, history = request.tool_choice, needs_tools(request)
    if choice and choice.mode == "none" and not history:
        return {}
    tools = [wire for tool in request.tools for wire in _render_tool(tool, compat)]
    if history and not tools:
        names = (block.name for turn in request.messages for block in turn.content if isinstance(block, ToolCall))
        tools = [{"toolSpec": {"name": name, "inputSchema": {"json": NO_PARAMETERS}}} for name in dict.fromkeys(names)]
        return {"tools": tools} if tools else {}
    match choice.mode if choice and tools else None:
        case "auto":
            return {"tools": tools, "toolChoice": {"auto": {}}}
        case "required":
            return {"tools": tools, "toolChoice": {"any": {}}}
        case "tool":
            return {"tools": tools, "toolChoice": {"tool": {"name": choice.name if choice else ""}}}
        case _:
            return {"tools": tools} if tools else {}


def _render_tool(tool: Tool, compat: Compat) -> list[JsonObject]:
    own = own_fields(tool.opaque, NAME)
    mark = [render_mark(tool.cache_control)] if tool.cache_control else []
    if tool.parameters is None:
        return [dict(own), *mark] if own else []
    spec: JsonObject = {"name": tool.name, "description": tool.description} if tool.description else {"name": tool.name}
    spec |= {"inputSchema": {"json": {"type": "object", **strip_keywords(tool.parameters, compat)}}, **own}
    if tool.strict is not None:
        spec["strict"] = tool.strict
    return [{"toolSpec": spec}, *mark]


def _render_output(request: ChatRequest, mode: Mode) -> JsonObject:
    output: JsonObject = {"effort": mode.effort} if mode.effort else {}
    if (wanted := request.response_format) and wanted.schema is not None:
        form = {"schema": msgspec.json.encode(wanted.schema).decode(), "name": wanted.name}
        form |= {"description": wanted.description} if wanted.description else {}
        output["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": form}}
    return output


# -- cache points ------------------------------------------------------------------


def _trim_marks(body: JsonObject) -> None:
    """Take out all cache points but the last ones the service admits; the lists are our own."""
    lists = list(_marked_lists(body))
    count = sum("cachePoint" in wire for wires in lists for wire in wires)
    for wires in lists:
        for wire in [wire for wire in wires if "cachePoint" in wire]:
            if count <= MAX_MARKS:
                return
            wires.remove(wire)
            count -= 1


def _marked_lists(body: JsonObject) -> Iterator[list[JsonObject]]:
    yield body["toolConfig"].get("tools", [])
    yield body["system"]
    yield from (turn["content"] for turn in body["messages"])
