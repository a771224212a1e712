"""Tools, both ways: the caller's functions, and what the API runs itself."""

from __future__ import annotations

from jackfield.message import Builtin, JsonObject, Tool
from jackfield.model import Compat
from jackfield.protocols.anthropic_messages.wire import NAME, keep_rest
from jackfield.protocols.base import as_opaque, own_fields
from jackfield.protocols.fields import read, require
from jackfield.protocols.schema import strip_keywords

# The first version of each that needs no beta header, since the newest run on the newest models alone
# (platform.claude.com/docs, server tools, read 2026-11-21).
BUILTINS: dict[Builtin, str] = {
    "web_search": "web_search_20250305",
    "web_fetch": "web_fetch_20250910",
    "code_execution": "code_execution_20250825",
}


def parse_tool(wire: JsonObject, at: str) -> Tool:
    """Read a tool; one that the server runs, or has trained for, stays whole in `opaque`."""
    mark, kind = read(wire, "cache_control", dict, at), read(wire, "type", str, at)
    if kind not in {None, "custom"}:
        builtin = next((name for name in BUILTINS if (kind or "").rpartition("_")[0] == name), None)
        return Tool(
            read(wire, "name", str, at) or "", cache_control=mark, opaque=as_opaque(wire, NAME), builtin=builtin
        )
    return Tool(
        name=require(wire, "name", str, at),
        description=read(wire, "description", str, at) or "",
        parameters=require(wire, "input_schema", dict, at),
        strict=read(wire, "strict", bool, at),
        cache_control=mark,
        opaque=keep_rest(wire, "name", "description", "input_schema", "strict", "cache_control"),
    )


def render_tool(tool: Tool, compat: Compat) -> JsonObject | None:
    """Write a tool; `None` for one that only another wire runs."""
    own = own_fields(tool.opaque, NAME)
    mark = {"cache_control": tool.cache_control} if tool.cache_control else {}
    if tool.parameters is None:
        own = own or ({"type": BUILTINS[tool.builtin], "name": tool.builtin} if tool.builtin else {})
        return {name: value for name, value in own.items() if name != "cache_control"} | mark if own else None
    wire: JsonObject = {"name": tool.name, "description": tool.description} if tool.description else {"name": tool.name}
    wire |= {"input_schema": {"type": "object", **strip_keywords(tool.parameters, compat)}, **own}
    return wire | ({} if tool.strict is None else {"strict": tool.strict}) | mark
