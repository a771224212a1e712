"""Venice's list (docs.venice.ai/api-reference/endpoint/models, read 2026-11-21): abilities and privacy in `model_spec`."""

from __future__ import annotations

import re

from msgspec import UNSET

from jackfield.model import Model, Privacy
from jackfield.providers.listing.row import (
    Listing,
    Row,
    child,
    cost,
    day,
    flag,
    is_kind,
    kinds,
    price,
    size,
    to_listing,
    words,
)

DEFAULT_WINDOW = 128_000
DEFAULT_ANSWER = 8192
THINKS = re.compile(r"thinking|reason|r1")
PRIVACY: dict[str, Privacy] = {"private": "private", "anonymized": "anonymized"}


def parse(value: object) -> Listing | None:
    """Read the list."""
    rows = value.get("data") if isinstance(value, dict) else None
    return to_listing(rows, lambda row: row.get("id"), _to_model)


def _to_model(row: Row) -> Model | None:
    spec = child(row, "model_spec")
    can, prices = child(spec, "capabilities"), child(spec, "pricing")
    # What is offline is listed, but answers nobody.
    if not is_kind(row.get("type"), "text") or spec.get("offline") is True:
        return None
    retires = day(child(spec, "deprecation").get("date"))
    return Model(
        id=row["id"],
        name=words(spec, "name"),
        context_window=size(spec, "availableContextTokens") or size(row, "context_length") or DEFAULT_WINDOW,
        max_tokens=size(spec, "maxCompletionTokens") or DEFAULT_ANSWER,
        reasoning=can.get("supportsReasoning") is True or bool(THINKS.search(row["id"])),
        input=kinds(
            [],
            vision=can.get("supportsVision"),
            audio=can.get("supportsAudioInput"),
            video=can.get("supportsVideoInput"),
        ),
        tools=flag(can, "supportsFunctionCalling"),
        privacy=PRIVACY.get(words(spec, "privacy") or "", UNSET),
        cost=cost(
            input=price(child(prices, "input").get("usd")),
            output=price(child(prices, "output").get("usd")),
            cache_read=price(child(prices, "cache_input").get("usd")),
            cache_write=price(child(prices, "cache_write").get("usd")),
        ),
        retires=retires,
        status="deprecated" if retires else "beta" if spec.get("betaModel") is True else UNSET,
    )
