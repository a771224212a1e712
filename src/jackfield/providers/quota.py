"""What is left of a credential's quota, read from the headers of a reply. Asks nobody, reads no clock.

OpenAI's names of counters (x-ratelimit-limit-requests, …), which most others took over;
Anthropic's (anthropic-ratelimit-requests-limit) and those of its subscriptions
(anthropic-ratelimit-unified-5h-utilization); the Codex backend's (x-codex-primary-used-percent).
platform.openai.com/docs/guides/rate-limits, docs.anthropic.com/en/api/rate-limits, read 2026-11-21.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from jackfield.providers.delay import parse_date, parse_wait_s

# One pattern per family: which counter a header belongs to, and what it says of it.
COUNTERS = (
    re.compile(r"(?:x-)?ratelimit-(?P<part>limit|remaining|reset)(?:-(?P<name>[\w-]+))?"),
    re.compile(r"anthropic-ratelimit-(?:unified-)?(?P<name>[\w-]+)-(?P<part>limit|remaining|reset|utilization)"),
    re.compile(
        r"x-codex-(?P<name>primary|secondary)-(?P<part>used-percent|window-minutes|reset-after-seconds|reset-at)"
    ),
)
RESETS = ("reset", "reset-after-seconds", "reset-at")
SPANS = {"300": "5h", "10080": "weekly"}  # minutes of a window → what people call it
NAMES = {"7d": "weekly", "": "quota"}
STEPS_S = ((86_400, "d"), (3_600, "h"), (60, "min"))


class Window(Struct, frozen=True, kw_only=True):
    """One counter of a provider's; `None` where it does not say."""

    name: str  # `requests`, `tokens`, `5h`, `weekly`
    left_percent: float | None = None
    remaining: int | None = None
    limit: int | None = None
    resets_in_s: float | None = None  # counted from the reply


def parse_quota(headers: Mapping[str, str], now: datetime | None = None) -> tuple[Window, ...]:
    """Return the counters that a reply's headers tell of, in their order; names of headers are lower-case.

    A reset at a moment is counted from the reply's own date; `now` stands in where it has none.
    """
    found: dict[tuple[int, str], dict[str, str]] = {}
    for header, text in headers.items() if tells_quota(headers) else ():
        for family, pattern in enumerate(COUNTERS):
            if match := pattern.fullmatch(header):
                found.setdefault((family, match["name"] or ""), {})[match["part"]] = text.strip()
    if not found:
        return ()
    now = parse_date(headers.get("date", "")) or now
    windows = (_window(name, parts, now) for (_, name), parts in found.items())
    return tuple(each for each in windows if each.left_percent is not None or each.remaining is not None)


def tells_quota(headers: Mapping[str, str]) -> bool:
    """Tell whether any header may be of a counter."""
    names = " ".join(headers)
    return "ratelimit" in names or "x-codex" in names


def describe(window: Window) -> str:
    """Return a counter in words: `5h: 63% left, resets in 2 h`."""
    left = f"{window.remaining} left" if window.left_percent is None else f"{window.left_percent:.0f}% left"
    reset = "" if window.resets_in_s is None else f", resets in {_span(window.resets_in_s)}"
    return f"{window.name}: {left}{reset}"


def _window(name: str, parts: Mapping[str, str], now: datetime | None) -> Window:
    remaining, limit = _number(parts.get("remaining")), _number(parts.get("limit"))
    name = SPANS.get(parts.get("window-minutes", ""), name)
    resets = (parse_wait_s(parts[part], now) for part in RESETS if part in parts)
    return Window(
        name=NAMES.get(name, name),
        left_percent=_left(parts, remaining, limit),
        remaining=None if remaining is None else int(remaining),
        limit=None if limit is None else int(limit),
        resets_in_s=next((wait for wait in resets if wait is not None), None),
    )


def _left(parts: Mapping[str, str], remaining: float | None, limit: float | None) -> float | None:
    """Return how much of a window is left, in percent, whichever way it is told."""
    if (used := _number(parts.get("used-percent"))) is not None:
        left = 100 - used
    elif (share := _number(parts.get("utilization"))) is not None:
        left = 100 * (1 - share)
    elif remaining is not None and limit:
        left = 100 * remaining / limit
    else:
        return None
    return min(100.0, max(0.0, left))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _span(wait_s: float) -> str:
    for step_s, unit in STEPS_S:
        if wait_s >= step_s:
            return f"{wait_s / step_s:.0f} {unit}"
    return f"{wait_s:.0f} s"
