"""How long a provider asks to wait, in all the ways providers say it."""

from __future__ import annotations

import pytest

from jackfield.providers.delay import parse_delay_s

DATE = "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "body", "wait_s"),
    [
        ({}, "", None),
        ({"retry-after": "2"}, "", 2.0),
        ({"retry-after": "1.5"}, "", 1.5),
        ({"retry-after-ms": "1800", "retry-after": "60"}, "", 1.8),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": DATE}, "", 30.0),
        ({"retry-after": "Sat, 21 Nov 2026 09:00:00 GMT", "date": DATE}, "", 0.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT"}, "", None),
        ({"retry-after": "soon"}, "", None),
        ({"retry-after": "-5"}, "", None),
        ({"retry-after": "9" * 400}, "", None),
        ({"x-ratelimit-reset-tokens": "9" * 400 + "s"}, "", None),
        ({"x-ratelimit-reset": "9" * 400, "date": DATE}, "", None),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, "", 360.0),
        (
            {"x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "500"},
            "",
            1.0,
        ),
        ({"x-ratelimit-reset-tokens": "120ms"}, "", 0.12),
        ({"x-ratelimit-reset-tokens": "1h2m3.5s"}, "", 3723.5),
        ({"anthropic-ratelimit-requests-reset": "2026-11-21T10:00:07Z", "date": DATE}, "", 7.0),
        ({"anthropic-ratelimit-tokens-reset": "2026-11-21T10:00:07Z", "anthropic-ratelimit-tokens-remaining": "9", "date": DATE}, "", None),
        ({"x-ratelimit-reset": "1795255260000", "date": DATE}, "", 60.0),
        ({"x-ratelimit-reset": "1795255260", "date": DATE}, "", 60.0),
        ({"x-ratelimit-reset": "30"}, "", 30.0),
        ({"x-ratelimit-reset": "1795255260"}, "", None),
        ({}, '{"error": {"message": "Rate limit reached. Please try again in 1.8s. Visit"}}', 1.8),
        ({}, "Please try again in 6m0s.", 360.0),
        ({}, "please retry in 20 seconds", 20.0),
        ({}, "try again in 350ms", 0.35),
        ({}, '{"details": [{"retryDelay": "34s"}]}', 34.0),
        ({}, "try again in a while", None),
        ({"retry-after": "2"}, "try again in 90s", 2.0),
    ],
)  # fmt: skip
def test_the_wait_is_read_wherever_it_stands(headers: dict[str, str], body: str, wait_s: float | None) -> None:
    assert parse_delay_s(headers, body.encode()) == (None if wait_s is None else pytest.approx(wait_s))
