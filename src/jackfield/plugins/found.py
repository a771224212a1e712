"""A plugin that is there, as a value; cheap to import, since every command may ask for plugins.

Annotations are evaluated here and now: as text they would cost msgspec milliseconds at every start.
"""

from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from jackfield.model import ProviderInfo

Origin = Literal["config", "home", "bundled", "package"]


class Found(Struct, frozen=True, kw_only=True):
    """A plugin that is there, enabled or not; `error` says why it cannot be used."""

    id: str
    origin: Origin
    place: str  # its path, or the package it came with
    name: str = ""
    version: str = ""
    description: str = ""
    rows: tuple[ProviderInfo, ...] = ()
    provider_ids: tuple[str, ...] = ()  # as far as they are known without running it
    code: Path | None = None
    entry: Any = None  # `importlib.metadata.EntryPoint`
    error: str = ""


class Loaded(Struct, frozen=True):
    """An enabled plugin: what it adds, and its code, where it has some."""

    found: Found
    rows: tuple[ProviderInfo, ...] = ()
    hooks: Any = None
