"""A provider's TOML file as a value: the built-in ones, and those of plugins.

Strict on purpose: an unknown key, a wrong type, an id given twice or a default model without
a row is an error that names the key. Knows no files; it is handed their text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import fields

from jackfield.model import AuthMethod, Cost, Flow, Model, ProviderInfo, Tier

# What stands inside a table of the file, by its key: one table, or a list of them.
INSIDE: dict[type, dict[str, type]] = {
    ProviderInfo: {"auth": AuthMethod, "models": Model, "embeddings": Model},
    AuthMethod: {"flow": Flow},
    Model: {"cost": Cost},
    Cost: {"tiers": Tier},
}


def parse_provider(text: str, name: str) -> ProviderInfo:
    """Return the provider that a file named `name`.toml describes; raise `ValueError` saying what is wrong."""
    raw = tomllib.loads(text, parse_float=Decimal)
    _refuse_unknown(raw, ProviderInfo, "the file")
    info = msgspec.convert(raw, ProviderInfo)
    _check(info, name)
    return info


def _refuse_unknown(raw: Mapping[str, Any], shape: type, where: str) -> None:
    known = {field.encode_name for field in fields(shape)}
    if unknown := raw.keys() - known:
        raise ValueError(f"unknown keys of {where}: {', '.join(sorted(unknown))}")
    for key, inner in INSIDE.get(shape, {}).items():
        said = raw.get(key, ())
        for each in said if isinstance(said, list) else (said,):
            if isinstance(each, dict):
                name = each.get("id") or each.get("choice")
                _refuse_unknown(each, inner, f"{key.removesuffix('s')} {name!r}" if name else f"the {key} of {where}")


def _check(info: ProviderInfo, name: str) -> None:
    """Refuse what types cannot: names, addresses, references between rows."""
    ids = [row.id for row in info.models]
    if info.id != name:
        raise ValueError(f"the id {info.id!r} is not the file's name")
    urlsplit(info.base_url)
    if twice := {each for each in ids if ids.count(each) > 1}:
        raise ValueError(f"model ids given twice: {', '.join(sorted(twice))}")
    starts = [info.default_model, *(method.default_model for method in info.auth)]
    if info.models and (missing := [start for start in starts if start and start not in ids]):
        raise ValueError(f"no row for the default model {missing[0]!r}")
