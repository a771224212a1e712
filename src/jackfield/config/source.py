"""Config files as one tree: reads them within limits and puts `$include`d files in place.

Every node of the result still knows its own file and line. Raises `InvalidConfig` for
whatever cannot be read or parsed; knows nothing of what the keys mean.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from functools import reduce
from pathlib import Path

from msgspec import Struct

from jackfield.config.json5 import Json5Error, Node, Source, parse
from jackfield.config.keypath import KeyPath, render_path
from jackfield.config.schema import InvalidConfig, Issue

MAX_BYTES = 16 << 20
MAX_INCLUDED_BYTES = 2 << 20
MAX_INCLUDES = 10
MAX_PATH = 4096
INCLUDE = "$include"


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


def parse_file(file: Path, text: str) -> Node:
    """Return the tree of a file's text; blank text is an empty object."""
    if not text.strip("\ufeff \t\r\n"):
        return Node(Source(text, str(file)), "object", {}, 0, 0)
    try:
        return parse(text, str(file))
    except Json5Error as error:
        raise InvalidConfig((Issue("", error.message, str(file), error.line, error.column),)) from error


def load_tree(file: Path, environ: Mapping[str, str]) -> tuple[Node, tuple[Source, ...]]:
    """Return a config with its includes in place, and every file read; an absent file is an empty object."""
    text = read_text(file)
    root = parse_file(file, text or "")
    if INCLUDE not in root.source.text:
        return root, (root.source,)
    extra = environ.get("OPENCLAW_INCLUDE_ROOTS", "").split(os.pathsep)
    loader = _Includes(
        (file.resolve().parent, *(Path(name).expanduser().resolve() for name in extra if name)), [root.source]
    )
    return loader.resolve(root, (), (file.resolve(),)), tuple(loader.sources)


def included_files(node: Node) -> list[Node]:
    """Return the texts an object's `$include` names; empty when it has none."""
    named = node.value.get(INCLUDE) if node.kind == "object" else None
    if named is None:
        return []
    texts = named.value if named.kind == "array" else [named]
    for text in texts:
        if text.kind != "string":
            raise _complaint(text, (INCLUDE,), f"expected a file name or a list of them, found {text.shown}")
    return list(texts)


class _Includes(Struct):
    """One loading: the directories files may come from, and the files read so far."""

    roots: tuple[Path, ...]
    sources: list[Source]

    def resolve(self, node: Node, path: KeyPath, chain: tuple[Path, ...]) -> Node:
        if node.kind == "array":
            node.value = [self.resolve(child, (*path, index), chain) for index, child in enumerate(node.value)]
        if node.kind != "object":
            return node
        named = included_files(node)
        node.value = {
            key: self.resolve(child, (*path, key), chain) for key, child in node.value.items() if key != INCLUDE
        }
        if not named:
            return node
        parts = [self.load(text, path, chain) for text in named]
        if node.value or len(parts) > 1:
            for text, part in zip(named, parts, strict=True):
                if part.kind != "object":
                    raise _complaint(
                        text, path, f"{text.text} holds {part.shown}; beside other keys it must be an object"
                    )
        return reduce(merge, [*parts, node] if node.value else parts)

    def load(self, name: Node, path: KeyPath, chain: tuple[Path, ...]) -> Node:
        file = self.find(name, path, chain)
        text = read_text(file, MAX_INCLUDED_BYTES)
        if text is None:
            raise _complaint(name, path, f"the included file {file} does not exist")
        node = parse_file(file, text)
        self.sources.append(node.source)
        return self.resolve(node, path, (*chain, file))

    def find(self, name: Node, path: KeyPath, chain: tuple[Path, ...]) -> Path:
        if "\0" in name.value or len(name.value) > MAX_PATH:
            raise _complaint(name, path, "this is no file name")
        file = (chain[-1].parent / str(name.value)).resolve()
        if file in chain:
            raise _complaint(name, path, "files include each other: " + " → ".join(map(str, (*chain, file))))
        if len(chain) > MAX_INCLUDES:
            raise _complaint(name, path, f"files include each other more than {MAX_INCLUDES} deep")
        if not any(file.is_relative_to(root) for root in self.roots):
            raise _complaint(
                name,
                path,
                f"{file} lies outside {self.roots[0]}; name its directory in OPENCLAW_INCLUDE_ROOTS to allow it",
            )
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


def _complaint(node: Node, path: KeyPath, message: str) -> InvalidConfig:
    line, column = node.source.locate(node.start)
    return InvalidConfig((Issue(render_path(path), message, node.source.name, line, column),))


def _unusable(file: Path, message: str, line: int = 0) -> InvalidConfig:
    return InvalidConfig((Issue("", message, str(file), line, 1 if line else 0),))


def _not_utf8(error: UnicodeDecodeError) -> str:
    wide = error.object[:2] in {b"\xff\xfe", b"\xfe\xff"}
    return "is UTF-16; save it as UTF-8" if wide else f"is not UTF-8: byte 0x{error.object[error.start]:02x}"
