"""Messages of this wire, both ways: words are one string, pictures stand beside them, arguments are objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
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
    RefusalBlock,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
)
from jackfield.protocols.base import as_input
from jackfield.protocols.fields import as_list, as_object, as_text, objects, rest, said, wrong
from jackfield.protocols.ollama.wire import keep, own
from jackfield.protocols.text_files import is_text, stand_in
from jackfield.protocols.toolids import legal_ids

# The wire names no type; base64 begins with the file's own mark.
MEDIA_TYPES = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}
KEYS = frozenset(("role", "content", "thinking", "images", "tool_calls"))
RESULT_KEYS = frozenset(("role", "content", "images", "tool_name", "tool_call_id"))


# -- value → wire ------------------------------------------------------------------


def render_messages(request: ChatRequest) -> list[JsonObject]:
    """Write the system text and all turns."""
    wire: list[JsonObject] = []
    messages = legal_ids(request.messages, "any")
    names = {b.id: b.name for message in messages for b in message.content if isinstance(b, ToolCall)}
    if request.system:
        wire.append({"role": "system", "content": _join(request.system, "\n\n")})
    for message in messages:
        wire += _render_assistant(message) if message.role == "assistant" else _render_user(message, names)
    return wire


def _render_user(message: Message, names: Mapping[str, str]) -> Iterator[JsonObject]:
    """Yield the tools' results, which stand right after their calls, then the user's words and all pictures."""
    results = [block for block in message.content if isinstance(block, ToolResult)]
    for result in results:
        name = result.name or names.get(result.call_id)
        call = {"tool_name": name or None, "tool_call_id": result.call_id or None}
        yield {"role": "tool", "content": _join(result.content, "\n"), **said(call), **own(result)}
    words = [block for block in message.content if not isinstance(block, ToolResult)]
    shown: list[Block] = [inner for result in results for inner in result.content if isinstance(inner, ImageBlock)]
    if words or shown or not results:
        yield {"role": "user", **_render_words([*shown, *words], "\n"), **own(message)}


def _render_assistant(message: Message) -> list[JsonObject]:
    """Write one past turn of the model; none where nothing of it can be said here."""
    wire = _render_words(message.content, "")
    if thoughts := "".join(block.text for block in message.content if isinstance(block, ThinkingBlock)):
        wire["thinking"] = thoughts
    if calls := [_render_call(block) for block in message.content if isinstance(block, ToolCall)]:
        wire["tool_calls"] = calls
    if message.content and wire == {"content": ""}:
        return []
    return [{"role": "assistant", **wire, **own(message)}]


def _render_words(blocks: Sequence[Block], joint: str) -> JsonObject:
    images = [block.data for block in blocks if isinstance(block, ImageBlock) and block.data is not None]
    return {"content": _join(blocks, joint), **({"images": images} if images else {})}


def _render_call(call: ToolCall) -> JsonObject:
    held = own(call)
    function = {"name": call.name, "arguments": as_input(call.arguments), **as_object(held.get("function"))}
    return {"id": call.id, "function": function, **rest(held, ("function",))}


def _join(blocks: Iterable[Block], joint: str) -> str:
    return joint.join(text for block in blocks if (text := _words(block)))


def _words(block: Block) -> str:
    match block:
        case TextBlock(text) | RefusalBlock(text):
            return text
        case DocumentBlock() if is_text(block):
            return f"{block.name}:\n{block.data}" if block.name else block.data or ""
        case DocumentBlock():
            return stand_in("document")
        case _:
            return ""


# -- wire → value ------------------------------------------------------------------


def parse_messages(wire: list[Any]) -> tuple[list[TextBlock], list[Message]]:
    """Read `messages`: the system text before the first turn, and the turns."""
    system: list[TextBlock] = []
    turns: list[Message] = []
    for number, (at, message) in enumerate(objects(wire, "messages")):
        role = message.get("role")
        if role == "system" and not turns:
            system += [TextBlock(text)] if (text := as_text(message.get("content"))) else []
        elif role == "tool":
            turns.append(Message("user", _parse_result(message, turns)))
        elif role in ("system", "user", "assistant"):
            # A later instruction keeps its place; on other wires it is the user's.
            held = {"role": role} if role == "system" else {}
            opaque = keep({**held, **rest(message, KEYS)})
            blocks = parse_message(message, f"{number}")
            turns.append(Message("assistant" if role == "assistant" else "user", blocks, opaque=opaque))
        else:
            raise wrong(f"{at}role", f"is {role!r}, not system, user, assistant or tool")
    return system, _joined(turns)


def _joined(turns: Iterable[Message]) -> list[Message]:
    """Let the results of one turn's calls stand in one turn, as other wires want them."""
    joined: list[Message] = []
    for turn in turns:
        if joined and _has_results(turn) and _has_results(joined[-1]):
            joined[-1] = replace(joined[-1], content=[*joined[-1].content, *turn.content])
        else:
            joined.append(turn)
    return joined


def _has_results(turn: Message) -> bool:
    return bool(turn.content) and all(isinstance(block, ToolResult) for block in turn.content)


def _parse_result(message: JsonObject, turns: Sequence[Message]) -> list[ToolResult]:
    name = as_text(message.get("tool_name")) or None
    call_id = as_text(message.get("tool_call_id")) or _next_unanswered(turns, name)
    text = as_text(message.get("content"))
    words = [TextBlock(text)] if text else []
    opaque = keep(rest(message, RESULT_KEYS))
    return [ToolResult(call_id, [*words, *_parse_images(message)], name=name, opaque=opaque)]


def _next_unanswered(turns: Sequence[Message], name: str | None) -> str:
    """Return the call that a result without an id belongs to: the next of its name, else the next at all."""
    calls = [block for turn in turns for block in turn.content if isinstance(block, ToolCall)]
    answered = {block.call_id for turn in turns for block in turn.content if isinstance(block, ToolResult)}
    free = [call for call in calls if call.id not in answered]
    return next((call.id for call in free if call.name == name), free[0].id if free else "")


def parse_message(wire: JsonObject, place_id: str) -> list[Block]:
    """Read a message: thoughts, words, pictures, calls.

    `place_id` makes the id of a call that has none, as older servers send them: it is the
    same whenever the same message is read.
    """
    blocks: list[Block] = []
    if thought := as_text(wire.get("thinking")):
        blocks.append(ThinkingBlock(thought))
    if text := as_text(wire.get("content")):
        blocks.append(TextBlock(text))
    if "images" in wire:
        blocks += _parse_images(wire)
    if calls := as_list(wire.get("tool_calls")):
        blocks += [parse_call(as_object(call), f"{place_id}_{at}") for at, call in enumerate(calls)]
    return blocks


def _parse_images(wire: JsonObject) -> list[ImageBlock]:
    return [_parse_image(data) for data in as_list(wire.get("images")) if isinstance(data, str)]


def _parse_image(data: str) -> ImageBlock:
    kind = next((kind for mark, kind in MEDIA_TYPES.items() if data.startswith(mark)), "")
    return ImageBlock(kind, data)


def parse_call(wire: JsonObject, place_id: str) -> ToolCall:
    """Read one tool call; its arguments become text."""
    function = as_object(wire.get("function"))
    arguments, name = function.get("arguments"), as_text(function.get("name"))
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(as_object(arguments)).decode()
    digest = sha256(f"{place_id}\0{name}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()
    more = {**rest(wire, ("id", "function")), "function": rest(function, ("name", "arguments")) or None}
    return ToolCall(as_text(wire.get("id")) or f"call_{digest[:16]}", name, text or "{}", None, keep(more))
