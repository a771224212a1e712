"""Cohere's `GET /v1/models` (docs.cohere.com/reference/list-models, read 2026-11-21)."""

from __future__ import annotations

from urllib.parse import quote

from msgspec import UNSET
from msgspec.structs import replace

from jackfield.model import Model
from jackfield.protocols.fields import as_list
from jackfield.providers.listing.row import Listing, Row, any_of, kinds, size, to_listing


def parse(value: object) -> Listing | None:
    """Read a page."""
    if not isinstance(value, dict):
        return None
    listing = to_listing(value.get("models"), lambda row: row.get("name"), _to_model)
    token = value.get("next_page_token")
    return (
        replace(listing, more=f"page_token={quote(token, safe='')}")
        if listing and isinstance(token, str) and token
        else listing
    )


def _to_model(row: Row) -> Model | None:
    if not any_of(row.get("endpoints"), "chat"):
        return None
    listed = as_list(row.get("features"))
    return Model(
        id=row["name"],
        context_window=size(row, "context_length"),
        input=kinds([], vision=any_of(listed, "vision") if listed else None),
        tools=any_of(listed, "tools") if listed else UNSET,
        reasoning=any_of(listed, "reasoning") if listed else UNSET,
        status="deprecated" if row.get("is_deprecated") is True else UNSET,
    )
