"""Model servers that run on this machine: which answer, and with which models.

Every local row of the catalog is asked at once, each at its own address, and the whole
takes at most `LIMIT_S`: nothing that listens but does not answer can hold a command up.
A server that turns out to be something else is left out; nothing here raises.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from jackfield.catalog.defaults import FREE
from jackfield.credential import Secret
from jackfield.errors import ConfigError
from jackfield.model import Model, ProviderInfo
from jackfield.providers.url import models_url
from jackfield.transport.local import fetch_local

LIMIT_S = 0.3
LISTS = ("data", "models")  # where the rows stand: OpenAI's shape, Ollama's own
IDS = ("id", "model", "name", "key")
# What servers call the window they run a model with: vLLM and SGLang; LM Studio; llama.cpp, in `meta`.
WINDOWS = ("max_model_len", "loaded_context_length", "max_context_length", "n_ctx")


class LocalServer(Struct, frozen=True):
    """A server that answered: which provider it is, where its list is, and what it offers."""

    provider: str
    url: str
    models: tuple[Model, ...]


def find_local(
    infos: Iterable[ProviderInfo], *, keys: Mapping[str, Secret] = {}, limit_s: float = LIMIT_S
) -> tuple[LocalServer, ...]:
    """Return the servers of local rows that answer, in the order of the rows; takes `limit_s` at most.

    Only addresses of this machine are asked; a provider gets the key that `keys` has under its id.
    """
    rows, until = tuple(infos), time.monotonic() + limit_s
    found: dict[str, LocalServer] = {}
    askers = [
        # A daemon: one that is still waiting when the time is up holds nobody.
        threading.Thread(target=_ask, args=(info.id, url, limit_s, keys.get(info.id), found), daemon=True)
        for info, url in _addresses(rows)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(max(0.0, until - time.monotonic()))
    answered = dict(found)
    return tuple(answered[info.id] for info in rows if info.id in answered)


def parse_models(body: bytes) -> tuple[Model, ...] | None:
    """Read a model list, OpenAI's or Ollama's; `None` when it is neither. Embedding models are left out."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    rows = (
        next((value[key] for key in LISTS if isinstance(value.get(key), list)), None)
        if isinstance(value, dict)
        else None
    )
    if rows is None or not all(isinstance(row, dict) for row in rows):
        return None
    named = [(next((row[key] for key in IDS if isinstance(row.get(key), str)), ""), row) for row in rows]
    return tuple(_as_model(name, row) for name, row in named if name and not _embeds(name, row))


def _addresses(infos: Iterable[ProviderInfo]) -> Iterator[tuple[ProviderInfo, str]]:
    for info in infos:
        try:
            url = models_url(info.base_url, info.api, path=info.discovery or "/models") if info.local else None
        except ConfigError:
            continue
        if url:
            yield info, url


def _ask(provider: str, url: str, limit_s: float, key: Secret | None, found: dict[str, LocalServer]) -> None:
    body = fetch_local(url, limit_s, {"authorization": f"Bearer {key.reveal()}"} if key else {})
    models = parse_models(body) if body is not None else None
    if models is not None:
        found[provider] = LocalServer(provider, url, models)


def _embeds(name: str, row: dict[str, Any]) -> bool:
    return "embed" in name.lower() or str(row.get("type", "")).startswith("embedding")


def _as_model(name: str, row: dict[str, Any]) -> Model:
    return Model(id=name, cost=FREE, privacy="local", context_window=_window(row))


def _window(row: dict[str, Any]) -> int | UnsetType:
    meta = row.get("meta")
    said = {**(meta if isinstance(meta, dict) else {}), **row}
    sizes = (said.get(name) for name in WINDOWS)
    return next((size for size in sizes if isinstance(size, int) and size > 0), UNSET)
