"""Taking changes of the config back: what would be written, if it can be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jackfield.config.history import texts_before
from jackfield.config.paths import Paths
from jackfield.config.schema import InvalidConfig
from jackfield.config.source import load_tree
from jackfield.setup.config_check import find_faults
from jackfield.setup.installation import Installation
from jackfield.setup.moved import find_moved


def make_undo(paths: Paths, environ: Mapping[str, str], number: int) -> dict[Path, str]:
    """Return the texts from before a change, 0 for the last one; raise `InvalidConfig` where they could not be loaded."""
    texts = texts_before(paths, number)
    issues, _ = find_faults(paths, environ, cwd=paths.home, texts=texts)
    if issues:
        raise InvalidConfig(issues, changed=True)
    return texts


def warn_of_undo(home: Installation, number: int) -> list[str]:
    """Say which stored credentials would follow an address that undoing a change brings back."""
    config = home.config
    try:
        after = load_tree(config.paths.config, config.environ, texts_before(config.paths, number))[0]
    except InvalidConfig:
        return []  # nothing would be written
    return [words for _, words in find_moved(home, after)]
