"""The config a library call uses when it is not handed one: from the usual places of this process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from jackfield.config.load import check_config
from jackfield.config.paths import Paths, locate
from jackfield.config.schema import Config, InvalidConfig
from jackfield.config.source import real_path
from jackfield.errors import ConfigError

GIVEN = "the config argument"  # where the issues of a mapping are, which stands in no file


def load_default(config: str | Path | Mapping[str, object] | None = None) -> Config:
    """Return the user's config, that of a file, or the one a mapping spells (same keys as the file).

    Raises `InvalidConfig` with every issue, `ConfigError` for a named file that is not there. A
    mapping is read as if it were the config file: `${VAR}`, dotenv files and the credential store
    work as usual.
    """
    texts = {}
    if isinstance(config, Mapping):
        paths = locate(os.environ)
        texts[real_path(paths.config)] = _render(config)
    else:
        paths = _locate_file(config)
    checked = check_config(paths, os.environ, cwd=Path.cwd(), texts=texts)
    if checked.issues and texts:
        wrong = InvalidConfig(tuple(replace(issue, file=GIVEN, line=0, column=0) for issue in checked.issues))
        wrong.hint = "docs/config.md lists the keys"
        raise wrong
    if checked.issues:
        raise InvalidConfig(checked.issues)
    return checked.config


def _locate_file(config: str | Path | None) -> Paths:
    if config is not None and not isinstance(config, str | Path):
        raise ConfigError(f"a config is a path or a mapping, not {type(config).__name__}")
    paths = locate(os.environ, config=None if config is None else str(config))
    if config is not None and not paths.config.exists():
        raise ConfigError(
            f"{paths.config} does not exist", hint="name a config file, or leave it out for the usual one"
        )
    return paths


def _render(config: Mapping[str, object]) -> str:
    try:
        return msgspec.json.encode(config).decode()
    except (TypeError, UnicodeEncodeError) as error:
        raise ConfigError(f"{GIVEN} holds what JSON cannot: {error}") from error
