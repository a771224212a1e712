"""How long a provider asks to wait, in all the ways providers say it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ({"retry-after": "inf"}, "", None),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "-1"}, "", None),
        ({"retry-after": "999999"}, "", 999999.0),
        ({"retry-after-ms": "-1", "retry-after": "3"}, "", 3.0),
        ({}, "Your quota will reset after 2m 13s.", 133.0),
        ({}, "Your quota will reset after 12h34m16s.", 45256.0),
        ({}, "You've hit your usage limit. Try again in 5 days 22 hours 11 minutes.", 511860.0),
        ({}, "Please wait 2 minutes before trying again", 120.0),
        ({}, "Please wait 1 minute and 30 seconds", 90.0),
        ({}, "try again in 2 months", None),
        ({}, '{"error": {"type": "usage_limit_reached", "resets_at": 1795255260, "resets_in_seconds": 13872}}', 13872.0),
        ({"date": DATE}, '{"error": {"resets_at": 1795255260}}', 60.0),
        ({"date": DATE}, '{"error": {"resets_at": "2026-11-21T10:01:00Z"}}', 60.0),
        ({}, '{"error": {"resets_at": 1795255260}}', None),
        ({"date": DATE}, '{"error": {"resets_in_seconds": 1795255260}}', None),
        ({"retry-after": "5"}, '{"error": {"resets_in_seconds": 3600}}', 3600.0),
        ({}, '{"retry_after_ms": 1500}', 1.5),
        ({}, '{"retry_after": "12"}', 12.0),
        ({}, '{"retryAfter": -3}', None),
        ({}, '{"metadata": {"quotaResetDelay": "1h16m0.667923083s"}}', 4560.667923083),
        ({}, '{"metadata": {"quotaResetDelay": "373.801628ms"}}', 0.373801628),
        ({"date": DATE}, '{"metadata": {"quotaResetTimeStamp": "2026-11-21T10:00:09Z"}}', 9.0),
        ({"date": DATE}, '{"metadata": {"headers": {"X-RateLimit-Reset": "1795255260000"}}}', 60.0),
        ({}, '{"message": "{\\"retryDelay\\": \\"12s\\"}"}', 12.0),
        ({"ratelimit-reset": "19", "ratelimit-remaining": "0"}, "", 19.0),
        ({"ratelimit-reset": "19", "ratelimit-remaining": "399"}, "", None),
        ({"ratelimit": '"default";r=0;t=50'}, "", 50.0),
        ({"ratelimit": '"default";r=10;t=50'}, "", None),
        ({"ratelimit": "limit=100, remaining=0, reset=40"}, "", 40.0),
        ({"x-ratelimit-reset-requests-day": "33011.3", "x-ratelimit-remaining-requests-day": "12", "x-ratelimit-reset-tokens-minute": "11.4", "x-ratelimit-remaining-tokens-minute": "0"}, "", 11.4),
        ({"x-ratelimit-reset": "30", "x-ratelimit-remaining": "-1"}, "", 30.0),
        ({"anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": "1795255260", "date": DATE}, "", 60.0),
        (
            {"anthropic-ratelimit-unified-5h-status": "rejected", "anthropic-ratelimit-unified-5h-reset": "1795255260",
             "anthropic-ratelimit-unified-7d-status": "allowed", "anthropic-ratelimit-unified-7d-reset": "1795860000", "date": DATE},
            "",
            60.0,
        ),
        ({"x-codex-primary-used-percent": "100", "x-codex-primary-reset-after-seconds": "13873",
          "x-codex-secondary-used-percent": "80", "x-codex-secondary-reset-after-seconds": "316705"}, "", 13873.0),
    ],
)  # fmt: skip
def test_the_wait_is_read_wherever_it_stands(headers: dict[str, str], body: str, wait_s: float | None) -> None:
    assert parse_delay_s(headers, body.encode()) == (None if wait_s is None else pytest.approx(wait_s))


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "retry-after-ms", "x-ratelimit-reset", "x-ratelimit-reset-tokens", "date",
                         "anthropic-ratelimit-tokens-reset", "anthropic-ratelimit-unified-reset", "ratelimit"]),
        st.text() | st.floats().map(str) | st.integers().map(str) | st.just(DATE),
    ),
    st.binary() | st.builds(lambda n: f'{{"resets_in_seconds": {n}, "retryDelay": "{n}s"}} try again in {n} s'.encode(), st.floats()),
)  # fmt: skip
def test_whatever_is_said_the_wait_is_a_finite_time_ahead(headers: dict[str, str], body: bytes) -> None:
    wait_s = parse_delay_s(headers, body)
    assert wait_s is None or (math.isfinite(wait_s) and wait_s >= 0)


@pytest.mark.wire
def test_every_recorded_refusal_that_names_a_wait_is_understood(shared_wire: Path) -> None:
    found = {}
    for meta in sorted(shared_wire.glob("*/*/error-429*/meta.json")) + sorted(
        shared_wire.glob("*/*/sup-error-429*/meta.json")
    ):
        told = json.loads(meta.read_text(encoding="utf-8"))
        headers = {name.lower(): value for name, value in told["response_headers"].items()}
        body = (meta.parent / told["response_file"]).read_bytes()
        found[f"{meta.parent.parent.name}/{meta.parent.name}"] = parse_delay_s({"date": DATE, **headers}, body)
    waits = {name: wait for name, wait in found.items() if wait is not None}
    assert waits == {
        "anthropic/sup-error-429-retry-after-4069ec0d8d": 12.0,
        "google/error-429-n-3b35e1e8b7": 34.4,
        "openai/sup-error-429-rate-limit-4a47e804b8": 1.8,
        "openrouter/error-429-n-3e073ff9da": 26.0,
    }
