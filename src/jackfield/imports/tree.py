"""A file of JSON, JSON5, YAML or TOML as one kind of tree whose values know their line.

YAML is composed, never constructed: no tag makes an object, an alias counts each time it is
used, and what unfolds past the limit or into itself is refused. Raises `ConfigError` naming
file and line.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePath
from typing import Any

from jackfield.config.json5 import Json5Error, is_blank, parse
from jackfield.config.node import Kind, Node, Source
from jackfield.errors import ConfigError

MAX_YAML_CHARS = 1 << 20  # the parser is slow: a few hundred thousand characters a second
MAX_VALUES = 100_000  # after aliases are unfolded
MAX_DEPTH = 100
_KINDS: dict[type, Kind] = {
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    dict: "object",
    list: "array",
}


class NoYaml(ConfigError):
    """The extra that reads YAML is not installed."""


def parse_tree(source: Source) -> Node:
    """Return a file's tree, read as its name's ending says; a blank text is an empty object."""
    if is_blank(source.text):
        return Node(source, "object", {}, 0, 0)
    ending = PurePath(source.name).suffix.lower()
    if ending in {".yaml", ".yml"}:
        return _parse_yaml(source)
    if ending == ".toml":
        return _parse_toml(source)
    try:
        return parse(source.text, source.name)
    except Json5Error as error:
        # What was found instead may be part of a key, and is not repeated.
        said = error.message.partition(", found ")[0]
        raise ConfigError(f"{source.name}:{error.line}:{error.column}: {said}") from None


# -- YAML --------------------------------------------------------------------------


def _parse_yaml(source: Source) -> Node:
    try:
        import yaml  # noqa: PLC0415  an extra, and only these files need it
    except ImportError as error:
        raise NoYaml(f"{source.name}: YAML cannot be read", hint="pip install 'jackfield[import]'") from error
    if len(source.text) > MAX_YAML_CHARS:
        raise ConfigError(f"{source.name} is over {MAX_YAML_CHARS >> 20} MB; no such configuration is")
    try:
        root = yaml.compose(source.text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(f"{source.name}{place}: not YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{source.name}: not YAML: it holds a character that YAML forbids") from error
    except RecursionError as error:
        raise ConfigError(f"{source.name}: nested too deep") from error
    return _Unfolding(source, yaml.constructor.SafeConstructor()).node(root, ()) if root else parse("{}", source.name)


class _Unfolding:
    """Turns one composed YAML document into nodes, and counts them."""

    def __init__(self, source: Source, constructor: Any) -> None:
        self.source = source
        self.constructor = constructor
        self.left = MAX_VALUES

    def node(self, found: Any, above: tuple[int, ...]) -> Node:
        start, end = found.start_mark.index, found.end_mark.index
        self.left -= 1
        if self.left < 0:
            raise self.error(start, f"its aliases unfold to more than {MAX_VALUES} values")
        if id(found) in above or len(above) >= MAX_DEPTH:
            raise self.error(start, "a value holds itself" if id(found) in above else "nested too deep")
        above = (*above, id(found))
        match _sort(found):
            case "mapping":
                return Node(self.source, "object", self.members(found, above), start, end)
            case "sequence":
                return Node(self.source, "array", [self.node(each, above) for each in found.value], start, end)
            case _:
                return self.scalar(found, start, end)

    def members(self, found: Any, above: tuple[int, ...]) -> dict[str, Node]:
        """Return a mapping's members; those of `<<` stand behind its own."""
        own, merged = dict[str, Node](), dict[str, Node]()
        for key, value in found.value:
            if key.tag.endswith(":merge"):
                parts = value.value if _sort(value) == "sequence" else [value]
                for part in (self.node(each, above) for each in parts):
                    merged = {**part.value, **merged} if part.kind == "object" else merged
            elif _sort(key) == "scalar":
                own[key.value] = self.node(value, above)
        return {**merged, **own}

    def scalar(self, found: Any, start: int, end: int) -> Node:
        value: Any = found.value
        kind = found.tag.rpartition(":")[2]
        if kind == "null":
            return Node(self.source, "null", None, start, end)
        if kind in {"int", "float", "bool"}:
            try:
                value = self.constructor.construct_object(found)
            except (ValueError, OverflowError, KeyError) as error:
                raise self.error(start, "this is no number one can count with") from error
        return Node(self.source, _KINDS.get(type(value), "string"), value, start, end)

    def error(self, offset: int, message: str) -> ConfigError:
        line, column = self.source.locate(offset)
        return ConfigError(f"{self.source.name}:{line}:{column}: {message}")


# -- TOML --------------------------------------------------------------------------


def _sort(found: Any) -> str:
    """Return what PyYAML calls the sort of a node: mapping, sequence or scalar."""
    return str(found.id)


def _parse_toml(source: Source) -> Node:
    try:
        return _from_plain(source, tomllib.loads(source.text), 0)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        where = f":{place[1]}:{place[2]}" if place else ""
        raise ConfigError(f"{source.name}{where}: not TOML: {str(error).partition(' (at ')[0].lower()}") from error
    except RecursionError as error:
        raise ConfigError(f"{source.name}: nested too deep") from error


def _from_plain(source: Source, value: Any, at: int) -> Node:
    kind = _KINDS.get(type(value), "string")  # a date is a text to everybody here
    if kind == "object":
        value = {key: _from_plain(source, child, _find_key(source.text, key, at)) for key, child in value.items()}
    elif kind == "array":
        value = [_from_plain(source, child, at) for child in value]
    return Node(source, kind, value if type(value) in _KINDS else str(value), at, at)


def _find_key(text: str, key: str, after: int) -> int:
    """Return where a key is most likely written: the standard parser does not tell."""
    found = re.compile(rf"(?m)^[ \t]*(?:\[+[^\]\n]*?)?[\"']?{re.escape(key)}[\"']?\s*[=.\]]").search(text, after)
    return found.start() if found else after
