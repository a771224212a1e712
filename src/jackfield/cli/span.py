"""Spans of time as people write them: 12h, 30d, 4w, 1y."""

from __future__ import annotations

import re

from jackfield.errors import UsageError

SPAN = re.compile(r"(\d{1,5})([hdwy])")
DAY_MS = 86_400_000
UNITS_MS = {"h": DAY_MS // 24, "d": DAY_MS, "w": 7 * DAY_MS, "y": 365 * DAY_MS}


def parse_span(text: str) -> int:
    """Return a span in milliseconds; raise `UsageError` for what is none."""
    found = SPAN.fullmatch(text.strip().lower())
    if not found:
        raise UsageError(f"{text!r} is no span of time", hint="write hours, days, weeks or years: 12h, 30d, 4w, 1y")
    return int(found[1]) * UNITS_MS[found[2]]
