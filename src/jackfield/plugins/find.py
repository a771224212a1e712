"""Which plugins there are: in the order they are looked for, the first of an id wins. Runs none.

`plugins.load.paths` of the config, `<home>/plugins`, the bundled ones, installed packages. A package
comes last, so that none that is installed for another reason takes a bundled plugin's place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from jackfield.catalog.index import load_index, parse_info
from jackfield.config.paths import find_home
from jackfield.config.schema import Config
from jackfield.plugins.found import Found, Origin
from jackfield.plugins.manifest import is_plugin, load_plugin

GROUP = "jackfield.plugins"  # of entry points


def find_plugins(config: Config, *, packages: bool) -> tuple[Found, ...]:
    """Return every plugin; without `packages` those of installed packages are not looked for, which takes time."""
    found: dict[str, Found] = {}
    for each in _all(config, packages=packages):
        found.setdefault(each.id, each)
    return tuple(found.values())


def home_folder(config: Config) -> Path:
    """Return where `plugins install` puts plugins."""
    return config.paths.home / "plugins"


def _all(config: Config, *, packages: bool) -> Iterator[Found]:
    for text in config.plugin_rules.paths:
        path = _expand(text, config)
        if path.exists():
            yield from _at(path, "config")
        else:
            yield Found(id=path.stem, origin="config", place=str(path), error="plugins.load.paths: nothing is there")
    yield from _inside(home_folder(config), "home")
    yield from bundled()
    if packages:
        yield from _packages()


def _at(path: Path, origin: Origin) -> Iterator[Found]:
    if is_plugin(path):
        yield load_plugin(path, origin)
    elif path.is_dir():
        yield from _inside(path, origin)


def _inside(folder: Path, origin: Origin) -> Iterator[Found]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return
    yield from (load_plugin(path, origin) for path in paths if not path.name.startswith(".") and is_plugin(path))


def bundled() -> tuple[Found, ...]:
    """Return the plugins that stand for built-in sign-ins; the catalog's rows name them."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in load_index().providers.values():
        # Few have one; decoding all of them would take as long as a listing.
        if b'"plugin":' in bytes(entry.info):
            info = parse_info(entry)
            for name in {method.plugin for method in info.auth if method.plugin}:
                found[name] = (*found.get(name, ()), info.id)
    return tuple(
        Found(id=name, origin="bundled", place="the catalog", provider_ids=ids) for name, ids in sorted(found.items())
    )


def _packages() -> Iterator[Found]:
    if not any(map(_names_group, sys.path)):
        return
    from importlib.metadata import entry_points  # noqa: PLC0415  costs as much as a small command

    for entry in entry_points(group=GROUP):
        package, version = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
        yield Found(id=entry.name, origin="package", place=package or entry.value, version=version, entry=entry)


def _names_group(folder: str) -> bool:
    """Tell whether a package in a folder of Python's path has plugins; a look at files instead of a parse of all."""
    try:
        names = [name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))]  # noqa: PTH208  half the time of iterdir
    except OSError:
        return False
    return any(_is_in(Path(folder, name, "entry_points.txt")) for name in names)


def _is_in(file: Path) -> bool:
    try:
        return GROUP.encode() in file.read_bytes()
    except OSError:
        return False


def _expand(text: str, config: Config) -> Path:
    """Return a path of the config; a relative one starts at the config's folder."""
    home = find_home(config.environ) or "~"
    return config.paths.config.parent / (Path(home, text[2:]) if text.startswith(("~/", "~\\")) else Path(text))
