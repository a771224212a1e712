"""Messages of this wire, both ways: a plan stands beside the calls, a tool's result is a message of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from jackfield.message import (
    Block,
    ChatRequest,
    DocumentBlock,
    ImageBlock,
    JsonObject,
    Message,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
)
from jackfield.model import Compat
from jackfield.protocols.cohere.documents import parse_citation, parse_document, render_document
from jackfield.protocols.cohere.wire import NAME, keep, own
from jackfield.protocols.dataurl import join_data_url, split_data_url
from jackfield.protocols.fields import as_list, as_object, as_text, objects, rest, wrong
from jackfield.protocols.text_files import is_text, stand_in
from jackfield.protocols.toolids import legal_ids

# A thought's kind: words of `content`, or the plan before tool calls.
THOUGHT, PLAN = "thinking", "tool_plan"
ASSISTANT_KEYS = frozenset(("role", "content", PLAN, "tool_calls", "citations"))


# -- value → wire ------------------------------------------------------------------


def render_messages(request: ChatRequest, compat: Compat) -> list[JsonObject]:
    """Write the system text and all turns."""
    wire: list[JsonObject] = []
    if request.system:
        wire.append({"role": "system", "content": _render_content(request.system)})
    for message in legal_ids(request.messages, compat.tool_call_id_format or "any"):
        wire += _render_assistant(message) if message.role == "assistant" else _render_user(message)
    return wire


def _render_user(message: Message) -> Iterator[JsonObject]:
    """Yield the tools' results, which stand right after their calls, then the user's words."""
    results = [block for block in message.content if isinstance(block, ToolResult)]
    for result in results:
        content = _render_content(result.content, is_result=True)
        yield {"role": "tool", "tool_call_id": result.call_id, "content": content, **own(result)}
    words = [block for block in message.content if not isinstance(block, ToolResult)]
    shown = [block for result in results for block in result.content if isinstance(block, ImageBlock)]
    if words or shown or not results:
        yield {"role": "user", "content": _render_content([*shown, *words]), **own(message)}


def _render_assistant(message: Message) -> list[JsonObject]:
    """Write one past turn of the model; none where nothing of it can be said here.

    The API takes no words beside tool calls (`text content is not allowed when tool_calls are provided`):
    they are its plan.
    """
    calls = [_render_call(block) for block in message.content if isinstance(block, ToolCall)]
    words = [block for block in message.content if isinstance(block, TextBlock | RefusalBlock | OpaqueBlock)]
    thoughts = [block for block in message.content if isinstance(block, ThinkingBlock) and own(block)]
    plan = "".join(block.text for block in thoughts if own(block).get("kind") == PLAN)
    said: list[Block] = [block for block in message.content if block in thoughts and own(block).get("kind") != PLAN]
    if calls:
        plan += "".join(block.text for block in words if not isinstance(block, OpaqueBlock))
    else:
        said += words
    beside: JsonObject = {PLAN: plan} if plan else {}
    if calls:
        beside["tool_calls"] = calls
    if citations := [one for block in message.content for one in as_list(own(block).get("citations"))]:
        beside["citations"] = citations
    content = _render_content(said)
    if message.content and not content and not beside:
        return []
    return [{"role": "assistant", **({"content": content} if content or not beside else {}), **beside, **own(message)}]


def _render_call(call: ToolCall) -> JsonObject:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function, **own(call)}


def _render_content(blocks: Sequence[Block], *, is_result: bool = False) -> str | list[JsonObject]:
    """Write `content`: a string where there is one plain text, else parts."""
    parts = [part for block in blocks if (part := _render_part(block, is_result)) is not None]
    if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
        return str(parts[0]["text"])
    return parts or ""


def _render_part(block: Block, is_result: bool) -> JsonObject | None:
    match block:
        case TextBlock(text) | RefusalBlock(text):
            return {"type": "text", "text": text, **rest(own(block), ("citations",))}
        case ThinkingBlock(text):
            return {"type": THOUGHT, THOUGHT: text, **rest(own(block), ("kind", "citations"))}
        case ImageBlock() if is_result:
            return None
        case ImageBlock(media_type, data, url):
            source = join_data_url(media_type, data) if data is not None else url
            return {"type": "image_url", "image_url": {"url": source, **own(block)}}
        case DocumentBlock() if not is_text(block):
            return {"type": "text", "text": stand_in("document")}
        case DocumentBlock() if is_result:
            return {"type": "document", "document": render_document(block)}
        case OpaqueBlock(value=value):
            return value
        case _:  # a user's documents stand beside the messages
            return None


# -- wire → value ------------------------------------------------------------------


def parse_messages(wire: list[Any]) -> tuple[list[TextBlock], list[Message]]:
    """Read `messages`: the system text before the first turn, and the turns."""
    system: list[TextBlock] = []
    turns: list[Message] = []
    for number, (at, message) in enumerate(objects(wire, "messages")):
        role = message.get("role")
        if role == "system" and not turns:
            system += [block for block in parse_content(message.get("content")) if isinstance(block, TextBlock)]
        elif role in ("system", "user"):
            # A later instruction keeps its place; on other wires it is the user's.
            held = {"role": role} if role == "system" else {}
            opaque = keep({**held, **rest(message, ("role", "content"))})
            turns.append(Message("user", parse_content(message.get("content")), opaque=opaque))
        elif role == "tool":
            _add_result(turns, _parse_result(message))
        elif role == "assistant":
            opaque = keep(rest(message, ASSISTANT_KEYS))
            turns.append(Message("assistant", parse_assistant(message, f"{number}"), opaque=opaque))
        else:
            raise wrong(f"{at}role", f"is {role!r}, not system, user, assistant or tool")
    return system, turns


def _add_result(turns: list[Message], result: ToolResult) -> None:
    """Let the results of one turn's calls stand in one turn, as other wires want them."""
    last = turns[-1] if turns else None
    if last and last.content and last.role == "user" and all(isinstance(block, ToolResult) for block in last.content):
        turns[-1] = replace(last, content=[*last.content, result])
    else:
        turns.append(Message("user", [result]))


def _parse_result(message: JsonObject) -> ToolResult:
    opaque = keep(rest(message, ("role", "content", "tool_call_id")))
    kinds = (TextBlock, ImageBlock, DocumentBlock, OpaqueBlock)
    content = [block for block in parse_content(message.get("content")) if isinstance(block, kinds)]
    return ToolResult(as_text(message.get("tool_call_id")), content, opaque=opaque)


def parse_assistant(wire: JsonObject, place_id: str) -> list[Block]:
    """Read the model's message: thoughts and words, the plan, the calls, each with its citations.

    `place_id` makes the id of a call that has none: it names the message within its conversation.
    """
    blocks = parse_content(wire.get("content"))
    if plan := as_text(wire.get(PLAN)):
        blocks.append(ThinkingBlock(plan, opaque=keep({"kind": PLAN})))
    for citation in filter(None, map(as_object, as_list(wire.get("citations")))):
        at = cited_block(citation, blocks)
        if at is not None:
            blocks[at] = cite(blocks[at], [citation])
    calls = map(as_object, as_list(wire.get("tool_calls")))
    return [*blocks, *(parse_call(call, f"call_{place_id}_{at}") for at, call in enumerate(calls))]


def parse_call(wire: JsonObject, spare_id: str) -> ToolCall:
    """Read one tool call; arguments that came as an object become text, missing ones `{}`."""
    function = as_object(wire.get("function"))
    arguments = function.get("arguments")
    if isinstance(arguments, dict):
        arguments = msgspec.json.encode(arguments).decode()
    opaque = keep(rest(wire, ("id", "type", "function", "index")))
    call_id = as_text(wire.get("id")) or spare_id
    return ToolCall(call_id, as_text(function.get("name")), as_text(arguments) or "{}", None, opaque)


def cited_block(citation: JsonObject, blocks: Sequence[Block]) -> int | None:
    """Return which block a citation speaks of: the one it names, else the first words."""
    kind = PLAN if citation.get("type") == "PLAN" else None
    at = citation.get("content_index")
    if kind is None and isinstance(at, int) and 0 <= at < len(blocks) and _may_be_cited(blocks[at]):
        return at
    fits = (
        at
        for at, block in enumerate(blocks)
        if (own(block).get("kind") == kind if kind else isinstance(block, TextBlock))
    )
    return next(fits, None)


def _may_be_cited(block: Block) -> bool:
    return isinstance(block, TextBlock | ThinkingBlock)


def cite(block: Block, citations: list[JsonObject]) -> Block:
    """Give a block its citations: read for everyone, and whole for the way back."""
    if not citations or not isinstance(block, TextBlock | ThinkingBlock):
        return block
    opaque = keep({**own(block), "citations": [*as_list(own(block).get("citations")), *citations]})
    if isinstance(block, ThinkingBlock):
        return replace(block, opaque=opaque)
    read = [source for citation in citations for source in parse_citation(citation)]
    return replace(block, opaque=opaque, citations=[*block.citations, *read])


def parse_content(content: object) -> list[Block]:
    """Read a message's `content`: text or a list of parts."""
    if isinstance(content, str):
        return [TextBlock(content)] if content else []
    return [parse_part(part) for part in as_list(content) if isinstance(part, dict)]


def parse_part(part: JsonObject) -> Block:
    """Read one part; one of an unknown type stays whole, for this wire only."""
    match part.get("type"):
        case "text":
            return TextBlock(as_text(part.get("text")), None, keep(rest(part, ("type", "text"))))
        case "thinking":
            return ThinkingBlock(
                as_text(part.get(THOUGHT)), opaque=keep({"kind": THOUGHT, **rest(part, ("type", THOUGHT))})
            )
        case "image_url":
            inner = as_object(part.get("image_url")) or {"url": part.get("image_url")}
            media_type, data, url = split_data_url(as_text(inner.get("url")))
            return ImageBlock(media_type, data, url, None, keep(rest(inner, ("url",))))
        case "document" if part.get("document"):
            return parse_document(part["document"])
        case _:
            return OpaqueBlock(NAME, part)
