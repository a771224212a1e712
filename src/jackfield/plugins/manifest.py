"""One plugin as it stands on disk: a TOML file of a provider, or a folder with a manifest.

A folder holds `jackfield.plugin.json` (or `openclaw.plugin.json`) with an `id`, providers as
`<provider>.toml`, and perhaps `plugin.py`. Reads, runs nothing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog.rows import parse_provider
from jackfield.model import ProviderInfo
from jackfield.plugins.found import Found, Origin

MANIFESTS = ("jackfield.plugin.json", "openclaw.plugin.json")
CODE = "plugin.py"
LIMIT = 4 * 1024 * 1024  # bytes of one file


class _Manifest(Struct, frozen=True, rename="camel"):
    id: str
    name: str = ""
    version: str = ""
    description: str = ""


def is_plugin(path: Path) -> bool:
    """Tell whether a path is meant to be a plugin, a broken one too."""
    return path.suffix == ".toml" if path.is_file() else any((path / name).is_file() for name in MANIFESTS)


def load_plugin(path: Path, origin: Origin) -> Found:
    """Return the plugin at a path; what is wrong with it stands in its `error`."""
    found = Found(id=path.stem if path.suffix == ".toml" else path.name, origin=origin, place=str(path))
    try:
        return _load_row(path, found) if path.is_file() else _load_folder(path, found)
    except (OSError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return replace(found, error=reason[:1].lower() + reason[1:])


def _load_row(path: Path, found: Found) -> Found:
    info = _parse(path)
    return replace(found, name=info.name, rows=(info,), provider_ids=(info.id,))


def _load_folder(folder: Path, found: Found) -> Found:
    manifest = next((folder / name for name in MANIFESTS if (folder / name).is_file()), None)
    if manifest is None:
        raise ValueError(f"there is no {MANIFESTS[0]} in it")
    try:
        said = msgspec.json.decode(_read(manifest), type=_Manifest)
    except msgspec.MsgspecError as error:
        raise ValueError(f"{manifest.name}: {error}") from error
    if not said.id.strip():
        raise ValueError(f"{manifest.name}: the id is empty")
    about = replace(found, id=said.id, name=said.name, version=said.version, description=said.description)
    try:
        rows = tuple(map(_parse, sorted(folder.glob("*.toml"))))
    except (ValueError, msgspec.MsgspecError) as error:
        return replace(about, error=str(error))
    code = folder / CODE if (folder / CODE).is_file() else None
    empty = "" if rows or code else f"there is neither {CODE} nor a provider's .toml in it; other languages are not run"
    ids = tuple(info.id for info in rows)
    return replace(about, rows=rows, provider_ids=ids, code=code, error=empty)


def _parse(path: Path) -> ProviderInfo:
    try:
        return parse_provider(_read(path).decode("utf-8"), path.stem)
    except (ValueError, msgspec.MsgspecError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise ValueError(f"{path.name} is over {LIMIT} bytes")
    return data
