"""What a request or a reply means, whatever wire it came over: what two of them are compared by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import to_builtins
from msgspec.structs import replace

from jackfield.message import Block, ChatRequest, ChatResponse, ThinkingBlock
from jackfield.model import Compat
from jackfield.protocols.features import LEFT_OUT
from jackfield.protocols.spare import spare

# Fields whose value a wire may leave to the URL or to the one who asks.
ASIDE = ("model", "stream", "extras", "opaque")


def meaning(request: ChatRequest, gone: Iterable[str] = ()) -> dict[str, Any]:
    """Return a request as plain data, without a wire's own notes and without the features that are `gone`."""
    # Features are left out by the one function that does it for every wire.
    limits = dict.fromkeys(gone, LEFT_OUT)
    if "foreign signature" in limits:  # whose it is, is a note; that it is gone is not
        limits["signatures"] = LEFT_OUT
    spared = spare(_unmarked(request), "none", limits, Compat())
    ids: dict[str, str] = {}
    held = _without_notes(to_builtins(spared), ids)
    if held["thinking"] == {"effort": None, "budget_tokens": None}:
        held["thinking"] = None
    return {name: value for name, value in held.items() if name not in ASIDE}


def _unmarked(request: ChatRequest) -> ChatRequest:
    def plain(block: Block) -> Block:
        return replace(block, opaque=None) if isinstance(block, ThinkingBlock) else block

    turns = [replace(turn, content=[plain(block) for block in turn.content]) for turn in request.messages]
    return replace(request, messages=turns)


def _without_notes(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, list | tuple):
        return [_without_notes(inner, ids) for inner in value]
    if not isinstance(value, Mapping):
        return value
    if "type" in value and value.get("url"):
        value = {**value, "media_type": ""}  # only some wires say it of an address
    if value.get("strict") is False:
        value = {**value, "strict": None}  # some wires hold a tool to its schema unless told otherwise
    if value.get("builtin"):
        value = {**value, "name": value["builtin"]}  # each wire has its own name for it
    match value.get("type"):
        case "text":
            # A source of all the words need not say so.
            whole = {"start": 0, "end": len(value["text"])}
            cited = [
                {**one, "start": None, "end": None} if whole.items() <= one.items() else one
                for one in value["citations"]
            ]
            return {"text": value["text"], "cache_control": value["cache_control"], "citations": cited}
        case "document":
            return {name: inner for name, inner in value.items() if name not in ("opaque", "name")}
        case "tool_call":
            # Some wires number calls, some make ids up: what counts is which result answers which call.
            ids[value["id"]] = f"call {len(ids)}"
            return {"call": ids[value["id"]], "name": value["name"], "arguments": json.loads(value["arguments"])}
        case "tool_result":
            content = _without_notes(value["content"], ids)
            return {"answers": ids.get(value["call_id"], "none"), "content": content, "failed": value["is_error"]}
        case _:
            return {name: _without_notes(inner, ids) for name, inner in value.items() if name != "opaque"}


def gist(reply: ChatResponse) -> dict[str, Any]:
    """Return what every wire can say of a reply: some show a refusal as text and arguments as objects."""
    calls = [(call.name, _value(call.arguments)) for call in reply.tool_calls]
    # Some wires say several thoughts as one.
    thoughts = "".join(block.text for block in reply.content if isinstance(block, ThinkingBlock)).replace("\n", "")
    said = (reply.text + reply.refusal, thoughts, reply.finish_reason)
    # Some servers count thoughts beside the words, not among them.
    output = max(reply.usage.output or 0, reply.usage.reasoning or 0)
    return {"calls": calls, "said": said, "output": output}


def _value(arguments: str) -> Any:
    try:
        value = json.loads(arguments or "{}") or {}
    except ValueError:
        return {"arguments": arguments}
    return value if isinstance(value, dict) else {"arguments": arguments}
