"""The config's files as they are on disk and as the page may see them, and what it has seen before.

A config that cannot be read is looked at all the same: the page is where it is mended. What was shown is
remembered for a while, so that who comes second is told what has changed since they looked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from jackfield.admin.desk import Desk
from jackfield.config.mask import find_secrets, shape_at
from jackfield.config.node import Node
from jackfield.config.save import render_diff
from jackfield.config.schema import Config, InvalidConfig
from jackfield.config.shape import Shape
from jackfield.config.source import Includes, included_files, load_tree, open_includes, read_sources, real_path
from jackfield.config.table import ROOT
from jackfield.config.veil import Veil, draw_veil

REMEMBERED = 32  # states of the config
SEEN, SECRETS = "config.seen", "config.secrets"
SHORTEST = 8  # characters of a secret that is looked for where nothing says that one stands there


class Look(Struct, frozen=True):
    """The config at one moment: its hash, and each file by the name it is known by, the config itself first."""

    hash: str
    veils: Mapping[str, Veil]

    @property
    def shown(self) -> dict[str, str]:
        """The files' texts as the page may have them."""
        return {name: veil.shown for name, veil in self.veils.items()}


def look_at(desk: Desk) -> Look:
    """Read the config's files and remember what may be shown of them; raise `InvalidConfig` where they are no texts."""
    config = desk.config
    texts = {source.name: source.text for source in read_sources(config.paths.config, config.environ)}
    digest = hash_texts(texts)
    seen: dict[str, Look] = desk.state.setdefault(SEEN, {})
    if digest not in seen:
        known_secrets(desk).update(_find_literals(config))
        seen[digest] = Look(digest, veil_files(config, texts, frozenset(known_secrets(desk))))
        while len(seen) > REMEMBERED:
            seen.pop(next(iter(seen)))
    return seen[digest]


def known_secrets(desk: Desk) -> set[str]:
    """Return the secrets that the config has or had since the start: they are hidden in comments and broken texts too."""
    secrets: set[str] = desk.state.setdefault(SECRETS, set())
    return secrets


def tell_change(desk: Desk, before: str, now: Look) -> str:
    """Return what has changed since the page saw the config of a hash; empty where that is not remembered."""
    old = desk.state.get(SEEN, {}).get(before)
    return render_changes(old.shown, now.shown) if old else ""


def render_changes(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the difference of two states of the files, as they are shown."""
    names = dict.fromkeys([*before, *after])
    return "".join(render_diff(name, before.get(name, ""), after.get(name, "")) for name in names)


def hash_texts(texts: Mapping[str, str]) -> str:
    """Return what tells one state of a config from every other."""
    digest = hashlib.sha256()
    for name, text in texts.items():
        digest.update(f"{name}\0{len(text)}\0{text}".encode())
    return digest.hexdigest()


def veil_files(config: Config, texts: Mapping[str, str], known: Collection[str] = ()) -> dict[str, Veil]:
    """Return the files' texts under veils; a file that stands below a key of the config is judged by what stands there.

    One that nothing includes (any more) may have been anything.
    """
    by_path = {real_path(Path(name)): text for name, text in texts.items()}
    shapes = _find_shapes(open_includes(config.paths.config, config.environ, by_path))
    shapes[real_path(config.paths.config)] = [ROOT]
    return {
        name: draw_veil(text, name, [ROOT, *found] if (found := shapes.get(real_path(Path(name)))) else [], known)
        for name, text in texts.items()
    }


def _find_shapes(includes: Includes) -> dict[Path, list[Shape]]:
    found: dict[Path, list[Shape]] = {}

    def visit(node: Node, path: tuple[str | int, ...], chain: tuple[Path, ...]) -> Iterator[tuple[Path, Shape]]:
        for name in included_files(node) if node.kind == "object" else ():
            file, own = includes.load(name, path, chain)
            if shape := shape_at(ROOT, path):
                yield file, shape
            yield from visit(own, path, (*chain, file))
        children = node.members if node.kind == "object" else enumerate(node.value) if node.kind == "array" else ()
        for step, child in children:
            yield from visit(child, (*path, step), chain)

    try:
        for file, shape in visit(includes.root(), (), (includes.file,)):
            found.setdefault(file, []).append(shape)
    except InvalidConfig:
        pass  # a broken text is veiled by what its pieces look like
    return found


def _find_literals(config: Config) -> set[str]:
    """Return the secrets of the config as it is, to be known again where a text is broken."""
    try:
        root = load_tree(config.paths.config, config.environ)[0]
    except InvalidConfig:
        return set()
    return {node.value for node in find_secrets(root, ROOT) if len(node.value) >= SHORTEST}
