"""How long a provider asks to wait, read from the places where providers say it. Reads no clock.

A date is counted from the reply's own `date` header, so that a wrong clock on this machine
does no harm; without that header it says nothing. What is said is never NaN, infinite or negative.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from jackfield.protocols.refusal import UNITS_S, parse_retry_after_s, parse_wait_in_words

DURATION = re.compile(r"(\d{1,15}(?:\.\d+)?)(ms|s|m|h|d)")
NUMBER = re.compile(r"\d{1,15}(\.\d+)?")  # of seconds, or a Unix time; one with more digits is no time
LONGEST_BODY = 65_536

# -- headers -----------------------------------------------------------------------

# One pattern per family: which counter a header belongs to, and what it says of it. OpenAI's names with
# those who took them over, Anthropic's, those of its subscriptions, the Codex backend's.
COUNTERS = (
    re.compile(r"(?:x-)?ratelimit-(?P<part>remaining|reset)(?:-(?P<name>[\w-]+))?"),
    re.compile(r"anthropic-ratelimit-(?P<name>unified(?:-[\w-]+)?)-(?P<part>status|reset)"),
    re.compile(r"anthropic-ratelimit-(?P<name>[\w-]+)-(?P<part>remaining|reset)"),
    re.compile(r"x-codex-(?P<name>primary|secondary)-(?P<part>used-percent|reset-after-seconds)"),
)
# The draft of IETF's `RateLimit`: `"default";r=0;t=50`, or as it was before, `limit=100, remaining=0, reset=50`.
RATE_LIMIT = re.compile(r"\b(?:r|remaining)=0\b.*?\b(?:t|reset)=(\d{1,9})\b")


def parse_delay_s(headers: Mapping[str, str], body: bytes = b"") -> float | None:
    """Return the wait a provider asks for, in seconds, or `None`; header names are lower-case.

    What it asks for in so many words comes first, then when a counter that is used up begins
    anew, then a sentence for people.
    """
    now = parse_date(headers.get("date", ""))
    body = body[:LONGEST_BODY]
    asked = [wait for wait in (_retry_after(headers, now), *_in_fields(body, now)) if wait is not None]
    if asked:
        return max(asked)
    resets = list(_resets_s(headers, now))
    return max(resets) if resets else parse_wait_in_words(body.decode("utf-8", "replace"))


def _retry_after(headers: Mapping[str, str], now: datetime | None) -> float | None:
    if (said_s := parse_retry_after_s(headers)) is not None:
        return said_s
    at = parse_date(headers.get("retry-after", ""))
    return max(0.0, (at - now).total_seconds()) if at and now else None


def _resets_s(headers: Mapping[str, str], now: datetime | None) -> Iterator[float]:
    """Yield when each counter begins anew that is used up, or of which nothing says that it is not."""
    counters: dict[tuple[int, str], dict[str, str]] = {}
    for header, text in headers.items():
        for family, pattern in enumerate(COUNTERS):
            if match := pattern.fullmatch(header):
                counters.setdefault((family, match["name"] or ""), {})[match["part"]] = text.strip()
                break
    for parts in counters.values():
        reset = parts.get("reset") or parts.get("reset-after-seconds", "")
        if _is_spent(parts) and (wait := parse_wait_s(reset, now)) is not None:
            yield wait
    yield from (float(match[1]) for match in RATE_LIMIT.finditer(headers.get("ratelimit", "")))


def _is_spent(parts: Mapping[str, str]) -> bool:
    if "status" in parts:
        return parts["status"] == "rejected"
    if "used-percent" in parts:
        return not re.fullmatch(r"\d{1,2}(\.\d+)?", parts["used-percent"])  # two digits are less than all of it
    return "remaining" not in parts or not re.search(r"[1-9]", parts["remaining"]) or parts["remaining"][0] == "-"


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


# -- bodies ------------------------------------------------------------------------

# The Codex backend's `resets_in_seconds` and `resets_at`, Google's `retryDelay` and `quotaResetDelay`, headers of
# OpenRouter's upstream, and what others call the same. Looked for as text: bodies nest them anywhere, and in texts.
FIELDS = re.compile(
    rb'\\?"(?:(?P<ms>retry_?after_?ms|resets?_in_ms)'
    rb"|(?P<wait>resets?_in(?:_seconds)?|(?:retry|reset)_?after(?:_?seconds)?|retry_?delay|quota_?reset_?delay)"
    rb"|(?P<at>resets?_at|x-ratelimit-reset|quota_?reset_?time_?stamp|reset_?time))"
    rb'\\?"\s*:\s*\\?"?(?P<text>[\w.:+-]+)',
    re.IGNORECASE,
)


def _in_fields(body: bytes, now: datetime | None) -> Iterator[float | None]:
    for match in FIELDS.finditer(body):
        text = match["text"].decode("ascii", "replace")
        if match["ms"]:
            yield float(text) / 1000 if NUMBER.fullmatch(text) else None
        else:
            wait = parse_wait_s(text, now)
            # A span that would be a date, or the other way round, is neither.
            yield wait if match["at"] or not NUMBER.fullmatch(text) or float(text) < 1e9 else None
