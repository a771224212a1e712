"""LM Studio's own list, `GET /api/v1/models` (lmstudio.ai/docs/developer/rest, read 2026-11-21)."""

from __future__ import annotations

from jackfield.catalog.defaults import FREE
from jackfield.model import Model
from jackfield.providers.listing import openai
from jackfield.providers.listing.row import Listing, Row, child, flag, is_kind, kinds, size, to_listing, words


def parse(value: object) -> Listing | None:
    """Read the list; an older server answers in OpenAI's shape."""
    if not isinstance(value, dict) or not isinstance(value.get("models"), list):
        return openai.parse(value)
    return to_listing(value["models"], lambda row: row.get("key"), _to_model)


def _to_model(row: Row) -> Model | None:
    if not is_kind(row.get("type"), "llm", "vlm"):
        return None
    loaded = row.get("loaded_instances")
    running = child(loaded[0], "config") if isinstance(loaded, list) and loaded and isinstance(loaded[0], dict) else {}
    can = child(row, "capabilities")
    thinks = can.get("reasoning")
    return Model(
        id=row["key"],
        name=words(row, "display_name"),
        # What it was loaded with is what a request may fill.
        context_window=size(running, "context_length") or size(row, "max_context_length"),
        input=kinds([], vision=can.get("vision")),
        tools=flag(can, "trained_for_tool_use"),
        reasoning=True if isinstance(thinks, dict) else flag(can, "reasoning", "thinking"),
        cost=FREE,
        privacy="local",
    )
