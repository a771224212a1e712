"""Function calls and their results, both ways.

Older models give a call no id, and answers are matched by name and order: such calls get ids
that depend on nothing but what stands before them, and lose them again on the way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from jackfield.message import DocumentBlock, ImageBlock, JsonObject, OpaqueBlock, TextBlock, ToolCall, ToolResult
from jackfield.protocols.base import as_input, as_opaque, own_fields
from jackfield.protocols.fields import as_object, objects, read, rest, said, wrong
from jackfield.protocols.google_generative_ai.media import parse_medium, render_medium
from jackfield.protocols.google_generative_ai.wire import NAME

Content = TextBlock | ImageBlock | DocumentBlock | OpaqueBlock


class CallIds:
    """Gives ids to calls that came without, and finds the call that a result answers."""

    def __init__(self, prefix: str = "call") -> None:
        self.prefix = prefix
        self._count = 0
        self._open: list[tuple[str, str]] = []  # name and id of calls without an answer

    def note_call(self, name: str, given: str) -> str:
        """Return the call's id."""
        self._count += 1
        call_id = given or f"{self.prefix}_{self._count}"
        self._open.append((name, call_id))
        return call_id

    def note_result(self, name: str, given: str) -> str:
        """Return the id of the call answered: the given one, else the first open call of that name."""
        mine = [entry for entry in self._open if (entry[1] == given if given else entry[0] == name)]
        if mine:
            self._open.remove(mine[0])
            return mine[0][1]
        self._count += not given
        return given or f"{self.prefix}_{self._count}"


# -- calls -------------------------------------------------------------------------


def parse_call(wire: JsonObject, at: str, ids: CallIds) -> ToolCall:
    """Read a part with a `functionCall`; an id it lacks is made up, and the lack noted."""
    call, place = read(wire, "functionCall", dict, at) or {}, f"{at}functionCall."
    name, given = read(call, "name", str, place) or "", read(call, "id", str, place) or ""
    arguments = as_json(read(call, "args", dict, place) or {}, f"{place}args")
    own = rest(wire, ("functionCall", "thought")) | _own_half("functionCall", call, ("name", "args"), given)
    return ToolCall(ids.note_call(name, given), name, arguments, opaque=as_opaque(own, NAME))


def render_call(block: ToolCall) -> JsonObject:
    """Write a call's part; arguments that are no JSON object stand whole under the one key `arguments`."""
    own = dict(own_fields(block.opaque, NAME))
    more = as_object(own.pop("functionCall", None))
    args = as_input(block.arguments)
    return {"functionCall": said({"id": block.id or None, "name": block.name, "args": args, **more}), **own}


def lacks_id(block: ToolCall) -> bool:
    """Tell a call that came from this wire without an id; the one it has is ours."""
    held = as_object(own_fields(block.opaque, NAME).get("functionCall"))
    return "id" in held and held["id"] is None


def _own_half(name: str, wire: JsonObject, known: tuple[str, ...], given: str) -> JsonObject:
    more = rest(wire, (*known, "id")) | ({} if given else {"id": None})
    return {name: more} if more else {}


def as_json(value: Any, at: str) -> str:
    """Return a value as compact JSON text; raise `InvalidRequest` when it has none."""
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeError, RecursionError, TypeError) as error:
        raise wrong(at, f"is no JSON: {error}") from error


# -- results -----------------------------------------------------------------------


def parse_result(wire: JsonObject, at: str, ids: CallIds) -> ToolResult:
    """Read a part with a `functionResponse`: `output` or `error` in words, anything else as JSON text."""
    answer, place = read(wire, "functionResponse", dict, at) or {}, f"{at}functionResponse."
    name, given = read(answer, "name", str, place) or "", read(answer, "id", str, place) or ""
    response = read(answer, "response", dict, place) or {}
    texts, is_error = _parse_words(response, place)
    parts = [
        _parse_inner(part, spot) for spot, part in objects(read(answer, "parts", list, place) or [], f"{place}parts")
    ]
    half = _own_half("functionResponse", answer, ("name", "response", "parts"), given)
    if _render_words(texts, is_error=is_error) != response:
        half = {"functionResponse": {**half.get("functionResponse", {}), "response": response}}
    own = rest(wire, ("functionResponse", "thought")) | half
    call_id = ids.note_result(name, given)
    return ToolResult(call_id, [*texts, *parts], is_error, name or None, opaque=as_opaque(own, NAME))


def _parse_words(response: JsonObject, at: str) -> tuple[list[Content], bool]:
    match response:
        case {"output": str(text), **more} if not more:
            return [TextBlock(text)] if text else [], False
        case {"error": str(text), **more} if not more:
            return [TextBlock(text)] if text else [], True
        case {"output": [str(), *_] as texts, **more} if not more and all(isinstance(text, str) for text in texts):
            return [TextBlock(text) for text in texts], False
        case _:
            is_error = response.keys() == {"error"}
            return [TextBlock(as_json(response, f"{at}response"))] if response else [], is_error


def _parse_inner(part: JsonObject, at: str) -> Content:
    block = parse_medium(part, at) if part.get("inlineData") or part.get("fileData") else None
    return block if isinstance(block, ImageBlock | DocumentBlock) else OpaqueBlock(NAME, part)


def render_result(block: ToolResult, name: str, *, takes_media: bool) -> list[JsonObject]:
    """Write a result's part, and behind it what a model that looks at no picture in there gets as parts of its own."""
    own = dict(own_fields(block.opaque, NAME))
    more = as_object(own.pop("functionResponse", None))
    texts = [inner for inner in block.content if isinstance(inner, TextBlock)]
    media = [part for inner in block.content if (part := _render_inner(inner))]
    response = _render_words(texts, is_error=block.is_error)
    answer = {"id": block.call_id or None, "name": name, "response": response, **more}
    if takes_media or not media:
        return [{"functionResponse": said({**answer, "parts": media or None}), **own}]
    return [{"functionResponse": said(answer), **own}, {"text": f"[result of {name}]"}, *media]


def _render_inner(block: Content) -> JsonObject | None:
    match block:
        case ImageBlock() | DocumentBlock():
            return render_medium(block)
        case OpaqueBlock(api, value) if api == NAME:
            return dict(value)
        case _:
            return None


def _render_words(texts: Sequence[Content], *, is_error: bool) -> JsonObject:
    words = [block.text for block in texts if isinstance(block, TextBlock)]
    return {"error" if is_error else "output": words[0] if len(words) == 1 else words or ""}
