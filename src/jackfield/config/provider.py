"""Provider entries and routes: from what the reader found to values."""

from __future__ import annotations

from typing import Any

from msgspec import convert

from jackfield.config.keypath import KeyPath
from jackfield.config.schema import ConfigSecret, MissingVar, ProviderConfig, Route
from jackfield.config.spend import build_pace
from jackfield.credential import Secret
from jackfield.message import JsonObject
from jackfield.model import Compat, Model, Network, Timeouts

# Keys whose values already have the shape of their field.
_PLAIN = (
    ("name", "name"), ("base_url", "baseUrl"), ("endpoint", "endpoint"), ("api", "api"), ("auth", "auth"), ("api_key", "apiKey"),
    ("auth_header", "authHeader"), ("params", "params"), ("max_tokens", "maxTokens"), ("privacy", "privacy"),
)  # fmt: skip


def build_providers(said: JsonObject, missing: list[tuple[KeyPath, MissingVar]]) -> dict[str, ProviderConfig]:
    """Return the entries of `models.providers` by lower-case id; of two ids that differ only in case the later wins."""
    return {id_.strip().lower(): _provider(id_, entry, missing) for id_, entry in said.items()}


def _provider(id_: str, said: JsonObject, missing: list[tuple[KeyPath, MissingVar]]) -> ProviderConfig:
    values: dict[str, Any] = {field: said[key] for field, key in _PLAIN if said.get(key, "") != ""}
    headers = said.get("headers", {})
    return ProviderConfig(
        id=id_.strip().lower(),
        headers={name: value for name, value in headers.items() if isinstance(value, Secret)},
        header_refs={name: value for name, value in headers.items() if isinstance(value, ConfigSecret)},
        models=tuple(convert(row, Model) for row in said.get("models", []) if row.get("id")),
        compat=convert(said.get("compat", {}), Compat),
        timeouts=_timeouts(said),
        network=convert(said["network"], Network) if said.get("network") else None,
        pace=build_pace(said.get("pace")),
        missing=tuple(found for path, found in missing if path[:3] == ("models", "providers", id_)),
        **values,
    )


def build_routes(said: JsonObject) -> dict[str, Route]:
    """Return the entries of `models.routes` by name."""
    return {
        name: Route(
            name=name,
            primary=entry["primary"],
            fallbacks=tuple(entry.get("fallbacks", ())),
            on_stream_break=entry.get("onStreamBreak", "error"),
            timeouts=_timeouts(entry),
        )
        for name, entry in said.items()
        if entry.get("primary") and name.strip()
    }


def _timeouts(said: JsonObject) -> Timeouts | None:
    timeouts: JsonObject = dict(said.get("timeouts", {}))
    if "timeoutSeconds" in said:
        timeouts.setdefault("total", said["timeoutSeconds"])
    return convert(timeouts, Timeouts) if timeouts else None
