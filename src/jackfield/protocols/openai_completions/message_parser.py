"""Messages of this wire, read: tool results join the user's turn, instructions the request."""

from __future__ import annotations

import msgspec

from jackfield.message import (
    AudioBlock,
    Block,
    DocumentBlock,
    ImageBlock,
    JsonObject,
    Message,
    OpaqueBlock,
    RefusalBlock,
    TextBlock,
    ToolCall,
    ToolResult,
    VideoBlock,
)
from jackfield.protocols.base import NATIVE
from jackfield.protocols.fields import as_list, as_object, as_text, rest, wrong
from jackfield.protocols.openai_completions.fields import NAME, keep
from jackfield.protocols.openai_completions.parts import (
    parse_content,
    parse_part,
    render_part,
)
from jackfield.protocols.openai_completions.reasoning import DETAILS, FIELDS, parse_reasoning, place

ASSISTANT_KEYS = frozenset(
    ("role", "content", "tool_calls", "function_call", "refusal", "audio", "images", DETAILS, *FIELDS)
)
CALL_KEYS = frozenset(("id", "type", "index", "function", "custom"))
SYSTEM_ROLES = ("system", "developer")


def parse_messages(wire: object) -> tuple[list[TextBlock], list[Message]]:
    """Read `messages`: the system text before the first turn, and the turns."""
    if not isinstance(wire, list):
        raise wrong("messages", "must be a list")
    system: list[TextBlock] = []
    turns: list[Message] = []
    for at, message in enumerate(wire):
        role = as_object(message).get("role")
        if role in SYSTEM_ROLES and not turns:
            system += [block for block in _parse_words(message) if isinstance(block, TextBlock)]
        elif role in SYSTEM_ROLES:
            # A later instruction keeps its place; on other wires it is the user's.
            turns.append(Message("user", _parse_words(message), opaque=keep({"role": "system"})))
        elif role == "user":
            _add_user(
                turns, _parse_words(message), keep(rest(message, ("role", "content", "cache_control", "tool_calls")))
            )
        elif role in ("tool", "function"):
            _add_user(turns, [_parse_result(message, turns)], None)
        elif role == "assistant":
            blocks, left = parse_assistant(message, f"{at}")
            turns.append(Message("assistant", blocks, opaque=keep(left)))
        else:
            raise wrong(f"messages[{at}].role", f"is {role!r}, not system, developer, user, assistant or tool")
    return system, turns


def _parse_words(message: JsonObject) -> list[Block]:
    blocks = parse_content(message.get("content"))
    mark = as_object(message.get("cache_control"))
    if mark and blocks and isinstance(blocks[-1], TextBlock | ImageBlock | DocumentBlock | AudioBlock | VideoBlock):
        blocks[-1] = msgspec.structs.replace(blocks[-1], cache_control=mark)
    return blocks


def _add_user(turns: list[Message], blocks: list[Block], opaque: JsonObject | None) -> None:
    """Add user content; words after tool results join their turn, as other wires want them."""
    last = turns[-1] if turns else None
    if last and last.role == "user" and last.content and all(isinstance(block, ToolResult) for block in last.content):
        turns[-1] = Message("user", [*last.content, *blocks], opaque=opaque)
    else:
        turns.append(Message("user", blocks, opaque=opaque))


def _parse_result(message: JsonObject, turns: list[Message]) -> ToolResult:
    content = [_as_result_block(block) for block in _parse_words({**message, "cache_control": None})]
    return ToolResult(
        as_text(message.get("tool_call_id")) or _next_unanswered(turns),
        content,
        name=as_text(message.get("name")) or None,
        cache_control=as_object(message.get("cache_control")) or None,
        opaque=keep(rest(message, ("role", "content", "tool_call_id", "name", "cache_control"))),
    )


def _as_result_block(block: Block) -> TextBlock | ImageBlock | DocumentBlock | OpaqueBlock:
    if isinstance(block, TextBlock | ImageBlock | DocumentBlock | OpaqueBlock):
        return block
    return OpaqueBlock(NAME, render_part(block, NATIVE) or {"type": "text", "text": ""})


def _next_unanswered(turns: list[Message]) -> str:
    """Return the call a result without an id belongs to: results come in the order of the calls."""
    calls = [block.id for turn in turns for block in turn.content if isinstance(block, ToolCall)]
    answered = [block.call_id for turn in turns for block in turn.content if isinstance(block, ToolResult)]
    return next((call for call in calls if call not in answered), "")


def parse_assistant(wire: JsonObject, place_id: str) -> tuple[list[Block], JsonObject]:
    """Read an assistant message: its blocks, and the fields this codec does not read.

    `place_id` makes the id of a call that has none: it names the message within its conversation.
    """
    blocks = parse_content(wire.get("content"))
    if refusal := as_text(wire.get("refusal")):
        blocks.append(RefusalBlock(refusal))
    blocks += parse_images(wire.get("images"))
    calls = [call for call in as_list(wire.get("tool_calls")) if isinstance(call, dict)]
    if as_text(as_object(wire.get("function_call")).get("name")):
        calls.append({"function": wire["function_call"]})
    blocks += [parse_call(call, f"call_{place_id}_{at}") for at, call in enumerate(calls)]
    blocks += parse_audio(wire.get("audio"))
    return place(parse_reasoning(wire), blocks), rest(wire, ASSISTANT_KEYS)


def parse_images(wire: object) -> list[Block]:
    """Read the pictures a model drew (`images`, OpenRouter's field); their number in a stream says nothing of them."""
    parts = [rest(part, ("index",)) if isinstance(part, dict) else part for part in as_list(wire)]
    return [block for part in parts if isinstance(block := parse_part(part), ImageBlock)]


def parse_audio(wire: object) -> list[Block]:
    """Read the speech of a reply; its words stand in `opaque` as `transcript`."""
    audio = as_object(wire)
    if not audio.get("id") and not audio.get("data"):
        return []
    return [AudioBlock("", as_text(audio.get("data")) or None, None, None, keep({"audio": rest(audio, ("data",))}))]


def parse_call(wire: JsonObject, spare_id: str) -> ToolCall:
    """Read one tool call; arguments that came as an object become text, missing ones `{}`."""
    kind, function = wire.get("type"), as_object(wire.get("function"))
    opaque = rest(wire, CALL_KEYS)
    if kind == "custom" and not function:
        function, opaque = as_object(wire.get("custom")), {**opaque, "type": "custom"}
    arguments = function.get("arguments", function.get("input"))
    if isinstance(arguments, dict):
        arguments = msgspec.json.encode(arguments).decode()
    name = as_text(function.get("name"))
    return ToolCall(as_text(wire.get("id")) or spare_id, name, as_text(arguments) or "{}", None, keep(opaque))
