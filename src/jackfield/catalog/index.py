"""The compiled catalog: every built-in provider and model, in one file that ships with the package.

`data/*.toml` is the source; `scripts/compile_catalog.py` writes `index.json` from it. Reading
costs by what is asked for: headers and rows stay undecoded until somebody wants them. Knows
nothing of the user's config.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Raw, Struct

from jackfield.model import Model, ProviderInfo

PATH = Path(__file__).with_name("index.json")


class Entry(Struct, frozen=True):
    """One provider, undecoded: `info` is a `ProviderInfo` without its rows, `models` a list of `Model`."""

    info: Raw
    models: Raw


class Index(Struct, frozen=True):
    """The file."""

    aliases: dict[str, str] = {}  # other spellings of provider ids
    hosts: dict[str, tuple[str, ...]] = {}  # host and port of a base URL → who answers there
    providers: dict[str, Entry] = {}


class Id(Struct, frozen=True):
    """A row of which only the id is wanted."""

    id: str


_ROWS = msgspec.json.Decoder(tuple[Model, ...])
_IDS = msgspec.json.Decoder(tuple[Id, ...])
_INFO = msgspec.json.Decoder(ProviderInfo)


@lru_cache(maxsize=1)
def load_index() -> Index:
    """Return the built-in catalog; it is read once."""
    return msgspec.json.decode(PATH.read_bytes(), type=Index)


def parse_info(entry: Entry) -> ProviderInfo:
    """Decode a provider's header."""
    return _INFO.decode(entry.info)


def parse_rows(entry: Entry) -> tuple[Model, ...]:
    """Decode a provider's rows."""
    return _ROWS.decode(entry.models)


def parse_ids(entry: Entry) -> tuple[str, ...]:
    """Decode nothing but the ids of a provider's rows."""
    return tuple(row.id for row in _IDS.decode(entry.models))
