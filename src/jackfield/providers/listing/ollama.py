"""Ollama's `GET /api/tags`, and `POST /api/show` for one model (docs.ollama.com/api, read 2026-11-21)."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from jackfield.catalog.defaults import FREE
from jackfield.model import Model
from jackfield.providers.listing.row import Listing, Row, child, is_speechless, kinds, size, to_listing

DEFAULT_WINDOW = 8192  # where the model does not say
ANSWER_FACTOR = 10  # nothing bounds an answer but the window; ours is a bound that is never met


def parse(value: object) -> Listing | None:
    """Read the tags."""
    rows = value.get("models") if isinstance(value, dict) else None
    return to_listing(rows, lambda row: row.get("model") or row.get("name"), _to_model)


def parse_details(row: Model, body: bytes) -> Model | None:
    """Return a row with what `/api/show` says of it, `None` for a model that only embeds; as it was if that is nothing."""
    try:
        shown = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return row
    if not isinstance(shown, dict):
        return row
    can = shown.get("capabilities")
    if isinstance(can, list) and "completion" not in can:
        return None
    facts = child(shown, "model_info")
    window = size(facts, f"{facts.get('general.architecture')}.context_length") or DEFAULT_WINDOW
    said = {word: word in can for word in ("tools", "thinking", "vision")} if isinstance(can, list) else {}
    return row.merged(
        Model(
            id=row.id,
            context_window=window,
            max_tokens=ANSWER_FACTOR * window,
            input=kinds([], vision=said.get("vision")),
            reasoning=said.get("thinking", UNSET),
            tools=said.get("tools", UNSET),
        )
    )


def _to_model(row: Row) -> Model | None:
    name = row.get("model") or row["name"]
    family = str(child(row, "details").get("family", ""))
    if is_speechless(name) or family.endswith("bert"):
        return None
    return Model(id=name, cost=FREE, privacy="local")
