"""GitHub Copilot's list: limits, abilities, and which endpoints a model answers at."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from jackfield.model import Api, Model
from jackfield.protocols.fields import as_list
from jackfield.providers.listing.row import Listing, Row, child, flag, is_kind, kinds, size, to_listing, words

# In order of preference; the first that the model answers at names its wire. A list without endpoints is older than them.
WIRES: tuple[tuple[str, Api], ...] = (
    ("/chat/completions", "openai-completions"),
    ("/responses", "openai-responses"),
    ("/v1/messages", "anthropic-messages"),
)


def parse(value: object) -> Listing | None:
    """Read the list."""
    rows = value.get("data") if isinstance(value, dict) else None
    return to_listing(rows, lambda row: row.get("id"), _to_model)


def _to_model(row: Row) -> Model | None:
    can = child(row, "capabilities")
    limits, supports = child(can, "limits"), child(can, "supports")
    if not is_kind(can.get("type"), "chat"):
        return None
    thinks = bool(supports.get("reasoning_effort")) or "max_thinking_budget" in supports
    return Model(
        id=row["id"],
        name=words(row, "name"),
        api=_wire(row.get("supported_endpoints")),
        context_window=size(limits, "max_context_window_tokens"),
        max_tokens=size(limits, "max_output_tokens"),
        input=kinds([], vision=supports.get("vision", "vision" in limits)),
        tools=flag(supports, "tool_calls"),
        reasoning=thinks,
        status="preview" if row.get("preview") is True else UNSET,
    )


def _wire(endpoints: object) -> Api | UnsetType:
    offered = as_list(endpoints)
    return next((api for path, api in WIRES if path in offered), UNSET)
