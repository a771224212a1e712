"""Messages of this wire: tool results are messages of their own, thoughts and calls stand beside the words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from jackfield.errors import InvalidRequest
from jackfield.message import (
    AudioBlock,
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
from jackfield.protocols.base import NATIVE
from jackfield.protocols.openai_completions.fields import NAME, as_list, as_object, as_text, keep, own, rest, said
from jackfield.protocols.openai_completions.parts import (
    is_plain,
    parse_content,
    parse_part,
    render_content,
    render_part,
)
from jackfield.protocols.openai_completions.reasoning import DETAILS, FIELDS, echo_reasoning, parse_reasoning, place
from jackfield.protocols.openai_completions.toolids import remap_ids

ASSISTANT_KEYS = frozenset(
    ("role", "content", "tool_calls", "function_call", "refusal", "audio", "images", DETAILS, *FIELDS)
)
CALL_KEYS = frozenset(("id", "type", "index", "function", "custom"))
SYSTEM_ROLES = ("system", "developer")


# -- wire → messages ---------------------------------------------------------------


def parse_messages(wire: object) -> tuple[list[TextBlock], list[Message]]:
    """Read `messages`: the system text before the first turn, and the turns."""
    if not isinstance(wire, list):
        raise _invalid("messages", "must be a list")
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
            raise _invalid(f"messages[{at}].role", f"is {role!r}, not system, developer, user, assistant or tool")
    return system, turns


def _invalid(field: str, says: str) -> InvalidRequest:
    error = InvalidRequest(f"{field} {says}")
    error.param = field
    return error


def _parse_words(message: JsonObject) -> list[Block]:
    blocks = parse_content(message.get("content"))
    mark = as_object(message.get("cache_control"))
    if mark and blocks and isinstance(blocks[-1], TextBlock | ImageBlock | DocumentBlock | AudioBlock):
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
    """Read the pictures a model drew (`images`, OpenRouter's field)."""
    return [block for part in as_list(wire) if isinstance(block := parse_part(part), ImageBlock)]


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


# -- messages → wire ---------------------------------------------------------------


def render_messages(request: ChatRequest, compat: Compat) -> list[JsonObject]:
    """Write the system text and all turns."""
    ids = remap_ids(request.messages, compat.tool_call_id_format)
    names = {b.id: b.name for m in request.messages for b in m.content if isinstance(b, ToolCall)}
    wire: list[JsonObject] = []
    messages = list(request.messages)
    if request.system and compat.supports_system_role is False:
        messages = _as_first_words(request.system, messages)
    elif request.system:
        wire.append({"role": _system_role(compat), "content": render_content(list(request.system), compat, "\n\n")})
    for message in messages:
        if message.role == "assistant":
            wire.append(render_assistant(message, compat, ids))
        else:
            wire.extend(_render_user(message, compat, ids, names))
    return wire


def _system_role(compat: Compat) -> str:
    return "developer" if compat.supports_developer_role else "system"


def _as_first_words(system: Sequence[TextBlock], messages: list[Message]) -> list[Message]:
    first = messages[0] if messages else None
    if first and first.role == "user" and not any(isinstance(block, ToolResult) for block in first.content):
        return [Message("user", [*system, *first.content], opaque=first.opaque), *messages[1:]]
    return [Message("user", system), *messages]


def render_assistant(message: Message, compat: Compat, ids: Mapping[str, str]) -> JsonObject:
    """Write one past turn of the model."""
    blocks = message.content
    wire: JsonObject = {"role": "assistant", **_left_fields(message, compat), **echo_reasoning(blocks, compat)}
    calls = [render_call(block, ids, compat) for block in blocks if isinstance(block, ToolCall)]
    wire.update(render_extra_parts(blocks, compat))
    content = render_words(blocks, compat)
    if content or not (calls or wire.keys() & {"refusal", "audio"}):
        wire["content"] = content
    if calls:
        wire["tool_calls"] = calls
        if compat.requires_reasoning_content_on_assistant_messages:
            wire.setdefault("reasoning_content", "")
    return wire


def _left_fields(message: Message, compat: Compat) -> JsonObject:
    # A reply's further fields ride on its first block, a request's on the message.
    held = dict(own(message.opaque))
    for block in message.content:
        held.update(as_object(own(getattr(block, "opaque", None)).get("message")))
    return {} if compat.strict_message_keys else held


def render_words(blocks: Sequence[Block], compat: Compat) -> str | list[JsonObject]:
    """Write an assistant's `content`: one string when it is all plain words, as most servers want it."""
    words = [_as_words(block, compat) for block in blocks if isinstance(block, TextBlock | OpaqueBlock | ThinkingBlock)]
    words = [block for block in words if not isinstance(block, ThinkingBlock) or own(block.opaque).get("part")]
    if compat.requires_string_content or all(is_plain(block, compat) for block in words):
        return "".join(block.text for block in words if isinstance(block, TextBlock))
    return render_content(words, compat)


def _as_words(block: Block, compat: Compat) -> Block:
    if isinstance(block, ThinkingBlock) and block.text and compat.requires_thinking_as_text:
        return TextBlock(f"{block.text}\n\n")
    return block


def render_extra_parts(blocks: Sequence[Block], compat: Compat) -> JsonObject:
    """Write what an assistant said outside `content`: a refusal, pictures, speech."""
    refusal = "".join(block.text for block in blocks if isinstance(block, RefusalBlock))
    images = [render_part(block, compat) for block in blocks if isinstance(block, ImageBlock)]
    audio = next((as_object(own(b.opaque).get("audio")) for b in blocks if isinstance(b, AudioBlock)), {})
    # A past reply's speech goes back by its id; the sound itself is the reply's alone.
    spoken = {"id": audio["id"]} if audio.get("id") else None
    return said({"refusal": refusal or None, "images": images or None, "audio": spoken})


def render_call(call: ToolCall, ids: Mapping[str, str] = {}, compat: Compat = NATIVE) -> JsonObject:
    """Write one tool call."""
    held = own(call.opaque)
    wire: JsonObject = {"id": ids.get(call.id, call.id), "type": "function", **rest(held, ("message",))}
    if held.get("type") == "custom":
        return {**wire, "custom": {"name": call.name, "input": call.arguments}}
    arguments: object = call.arguments or "{}"
    if compat.tool_call_arguments_encoding == "object":
        arguments = _decode_arguments(call.arguments)
    return {**wire, "function": {"name": call.name, "arguments": arguments}}


def _decode_arguments(text: str) -> JsonObject:
    try:
        return as_object(msgspec.json.decode(text or "{}"))
    except msgspec.DecodeError:
        return {}


def _render_user(
    message: Message, compat: Compat, ids: Mapping[str, str], names: Mapping[str, str]
) -> Iterator[JsonObject]:
    """Yield the tool results, which stand right after their calls, then the user's words."""
    results = [block for block in message.content if isinstance(block, ToolResult)]
    words: list[Block] = [block for block in message.content if not isinstance(block, ToolResult)]
    for result in results:
        yield _render_result(result, compat, ids, names)
    if not compat.supports_images_in_tool_results:
        # This wire's tool messages hold words only; pictures follow once the run of results is over.
        words = [*(block for result in results for block in result.content if not isinstance(block, TextBlock)), *words]
    if not words and results:
        return
    if results and compat.requires_assistant_after_tool_result:
        yield {"role": "assistant", "content": "I have processed the tool results."}
    held = {} if compat.strict_message_keys else rest(own(message.opaque), ("role",))
    role = _system_role(compat) if own(message.opaque).get("role") == "system" else "user"
    role = "user" if role == "system" and compat.supports_system_role is False else role
    yield {"role": role, "content": render_content(words, compat), **held}


def _render_result(result: ToolResult, compat: Compat, ids: Mapping[str, str], names: Mapping[str, str]) -> JsonObject:
    blocks: list[Block] = list(result.content)
    if not compat.supports_images_in_tool_results:
        blocks = [block for block in blocks if isinstance(block, TextBlock)]
        if result.content and not blocks:
            blocks = [TextBlock("(see the attachment that follows)")]
    if result.cache_control and compat.supports_cache_control and blocks and isinstance(blocks[-1], TextBlock):
        blocks[-1] = msgspec.structs.replace(blocks[-1], cache_control=result.cache_control)
    content = render_content(blocks, compat)
    if all(is_plain(block, compat) for block in blocks):
        content = "\n".join(block.text for block in blocks if isinstance(block, TextBlock))
    wire: JsonObject = {"role": "tool", "tool_call_id": ids.get(result.call_id, result.call_id), "content": content}
    if compat.requires_tool_result_name:
        wire["name"] = result.name or names.get(result.call_id, "")
    return wire if compat.strict_message_keys else {**wire, **own(result.opaque)}
