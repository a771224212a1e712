"""The compiled catalog: every built-in provider and model, in one file that ships with the package.

`data/*.toml` is the source; `scripts/compile_catalog.py` writes `index.json` from it: a head of
one line, then one line of rows per provider. Reading costs by what is asked for: the head is
decoded, headers and rows stay bytes until somebody wants them. Knows nothing of the user's config.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from jackfield.model import Modality, Model, Privacy, ProviderInfo

PATH = Path(__file__).with_name("index.json")


class Head(Struct, frozen=True):
    """The first line."""

    aliases: dict[str, str]  # other spellings of provider ids
    hosts: dict[str, tuple[str, ...]]  # host and port of a base URL → who answers there
    infos: dict[str, Raw]  # each a `ProviderInfo` without its rows
    lines: dict[str, int]  # on which line of the file a provider's rows stand


class Entry(Struct, frozen=True):
    """One provider: `info` is a `ProviderInfo` without its rows, undecoded; its rows stand on `line` of the file."""

    info: Raw
    line: int = 0
    rows: bytes = b""  # those of a provider that is in no file of ours


class Index(Struct, frozen=True):
    """The file."""

    aliases: dict[str, str] = {}
    hosts: dict[str, tuple[str, ...]] = {}
    providers: dict[str, Entry] = {}


class Id(Struct, frozen=True):
    """A row of which only the id is wanted."""

    id: str


class Outline(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a table shows of a row, under the names of `Model`; a whole row takes three times as long to decode."""

    id: str
    input: tuple[Modality, ...] | UnsetType = UNSET
    context_window: int | UnsetType = UNSET
    privacy: Privacy | UnsetType = UNSET
    status: str | UnsetType = UNSET
    upstream: str | UnsetType = UNSET


_ROWS = msgspec.json.Decoder(tuple[Model, ...])
_OUTLINES = msgspec.json.Decoder(tuple[Outline, ...])
_IDS = msgspec.json.Decoder(tuple[Id, ...])
_INFO = msgspec.json.Decoder(ProviderInfo)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@lru_cache(maxsize=1)
def load_index() -> Index:
    """Return the built-in catalog; it is read once."""
    with PATH.open("rb") as file:
        head = msgspec.json.decode(file.readline(), type=Head)
    entries = {name: Entry(info, head.lines[name]) for name, info in head.infos.items()}
    return Index(head.aliases, head.hosts, entries)


def _row_text(entry: Entry) -> bytes | memoryview:
    return _lines()[entry.line - 1] if entry.line else entry.rows


@lru_cache(maxsize=1)
def _lines() -> list[memoryview]:
    data = PATH.read_bytes()
    whole, lines, start = memoryview(data), list[memoryview](), 0
    while (end := data.find(b"\n", start)) >= 0:
        lines.append(whole[start:end])
        start = end + 1
    return lines


def add_providers(index: Index, infos: Sequence[ProviderInfo]) -> Index:
    """Return an index with further providers, whose ids and other names nobody in it has."""
    if not infos:
        return index
    hosts = dict(index.hosts)
    for info in infos:
        if host := urlsplit(info.base_url).netloc:
            hosts[host] = (*hosts.get(host, ()), info.id)
    aliases = {alias: info.id for info in infos for alias in info.aliases}
    entries = {
        info.id: Entry(Raw(_ENCODER.encode(replace(info, models=()))), 0, _ENCODER.encode(info.models))
        for info in infos
    }
    return Index(aliases | index.aliases, hosts, entries | index.providers)


def parse_info(entry: Entry) -> ProviderInfo:
    """Decode a provider's header."""
    return _INFO.decode(entry.info)


def parse_rows(entry: Entry) -> tuple[Model, ...]:
    """Decode a provider's rows."""
    return _ROWS.decode(_row_text(entry))


def parse_outlines(entry: Entry) -> tuple[Outline, ...]:
    """Decode what a table shows of a provider's rows."""
    return _OUTLINES.decode(_row_text(entry))


def parse_ids(entry: Entry) -> tuple[str, ...]:
    """Decode nothing but the ids of a provider's rows."""
    return tuple(row.id for row in _IDS.decode(_row_text(entry)))
