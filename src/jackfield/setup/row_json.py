"""A row of a listing as JSON."""

from __future__ import annotations

from decimal import Decimal

from msgspec import UNSET, to_builtins

from jackfield.catalog import defaults
from jackfield.message import JsonObject
from jackfield.model import Cost, Model
from jackfield.routing.policy import privacy_of
from jackfield.setup.rows import ModelRow

_MAIN_PRICES = ("input", "output", "cacheRead", "cacheWrite")  # shown also where they are not known


def render_model(row: ModelRow) -> JsonObject:
    """Return a row in the command line's JSON shape; prices are decimal strings, `null` is unknown."""
    head = {"key": row.key, "name": row.key, "input": "-", "contextWindow": None, "local": None, "available": None}
    tail = {"tags": list(row.tags), "missing": "missing" in row.tags}
    if row.info is None or not isinstance(row.model, Model):
        return head | tail
    model, cost = row.model, defaults.cost(row.model)
    return {
        "key": row.key,
        "name": defaults.name(model),
        "input": "+".join(defaults.inputs(model)),
        "contextWindow": defaults.context_window(model),
        "local": row.local,
        "available": row.available,
        **tail,
        "provider": row.info.id,
        "id": model.id,
        "maxTokens": defaults.max_tokens(model, row.info),
        "reasoning": defaults.reasons(model),
        "cost": cost and _prices(cost),
        "privacy": privacy_of(row.info, model),
        "source": row.source,
        **({} if row.age_s is None else {"ageSeconds": round(row.age_s)}),
        **({} if model.status is UNSET else {"status": model.status}),
    }


def _prices(cost: Cost) -> JsonObject:
    said: JsonObject = to_builtins(cost, builtin_types=(Decimal,))
    tiers = [_as_text(tier) for tier in said.pop("tiers", ())]
    return {**dict.fromkeys(_MAIN_PRICES), **_as_text(said), **({"tiers": tiers} if tiers else {})}


def _as_text(prices: JsonObject) -> JsonObject:
    return {name: f"{price:f}" if isinstance(price, Decimal) else price for name, price in prices.items()}
