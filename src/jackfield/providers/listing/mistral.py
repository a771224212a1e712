"""Mistral's list (docs.mistral.ai/api, read 2026-11-21): abilities, retirement dates and replacements."""

from __future__ import annotations

from msgspec import UNSET

from jackfield.model import Model
from jackfield.providers.listing.row import Listing, Row, child, day, flag, kinds, size, to_listing, words


def parse(value: object) -> Listing | None:
    """Read the list; it may be bare."""
    rows = value.get("data") if isinstance(value, dict) else value
    return to_listing(rows, lambda row: row.get("id"), _to_model)


def _to_model(row: Row) -> Model | None:
    can = child(row, "capabilities")
    if can.get("completion_chat") is False:
        return None
    retires = day(row.get("deprecation"))
    return Model(
        id=row["id"],
        name=words(row, "name") if row.get("name") != row["id"] else UNSET,
        context_window=size(row, "max_context_length"),
        input=kinds([], vision=can.get("vision"), audio=can.get("audio")),
        tools=flag(can, "function_calling"),
        reasoning=flag(can, "reasoning"),
        retires=retires,
        replacement=words(row, "deprecation_replacement_model"),
        status="deprecated" if retires else UNSET,
    )
