"""Bringing a plugin into `<home>/plugins`: a TOML file, a folder, or an archive of one. Runs nothing of it.

Everything is checked before the first file is there, and what is there before stays until then.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import IO

from msgspec.structs import replace

from jackfield.errors import ConfigError
from jackfield.plugins.found import Found
from jackfield.plugins.manifest import is_plugin, load_plugin

LIMIT = 32 * 1024 * 1024  # bytes of all files together
MOST_FILES = 1000
BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
# What a plugin may be called: its id names a folder.
ID = re.compile(r"\w[\w.@-]{0,99}")


def is_archive(path: Path) -> bool:
    """Tell whether a path is named like an archive that can be unpacked."""
    return path.name.lower().endswith(ARCHIVES)


def install(source: Path, folder: Path, *, link: bool = False) -> Found:
    """Put a plugin into a folder of plugins and return it there; `link` leaves it where it is and points to it.

    Raises `ConfigError` when it is none, is broken, or is there already.
    """
    with tempfile.TemporaryDirectory() as scratch:
        at = source
        if is_archive(source) and source.is_file():
            if link:
                raise ConfigError("an archive cannot be linked", hint="unpack it and link the folder")
            at = _top(_unpack(source, Path(scratch)))
        found = _require_whole(at, source)
        target = folder / (at.name if at.is_file() else found.id)
        if os.path.lexists(target):
            raise ConfigError(f"{target} is there already", hint=f"first run: jackfield plugins uninstall {found.id}")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _place(at, target, link=link)
        except (OSError, shutil.Error) as error:
            raise ConfigError(f"cannot write {target}: {error}") from error
    return replace(found, place=str(target))


def uninstall(found: Found, folder: Path) -> Path:
    """Remove a plugin that `install` put into a folder, or the pointer to it; raise `ConfigError` for any other."""
    path = Path(found.place)
    if path.parent != folder:
        raise ConfigError(f"plugin {found.id!r} was not installed here", hint=f"it is in {found.place}")
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    except OSError as error:
        raise ConfigError(f"cannot remove {path}: {error.strerror}") from error
    return path


def _require_whole(at: Path, source: Path) -> Found:
    if not is_plugin(at):
        raise ConfigError(
            f"{source} is no plugin", hint="one is a provider's .toml, or a folder with a jackfield.plugin.json"
        )
    found = load_plugin(at, "home")
    if found.error:
        raise ConfigError(f"{source} is broken: {found.error}")
    if not ID.fullmatch(found.id):
        raise ConfigError(f"{source}: the id {found.id!r} names no folder", hint="letters, digits, '.', '-' and '_'")
    return found


def _place(at: Path, target: Path, *, link: bool) -> None:
    if link:
        target.symlink_to(at.resolve(), target_is_directory=at.is_dir())
        return
    # Made beside its place, so that a copy that breaks off is no plugin.
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as scratch:
        copy = Path(scratch, target.name)
        if at.is_dir():
            sizes = [path.stat().st_size for path in at.rglob("*") if path.is_file()]
            _require_small(len(sizes), sum(sizes))
            # A link would lead out of the folder, or in circles.
            shutil.copytree(at, copy, ignore=_links, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(at, copy)
        copy.rename(target)


def _links(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in {".git", "__pycache__"} or Path(folder, name).is_symlink()]


# -- archives ----------------------------------------------------------------------


def _unpack(source: Path, folder: Path) -> Path:
    left = LIMIT
    try:
        for number, (name, file) in enumerate(_members(source)):
            data = file.read(left + 1)
            left -= len(data)
            _require_small(number + 1, LIMIT - left)
            target = _inside(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    # zipfile says with RuntimeError that a password is wanted, zlib and lzma have errors of their own.
    except (*BROKEN, OSError, EOFError, RuntimeError) as error:
        raise ConfigError(f"cannot unpack {source}: {error}") from error
    return folder


def _members(source: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if source.suffix.lower() == ".zip":
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                if not member.is_dir():
                    yield member.filename, archive.open(member)
        return
    with tarfile.open(source) as tape:
        for each in tape:
            file = tape.extractfile(each) if each.isfile() else None
            if file:
                yield each.name, file
            elif not each.isdir():
                raise ConfigError(f"{source}: {each.name} is neither a file nor a folder")


def _inside(folder: Path, name: str) -> Path:
    """Return where a member goes; an absolute path, a drive or a `..` is refused, whatever it would lead to."""
    path = PureWindowsPath(name)  # splits at both kinds of slash
    if path.is_absolute() or path.drive or path.root or ".." in path.parts or not path.parts:
        raise ConfigError(f"the archive holds {name!r}, which leads out of it", hint="do not trust it")
    return folder.joinpath(*path.parts)


def _top(folder: Path) -> Path:
    """Return the plugin in an unpacked archive: its root, or the one entry that is there."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and not is_plugin(folder) else folder


def _require_small(files: int, size: int) -> None:
    if files > MOST_FILES or size > LIMIT:
        raise ConfigError(f"a plugin has at most {MOST_FILES} files of {LIMIT >> 20} MB together")
