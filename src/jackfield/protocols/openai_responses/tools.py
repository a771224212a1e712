"""Tools of this wire, both ways: functions (flat here), tools the server runs, and which must be called.

`strict` left unsaid makes a function strict on this wire alone (platform.openai.com, function
calling, read 2026-11-21), so that a tool of another wire, where it does not, says `false`.
"""

from __future__ import annotations

from collections.abc import Sequence

from jackfield.message import NO_PARAMETERS, Builtin, ChatRequest, JsonObject, Tool, ToolChoice
from jackfield.model import Compat
from jackfield.protocols.base import as_opaque
from jackfield.protocols.fields import as_text, objects, read, require, rest, wrong
from jackfield.protocols.openai_responses.wire import NAME, own
from jackfield.protocols.schema import strip_keywords

# What the server runs itself: our word → how it is asked for, and the beginning of its other spellings.
BUILTINS: dict[Builtin, JsonObject] = {
    "web_search": {"type": "web_search"},
    "code_execution": {"type": "code_interpreter", "container": {"type": "auto"}},
}
PREFIXES: tuple[tuple[str, Builtin], ...] = (("web_search", "web_search"), ("code_interpreter", "code_execution"))
KEYS = ("type", "name", "description", "parameters", "strict")


# -- wire → value ------------------------------------------------------------------


def parse_tools(wire: JsonObject) -> list[Tool]:
    """Read `tools`; what is no function keeps its own spelling."""
    return [_parse_tool(tool, at) for at, tool in objects(read(wire, "tools", list) or [], "tools")]


def _parse_tool(wire: JsonObject, at: str) -> Tool:
    kind = as_text(wire.get("type")) or "function"
    if kind != "function":
        builtin = next((word for prefix, word in PREFIXES if kind.startswith(prefix)), None)
        name = as_text(wire.get("name")) or kind
        return Tool(name, as_text(wire.get("description")), opaque=as_opaque(wire, NAME), builtin=builtin)
    strict = read(wire, "strict", bool, at)
    # `false` is what other wires mean by saying nothing.
    left = rest(wire, KEYS) | ({} if strict is not False else {"strict": False})
    return Tool(
        require(wire, "name", str, at),
        read(wire, "description", str, at) or "",
        read(wire, "parameters", dict, at) or NO_PARAMETERS,
        strict or None,
        # An empty share says that the function is this wire's, where nothing about `strict` means yes.
        opaque={NAME: left} if left or strict is None else None,
    )


def parse_choice(wire: JsonObject) -> tuple[ToolChoice | None, JsonObject]:
    """Read `tool_choice`: our value of it, and the field itself where that says less."""
    choice = wire.get("tool_choice")
    match choice:
        case None:
            return None, {}
        case "auto" | "none" | "required":
            return ToolChoice(choice), {}
        case {"type": "function", "name": str(name)}:
            return ToolChoice("tool", name), {}
        case {"type": "custom", "name": str(name)}:
            return ToolChoice("tool", name), {"tool_choice": choice}
        case str() | dict():
            return None, {"tool_choice": choice}
        case _:
            raise wrong("tool_choice", "must be a string or an object")


# -- value → wire ------------------------------------------------------------------


def render_tools(request: ChatRequest, compat: Compat) -> JsonObject:
    """Write the tools, and which must be called; a choice without tools is refused, so it goes with them."""
    tools = [wire for tool in request.tools if (wire := _render_tool(tool, compat))]
    if not tools:
        return {}
    body: JsonObject = {"tools": tools}
    if request.tool_choice is not None:
        body["tool_choice"] = _render_choice(request.tool_choice, tools)
    if request.parallel_tools is not None:
        body["parallel_tool_calls"] = request.parallel_tools
    return body


def _render_tool(tool: Tool, compat: Compat) -> JsonObject:
    held = own(tool.opaque)
    if tool.parameters is None:
        return held or dict(BUILTINS.get(tool.builtin, {}) if tool.builtin else {})
    wire: JsonObject = {"type": "function", "name": tool.name}
    if tool.description:
        wire["description"] = tool.description
    wire["parameters"] = strip_keywords(tool.parameters or NO_PARAMETERS, compat)
    is_ours = NAME in (tool.opaque or {})
    if tool.strict is not None or not is_ours:
        wire["strict"] = bool(tool.strict)
    wire |= held
    return rest(wire, ("strict",)) if compat.supports_strict_mode is False else wire


def _render_choice(choice: ToolChoice, tools: Sequence[JsonObject]) -> str | JsonObject:
    if choice.mode != "tool":
        return choice.mode
    called = next((tool for tool in tools if choice.name in (tool.get("name"), tool["type"])), {})
    kind = as_text(called.get("type")) or "function"
    # A tool the server runs has no name but its kind.
    return {"type": kind, "name": choice.name} if kind in {"function", "custom"} else {"type": kind}
