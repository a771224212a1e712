"""Messages of this wire, written: tool results are messages of their own, thoughts and calls stand beside the words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from jackfield.message import (
    AudioBlock,
    Block,
    ChatRequest,
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
from jackfield.protocols.base import NATIVE, decode_object
from jackfield.protocols.fields import as_object, rest, said
from jackfield.protocols.openai_completions.fields import own
from jackfield.protocols.openai_completions.parts import (
    is_plain,
    render_content,
    render_part,
)
from jackfield.protocols.openai_completions.reasoning import echo_reasoning
from jackfield.protocols.toolids import legal_ids


def render_messages(request: ChatRequest, compat: Compat) -> list[JsonObject]:
    """Write the system text and all turns."""
    wire: list[JsonObject] = []
    messages = list(request.messages)
    if compat.tool_call_id_format not in {None, "any"}:
        messages = list(legal_ids(messages, compat.tool_call_id_format))
    names = {b.id: b.name for m in messages for b in m.content if isinstance(b, ToolCall)}
    if request.system and compat.supports_system_role is False:
        messages = _as_first_words(request.system, messages)
    elif request.system:
        wire.append({"role": _system_role(compat), "content": render_content(request.system, compat, "\n\n")})
    for message in messages:
        if message.role == "assistant":
            wire += _render_assistant(message, compat)
        else:
            wire.extend(_render_user(message, compat, names))
    if wire and wire[-1]["role"] == "assistant" and "tool_calls" not in wire[-1]:
        # Where the key exists, a last turn of the model is refused without it.
        wire[-1] |= _taken({"prefix": True}, compat) if compat.message_keys else {}
    return wire


def _system_role(compat: Compat) -> str:
    return "developer" if compat.supports_developer_role else "system"


def _as_first_words(system: Sequence[TextBlock], messages: list[Message]) -> list[Message]:
    first = messages[0] if messages else None
    if first and first.role == "user" and not any(isinstance(block, ToolResult) for block in first.content):
        return [Message("user", [*system, *first.content], opaque=first.opaque), *messages[1:]]
    return [Message("user", system), *messages]


def _render_assistant(message: Message, compat: Compat) -> list[JsonObject]:
    """Write one past turn of the model; none where nothing of it can be said here."""
    blocks = message.content
    beside = echo_reasoning(blocks, compat)
    beside |= _taken(_left_fields(message) | render_extra_parts(blocks, compat), compat)
    content = render_words(blocks, compat)
    if calls := [render_call(block, compat) for block in blocks if isinstance(block, ToolCall)]:
        beside["tool_calls"] = calls
        if compat.requires_reasoning_content_on_assistant_messages:
            beside.setdefault("reasoning_content", "")
    if blocks and not content and not beside:
        return []
    says = {"content": content} if content or not beside.keys() & {"tool_calls", "refusal", "audio"} else {}
    return [{"role": "assistant", **says, **beside}]


def _taken(fields: JsonObject, compat: Compat) -> JsonObject:
    """Return the further keys of a message that the server takes."""
    keys = () if compat.strict_message_keys else compat.message_keys
    return fields if keys is None else {name: value for name, value in fields.items() if name in keys}


def _left_fields(message: Message) -> JsonObject:
    # A reply's further fields ride on its first block, a request's on the message.
    held = dict(own(message.opaque))
    for block in message.content:
        held.update(as_object(own(getattr(block, "opaque", None)).get("message")))
    return held


def render_words(blocks: Sequence[Block], compat: Compat) -> str | list[JsonObject]:
    """Write an assistant's `content`: one string when it is all plain words, as most servers want it."""
    words = [word for block in blocks if (word := _as_word(block, compat)) is not None]
    if all(is_plain(block, compat) for block in words):
        return "".join(block.text for block in words if isinstance(block, TextBlock))
    return render_content(words, compat, "")


def _as_word(block: Block, compat: Compat) -> Block | None:
    match block:
        case ThinkingBlock(text) if text and compat.requires_thinking_as_text:
            return TextBlock(f"{text}\n\n")
        case RefusalBlock(text) if not _taken({"refusal": text}, compat):
            return TextBlock(text)
        case TextBlock():
            return block
        case ThinkingBlock() | OpaqueBlock() if render_part(block, compat):
            return block
        case _:
            return None


def render_extra_parts(blocks: Sequence[Block], compat: Compat) -> JsonObject:
    """Write what an assistant said outside `content`: a refusal, pictures, speech."""
    refusal = "".join(block.text for block in blocks if isinstance(block, RefusalBlock))
    images = [render_part(block, compat) for block in blocks if isinstance(block, ImageBlock)]
    audio = next((as_object(own(b.opaque).get("audio")) for b in blocks if isinstance(b, AudioBlock)), {})
    # A past reply's speech goes back by its id; the sound itself is the reply's alone.
    spoken = {"id": audio["id"]} if audio.get("id") else None
    return said({"refusal": refusal or None, "images": images or None, "audio": spoken})


def render_call(call: ToolCall, compat: Compat = NATIVE) -> JsonObject:
    """Write one tool call."""
    held = own(call.opaque)
    wire: JsonObject = {"id": call.id, "type": "function", **rest(held, ("message",))}
    if held.get("type") == "custom":
        return {**wire, "custom": {"name": call.name, "input": call.arguments}}
    arguments: object = call.arguments or "{}"
    if compat.tool_call_arguments_encoding == "object":
        arguments = decode_object(call.arguments) or {}
    return {**wire, "function": {"name": call.name, "arguments": arguments}}


def _render_user(message: Message, compat: Compat, names: Mapping[str, str]) -> Iterator[JsonObject]:
    """Yield the tool results, which stand right after their calls, then the user's words."""
    results = [block for block in message.content if isinstance(block, ToolResult)]
    words: list[Block] = [block for block in message.content if not isinstance(block, ToolResult)]
    for result in results:
        yield _render_result(result, compat, names)
    if not compat.supports_images_in_tool_results:
        # Tool messages hold words only; pictures follow once the run of results is over.
        words = [*(block for result in results for block in result.content if not isinstance(block, TextBlock)), *words]
    content = render_content(words, compat)
    if not content and message.content and not any(isinstance(block, TextBlock) for block in words):
        return
    if results and compat.requires_assistant_after_tool_result:
        yield {"role": "assistant", "content": "I have processed the tool results."}
    held = _taken(rest(own(message.opaque), ("role",)), compat)
    is_instruction = own(message.opaque).get("role") == "system" and compat.supports_system_role is not False
    yield {"role": _system_role(compat) if is_instruction else "user", "content": content, **held}


def _render_result(result: ToolResult, compat: Compat, names: Mapping[str, str]) -> JsonObject:
    blocks: list[Block] = list(result.content)
    if not compat.supports_images_in_tool_results:
        words: list[Block] = [block for block in blocks if isinstance(block, TextBlock)]
        blocks = words or [TextBlock("(see the attachment that follows)")] * bool(render_content(blocks, compat))
    if result.cache_control and blocks and isinstance(blocks[-1], TextBlock):
        blocks[-1] = msgspec.structs.replace(blocks[-1], cache_control=result.cache_control)
    content = render_content(blocks, compat)
    if all(is_plain(block, compat) for block in blocks):
        content = "\n".join(block.text for block in blocks if isinstance(block, TextBlock))
    wire: JsonObject = {"role": "tool", "tool_call_id": result.call_id, "content": content}
    if compat.requires_tool_result_name:
        wire["name"] = result.name or names.get(result.call_id, "")
    return {**wire, **_taken(own(result.opaque), compat)}
