"""The config a library call uses when it is not handed one: from the usual places of this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from jackfield.config.environment import load_environ
from jackfield.config.load import check_tree
from jackfield.config.paths import locate
from jackfield.config.schema import Config, InvalidConfig
from jackfield.config.source import load_tree


def load_default(config: str | Path | Mapping[str, object] | None = None) -> Config:
    """Return the user's config, that of a file, or the one a mapping spells (same keys as the file).

    Raises `InvalidConfig` with every issue. A mapping is read as if it were the config file:
    `${VAR}`, dotenv files and the credential store work as usual.
    """
    is_mapping = isinstance(config, Mapping)
    paths = locate(os.environ, config=None if is_mapping or config is None else str(config))
    texts = {paths.config.resolve(): msgspec.json.encode(config).decode()} if is_mapping else {}
    effective, warnings = load_environ(os.environ, paths.dotenv, Path.cwd())
    checked = check_tree(paths, effective, load_tree(paths.config, effective, texts)[0], warnings)
    if checked.issues:
        raise InvalidConfig(checked.issues)
    return checked.config
