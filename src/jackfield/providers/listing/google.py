"""Google's `models.list` (ai.google.dev/api/models, read 2026-11-21): names under `models/`, abilities as methods."""

from __future__ import annotations

from urllib.parse import quote

from msgspec.structs import replace

from jackfield.model import Model
from jackfield.providers.listing.row import Listing, Row, any_of, flag, is_speechless, size, to_listing, words


def parse(value: object) -> Listing | None:
    """Read a page."""
    if not isinstance(value, dict):
        return None
    listing = to_listing(value.get("models"), lambda row: row.get("name"), _to_model)
    token = value.get("nextPageToken")
    return (
        replace(listing, more=f"pageToken={quote(token, safe='')}") if listing and isinstance(token, str) else listing
    )


def _to_model(row: Row) -> Model | None:
    name = row["name"].removeprefix("models/")
    if not any_of(row.get("supportedGenerationMethods"), "generateContent") or is_speechless(name):
        return None
    return Model(
        id=name,
        name=words(row, "displayName"),
        context_window=size(row, "inputTokenLimit"),
        max_tokens=size(row, "outputTokenLimit"),
        reasoning=flag(row, "thinking"),
    )
