"""Whether a config can be used: what the file says, and whether every provider it names is known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jackfield.catalog.load import Catalog
from jackfield.config.load import check_config
from jackfield.config.paths import Paths
from jackfield.config.schema import Config, InvalidConfig, Issue
from jackfield.config.source import ON_DISK, complaint, load_tree
from jackfield.plugins.load import Plugins


def find_faults(
    paths: Paths, environ: Mapping[str, str], *, cwd: Path, texts: Mapping[Path, str] = ON_DISK
) -> tuple[tuple[Issue, ...], tuple[str, ...]]:
    """Return what is wrong with a config, and what is odd; `texts` stand in for files, by real path."""
    try:
        checked = check_config(paths, environ, cwd=cwd, texts=texts)
        issues = checked.issues or _find_unknown(checked.config, environ, texts)
    except InvalidConfig as error:
        return error.issues, ()
    return issues, checked.config.warnings


def _find_unknown(loaded: Config, environ: Mapping[str, str], texts: Mapping[Path, str]) -> tuple[Issue, ...]:
    """Return an issue for each entry that the catalog cannot complete to a provider."""
    catalog, root = Catalog(loaded, Plugins(loaded).providers), load_tree(loaded.paths.config, environ, texts)[0]
    nodes = root.find(("models", "providers"))
    issues: list[Issue] = []
    for name, node in nodes.value.items() if nodes else ():
        entry = loaded.providers[name.strip().lower()]
        if catalog.provider(entry.id) is None:
            message = f'no provider "{name}" is known: give it a "baseUrl", or correct the id'
            issues += complaint(node, ("models", "providers", name), message).issues
    return tuple(issues)
