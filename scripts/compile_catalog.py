"""Compile catalog/data/*.toml into catalog/index.json; with --check, only say whether it is up to date.

Strict on purpose: an unknown key, a wrong type, an id given twice or a default model without
a row stops the build and names the file.
"""

from __future__ import annotations

import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from jackfield.catalog.index import PATH, Head
from jackfield.catalog.rows import parse_provider
from jackfield.model import Model, ProviderInfo

DATA = PATH.parent / "data"
LIFECYCLE = PATH.parent / "lifecycle.toml"
ENCODER = msgspec.json.Encoder(decimal_format="number")


def main(check: bool) -> int:
    text = compile_index(sorted(DATA.glob("*.toml"), key=lambda path: path.stem))
    if not check:
        PATH.write_bytes(text)
    elif PATH.read_bytes() != text:
        print("catalog/index.json is stale: run python scripts/compile_catalog.py", file=sys.stderr)
        return 1
    return 0


def compile_index(paths: list[Path]) -> bytes:
    """Return the index: its head, then each provider's rows on a line of their own."""
    infos = with_ends([parse(path) for path in paths])
    names = [name for info in infos for name in (info.id, *info.aliases)]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"provider ids or aliases given twice: {', '.join(sorted(twice))}")
    hosts: dict[str, list[str]] = {}
    for info in infos:
        if host := urlsplit(info.base_url).netloc:
            hosts.setdefault(host, []).append(info.id)
    head = Head(
        aliases={alias: info.id for info in infos for alias in info.aliases},
        hosts={host: tuple(names) for host, names in hosts.items()},
        infos={info.id: Raw(ENCODER.encode(replace(info, models=()))) for info in infos},
        lines={info.id: number for number, info in enumerate(infos, 2)},
    )
    return b"".join(line + b"\n" for line in (ENCODER.encode(head), *(ENCODER.encode(info.models) for info in infos)))


def with_ends(infos: list[ProviderInfo]) -> list[ProviderInfo]:
    """Return the providers with the dates of the lifecycle table in their rows; refuse one that fits no row."""
    ends = tomllib.loads(LIFECYCLE.read_text(encoding="utf-8"))["end"]
    fates = {(end["provider"], name): end for end in ends for name in end["models"]}
    found = {(info.id, row.id) for info in infos for row in info.models}
    known = {info.id for info in infos}
    if lost := [
        f"{provider}/{name}" for provider, name in fates if provider in known and (provider, name) not in found
    ]:
        raise ValueError(f"lifecycle.toml: no row for {', '.join(lost)}")
    return [
        replace(info, models=tuple(with_end(row, fates.get((info.id, row.id))) for row in info.models))
        for info in infos
    ]


def with_end(row: Model, end: dict[str, Any] | None) -> Model:
    if end is None:
        return row
    date.fromisoformat(end["retires"])
    replacement = end.get("replacement", msgspec.UNSET)
    return replace(row, status="deprecated", retires=end["retires"], replacement=replacement)


def parse(path: Path) -> ProviderInfo:
    """Return one file as a value; raise `ValueError` naming the file and what is wrong."""
    try:
        info = parse_provider(path.read_text(encoding="utf-8"), path.stem)
        if not info.source:
            raise ValueError("no source is named")
    except (ValueError, msgspec.ValidationError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    return info


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
