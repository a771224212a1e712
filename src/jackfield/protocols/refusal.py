"""What refusals have in common on every wire: bodies that are no JSON, how long to wait, and the error they become."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jackfield.errors import Error, RateLimit, classify
from jackfield.message import JsonObject
from jackfield.protocols.base import Body, preview

TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)
NUMBER = re.compile(r"\d{1,9}(\.\d*)?")  # a header may also hold a date, which would need a clock
UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
# "Please try again in 1.8s", "try again in 5 days 22 hours 11 minutes", "Your quota will reset after 2m 13s"
UNIT = r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])"
SPAN = rf"\d{{1,9}}(?:\.\d+)?\s*{UNIT}"
IN_WORDS = re.compile(
    rf"(?:again in|retry in|retry after|resets? (?:after|in)|available in|wait)(?: about| at least)?\s+((?:{SPAN}(?:,? and |,\s*|\s*))+)",
    re.IGNORECASE,
)
COUNTED = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|milli|s|m|h|d)", re.IGNORECASE)


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


def parse_wait_in_words(text: str) -> float | None:
    """Read the wait out of a sentence for people."""
    match = IN_WORDS.search(text)
    if match is None:
        return None
    spans = COUNTED.findall(match[1].lower())
    return sum(float(number) * UNITS_S["ms" if unit == "milli" else unit] for number, unit in spans) or None


def as_error(status: int, said: JsonObject, headers: Mapping[str, str]) -> Error:
    """Return the error of a refusal whose `message`, `type`, `code` and `param` have been read: text, or `None`."""
    message, kind, code = said.get("message"), said.get("type"), said.get("code")
    shown = message or kind or code or f"HTTP {status} without a reason"
    wait_s = parse_retry_after_s(headers)
    error = classify(status, shown, code=code, kind=kind)(shown, status=status, retry_after_s=wait_s)
    if wait_s is None and isinstance(error, RateLimit):
        # Inside a stream there are no headers: the sentence is all there is.
        error.retry_after_s = parse_wait_in_words(shown)
    error.code = code or kind
    error.param = said.get("param")
    return error
