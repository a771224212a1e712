"""Reads a tree by its shape: checks, fills variables in, wraps secrets.

Finds everything that is wrong in one walk. Values come back as plain dicts, lists and
texts under the config's own key names; what could not be read is left out. Messages quote
the file's text, never what a variable holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import UNSET

from jackfield.config.environment import VARIABLE, fill
from jackfield.config.keypath import KeyPath, render_path
from jackfield.config.node import Node
from jackfield.config.schema import ConfigSecret, Issue, MissingVar
from jackfield.config.shape import (
    Anything,
    Either,
    Field,
    Flag,
    Key,
    ListOf,
    MapOf,
    Money,
    Number,
    Record,
    SecretText,
    Shape,
    Table,
    Text,
)
from jackfield.config.spend import AMOUNT
from jackfield.config.table import REFERENCE
from jackfield.credential import Secret, SecretRef

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MOST = 10**15  # larger numbers are slips, and not every float is exact there


class Reader:
    """One reading: collects `issues`, `warnings` and the `missing` variables as it goes."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.issues: list[Issue] = []
        self.missing: list[tuple[KeyPath, MissingVar]] = []
        self._warnings: list[str] = []
        self._idle: dict[str, list[str]] = {}

    @property
    def warnings(self) -> list[str]:
        """What deserves a word but breaks nothing; keys without effect are named once each."""
        return [*self._warnings, *(_idle_warning(doc, places) for doc, places in self._idle.items())]

    def read(self, node: Node, shape: Shape, path: KeyPath = ()) -> Any:  # noqa: C901  one case per shape
        """Return the value at a node, `UNSET` when it says nothing usable."""
        match shape:
            # The most frequent first: a config is mostly rows of models.
            case Text():
                return self._text(node, shape, path)
            case Money():
                return self._limit(node, path) if shape.strict else self._money(node, path)
            case Number():
                return self._number(node, shape, path)
            case Record():
                return self._table(node, shape.table, path)
            case ListOf():
                return self._list(node, shape, path)
            case Flag():
                return node.value if node.kind == "boolean" else self._wrong(node, path, "true or false")
            case Table():
                return self._table(node, shape, path)
            case MapOf():
                return self._map(node, shape, path)
            case Either():
                return self.read(node, shape.text if node.kind == "string" else shape.other, path)
            case SecretText():
                return self._secret(node, shape, path)
            case Key():
                return self._key(node, path)
            case Anything():
                return self._plain(node, path) if node.kind == "object" else self._wrong(node, path, "an object")

    def warn(self, node: Node, path: KeyPath, message: str) -> None:
        """Note something odd that breaks nothing."""
        self._warnings.append(f"{render_path(path)} ({place(node)}) {message}")

    # -- containers ----------------------------------------------------------------

    def _table(self, node: Node, shape: Table, path: KeyPath) -> Any:
        if node.kind != "object":
            return self._wrong(node, path, "an object")
        found: dict[str, Any] = {}
        for key, child in node.value.items():
            here = (*path, key)
            field = shape.by_name.get(key)
            if field:
                found[key] = self._field(child, field, here)
            elif shape.others:
                found[key] = self.read(child, shape.others, here)
            else:
                self._unknown(child, shape, here)
        for key in shape.required:
            if key not in node.value:
                self.complain(node, path, f'the key "{key}" is missing')
        return {key: value for key, value in found.items() if value is not UNSET}

    def _field(self, node: Node, field: Field, path: KeyPath) -> Any:
        if field.idle:
            self._idle.setdefault(field.doc, []).append(f"{render_path(path)} ({place(node)})")
            return UNSET
        return self.read(node, field.shape, path)

    def _unknown(self, node: Node, shape: Table, path: KeyPath) -> None:
        key = str(path[-1])
        near = nearest(key, shape.by_name, cutoff=0.75 if shape.open else 0.6)
        if not shape.open:
            self.complain(
                node,
                path,
                "unknown key" + (f'; did you mean "{near}"?' if near else f"; known are {', '.join(shape.by_name)}"),
            )
        elif near and key not in shape.elsewhere:
            self.warn(node, path, f'is no key of the model layer; did you mean "{near}"?')

    def _map(self, node: Node, shape: MapOf, path: KeyPath) -> Any:
        if node.kind != "object":
            return self._wrong(node, path, "an object")
        found = {key: self.read(child, shape.value, (*path, key)) for key, child in node.value.items()}
        return {key: value for key, value in found.items() if value is not UNSET}

    def _list(self, node: Node, shape: ListOf, path: KeyPath) -> Any:
        if node.kind != "array":
            return self._wrong(node, path, "a list")
        found = [self.read(child, shape.item, (*path, index)) for index, child in enumerate(node.value)]
        return [value for value in found if value is not UNSET]

    def _plain(self, node: Node, path: KeyPath) -> Any:
        match node.kind:
            case "object":
                found = {key: self._plain(child, (*path, key)) for key, child in node.value.items()}
                return {key: value for key, value in found.items() if value is not UNSET}
            case "array":
                values = [self._plain(child, (*path, index)) for index, child in enumerate(node.value)]
                return [value for value in values if value is not UNSET]
            case "string":
                return self._filled(node, path)
        return node.value

    # -- single values -------------------------------------------------------------

    def _text(self, node: Node, shape: Text, path: KeyPath) -> Any:
        if node.kind != "string":
            return self._wrong(node, path, "a text")
        text = self._filled(node, path)
        if text is UNSET:
            return UNSET
        if shape.choices and text not in shape.choices:
            near = nearest(text, shape.choices)
            return self.complain(
                node,
                path,
                f"{_short(node.text)} is not one of {', '.join(shape.choices)}"
                + (f'; did you mean "{near}"?' if near else ""),
            )
        return text if shape.slash else text.strip().rstrip("/")

    def _secret(self, node: Node, shape: SecretText, path: KeyPath) -> Any:
        if node.kind == "object" and not shape.literal:
            found = self._reference(node, path, late=shape.late)
            return found.secret if isinstance(found, ConfigSecret) and not found.ref else found
        if node.kind != "string":
            return self._wrong(node, path, "a text")
        if shape.literal:
            if VARIABLE.search(node.value):
                self.warn(node, path, "holds ${…}, which is not filled in here")
            return Secret(node.value)
        text = self._filled(node, path)
        if text is UNSET or not text.strip():
            return UNSET
        named = self.environ.get(text, "").strip() if _VARIABLE_NAME.fullmatch(text) else ""
        return Secret(named or text.strip())

    def _key(self, node: Node, path: KeyPath) -> Any:
        if node.kind == "object":
            return self._reference(node, path, late=True)
        if node.kind == "string" and node.value.startswith("!"):
            reason = 'is a command, which is never run from a text: write {source: "exec", id: "…"}'
            return self._miss(path, MissingVar('a text that begins with "!"', render_path(path), place(node), reason))
        secret = self._secret(node, SecretText(), path)
        return secret if secret is UNSET else ConfigSecret(secret, f"config: {render_path(path)}")

    def _reference(self, node: Node, path: KeyPath, *, late: bool) -> Any:
        said = self.read(node, REFERENCE, path)
        if not {"source", "id"} <= said.keys():
            return UNSET
        name, source, origin = said["id"], said["source"], f"config: {render_path(path)}"
        if source == "env":
            found = self.environ.get(name, "").strip()
            if not found:
                return self._miss(path, MissingVar(name, render_path(path), place(node)))
            return ConfigSecret(Secret(found), origin)
        if late and source != "store":
            return ConfigSecret(Secret(""), origin, SecretRef(source, name, said.get("provider") or "default"))
        where = "does not know" if source == "store" else "does not follow here"
        reason = f'is a reference of source "{source}", which Jackfield {where}'
        return self._miss(path, MissingVar(name, render_path(path), place(node), reason))

    def _number(self, node: Node, shape: Number, path: KeyPath) -> Any:
        expected = "a whole number" if shape.whole else "a number"
        if not _is_number(node) or (shape.whole and node.value != int(node.value)):
            return self._wrong(node, path, expected)
        if shape.lenient and node.value <= 0:
            return UNSET
        if shape.least is not None and node.value < shape.least:
            return self.complain(node, path, f"{node.text} is less than {shape.least}")
        if shape.most is not None and node.value > shape.most:
            return self.complain(node, path, f"{node.text} is more than {shape.most}")
        return int(node.value) if shape.whole else node.value

    def _money(self, node: Node, path: KeyPath) -> Any:
        if not _is_number(node):
            return self._wrong(node, path, "a number")
        text = node.text
        amount = Decimal(node.value) if "x" in text or "X" in text else Decimal(text)
        return amount if amount >= 0 else UNSET

    def _limit(self, node: Node, path: KeyPath) -> Any:
        # A limit that is passed over is none, so whatever is odd here stops the program.
        if _is_number(node):
            return self._money(node, path) if node.value >= 0 else self.complain(node, path, f"{node.text} is negative")
        filled = fill(node.value, self.environ) if node.kind == "string" else None
        if filled and filled.missing:
            return self.complain(node, path, f"{filled.missing[0]} is not set")
        if filled is None or not AMOUNT.fullmatch(filled.text.strip()):
            return self._wrong(node, path, 'an amount in dollars, such as "2.50"')
        return Decimal(filled.text.strip())

    def _filled(self, node: Node, path: KeyPath) -> Any:
        if "${" not in node.value:
            return node.value
        filled = fill(node.value, self.environ)
        for name in filled.missing:
            self._miss(path, MissingVar(name, render_path(path), place(node)))
        return UNSET if filled.missing else filled.text

    # -- complaints ----------------------------------------------------------------

    def _miss(self, path: KeyPath, missing: MissingVar) -> Any:
        self.missing.append((path, missing))
        return UNSET

    def _wrong(self, node: Node, path: KeyPath, expected: str) -> Any:
        numeric = expected.endswith("number")
        found = _short(node.text) if numeric and node.kind == "number" else node.shown
        unquoted = node.kind == "string" and (numeric or expected == "true or false")
        return self.complain(
            node, path, f"expected {expected}, found {found}" + ("; write it without quotes" if unquoted else "")
        )

    def complain(self, node: Node, path: KeyPath, message: str) -> Any:
        """Record what makes the config unusable; returns `UNSET`, the value of such a node."""
        line, column = node.source.locate(node.start)
        self.issues.append(Issue(render_path(path), message, node.source.name, line, column))
        return UNSET


def _is_number(node: Node) -> bool:
    """Tell whether a node is a number one can count with: not NaN, not endless, not absurd."""
    return node.kind == "number" and -_MOST <= node.value <= _MOST


def _idle_warning(doc: str, places: list[str]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{places[0]}{more}: no effect here; {doc}"


def _short(text: str) -> str:
    return text if len(text) <= 30 else f"{text[:30]}…"


def place(node: Node) -> str:
    """Return where a node stands, in short: `jackfield.json:12`."""
    return f"{Path(node.source.name).name}:{node.line}"


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the known word most like this one; empty when none is close."""
    import difflib  # noqa: PLC0415  only a mistake needs it

    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, 1, cutoff)
    return by_lower[near[0]] if near else ""
