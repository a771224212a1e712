"""Input and output items, read: a flat list becomes turns, each item one or more blocks.

Items this codec has no value for (calls of the server's own tools, references, …) stay whole
in an `OpaqueBlock`, at their place.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jackfield.message import (
    Block,
    DocumentBlock,
    ImageBlock,
    JsonObject,
    Message,
    OpaqueBlock,
    RefusalBlock,
    Role,
    TextBlock,
    ToolCall,
    ToolResult,
)
from jackfield.protocols.fields import as_list, as_text, objects, rest, wrong
from jackfield.protocols.openai_responses.parts import parse_content, parse_part
from jackfield.protocols.openai_responses.reasoning import parse_reasoning
from jackfield.protocols.openai_responses.wire import NAME, keep, own

MESSAGE_KEYS = ("type", "role", "content")
CALL_KEYS = ("type", "call_id", "name", "arguments", "input")
RESULT_KEYS = ("type", "call_id", "output")
SYSTEM_ROLES = ("system", "developer")
# Items of the caller's side end so, or are one of these.
ANSWERS = ("_output", "_approval_response")


# -- a conversation ----------------------------------------------------------------


def parse_input(wire: object) -> tuple[list[TextBlock], list[Message]]:
    """Read `input`: the system text before the first turn, and the turns."""
    if isinstance(wire, str):
        return [], [Message.user(wire)]
    if not isinstance(wire, list):
        raise wrong("input", "must be a string or a list")
    system: list[TextBlock] = []
    turns: list[Message] = []
    for at, item in objects(wire, "input"):
        kind = item.get("type") or ("message" if "role" in item else "item_reference")
        if kind == "message":
            _add_message(system, turns, item, at)
        elif isinstance(kind, str):
            role: Role = "user" if kind.endswith(ANSWERS) else "assistant"
            _add(turns, Message(role, [parse_item(item, f"call_{at.strip('.')}")]))
        else:
            raise wrong(f"{at}type", "must be a string")
    return system, turns


def _add_message(system: list[TextBlock], turns: list[Message], item: JsonObject, at: str) -> None:
    role, content = item.get("role"), item.get("content")
    if not isinstance(content, str | list | None):
        raise wrong(f"{at}content", "must be a string or a list")
    if role == "assistant":
        blocks = parse_message(item)
        is_next = bool(turns) and turns[-1].role == "assistant" and _is_said(turns[-1].content[-1:])
        _add(turns, Message("assistant", _begin(blocks, item, is_next=is_next)))
        return
    blocks, fields = parse_content(content), rest(item, MESSAGE_KEYS)
    words = [block for block in blocks if isinstance(block, TextBlock)]
    if role in SYSTEM_ROLES and not turns and len(words) == len(blocks):
        opaque = {"item": {"role": role, **fields}}
        system += [msgspec.structs.replace(block, opaque=keep({**own(block.opaque), **opaque})) for block in words]
    elif role in SYSTEM_ROLES:
        # A later instruction keeps its place; on other wires it is the user's.
        turns.append(Message("user", blocks, opaque=keep({"item": {"role": role, **fields}})))
    elif role == "user":
        _add(turns, Message("user", blocks, opaque=keep({"item": fields or None})))
    else:
        raise wrong(f"{at}role", f"is {role!r}, not system, developer, user or assistant")


def _add(turns: list[Message], turn: Message) -> None:
    """Add to the model's turn, or words to the results they follow, as other wires want them; else a turn."""
    last = turns[-1] if turns else None
    are_results = last is not None and all(isinstance(block, ToolResult) for block in last.content)
    if last is not None and last.role == turn.role and (last.role == "assistant" or (last.content and are_results)):
        turns[-1] = Message(last.role, [*last.content, *turn.content], opaque=turn.opaque)
    else:
        turns.append(turn)


def _is_said(blocks: Sequence[Block]) -> bool:
    return any(isinstance(block, TextBlock | RefusalBlock) for block in blocks)


def _begin(blocks: list[Block], item: JsonObject, *, is_next: bool) -> list[Block]:
    # Two messages in a row stay two: the first block of the second says that one begins.
    fields = rest(item, MESSAGE_KEYS)
    return [_with_item(blocks[0], fields), *blocks[1:]] if blocks and (fields or is_next) else blocks


def _with_item(block: Block, fields: JsonObject) -> Block:
    if isinstance(block, OpaqueBlock):
        return block
    return msgspec.structs.replace(block, opaque=keep({**own(block.opaque), "item": fields}))


# -- items -------------------------------------------------------------------------


def parse_message(item: JsonObject) -> list[Block]:
    """Read the content of the model's own message; empty words are none."""
    return [block for block in parse_content(item.get("content")) if block != TextBlock("")]


def parse_output(output: object, reply_id: str) -> list[Block]:
    """Read a reply's items."""
    blocks: list[Block] = []
    for at, item in enumerate(as_list(output)):
        if not isinstance(item, dict) or not isinstance(item.get("type"), str):
            continue
        if item.get("type") == "message":
            blocks += _begin(parse_message(item), item, is_next=_is_said(blocks[-1:]))
        else:
            blocks.append(parse_item(item, f"call_{reply_id}_{at}"))
    return blocks


def parse_item(item: JsonObject, spare_id: str) -> Block:
    """Read an item that is no message; `spare_id` is for a call that has none."""
    match item.get("type"):
        case "function_call" | "custom_tool_call":
            return parse_call(item, spare_id)
        case "function_call_output" | "custom_tool_call_output":
            return _parse_result(item)
        case "reasoning":
            return parse_reasoning(item)
        case "image_generation_call" if isinstance(item.get("result"), str) and item["result"]:
            form = as_text(item.get("output_format")) or "png"
            return ImageBlock(f"image/{form}", item["result"], opaque=keep({"item": rest(item, ("result",))}))
        case _:
            return OpaqueBlock(NAME, item)


def parse_call(item: JsonObject, spare_id: str) -> ToolCall:
    """Read a call of a function (arguments in JSON) or of a custom tool (free text)."""
    is_custom = item.get("type") == "custom_tool_call"
    said = item.get("input" if is_custom else "arguments")
    text = said if isinstance(said, str) else "" if said is None else msgspec.json.encode(said).decode()
    return ToolCall(
        as_text(item.get("call_id")) or as_text(item.get("id")) or spare_id,
        as_text(item.get("name")),
        text if is_custom else text or "{}",
        None,
        keep({"item": rest(item, CALL_KEYS) or None, "type": "custom" if is_custom else None}),
    )


def _parse_result(item: JsonObject) -> ToolResult:
    said = item.get("output")
    if isinstance(said, list):
        content = [_as_result_block(parse_part(part)) for part in said if isinstance(part, dict)]
    else:
        text = said if isinstance(said, str) else "" if said is None else msgspec.json.encode(said).decode()
        content = [TextBlock(text)] if text else []
    is_custom = item.get("type") == "custom_tool_call_output"
    opaque = keep({"item": rest(item, RESULT_KEYS) or None, "type": "custom" if is_custom else None})
    return ToolResult(as_text(item.get("call_id")), content, opaque=opaque)


def _as_result_block(block: Block) -> TextBlock | ImageBlock | DocumentBlock | OpaqueBlock:
    if isinstance(block, TextBlock | ImageBlock | DocumentBlock | OpaqueBlock):
        return block
    return TextBlock(as_text(getattr(block, "text", "")) or "[left out: a tool's result holds no sound]")
