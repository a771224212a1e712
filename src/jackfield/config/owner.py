"""Which of several files a value stands in: a config with includes is changed where it is written."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from jackfield.config.keypath import KeyPath, render_path
from jackfield.config.node import Node
from jackfield.config.source import INCLUDE, Includes, included_files
from jackfield.errors import ConfigError


class Layer(Struct, frozen=True):
    """One file's share of an object: its node there and the path to it in that file."""

    chain: tuple[Path, ...]  # the files that led here; the last is its own
    node: Node
    path: KeyPath

    @property
    def is_bare(self) -> bool:
        """Tell whether it says nothing itself and only includes."""
        return self.node.kind == "object" and self.node.value.keys() == {INCLUDE}


def find_owner(includes: Includes, path: KeyPath, *, replaces: bool) -> tuple[Path, KeyPath]:
    """Return the file that owns the value at `path`, and the value's path inside that file.

    A new value belongs to the last file with a share in its nearest parent. Raises
    `ConfigError` where no single file owns it; a plain value that is only replaced
    (`replaces`) belongs to the file that wins.
    """
    layers = _spread(includes, Layer((includes.file,), includes.root(), ()))
    for depth, step in enumerate(path):
        below = [
            part
            for layer in layers
            for child in [layer.node.find((step,)) if step != INCLUDE else None]
            if child
            for part in _spread(includes, Layer(layer.chain, child, (*layer.path, step)))
        ]
        if isinstance(step, int) and len(_speaking(layers)) > 1:
            raise _shared(path[:depth], layers)
        if not below:
            owner = _speaking(layers)[-1]
            return owner.chain[-1], owner.path + path[depth:]
        layers = below
    speaking = _speaking(layers)
    if len(speaking) > 1 and (not replaces or speaking[-1].node.kind in {"object", "array"}):
        raise _shared(path, layers)
    return speaking[-1].chain[-1], speaking[-1].path


def _spread(includes: Includes, layer: Layer) -> list[Layer]:
    """Return a layer with the files it includes, in the order in which later ones win."""
    parts: list[Layer] = []
    for name in included_files(layer.node):
        file, node = includes.load(name, layer.path, layer.chain)
        parts += _spread(includes, Layer((*layer.chain, file), node, ()))
    return [*parts, layer]


def _speaking(layers: list[Layer]) -> list[Layer]:
    return [layer for layer in layers if not layer.is_bare] or layers


def _shared(path: KeyPath, layers: list[Layer]) -> ConfigError:
    files = " and ".join(dict.fromkeys(str(layer.chain[-1]) for layer in _speaking(layers)))
    return ConfigError(
        f"{render_path(path)} is put together from {files}", hint="change it in the file you mean, by hand"
    )
