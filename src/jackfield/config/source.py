"""Config files as one tree: reads them within limits and puts `$include`d files in place.

Every node of the result still knows its own file and line. Raises `InvalidConfig` for
whatever cannot be read or parsed; knows nothing of what the keys mean.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from functools import reduce
from pathlib import Path

from msgspec import Struct

from jackfield.config.json5 import Json5Error, is_blank, parse
from jackfield.config.keypath import KeyPath, render_path
from jackfield.config.node import Node, Source
from jackfield.config.schema import InvalidConfig, Issue

MAX_BYTES = 16 << 20
MAX_INCLUDED_BYTES = 2 << 20
MAX_INCLUDES = 10
MAX_PATH = 4096
INCLUDE = "$include"
# Files beside a config that hold secrets and are no part of it: what is included is shown, and may be edited.
PRIVATE = re.compile(r"auth-profiles\.json.*|config-history")
ON_DISK: Mapping[Path, str] = {}


def read_text(file: Path, limit: int = MAX_BYTES) -> str | None:
    """Return a config file's text, line ends as they are; `None` when there is no file."""
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            raise _unusable(
                file, "is a directory, not a file" if stat.S_ISDIR(found.st_mode) else "is not a regular file"
            )
        if found.st_size > limit:
            raise _unusable(file, f"is {found.st_size >> 20} MB large; the limit is {limit >> 20} MB")
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise _unusable(file, _not_utf8(error), error.object.count(b"\n", 0, error.start) + 1) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _unusable(file, f"cannot be read: {(reason or 'unknown reason').lower()}") from error


def real_path(file: Path) -> Path:
    """Return a path with links followed; unlike `Path.resolve`, a loop of links is no error yet."""
    return Path(os.path.realpath(file))


def parse_file(file: Path, text: str) -> Node:
    """Return the tree of a file's text; blank text is an empty object."""
    if is_blank(text):
        return Node(Source(text, str(file)), "object", {}, 0, 0)
    try:
        return parse(text, str(file))
    except Json5Error as error:
        raise InvalidConfig((Issue("", error.message, str(file), error.line, error.column),)) from error


def load_tree(
    file: Path, environ: Mapping[str, str], texts: Mapping[Path, str] = ON_DISK
) -> tuple[Node, tuple[Source, ...]]:
    """Return a config with its includes in place, and every file read; an absent file is an empty object.

    `texts` stand in for what files hold on disk, by resolved path.
    """
    includes = open_includes(file, environ, texts)
    root = includes.root()
    if INCLUDE not in root.source.text:
        return root, (root.source,)
    return includes.resolve(root, (), (includes.file,)), tuple(includes.sources)


def read_sources(file: Path, environ: Mapping[str, str], texts: Mapping[Path, str] = ON_DISK) -> tuple[Source, ...]:
    """Return the files of a config, each once, as far as they can be found: a broken one is the last on its branch.

    Raises `InvalidConfig` where the config itself cannot be read at all.
    """
    includes = open_includes(file, environ, texts)
    text = includes.text(includes.file, file, MAX_BYTES)
    if text is None or INCLUDE not in text:
        return (Source(text or "", str(file)),)
    with suppress(InvalidConfig):
        includes.resolve(includes.root(), (), (includes.file,))
    found = {source.name: source for source in includes.sources}
    return tuple(found.values())


def open_includes(file: Path, environ: Mapping[str, str], texts: Mapping[Path, str] = ON_DISK) -> Includes:
    """Return what finds and reads the files a config includes."""
    real = real_path(file)
    extra = environ.get("OPENCLAW_INCLUDE_ROOTS", "").split(os.pathsep)
    return Includes(file, (real.parent, *(real_path(Path(name).expanduser()) for name in extra if name)), texts, [])


def included_files(node: Node) -> list[Node]:
    """Return the texts an object's `$include` names; empty when it has none."""
    named = node.value.get(INCLUDE) if node.kind == "object" else None
    if named is None:
        return []
    texts = named.value if named.kind == "array" else [named]
    for text in texts:
        if text.kind != "string":
            raise complaint(text, (INCLUDE,), f"expected a file name or a list of them, found {text.shown}")
    return list(texts)


class Includes(Struct):
    """One loading: the directories files may come from, and the files read so far."""

    named: Path  # the config as the user names it
    roots: tuple[Path, ...]
    texts: Mapping[Path, str]
    sources: list[Source]

    @property
    def file(self) -> Path:
        """The config, links followed."""
        return real_path(self.named)

    def root(self) -> Node:
        """Return the config's own tree, includes not resolved."""
        return self.read(self.file, self.named, MAX_BYTES) or parse_file(self.named, "")

    def read(self, file: Path, name: Path, limit: int = MAX_INCLUDED_BYTES) -> Node | None:
        """Return one file's own tree; `None` when there is no file."""
        text = self.text(file, name, limit)
        if text is None:
            return None
        try:
            node = parse_file(name, text)
        except InvalidConfig:
            self.sources.append(Source(text, str(name)))
            raise
        self.sources.append(node.source)
        return node

    def text(self, file: Path, name: Path, limit: int) -> str | None:
        """Return one file's text; `None` when there is no file."""
        return self.texts[file] if file in self.texts else read_text(name, limit)

    def resolve(self, node: Node, path: KeyPath, chain: tuple[Path, ...]) -> Node:
        """Return a tree with its includes in place; `chain` are the files that led here."""
        if node.kind == "array":
            node.value = [self.resolve(child, (*path, index), chain) for index, child in enumerate(node.value)]
        if node.kind != "object":
            return node
        names = included_files(node)
        node.value = {
            key: self.resolve(child, (*path, key), chain) for key, child in node.value.items() if key != INCLUDE
        }
        if not names:
            return node
        parts = [self._part(name, path, chain) for name in names]
        for name, part in zip(names, parts, strict=True):
            if part.kind != "object" and (node.value or len(parts) > 1):
                raise complaint(
                    name, path, f"{name.text} holds {part.shown}; beside other content it must be an object"
                )
        return reduce(merge, [*parts, node] if node.value else parts)

    def _part(self, name: Node, path: KeyPath, chain: tuple[Path, ...]) -> Node:
        file, node = self.load(name, path, chain)
        return self.resolve(node, path, (*chain, file))

    def load(self, name: Node, path: KeyPath, chain: tuple[Path, ...]) -> tuple[Path, Node]:
        """Return the file an `$include` names and its own tree."""
        file = self._find(name, path, chain)
        node = self.read(file, file)
        if node is None:
            raise complaint(name, path, f"the included file {file} does not exist")
        return file, node

    def _find(self, name: Node, path: KeyPath, chain: tuple[Path, ...]) -> Path:
        if "\0" in name.value or len(name.value) > MAX_PATH:
            raise complaint(name, path, "this is no file name")
        file = real_path(chain[-1].parent / str(name.value))
        if file in chain:
            raise complaint(name, path, "files include each other: " + " → ".join(map(str, (*chain, file))))
        if len(chain) > MAX_INCLUDES:
            raise complaint(name, path, f"files include each other more than {MAX_INCLUDES} deep")
        if not any(file.is_relative_to(root) for root in self.roots):
            raise complaint(
                name,
                path,
                f"{file} lies outside {self.roots[0]}; name its directory in OPENCLAW_INCLUDE_ROOTS to allow it",
            )
        if any(PRIVATE.fullmatch(part) for part in file.parts):
            raise complaint(name, path, f"{file} holds credentials, and is no part of a config")
        return file


def merge(base: Node, over: Node) -> Node:
    """Return two trees as one: objects merge, lists are joined, of anything else the later wins."""
    if base.kind != over.kind or base.kind not in {"object", "array"}:
        return over
    merged = Node(over.source, over.kind, over.value, over.start, over.end)
    if base.kind == "array":
        merged.value = [*base.value, *over.value]
    else:
        shared = {
            key: merge(base.value[key], child) if key in base.value else child for key, child in over.value.items()
        }
        merged.value = {**base.value, **shared}
    return merged


def complaint(node: Node, path: KeyPath, message: str) -> InvalidConfig:
    """Return the error of one node."""
    line, column = node.source.locate(node.start)
    return InvalidConfig((Issue(render_path(path), message, node.source.name, line, column),))


def _unusable(file: Path, message: str, line: int = 0) -> InvalidConfig:
    return InvalidConfig((Issue("", message, str(file), line, 1 if line else 0),))


def _not_utf8(error: UnicodeDecodeError) -> str:
    wide = error.object[:2] in {b"\xff\xfe", b"\xfe\xff"}
    return "is UTF-16; save it as UTF-8" if wide else f"is not UTF-8: byte 0x{error.object[error.start]:02x}"
