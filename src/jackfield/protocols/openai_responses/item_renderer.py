"""Items, written: each turn's blocks in order, words of one message together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from jackfield.message import (
    AudioBlock,
    Block,
    ChatRequest,
    DocumentBlock,
    ImageBlock,
    JsonObject,
    Message,
    OpaqueBlock,
    Role,
    TextBlock,
    ThinkingBlock,
    ToolCall,
    ToolResult,
    VideoBlock,
)
from jackfield.model import Compat
from jackfield.protocols.features import MEDIA
from jackfield.protocols.fields import as_object, as_text, rest
from jackfield.protocols.openai_responses.parts import is_plain, render_part
from jackfield.protocols.openai_responses.reasoning import render_reasoning
from jackfield.protocols.openai_responses.wire import NAME, keep, own
from jackfield.protocols.toolids import legal_ids


def render_input(request: ChatRequest, compat: Compat, *, is_stateless: bool) -> tuple[str | None, list[JsonObject]]:
    """Write the conversation: `instructions` and `input`. `is_stateless`: the server has kept none of it."""
    instructions, items = _render_system(request.system, compat)
    for message in legal_ids(request.messages, compat.tool_call_id_format or "any64"):
        fields = as_object(own(message.opaque).get("item"))
        role: Role = message.role
        items += render_items(role, list(_sayable(message, is_stateless=is_stateless)), fields)
    return instructions, items


def _render_system(system: Sequence[TextBlock], compat: Compat) -> tuple[str | None, list[JsonObject]]:
    """Write system text as `instructions`; as messages what came so, and what only a part can say."""
    role = "developer" if compat.supports_developer_role else "system"
    is_apart = compat.supports_instructions is False or any(block.cache_control for block in system)
    words, items = [], []
    for block in system:
        held = as_object(own(block.opaque).get("item"))
        if held or is_apart:
            items += render_items("user", [block], {"role": role, **held})
        else:
            words.append(block.text)
    return "\n\n".join(words) or None, items


def _sayable(message: Message, *, is_stateless: bool) -> Iterator[Block]:
    """Yield the blocks of a turn that a server of this wire takes back."""
    thoughts = [block for block in message.content if isinstance(block, ThinkingBlock)]
    # OpenAI remembers which thought an id followed, and refuses the id without it: another model's turn has lost it.
    keeps_ids = message.model is None or bool(thoughts)
    for block in message.content:
        match block:
            case ThinkingBlock() if NAME not in (block.opaque or {}):
                continue
            case ThinkingBlock(text, None) if is_stateless:
                # Without its content, an id means nothing to a server that kept nothing.
                if text:
                    yield _without_id(block)
            case ImageBlock() | DocumentBlock() | AudioBlock() | VideoBlock() if _is_unsaid(message.role, block):
                yield TextBlock(f"[{MEDIA[type(block)]} left out: it cannot be sent back to this model]")
            case _:
                yield block if keeps_ids or isinstance(block, OpaqueBlock) else _without_id(block)


def _is_unsaid(role: Role, block: ImageBlock | DocumentBlock | AudioBlock | VideoBlock) -> bool:
    return role == "assistant" and "item" not in own(block.opaque)


def _without_id(block: Block) -> Block:
    held = own(getattr(block, "opaque", None))
    if isinstance(block, OpaqueBlock) or "id" not in as_object(held.get("item")):
        return block
    return msgspec.structs.replace(block, opaque=keep({**held, "item": rest(held["item"], ("id",))}))


def render_items(role: Role, blocks: Sequence[Block], fields: JsonObject | None = None) -> list[JsonObject]:
    """Write blocks as items; `fields` go on the messages among them."""
    items: list[JsonObject] = []
    message: JsonObject | None = None
    for block in blocks:
        if (item := render_item(block)) is not None:
            items.append(item)
            message = None
            continue
        begins = "item" in own(getattr(block, "opaque", None)) and role == "assistant"
        part = render_part(block, spoken=role == "assistant")
        if part is not None and (message is None or begins):
            message = {"type": "message", "role": role, "content": [], **(fields or {})}
            message |= as_object(own(getattr(block, "opaque", None)).get("item")) if begins else {}
            items.append(message)
        if part is not None and message is not None:
            message["content"].append(part)
    return items


def render_item(block: Block) -> JsonObject | None:
    """Write a block that is an item of its own; `None` when it is part of a message."""
    held = own(getattr(block, "opaque", None))
    item = as_object(held.get("item"))
    kind = "custom_tool_call" if held.get("type") == "custom" else "function_call"
    match block:
        case ToolCall(call_id, name, arguments):
            said = {"input": arguments} if kind == "custom_tool_call" else {"arguments": arguments or "{}"}
            return {"type": kind, **item, "call_id": call_id, "name": name, **said}
        case ToolResult():
            return {"type": f"{kind}_output", **item, "call_id": block.call_id, "output": _render_output(block)}
        case ThinkingBlock():
            return render_reasoning(block)
        case ImageBlock(_, str(data)) if as_text(item.get("type")):
            return {**item, "result": data}
        case OpaqueBlock(api, value) if api == NAME and "part" not in value:
            return value
        case _:
            return None


def _render_output(result: ToolResult) -> str | list[JsonObject]:
    if not result.content:
        return ""
    first = result.content[0]
    if len(result.content) == 1 and is_plain(first) and isinstance(first, TextBlock):
        return first.text
    return [part for block in result.content if (part := render_part(block, spoken=False)) is not None]
