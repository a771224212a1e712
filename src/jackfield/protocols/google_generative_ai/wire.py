"""This wire's name, its share of `opaque`, its limits, and the two spellings of its fields."""

from __future__ import annotations

from typing import Any

from jackfield.message import JsonObject
from jackfield.model import Compat
from jackfield.protocols.base import as_opaque
from jackfield.protocols.features import LEFT_OUT
from jackfield.protocols.fields import as_object, rest
from jackfield.protocols.opening import BEHIND_OPENING

NAME = "google-generative-ai"
LIMITS: dict[str, str] = {
    "model first": BEHIND_OPENING,
    "tools.strict": f"{LEFT_OUT}: the API knows no such mark",
    "parallel_tools": f"{LEFT_OUT}: the API has no such switch",
    "user": f"{LEFT_OUT}: the API has no such field",
    "cache_key": f"{LEFT_OUT}: the API finds shared prefixes itself",
    "cache_control": f"{LEFT_OUT}: the API finds shared prefixes itself",
    "thinking.effort": "said as a budget in tokens",
    "document": "said as its type and data, without a name",
    "document.url": "said as its type and address, without a name",
    "tool_result.image": "behind the results",
    "tool_result.document": "behind the results",
    "refusal": "as text",
    "citations": LEFT_OUT,
}
# Under these stand values of the user's own, whose names are not ours to respell.
FREE = frozenset({
    "args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "labels", "partMetadata",
})  # fmt: skip


def keep_rest(wire: JsonObject, *known: str) -> JsonObject | None:
    """Keep the fields that no value of ours names, nulls aside, as `opaque`."""
    return as_opaque(rest(wire, known), NAME)


def unwrap(wire: JsonObject) -> JsonObject:
    """Return what is inside Cloud Code's envelope; Gemini's own replies, and all errors, come without one."""
    return as_object(wire["response"]) if "response" in wire else wire


def to_camel(value: Any) -> Any:
    """Return a body with its fields spelled one way: the API takes `inline_data` for `inlineData`."""
    if isinstance(value, list):
        return [to_camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = ((_camel(name), inner) for name, inner in value.items())
    return {name: inner if name in FREE else to_camel(inner) for name, inner in named}


def _camel(name: str) -> str:
    first, *words = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in words) if first else name


def takes_levels(compat: Compat) -> bool:
    """Tell a model of Gemini's third generation or later: it thinks by levels, not by budgets.

    Such a model also checks the signatures of its calls and looks at pictures inside a tool's
    result. A row says so with the levels it lists.
    """
    declared = compat.supports_reasoning_effort
    return bool(compat.supported_reasoning_efforts) if declared is None else declared
