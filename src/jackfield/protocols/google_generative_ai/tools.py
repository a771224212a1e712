"""Tools and whether to call them, both ways.

Functions stand together in one entry of `tools`; what the provider runs itself has an entry
each (ai.google.dev/api/caching#Tool, read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jackfield.message import NO_PARAMETERS, Builtin, ChatRequest, JsonObject, Tool, ToolChoice
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, as_opaque, own_fields
from jackfield.protocols.fields import as_list, as_object, as_text, objects, read, require, rest, said
from jackfield.protocols.google_generative_ai.schema import parse_openapi, render_schema
from jackfield.protocols.google_generative_ai.wire import NAME

BUILTINS: dict[str, Builtin] = {
    "googleSearch": "web_search", "googleSearchRetrieval": "web_search", "urlContext": "web_fetch", "codeExecution": "code_execution",
}  # fmt: skip
FIELDS: dict[Builtin, str] = {
    "web_search": "googleSearch",
    "web_fetch": "urlContext",
    "code_execution": "codeExecution",
}
SCHEMAS = ("parameters", "parametersJsonSchema")
MODES = {"none": "NONE", "auto": "AUTO", "required": "ANY", "tool": "ANY"}
CONFIG = "functionCallingConfig"


# -- wire to value -----------------------------------------------------------------


def parse_tools(wires: list[object]) -> Iterator[Tool]:
    """Read `tools`; raise `InvalidRequest` naming the field that is wrong."""
    for at, wire in objects(wires, "tools"):
        for kind, held in wire.items():
            if kind == "functionDeclarations":
                declared = read(wire, kind, list, at) or []
                yield from (_parse_function(each, place) for place, each in objects(declared, f"{at}{kind}"))
            elif held is not None:
                yield Tool(BUILTINS.get(kind, kind), builtin=BUILTINS.get(kind), opaque=as_opaque({kind: held}, NAME))


def _parse_function(wire: JsonObject, at: str) -> Tool:
    openapi, schema = read(wire, "parameters", dict, at), read(wire, "parametersJsonSchema", dict, at)
    parameters = schema or (parse_openapi(openapi) if openapi else NO_PARAMETERS)
    given, own = said({name: wire.get(name) for name in SCHEMAS}), rest(wire, ("name", "description", *SCHEMAS))
    if render_schema(parameters, NATIVE, "parameters") != given:
        own["schema"] = given
    name, about = require(wire, "name", str, at), read(wire, "description", str, at) or ""
    return Tool(name, about, parameters, opaque=as_opaque(own, NAME))


def parse_choice(config: JsonObject) -> ToolChoice | None:
    """Read a `functionCallingConfig`; `render_choice` tells what our words do not bring back."""
    mode, names = as_text(config.get("mode")).upper(), as_list(config.get("allowedFunctionNames"))
    match mode:
        case "ANY" if len(names) == 1 and isinstance(names[0], str):
            return ToolChoice("tool", names[0])
        case "ANY":
            return ToolChoice("required")
        case "NONE":
            return ToolChoice("none")
        case "AUTO" | "VALIDATED":
            return ToolChoice("auto")
        case _:
            return None


# -- value to wire -----------------------------------------------------------------


def render_tools(tools: Sequence[Tool], compat: Compat) -> list[JsonObject]:
    """Write `tools`: the functions in one entry, what the provider runs behind it."""
    functions = [_render_function(tool, compat) for tool in tools if tool.parameters is not None]
    others = [_render_builtin(tool) for tool in tools if tool.parameters is None]
    return [*([{"functionDeclarations": functions}] if functions else []), *(other for other in others if other)]


def _render_function(tool: Tool, compat: Compat) -> JsonObject:
    own = dict(own_fields(tool.opaque, NAME))
    given = own.pop("schema", None)
    schema = render_schema(tool.parameters or {}, compat, "parameters") if given is None else as_object(given)
    return {"name": tool.name, **({"description": tool.description} if tool.description else {}), **schema, **own}


def _render_builtin(tool: Tool) -> JsonObject:
    own = own_fields(tool.opaque, NAME)
    return dict(own) if own or not tool.builtin else {FIELDS[tool.builtin]: {}}


def render_choice(request: ChatRequest) -> JsonObject:
    """Write a `functionCallingConfig`; empty when nothing was said, or there is nothing to call."""
    choice = request.tool_choice
    if choice is None or not any(tool.parameters is not None for tool in request.tools):
        return {}
    names = {"allowedFunctionNames": [choice.name]} if choice.mode == "tool" else {}
    return {"mode": MODES[choice.mode], **names}
