"""The models one may ask, as each protocol lists them: names that lead somewhere, and the default.

Listed are the models of providers that have what they need to be asked: the user's own,
not all that exist. Any other name may still be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from jackfield.auth.resolve import is_available
from jackfield.client import AsyncClient
from jackfield.errors import ModelNotFound
from jackfield.gateway.routes import Route
from jackfield.gateway.wires import GEMINI, MESSAGES
from jackfield.message import JsonObject
from jackfield.model import HIDDEN, Model, ModelRef
from jackfield.routing.names import DEFAULT
from jackfield.routing.policy import admission

NO_DATE = "1970-01-01T00:00:00Z"  # clients want one, and most rows have none
UNLISTED = frozenset({HIDDEN, "retired"})  # rows that are offered to nobody, or answer no more
METHODS = ("generateContent", "streamGenerateContent", "countTokens")


class Named(Struct, frozen=True):
    """A name that may be asked for; `model` is its row, where it is a model's own."""

    id: str
    owner: str
    model: Model | None = None


def find_names(client: AsyncClient, now_ms: int) -> list[Named]:
    """Return every name: the default, routes, aliases, then models of providers that can be asked."""
    config = client.config
    named = [Named(DEFAULT, "jackfield")] if config.primary else []
    named += [Named(name, "jackfield") for name in (*config.routes, *config.aliases)]
    admits = admission(config, client.catalog)
    for provider in client.catalog.provider_ids():
        if _is_usable(client, provider, now_ms):
            rows = (
                (f"{provider}/{row.id}", row) for row in client.catalog.models(provider) if row.status not in UNLISTED
            )
            named += [Named(ref, provider, row) for ref, row in rows if admits(ModelRef(provider, row.id))]
    return list({each.id: each for each in named}.values())


def _is_usable(client: AsyncClient, provider: str, now_ms: int) -> bool:
    info = client.catalog.provider(provider)
    if info is None or (info.local and provider not in client.config.providers):
        return False  # a server of this machine that nobody named may not be running
    return is_available(info, client.config, client.store, now_ms)


def render_list(client: AsyncClient, wire: str, now_ms: int) -> JsonObject:
    """Write the list as a wire has it; it is one page."""
    rows = [render_row(each, wire) for each in find_names(client, now_ms)]
    if wire == GEMINI:
        return {"models": rows}
    if wire == MESSAGES:
        ends = {"first_id": rows[0]["id"] if rows else None, "last_id": rows[-1]["id"] if rows else None}
        return {"data": rows, "has_more": False, **ends}
    return {"object": "list", "data": rows}


def render_model(client: AsyncClient, route: Route, now_ms: int) -> JsonObject:
    """Write one name; raise `ModelNotFound`."""
    wanted = route.model.removeprefix("models/")
    return render_row(_find(find_names(client, now_ms), wanted), route.wire)


def _find(names: Iterable[Named], wanted: str) -> Named:
    for each in names:
        if each.id == wanted or (each.model is None and each.id == wanted.lower()):
            return each
    raise ModelNotFound(f"unknown model {wanted!r}", hint="GET /v1/models lists the names")


def render_row(named: Named, wire: str) -> JsonObject:
    """Write one name as a wire has it."""
    row = named.model
    title = (row.name if row and isinstance(row.name, str) else "") or named.id
    window, most = (_count(row, "context_window"), _count(row, "max_tokens")) if row else (None, None)
    if wire == GEMINI:
        sizes = {"inputTokenLimit": window, "outputTokenLimit": most}
        fields: JsonObject = {"name": f"models/{named.id}", "displayName": title, "supportedGenerationMethods": METHODS}
        return fields | {name: size for name, size in sizes.items() if size}
    if wire == MESSAGES:
        return {"type": "model", "id": named.id, "display_name": title, "created_at": NO_DATE}
    fields = {"id": named.id, "object": "model", "created": 0, "owned_by": named.owner}
    sizes = {"context_window": window, "max_output_tokens": most}
    return fields | {name: size for name, size in sizes.items() if size}


def _count(row: Model, name: str) -> int | None:
    size = getattr(row, name)
    return size if isinstance(size, int) else None
