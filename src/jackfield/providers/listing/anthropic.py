"""Anthropic's `GET /v1/models` (docs.anthropic.com/en/api/models-list, read 2026-11-21)."""

from __future__ import annotations

from urllib.parse import quote

from msgspec.structs import replace

from jackfield.model import Model
from jackfield.providers.listing.row import Listing, Row, child, day, flag, kinds, size, to_listing, words


def parse(value: object) -> Listing | None:
    """Read a page."""
    if not isinstance(value, dict):
        return None
    listing = to_listing(value.get("data"), lambda row: row.get("id"), _to_model)
    if listing is None or value.get("has_more") is not True or not isinstance(value.get("last_id"), str):
        return listing
    return replace(listing, more=f"after_id={quote(value['last_id'], safe='')}")


def _to_model(row: Row) -> Model:
    can = child(row, "capabilities")
    image, document = (child(can, name).get("supported") for name in ("image_input", "pdf_input"))
    return Model(
        id=row["id"],
        name=words(row, "display_name"),
        context_window=size(row, "max_input_tokens"),
        max_tokens=size(row, "max_tokens"),
        input=kinds([], image=image, pdf=document),
        reasoning=flag(child(can, "thinking"), "supported"),
        released=day(row.get("created_at")),
    )
