"""Taking changes of the config back: what would be written, if it can be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jackfield.config.history import texts_before
from jackfield.config.paths import Paths
from jackfield.config.schema import InvalidConfig
from jackfield.setup.config_check import find_faults


def make_undo(paths: Paths, environ: Mapping[str, str], number: int) -> dict[Path, str]:
    """Return the texts from before a change, 0 for the last one; raise `InvalidConfig` where they could not be loaded."""
    texts = texts_before(paths, number)
    issues, _ = find_faults(paths, environ, cwd=paths.home, texts=texts)
    if issues:
        raise InvalidConfig(issues, changed=True)
    return texts
