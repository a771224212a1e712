"""Tools as Cohere and Ollama took them over from OpenAI: `{type: function, function: {…}}`.

What else a wire says of a tool stays in the tool's `opaque` under the wire's name, for that
wire; one that is no function stays there whole.
"""

from __future__ import annotations

from jackfield.message import NO_PARAMETERS, JsonObject, Tool
from jackfield.model import Compat
from jackfield.protocols.base import as_opaque, own_fields
from jackfield.protocols.fields import as_object, as_text, rest, said
from jackfield.protocols.schema import strip_keywords


def render_function(tool: Tool, api: str, compat: Compat) -> JsonObject:
    """Write a tool for the wire `api`."""
    own = own_fields(tool.opaque, api)
    if tool.parameters is None:
        return own
    function: JsonObject = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = strip_keywords(tool.parameters or NO_PARAMETERS, compat)
    return {"type": "function", "function": function, **own}


def parse_function(wire: JsonObject, api: str) -> Tool:
    """Read a tool of the wire `api`."""
    function = as_object(wire.get("function"))
    if not (name := as_text(function.get("name"))):
        return Tool(as_text(wire.get("type")), opaque=as_opaque(said(wire), api))
    parameters = as_object(function.get("parameters")) or NO_PARAMETERS
    opaque = as_opaque(rest(wire, ("type", "function")), api)
    return Tool(name, as_text(function.get("description")), parameters, opaque=opaque)
