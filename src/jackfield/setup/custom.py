"""A server of the user's own: from what a form or flags say to a provider, its config entry, and a config to try it with.

Pure values. The key is no part of it: a key goes into the credential store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog.merge import LIST_OF_API, UNKNOWN, derive_id, is_local
from jackfield.config.environment import VARIABLE
from jackfield.config.keypath import KeyPath
from jackfield.config.provider import build_providers
from jackfield.config.save import Append, Edit, Set, Unset
from jackfield.config.schema import Config, ProviderConfig
from jackfield.errors import UsageError
from jackfield.message import JsonObject
from jackfield.model import Api, ProviderInfo

PROVIDER_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
SERVERS_OWN = -1  # tokens of output: as many as the server allows; Kilo Code writes it so


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """One server with one model; `None` is not said. Prices are US dollars per million tokens."""

    base_url: str
    model: str  # its id, as the server names it
    id: str = ""  # of the provider; empty: made of the address
    name: str = ""
    api: Api = "openai-completions"
    max_tokens: int | None = None
    context_window: int | None = None
    images: bool | None = None
    computer_use: bool | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None


def check_server(server: Server) -> Server:
    """Return it with a clean address and an id; raises `UsageError` that names the value which is none."""
    url = check_url(server.base_url)
    provider_id = (server.id or derive_id(url)).strip().lower()
    if not PROVIDER_ID.fullmatch(provider_id):
        raise UsageError(f"{provider_id!r} is no provider id", hint="use letters, digits, '.', '_' and '-'")
    for text in (url, server.model, server.name):
        # A list of models is a stranger's text, and the config fills variables in.
        if VARIABLE.search(text):
            raise UsageError(f"{text!r} names a variable", hint="what is filled in by the config is written there")
    for what, price in (("input", server.input_price), ("output", server.output_price)):
        if price is not None and not (price.is_finite() and price >= 0):
            raise UsageError(f"the {what} price {price} is none", hint="dollars per million tokens, 0 or more")
    if server.max_tokens is not None and server.max_tokens != SERVERS_OWN and server.max_tokens < 1:
        raise UsageError(
            f"{server.max_tokens} is no number of tokens", hint="-1 or nothing: as many as the server allows"
        )
    if server.context_window is not None and server.context_window < 1:
        raise UsageError(f"{server.context_window} is no context window", hint="tokens, such as 128000")
    return replace(server, base_url=url, id=provider_id, model=server.model.strip(), name=server.name.strip())


def check_url(text: str) -> str:
    """Return a base URL without its last slash; raises `UsageError` when it is none."""
    text = text.strip()
    wrong = UsageError(f"{text!r} is no base URL", hint="write it like http://127.0.0.1:8000/v1")
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as error:
        raise wrong from error
    if not good:
        raise wrong
    if "@" in parts.netloc:
        raise UsageError(
            f"a user name or password stands before {parts.hostname}",
            hint="give the key on its own, not in the address",
        )
    return text.rstrip("/")


def place(info: ProviderInfo, server: Server) -> ProviderInfo:
    """Return the provider that a checked server is, after the pattern of another."""
    return replace(
        info,
        id=server.id,
        name=server.name or urlsplit(server.base_url).netloc,
        api=server.api,
        base_url=server.base_url,
        local=is_local(server.base_url),
        discovery=UNKNOWN.discovery,
        discovery_format=LIST_OF_API.get(server.api, "openai"),
        aliases=(),
    )


def make_entry(server: Server) -> JsonObject:
    """Return what `models.providers.<id>` says of a checked server that is new."""
    said: JsonObject = {"baseUrl": server.base_url, "api": server.api, "models": [_make_row(server)]}
    return {"name": server.name, **said} if server.name else said


def make_edits(server: Server, spelt: str, raw: JsonObject) -> Iterator[Edit]:
    """Yield the changes to a config as authored; `spelt` is the provider's id as the config writes it.

    What the form does not speak of stays: other models, headers, compat. An address stays as it is
    written where it means the same.
    """
    path: KeyPath = ("models", "providers", spelt)
    entry = raw.get("models", {}).get("providers", {}).get(spelt)
    if not isinstance(entry, dict):
        yield Set(path, make_entry(server))
        return
    # Who named the whole request URL gives another one.
    key = "endpoint" if entry.get("endpoint") else "baseUrl"
    yield Set((*path, key), server.base_url)
    yield Set((*path, "api"), server.api)
    if server.name:
        yield Set((*path, "name"), server.name)
    rows = entry.get("models", [])
    at = next((at for at, row in enumerate(rows) if isinstance(row, dict) and row.get("id") == server.model), None)
    if at is None:
        yield Append((*path, "models"), _make_row(server))
    else:
        yield from _row_edits((*path, "models", at), rows[at], _make_row(server))


def draft(config: Config, server: Server, *, keeps_secrets: bool) -> Config:
    """Return a config that has a checked server, for trying it out; nothing of it is written.

    Plugins and allowlists are not in the way. `keeps_secrets`: the key and the headers that the config
    has for the provider go along, which another address must not see.
    """
    old = config.providers.get(server.id, ProviderConfig(id=server.id))
    if not keeps_secrets:
        old = replace(old, api_key=None, auth=None, headers={}, header_refs={}, missing=())
    said = build_providers({server.id: make_entry(server)}, [])[server.id]
    rows = {row.id: row for row in (*old.models, *said.models)}
    key = "endpoint" if old.endpoint else "base_url"
    entry = replace(old, api=said.api, name=said.name, models=tuple(rows.values()), **{key: server.base_url})
    return replace(
        config,
        providers={**config.providers, server.id: entry},
        allow=None,
        plugins={},
        auth_profiles={},
        auth_order={},
    )


def origin(url: str) -> tuple[str, str]:
    """Return what tells one server from another: scheme, and host with port."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, f"{parts.hostname or ''}:{parts.port or usual}"


def _make_row(server: Server) -> JsonObject:
    cost = {"input": server.input_price, "output": server.output_price}
    row: JsonObject = {
        "id": server.model,
        "input": None if server.images is None else ["text", "image"] if server.images else ["text"],
        "contextWindow": server.context_window,
        "maxTokens": None if server.max_tokens == SERVERS_OWN else server.max_tokens,
        "cost": {name: price for name, price in cost.items() if price is not None} or None,
        "computerUse": server.computer_use or None,
    }
    return {name: value for name, value in row.items() if value is not None}


def _row_edits(path: KeyPath, old: JsonObject, new: JsonObject) -> Iterator[Edit]:
    for name in ("contextWindow", "maxTokens", "computerUse"):
        if name in new:
            yield Set((*path, name), new[name])
        elif name in old:
            yield Unset((*path, name))
    for name in ("input", "output"):
        if name in new.get("cost", {}):
            yield Set((*path, "cost", name), new["cost"][name])
        elif name in old.get("cost", {}):
            yield Unset((*path, "cost", name))
    # Documents and sound, of which the form does not speak, stay.
    kinds = old.get("input", [])
    if "input" in new and ("image" in kinds) != ("image" in new["input"]):
        kept = [kind for kind in kinds if kind not in {"text", "image"}]
        yield Set((*path, "input"), [*new["input"], *kept])
    elif "input" in new and not kinds:
        yield Set((*path, "input"), new["input"])
