"""OpenAI's model list and what others add to its rows: windows, prices, abilities, dates.

Rows of aggregators and servers differ in names, not in meaning, so that one reader knows them all:
OpenRouter, Vercel, Hugging Face, Together, Groq, Perplexity, vLLM, llama.cpp (pages read 2026-11-21).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import UNSET, UnsetType

from jackfield.catalog.price import MILLION
from jackfield.model import Cost, Modality, Model
from jackfield.protocols.fields import as_list
from jackfield.providers.listing.row import (
    Listing,
    Row,
    any_of,
    child,
    cost,
    day,
    flag,
    is_speechless,
    kinds,
    price,
    size,
    to_listing,
    words,
)

LISTS = ("data", "models", "body")
IDS = ("id", "model", "name", "key", "model_path")
# What a server runs a model with comes before what it could: vLLM and SGLang; LM Studio; llama.cpp; the others.
WINDOWS = ("max_model_len", "loaded_context_length", "n_ctx", "context_window", "context_length", "max_context_length")
OUTPUTS = ("max_completion_tokens", "max_output_tokens", "max_output_length", "max_tokens")
# What a list may call models that hold no conversation; a row without a word for it is judged by its name.
TYPES = {"chat", "language", "llm", "vlm", "text", "model", "base", "code", "text-generation"}


def parse(value: object) -> Listing | None:
    """Read a list: in `data`, in `models`, bare, or a single model, as which llama.cpp's `/props` counts."""
    if isinstance(value, dict):
        rows = next((value[name] for name in LISTS if isinstance(value.get(name), list)), None)
        value = [value] if rows is None and isinstance(_id(value), str) else rows
    return to_listing(value, _id, _to_model)


def _id(row: Row) -> object:
    return words(row, *IDS)


def _to_model(row: Row) -> Model | None:
    name = str(_id(row))
    if not _speaks(name, row):
        return None
    said = {**child(row, "default_generation_settings"), **child(row, "meta"), **row}
    top, spec = child(row, "top_provider"), child(row, "architecture")
    offers = [
        offer for offer in as_list(row.get("providers")) if isinstance(offer, dict) and offer.get("status") == "live"
    ]
    abilities = [
        *as_list(row.get("supported_parameters")),
        *as_list(row.get("supported_features")),
        *as_list(row.get("tags")),
    ]
    retires = day(row.get("shutdown_date") or row.get("expiration_date") or row.get("deprecation"))
    return Model(
        id=name,
        name=words(row, "display_name", "name") if row.get("name") != name else UNSET,
        context_window=size(said, *WINDOWS) or _widest(offers),
        max_tokens=size(top, *OUTPUTS) or size(row, *OUTPUTS),
        input=_inputs(row, spec, abilities),
        reasoning=any_of(abilities, "reasoning", "include_reasoning", "reasoning_effort", "thinking")
        or flag(row, "reasoning"),
        tools=_tools(row, offers, abilities),
        cost=_cost(child(row, "pricing")) or _cost(child(_cheapest(offers), "pricing")),
        released=day(row.get("created") or row.get("released")),
        retires=retires,
        status="deprecated" if retires else UNSET,
    )


def _speaks(name: str, row: Row) -> bool:
    kind, outputs = row.get("type"), child(row, "architecture").get("output_modalities")
    if isinstance(kind, str) and kind and kind != "model":
        return kind in TYPES
    if isinstance(outputs, list):
        return "text" in outputs
    return row.get("active") is not False and not is_speechless(name)


def _inputs(row: Row, spec: Row, abilities: list[Any]) -> tuple[Modality, ...] | UnsetType:
    listed = spec.get("input_modalities") or row.get("input_modalities")
    senses = child(row, "modalities")
    vision = True if "vision" in abilities else row.get("supports_vision", senses.get("vision"))
    return kinds(listed) or kinds([], vision=vision, audio=senses.get("audio"))


def _tools(row: Row, offers: list[Row], abilities: list[Any]) -> bool | UnsetType:
    if any_of(abilities, "tools", "tool-use", "tool_calling", "function_calling"):
        return True
    if isinstance(row.get("supported_parameters"), list):
        return False
    said = [offer["supports_tools"] for offer in offers if isinstance(offer.get("supports_tools"), bool)]
    return any(said) if said else flag(row, "supports_tools", "supports_function_calling")


def _cost(pricing: Row) -> Cost | UnsetType:
    """Return the prices: `prompt` and `completion` are per token, `input` and `output` per million unless they are text."""
    if "prompt" in pricing:
        return cost(
            input=price(pricing.get("prompt"), MILLION),
            output=price(pricing.get("completion"), MILLION),
            cache_read=price(pricing.get("input_cache_read"), MILLION),
            cache_write=price(pricing.get("input_cache_write"), MILLION),
        )
    per = MILLION if isinstance(pricing.get("input"), str) else Decimal(1)
    read = pricing.get("input_cache_read", pricing.get("cache_read", pricing.get("cached_input")))
    write = pricing.get("input_cache_write", pricing.get("cache_write"))
    return cost(
        input=price(pricing.get("input"), per),
        output=price(pricing.get("output"), per),
        cache_read=price(read, per),
        cache_write=price(write, per),
    )


def _widest(offers: list[Row]) -> int | UnsetType:
    sizes = [found for offer in offers if (found := size(offer, *WINDOWS))]
    return max(sizes) if sizes else UNSET


def _cheapest(offers: list[Row]) -> Row:
    priced = [offer for offer in offers if price(child(offer, "pricing").get("output")) is not None]
    return min(priced, key=lambda offer: price(child(offer, "pricing").get("output")) or 0, default={})
