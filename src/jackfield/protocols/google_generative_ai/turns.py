"""Turns, both ways.

What the API refuses: results that do not stand right behind their calls, text without
words, and, from Gemini 3 on, a call of the current turn without the signature of the thought
that led to it. A call that another model made has none; for it the documentation gives a
word to put in its place (ai.google.dev/gemini-api/docs/thought-signatures, read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from jackfield.message import Block, JsonObject, Message, Role, TextBlock, ToolCall, ToolResult
from jackfield.model import Compat
from jackfield.protocols.base import own_fields
from jackfield.protocols.fields import objects, read, wrong
from jackfield.protocols.google_generative_ai.calls import CallIds, lacks_id, render_result
from jackfield.protocols.google_generative_ai.parts import SIGNATURE, parse_part, render_part
from jackfield.protocols.google_generative_ai.wire import NAME, keep_rest, takes_levels
from jackfield.protocols.opening import OPENING
from jackfield.protocols.toolids import legal_ids

ROLES: dict[str, Role] = {"user": "user", "model": "assistant", "function": "user"}
WIRE_ROLES: dict[Role, str] = {"user": "user", "assistant": "model"}
NO_SIGNATURE = "skip_thought_signature_validator"


# -- wire to value -----------------------------------------------------------------


def parse_contents(wires: list[Any]) -> list[Message]:
    """Read `contents`, each a turn."""
    messages: list[Message] = []
    ids = CallIds()
    for at, wire in objects(wires, "contents"):
        role = read(wire, "role", str, at) or "user"
        if role not in ROLES:
            raise wrong(f"{at}role", f"must be user or model, not {role!r}")
        opaque = keep_rest(wire, "parts", *(() if role == "function" else ("role",)))
        messages.append(Message(ROLES[role], parse_parts(wire, at, ids), opaque=opaque))
    return messages


def parse_parts(wire: JsonObject, at: str, ids: CallIds) -> list[Block]:
    """Read the parts of a content; one alone may stand without its list."""
    held = wire.get("parts")
    parts = [held] if isinstance(held, dict) else read(wire, "parts", list, at) or []
    blocks = (parse_part(part, place, ids) for place, part in objects(parts, f"{at}parts"))
    return [block for block in blocks if block is not None]


# -- value to wire -----------------------------------------------------------------


def render_contents(messages: Sequence[Message], compat: Compat) -> list[JsonObject]:
    """Write the turns; one that says nothing is left out."""
    takes_media = compat.supports_images_in_tool_results
    takes_media = takes_levels(compat) if takes_media is None else takes_media
    calls: dict[str, ToolCall] = {}
    contents: list[JsonObject] = []
    for message in legal_ids(messages, compat.tool_call_id_format or "any"):
        calls |= {block.id: block for block in message.content if isinstance(block, ToolCall)}
        parts = _render_parts(message, calls, takes_media=takes_media)
        own = own_fields(message.opaque, NAME)
        turn = {"role": WIRE_ROLES[message.role], "parts": parts, **own}
        if contents and _is_one_turn(contents[-1], turn):
            contents[-1]["parts"] = _in_order([*contents[-1]["parts"], *parts])
        elif parts:
            contents.append(turn)
    if takes_levels(compat):
        _sign_calls(contents)
    if contents and contents[0]["role"] == WIRE_ROLES["assistant"]:
        contents.insert(0, {"role": WIRE_ROLES["user"], "parts": [{"text": OPENING}]})
    # The API takes a question without words, but none without a turn.
    return contents or [{"role": "user", "parts": [{"text": ""}]}] * bool(messages)


def _render_parts(message: Message, calls: dict[str, ToolCall], *, takes_media: bool) -> list[JsonObject]:
    parts: list[JsonObject] = []
    for block in message.content:
        if isinstance(block, ToolResult):
            call = calls.get(block.call_id)
            name = (call and call.name) or block.name or block.call_id
            # The result of a call without an id has none either: newer models refuse ids that do not match.
            result = replace(block, call_id="") if call and lacks_id(call) else block
            parts += render_result(result, name, takes_media=takes_media)
        else:
            parts += render_part(block)
    return _in_order(parts)


def _is_one_turn(last: JsonObject, turn: JsonObject) -> bool:
    """Tell turns that the API wants as one: a model's calls, and the results of these."""
    kinds = [any("functionResponse" in part for part in each["parts"]) for each in (last, turn)]
    return last["role"] == turn["role"] and len(last) == len(turn) == 2 and (turn["role"] == "model" or all(kinds))


def _in_order(parts: list[JsonObject]) -> list[JsonObject]:
    return sorted(parts, key=lambda part: "functionResponse" not in part)


def _sign_calls(contents: list[JsonObject]) -> None:
    """Put the documented word where a step of the current turn lacks its signature: on its first call."""
    for turn in reversed(contents):
        calls = [part for part in turn["parts"] if "functionCall" in part]
        if turn["role"] != "model" and not any("functionResponse" in part for part in turn["parts"]):
            return
        if calls:
            calls[0].setdefault(SIGNATURE, NO_SIGNATURE)


def render_system(blocks: Sequence[TextBlock]) -> JsonObject:
    """Write `systemInstruction`; empty when there is none."""
    parts = [part for block in blocks for part in render_part(block)]
    return {"systemInstruction": {"parts": parts}} if parts else {}
