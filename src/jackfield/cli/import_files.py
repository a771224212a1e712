"""Reading another tool's files: found by its table row or named by the user, opened for reading only, within limits."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from jackfield.cli.context import Context
from jackfield.config.node import Source
from jackfield.config.schema import InvalidConfig, Issue
from jackfield.config.source import INCLUDE, Includes, real_path
from jackfield.errors import ConfigError, UsageError
from jackfield.imports.places import Place, folders_of

MAX_BYTES = 4 << 20
MAX_FILES = 200


def read_sources(context: Context, place: Place, path: str) -> tuple[list[Source], list[str]]:
    """Return the files that are there, and of those that cannot be read what is wrong.

    Raises `UsageError` when a named path is not there, `ConfigError` when the tool has left no file.
    """
    folders = [Path(path).expanduser()] if path else [*folders_of(place, context.environ, context.cwd, sys.platform)]
    named = folders[0] if path else None
    if named is not None and not os.path.lexists(named):
        raise UsageError(f"{named} does not exist", hint=f"name {place.title}'s file or its directory")
    files = [named] if named is not None and not named.is_dir() else [*_find(folders, place)]
    sources: list[Source] = []
    faults: list[str] = []
    for file in files[:MAX_FILES]:
        try:
            sources.append(Source(_read(file), str(file)))
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"{file}: {_reason(error)}; the file is left out")
            continue
        if place.includes and (file == named or file.name == place.includes) and INCLUDE in sources[-1].text:
            parts, amiss = _follow(file)
            sources += parts
            faults += amiss
    if not sources and not faults:
        looked = ", ".join(str(folder) for folder in folders)
        names = ", ".join(place.files)
        raise ConfigError(
            f"{place.title} has left nothing in {looked}",
            hint=f"give its file or directory as PATH; looked for {names}",
        )
    return sources, faults


def _follow(file: Path) -> tuple[list[Source], list[str]]:
    """Return the files that a config includes, none from outside its own directory, or what is wrong with them."""
    includes = Includes(file, (real_path(file).parent,), {}, [])
    try:
        includes.resolve(includes.root(), (), (includes.file,))
    except InvalidConfig as error:
        return [], [f"{_told(issue)}; what is included is left out" for issue in error.issues]
    return [Source(part.text, part.name, is_part=True) for part in includes.sources[1:]], []


def _told(issue: Issue) -> str:
    # What was found instead may be part of a key; another directory cannot be allowed here.
    return re.split(", found |; name its directory", str(issue))[0]


def _find(folders: list[Path], place: Place) -> Iterator[Path]:
    seen: set[Path] = set()
    for folder in folders:
        for pattern in place.files:
            for file in sorted(folder.glob(pattern)) if "*" in pattern else [folder / pattern]:
                if file not in seen and os.path.lexists(file):
                    seen.add(file)
                    yield file


def _read(file: Path) -> str:
    found = file.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no regular file")
    with file.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(f"it is over {MAX_BYTES >> 20} MB; no such configuration is")
    return data.decode("utf-8-sig")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return error.strerror.lower() if error.strerror else str(error)
