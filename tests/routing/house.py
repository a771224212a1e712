"""A config made by hand: providers `a`, `b`, … of models, their keys, and plans over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jackfield.auth.sources import Source, credential_id
from jackfield.catalog.load import Catalog
from jackfield.config.paths import Paths
from jackfield.config.schema import Config, ProviderConfig
from jackfield.credential import Secret
from jackfield.health.record import Place, Rest
from jackfield.message import ChatRequest
from jackfield.model import Model, ProviderInfo
from jackfield.routing.plan import Moment, Plan, plan

HOME = Path("/home/user/.jackfield")
PATHS = Paths(
    home=HOME,
    config=HOME / "jackfield.json",
    auth=HOME / "auth-profiles.json",
    cache=HOME / "cache",
    dotenv=HOME / ".env",
)
NOW_MS = 1_800_000_000_000
Keys = dict[str, Sequence[Source]]


def configure(*models: str | tuple[str, Model], **fields: Any) -> Config:
    """Return a config whose default chain is these models, each `provider/id`, alone or with its row."""
    rows: dict[str, list[Model]] = {}
    refs = []
    for each in models:
        ref, row = each if isinstance(each, tuple) else (each, Model(id=each.partition("/")[2]))
        refs.append(ref)
        rows.setdefault(ref.partition("/")[0], []).append(row)
    providers = {
        name: ProviderConfig(id=name, base_url=f"https://{name}.example/v1", models=tuple(own))
        for name, own in rows.items()
    }
    chain = {"primary": refs[0], "fallbacks": tuple(refs[1:])} if refs else {}
    return Config(paths=PATHS, **{"environ": {}, "providers": providers, **chain, **fields})


def key(name: str = "key", **fields: Any) -> Source:
    """Return a key as a variable would give it."""
    return Source(**{"kind": "env", "label": f"env: {name}", "secret": Secret(f"secret of {name}"), **fields})


def wallet(keys: Keys | None = None) -> Callable[[ProviderInfo], Sequence[Source]]:
    """Return who lists credentials: those given, else one key per provider."""
    return lambda info: (keys or {}).get(info.id, (key(info.id),))


def planned(config: Config, request: ChatRequest | None = None, **options: Any) -> Plan:
    """Plan a request, by default a short one to the default chain, with one key per provider."""
    asked = {name: options.pop(name) for name in ("fallbacks", "profile_id") if name in options}
    moment = Moment(**{"credentials": wallet(), "now_ms": NOW_MS, **options})
    return plan(request or ChatRequest(model=""), config, Catalog(config), moment, **asked)


def rest(provider: str, credential: str = "", model: str = "", seconds: int = 60, kind: str = "rate_limit") -> Rest:
    """Return a rest from now on; `credential` is the name of a key."""
    known = credential_id(key(credential)) if credential else ""
    place = Place(provider, known, model)
    return Rest(place=place, kind=kind, until_ms=NOW_MS + seconds * 1000, message="no more today")


def refs(made: Plan) -> list[str]:
    return [str(candidate.ref) for candidate in made.candidates]


def skips(made: Plan) -> list[tuple[str, str | None]]:
    return [(skip.ref, skip.cause) for skip in made.skipped]
