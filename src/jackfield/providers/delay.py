"""How long a provider asks to wait, read from the places where providers say it. Reads no clock.

A date is counted from the reply's own `date` header, so that a wrong clock on this machine
does no harm; without that header it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from jackfield.protocols.refusal import parse_retry_after_s

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
DURATION = re.compile(r"(\d{1,15}(?:\.\d+)?)(ms|s|m|h|d)")
# "Please try again in 1.8s", "try again in 6m0s", "retry in 20 seconds", `"retryDelay": "34s"`
IN_WORDS = re.compile(
    rb'(?:try again in|retry in|retry after|"retryDelay":\s*")\s*((?:\d+(?:\.\d+)?\s*(?:ms|s|m|h)\w*\s*)+)',
    re.IGNORECASE,
)
NUMBER = re.compile(r"\d{1,15}(\.\d+)?")  # of seconds, or a Unix time; one with more digits is no time
# A counter's reset counts only when the counter is used up, or when nothing says that it is not.
COUNTERS = ("requests", "tokens")


def parse_delay_s(headers: Mapping[str, str], body: bytes = b"") -> float | None:
    """Return the wait a provider asks for, in seconds, or `None`; header names are lower-case."""
    if (said_s := parse_retry_after_s(headers)) is not None:
        return said_s
    now = parse_date(headers.get("date", ""))
    at = parse_date(headers.get("retry-after", ""))
    if at and now:
        return max(0.0, (at - now).total_seconds())
    resets = list(_resets_s(headers, now))
    return max(resets) if resets else _in_words(body)


def _resets_s(headers: Mapping[str, str], now: datetime | None) -> Iterator[float]:
    for counter in COUNTERS:
        for reset, left in (
            (f"x-ratelimit-reset-{counter}", f"x-ratelimit-remaining-{counter}"),
            (f"anthropic-ratelimit-{counter}-reset", f"anthropic-ratelimit-{counter}-remaining"),
        ):
            if headers.get(left, "0") == "0" and (wait := parse_wait_s(headers.get(reset, ""), now)) is not None:
                yield wait
    if (wait := parse_wait_s(headers.get("x-ratelimit-reset", ""), now)) is not None:
        yield wait


def parse_wait_s(text: str, now: datetime | None) -> float | None:
    """Read a duration (`6m0s`, `1.5`), a Unix time in seconds or milliseconds, or an ISO date."""
    if NUMBER.fullmatch(text.strip()):
        number = float(text)
        if number < 1e9:
            return number
        at = number / 1000 if number > 1e11 else number
        return max(0.0, at - now.timestamp()) if now else None
    if parts := DURATION.findall(text) if DURATION.match(text) else []:
        return sum(float(number) * UNITS_S[unit] for number, unit in parts)
    at_date = parse_date(text)
    return max(0.0, (at_date - now).total_seconds()) if at_date and now else None


def _in_words(body: bytes) -> float | None:
    match = IN_WORDS.search(body)
    if match is None:
        return None
    said = re.sub(r"\s+", "", match.group(1).decode("ascii", "replace").lower())
    return sum(float(number) * UNITS_S[unit] for number, unit in DURATION.findall(said)) or None


def parse_date(text: str) -> datetime | None:
    """Read a header's date, as HTTP writes it or as ISO does; `None` for one without a zone."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            date = parse(text)
        except (ValueError, TypeError):
            continue
        if date.tzinfo:
            return date
    return None
