"""What refusals have in common on every wire: bodies that are no JSON, and how long to wait."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jackfield.protocols.base import Body, preview

TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
NUMBER = re.compile(r"\d{1,9}(\.\d*)?")  # a header may also hold a date, which would need a clock


def plain_words(body: Body) -> str:
    """Return the words of a body that is no JSON: a page's title, else its start; nothing when it is empty."""
    if isinstance(body, Mapping) or not body.strip():
        return ""
    text = body if isinstance(body, str) else body.decode("utf-8", "replace")
    title = TITLE.search(text[:4096])
    return f"a web page: {' '.join(title[1].split())}" if title else preview(text).strip("'\"")


def parse_retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a server asks to wait, where it names their number; header names are lower-case."""
    for name, per_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        said = headers.get(name, "").strip()
        if NUMBER.fullmatch(said):
            return float(said) / per_second
    return None
