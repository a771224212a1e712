"""Where the user's files are.

Knows names and the environment's overrides; opens nothing and creates nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from jackfield.errors import ConfigError

CONFIG_NAME = "jackfield.json"
# Shells and service managers hand an unset variable on in these words.
UNSET_WORDS = frozenset({"", "undefined", "null"})


class Paths(Struct, frozen=True):
    """The files of one installation; none of them needs to exist."""

    home: Path
    config: Path
    auth: Path  # the credential store
    cache: Path
    dotenv: Path
    record: Path | None = None  # where exchanges are recorded, where somebody wants that
    replay: Path | None = None  # whence they are answered instead of by the network


def locate(environ: Mapping[str, str], *, config: str | None = None) -> Paths:
    """Return the user's paths; `config` is the command line's `--config` and beats every variable.

    Raises `ConfigError` when neither a home directory nor an override says where to look.
    """
    home = _named(environ, "JACKFIELD_HOME", "OPENCLAW_STATE_DIR") or _user_home(environ) / ".jackfield"
    file = _expand(config, environ) if config else _named(environ, "JACKFIELD_CONFIG", "OPENCLAW_CONFIG_PATH")
    return Paths(
        home=home,
        config=file or home / CONFIG_NAME,
        auth=home / "auth-profiles.json",
        cache=home / "cache",
        dotenv=home / ".env",
        record=_named(environ, "JACKFIELD_RECORD"),
        replay=_named(environ, "JACKFIELD_REPLAY"),
    )


def _named(environ: Mapping[str, str], *names: str) -> Path | None:
    text = said(environ, *names)
    return _expand(text, environ) if text else None


def _expand(text: str, environ: Mapping[str, str]) -> Path:
    if text == "~" or text.startswith(("~/", "~\\")):
        return _user_home(environ) / text[2:]
    return Path(os.path.abspath(text))  # noqa: PTH100  resolve() would follow links; a linked config stays where it is named


def find_home(environ: Mapping[str, str]) -> str:
    """Return the home directory that the environment names; empty when it names none."""
    return said(environ, "HOME", "USERPROFILE")


def _user_home(environ: Mapping[str, str]) -> Path:
    if text := find_home(environ):
        return Path(text)
    try:
        return Path.home()
    except RuntimeError as error:
        raise ConfigError(
            "no home directory is known", hint="set JACKFIELD_HOME to a directory for Jackfield's files"
        ) from error


def said(environ: Mapping[str, str], *names: str) -> str:
    """Return what the first of these variables that is set holds; empty when none is."""
    texts = (environ.get(name, "").strip() for name in names)
    return next((text for text in texts if text not in UNSET_WORDS), "")
