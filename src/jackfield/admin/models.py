"""The table of models, packed for the page: thousands of rows as lists under one head, and what is chosen of them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec import UNSET

from jackfield.admin.desk import Desk
from jackfield.catalog import defaults
from jackfield.config.schema import Config
from jackfield.config.source import load_tree
from jackfield.errors import Error
from jackfield.message import JsonObject
from jackfield.model import Cost, Model, ModelRef
from jackfield.routing.chain import resolve_ref
from jackfield.routing.names import follow
from jackfield.routing.policy import privacy_of
from jackfield.setup.allow import POLICY, list_patterns
from jackfield.setup.row_json import render_model
from jackfield.setup.rows import Listing, ModelRow

COLUMNS = (
    "ref", "name", "context", "maxTokens", "input", "output", "takes", "tools", "reasoning", "privacy", "status",
    "ready", "allowed", "source", "tags",
)  # fmt: skip
KINDS = {"text": "model", "image": "imageModel"}  # what a choice is for → its key under `agents.defaults`


def list_models(desk: Desk, *, everything: bool) -> JsonObject:
    """Return every model of the providers that can be asked, or of all, and what the config makes of them."""
    listing = Listing(desk, whole=True)
    rows = listing.everything() if everything else listing.usable(allowed_only=False)
    infos = {row.info.id: row for row in rows if row.info}
    return {
        "columns": COLUMNS,
        "rows": [_pack(row, allowed=listing.is_allowed(row)) for row in rows],
        "providers": [
            {"id": id_, "name": (row.info.name if row.info else "") or id_, "ready": row.available}
            for id_, row in infos.items()
        ],
        "lists": [found for id_ in desk.catalog.provider_ids() if (found := _render_list(desk, id_))],
        **tell_choices(desk, listing),
    }


def tell_choices(desk: Desk, listing: Listing) -> JsonObject:
    """Return the default, the fallbacks, the short names and the allowlist, as written and with the models they mean."""
    config = desk.config
    found = list_patterns(_read_plain(config))
    return {
        "choice": {
            "text": _render_choice(listing, config.primary, config.fallbacks),
            "image": _render_choice(listing, config.image_primary, config.image_fallbacks),
        },
        "aliases": [{"name": name, "ref": listing.key_of(ref)} for name, ref in sorted(config.aliases.items())],
        "routes": sorted(config.routes),
        "allow": {
            "isOn": config.allow is not None,
            "patterns": list(config.allow.patterns) if config.allow else [],
            "origin": config.allow.origin if config.allow else "",
            "isPolicy": bool(found and found[0] == POLICY),
        },
    }


def list_used(config: Config, listing: Listing) -> list[str]:
    """Return the models that are asked without being named."""
    texts = [config.primary, *config.fallbacks, config.image_primary, *config.image_fallbacks]
    return [key for text in texts if text and ModelRef.parse(key := listing.key_of(text))]


def name_of(desk: Desk, text: str) -> str:
    """Return the name under which a ref or a pattern counts, however it is spelt."""
    return desk.catalog.canonical(follow(text, desk.config)).lower()


def describe(desk: Desk, refs: Iterable[str]) -> list[JsonObject]:
    """Return all that is known of some models; one that nobody knows says so."""
    listing = Listing(desk, whole=True)
    found = []
    for text in refs:
        try:
            ref = resolve_ref(text, desk.config, desk.catalog)[0]
        except Error as error:
            found.append({"key": text, "missing": True, "error": error.message})
            continue
        row = next((row for row in listing.of_provider(ref.provider) if row.key == str(ref)), None)
        found.append({**render_model(row), **_further(row.model)} if row else {"key": str(ref), "missing": True})
    return found


def _further(model: object) -> JsonObject:
    if not isinstance(model, Model):
        return {}
    said = {
        "tools": model.tools,
        "released": model.released,
        "retires": model.retires,
        "replacement": model.replacement,
        "upstream": model.upstream,
        "saidContextWindow": model.context_window,
        "saidMaxTokens": model.max_tokens,
    }
    return {name: value for name, value in said.items() if value is not UNSET}


def _pack(row: ModelRow, *, allowed: bool) -> list[object]:
    model = row.model
    if row.info is None or not isinstance(model, Model):
        return [row.key, row.key, None, None, None, None, "", None, False, "", "", False, allowed, row.source, row.tags]
    cost = defaults.cost(model) or Cost()
    privacy = privacy_of(row.info, model)
    tags = [tag for tag in row.tags if tag != privacy]
    return [
        row.key,
        defaults.name(model),
        _said(model.context_window),
        _said(model.max_tokens),
        _number(cost.input),
        _number(cost.output),
        "+".join(defaults.inputs(model)),
        _said(model.tools),
        defaults.reasons(model),
        "" if privacy == "standard" and model.privacy is UNSET and not row.info.privacy else privacy,
        _said(model.status) or "",
        bool(row.available),
        allowed,
        row.source,
        tags,
    ]


def _said(value: object) -> object:
    return None if value is UNSET else value


def _number(price: Decimal | None) -> float | None:
    return None if price is None else float(price)


def _render_list(desk: Desk, provider: str) -> JsonObject | None:
    head = desk.catalog.fetched(provider)
    if head is None or not (head.fetched_at or head.error):
        return None
    fetched_ms = round(head.fetched_at * 1000) if head.fetched_at else None
    return {"provider": provider, "fetchedMs": fetched_ms, "error": head.error}


def _render_choice(listing: Listing, primary: str | None, fallbacks: Iterable[str]) -> JsonObject:
    return {
        "primary": {"text": primary, "ref": listing.key_of(primary)} if primary else None,
        "fallbacks": [{"text": text, "ref": listing.key_of(text)} for text in fallbacks],
    }


def _read_plain(config: Config) -> JsonObject:
    found = load_tree(config.paths.config, config.environ)[0].plain()
    return found if isinstance(found, dict) else {}
