"""Rows as a file for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

# A spreadsheet takes a text that begins so for a formula, and runs it. (https://owasp.org/www-community/attacks/CSV_Injection, read 2026-11-21)
ACTIVE = ("=", "+", "-", "@", "\t", "\r")


def render_csv(header: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Return rows as CSV; a name that would be a formula is one no more: it begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _defused(row[name]) for name in header} for row in rows)
    return text.getvalue()


def _defused(value: object) -> object:
    if not isinstance(value, str):
        return value
    line = " ".join(value.splitlines()) if value.startswith(ACTIVE) or "\r" in value else value
    return f"'{line}" if value.startswith(ACTIVE) else line
