"""What holds where several sources speak of one provider or one model: config over built-in over discovered.

Pure functions over values. Nothing the config does not say is overridden, nothing a row does not
say is filled in, but for prices of rows that only the config knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import UNSET
from msgspec.structs import asdict, replace

from jackfield.catalog.defaults import FREE, wire_id
from jackfield.config.schema import ProviderConfig
from jackfield.model import Api, Compat, Cost, ListFormat, Model, ProviderInfo

Key = TypeVar("Key")
Value = TypeVar("Value")

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1"})  # noqa: S104  compared, never bound
# What only a vendor's own address takes; a proxy under the vendor's name is spared it.
PROXY = Compat(supports_developer_role=False, supports_store=False, supports_prompt_cache_key=False)
# A provider that only the config knows: its list stands where that of its wire does.
UNKNOWN = ProviderInfo(id="", discovery="/models")
LIST_OF_API: dict[Api, ListFormat] = {
    "anthropic-messages": "anthropic", "google-generative-ai": "google", "ollama": "ollama",
}  # fmt: skip
PATH_OF_LIST: dict[ListFormat, str] = {"ollama": "/api/tags"}


def is_local(url: str) -> bool:
    """Tell whether an address is this machine or this network's."""
    host = urlsplit("//" + netloc(url)).hostname or ""
    return host in LOCAL_HOSTS or host.endswith(".local")


def derive_id(base_url: str) -> str:
    """Return a provider id made from a server's address: `custom-127-0-0-1-8000`; two paths make two providers."""
    parts = urlsplit(base_url.strip().lower())
    return "custom-" + re.sub(r"[^a-z0-9]+", "-", parts.netloc + parts.path.rstrip("/").removesuffix("/v1")).strip("-")


def netloc(url: str) -> str:
    """Return the address in a URL; one that is none has none, and is refused when it is called."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def over_provider(base: ProviderInfo, entry: ProviderConfig) -> ProviderInfo:
    """Return the provider with everything the config says of it."""
    url = entry.endpoint or entry.base_url
    moved = url is not None and netloc(url) != netloc(base.base_url) and base.base_url != ""
    said = {
        "name": entry.name, "api": entry.api, "base_url": entry.base_url,
        # A built-in request URL belongs to the built-in address.
        "endpoint": entry.endpoint if entry.base_url is None else entry.endpoint or "",
        "auth_header": entry.auth_header or None, "max_tokens": entry.max_tokens, "timeouts": entry.timeouts,
        "network": entry.network, "privacy": entry.privacy,
    }  # fmt: skip
    if url is not None and (moved or not base.base_url):
        said |= {"local": is_local(url), "key_optional": is_local(url)}
        if base.discovery.startswith("http"):  # the vendor's own page, which a key for another address must not see
            said["discovery"] = UNKNOWN.discovery
    if entry.api is not None and base.api != entry.api:
        form = LIST_OF_API.get(entry.api, "openai")
        said |= {"discovery_format": form, "discovery": PATH_OF_LIST.get(form, UNKNOWN.discovery)}
    if moved and not base.local:
        said |= {"counting": ""}  # another server under the vendor's name may have no counter
    compat = base.compat.merged(PROXY) if moved else base.compat
    return replace(
        base,
        headers={**base.headers, **entry.headers},
        params={**base.params, **entry.params},
        compat=compat.merged(entry.compat),
        **{key: value for key, value in said.items() if value is not None},
    )


def over_row(row: Model, over: Model) -> Model:
    """Return a built-in row with what the config says of it, prices and compat field by field."""
    merged = row.merged(over)
    if over.cost is not UNSET and row.cost is not UNSET:
        merged = replace(merged, cost=Cost(**{**asdict(row.cost), **_said(asdict(over.cost))}))
    if over.compat is not UNSET and row.compat is not UNSET:
        merged = replace(merged, compat=row.compat.merged(over.compat))
    return merged


def fill_row(row: Model) -> Model:
    """Return a row that only the config knows; the contract says that its unnamed prices are zero."""
    if row.cost is UNSET:
        return replace(row, cost=FREE)
    return replace(row, cost=Cost(**{**asdict(FREE), **_said(asdict(row.cost))}))


def over_discovered(discovered: Iterable[Model], known: Mapping[str, Model]) -> dict[str, Model]:
    """Return the known rows, each with what its provider says and it does not, then the rows nobody knew."""
    found = {row.id: row for row in discovered}
    if not found:
        return dict(known)
    rows = {}
    for key, row in known.items():
        said = found.get(wire_id(row))
        rows[key] = replace(said.merged(row), id=key) if said else row
    spoken = {each for row in known.values() for each in (row.id, wire_id(row), *(row.aliases or ()))}
    return rows | {key: row for key, row in found.items() if key not in spoken}


def _said(fields: Mapping[Key, Value | None]) -> dict[Key, Value]:
    return {key: value for key, value in fields.items() if value is not None}
