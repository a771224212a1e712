"""`models.json`: providers in a file of their own, where OpenClaw keeps those it found or was given.

The same shape as the config's `models` section. Another program may have written it, so what
is wrong in it earns warnings and never stops anything; the config wins over it.
"""

from __future__ import annotations

from msgspec import Struct

from jackfield.config.paths import Paths
from jackfield.config.provider import build_providers
from jackfield.config.read import Reader
from jackfield.config.schema import Environ, InvalidConfig, ProviderConfig
from jackfield.config.source import parse_file, read_text
from jackfield.config.table import MODELS

# Below the home directory; the first file that names a provider holds.
PLACES = ("models.json", "agents/main/agent/models.json")


class Registry(Struct, frozen=True):
    """What the files say, by provider id."""

    providers: dict[str, ProviderConfig] = {}
    warnings: tuple[str, ...] = ()


def read_registry(paths: Paths, environ: Environ) -> Registry:
    """Return the providers of every `models.json`; a file that cannot be used is a warning."""
    providers: dict[str, ProviderConfig] = {}
    warnings: list[str] = []
    for place in PLACES:
        file = paths.home / place
        try:
            text = read_text(file)
            root = parse_file(file, text) if text else None
        except InvalidConfig as error:
            warnings += map(str, error.issues)
            continue
        if root is None:
            continue
        reader = Reader(environ)
        said = reader.read(root, MODELS)
        found = build_providers(said.get("providers", {}), reader.missing) if isinstance(said, dict) else {}
        providers = found | providers
        warnings += [*map(str, reader.issues), *reader.warnings]
    return Registry(providers, tuple(warnings))
