"""LiteLLM's `GET /model/info` (docs.litellm.ai/docs/proxy/model_management, read 2026-11-21)."""

from __future__ import annotations

from jackfield.catalog.price import MILLION
from jackfield.model import Model
from jackfield.providers.listing import openai
from jackfield.providers.listing.row import (
    Listing,
    Row,
    child,
    cost,
    flag,
    is_kind,
    kinds,
    price,
    size,
    to_listing,
)


def parse(value: object) -> Listing | None:
    """Read the list; a proxy that shows its details to nobody answers in OpenAI's shape."""
    rows = value.get("data") if isinstance(value, dict) else None
    if isinstance(rows, list) and any(isinstance(row, dict) and "model_name" not in row for row in rows):
        return openai.parse(value)
    return to_listing(rows, lambda row: row.get("model_name"), _to_model)


def _to_model(row: Row) -> Model | None:
    facts = child(row, "model_info")
    if not is_kind(facts.get("mode"), "chat", "completion", "responses"):
        return None
    return Model(
        id=row["model_name"],
        context_window=size(facts, "max_input_tokens", "max_tokens"),
        max_tokens=size(facts, "max_output_tokens", "max_tokens"),
        input=kinds([], vision=facts.get("supports_vision"), pdf=facts.get("supports_pdf_input")),
        tools=flag(facts, "supports_function_calling"),
        reasoning=flag(facts, "supports_reasoning"),
        cost=cost(
            input=price(facts.get("input_cost_per_token"), MILLION),
            output=price(facts.get("output_cost_per_token"), MILLION),
            cache_read=price(facts.get("cache_read_input_token_cost"), MILLION),
            cache_write=price(facts.get("cache_creation_input_token_cost"), MILLION),
        ),
    )
