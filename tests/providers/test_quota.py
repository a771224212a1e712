"""What replies tell of quotas, in each family's words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jackfield.providers.quota import Window, describe, parse_quota

DATE = {"date": "Sat, 21 Nov 2026 07:00:00 GMT"}
NOW_S = 1_795_244_400
NO_WINDOW = {"content-type": "application/json", "x-request-id": "1", "x-ratelimit-limit-requests": "60"}


def test_openais_counters_are_read_and_those_who_took_their_names() -> None:
    told = parse_quota(
        {
            "x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "45", "x-ratelimit-reset-requests": "6m0s",
            "x-ratelimit-limit-tokens-minute": "150000", "x-ratelimit-remaining-tokens-minute": "0",
            "x-ratelimit-reset-tokens-minute": "12.5",
        }
    )  # fmt: skip
    assert told == (
        Window(name="requests", left_percent=75, remaining=45, limit=60, resets_in_s=360),
        Window(name="tokens-minute", left_percent=0, remaining=0, limit=150_000, resets_in_s=12.5),
    )


def test_a_counter_without_a_name_and_a_reset_in_milliseconds_of_the_clock() -> None:
    told = parse_quota(
        {**DATE, "x-ratelimit-limit": "20", "x-ratelimit-remaining": "5", "x-ratelimit-reset": f"{NOW_S + 90}000"}
    )
    assert told == (Window(name="quota", left_percent=25, remaining=5, limit=20, resets_in_s=90),)


def test_anthropics_counters_are_read_with_their_dates() -> None:
    told = parse_quota(
        {
            **DATE, "anthropic-ratelimit-input-tokens-limit": "1000", "anthropic-ratelimit-input-tokens-remaining": "990",
            "anthropic-ratelimit-input-tokens-reset": "2026-11-21T07:01:00Z",
        }
    )  # fmt: skip
    assert told == (Window(name="input-tokens", left_percent=99, remaining=990, limit=1000, resets_in_s=60),)


def test_a_subscriptions_windows_are_shares_of_five_hours_and_of_a_week() -> None:
    told = parse_quota(
        {
            **DATE, "anthropic-ratelimit-unified-status": "allowed", "anthropic-ratelimit-unified-reset": str(NOW_S + 1),
            "anthropic-ratelimit-unified-5h-utilization": "0.37", "anthropic-ratelimit-unified-5h-reset": str(NOW_S + 7200),
            "anthropic-ratelimit-unified-7d-utilization": "1.2", "anthropic-ratelimit-unified-7d-status": "allowed",
        }
    )  # fmt: skip
    assert [describe(each) for each in told] == ["5h: 63% left, resets in 2 h", "weekly: 0% left"]


def test_the_codex_backends_windows_are_named_by_their_length() -> None:
    told = parse_quota(
        {
            "x-codex-primary-used-percent": "12.5", "x-codex-primary-window-minutes": "300",
            "x-codex-primary-reset-after-seconds": "600", "x-codex-secondary-used-percent": "80",
            "x-codex-secondary-window-minutes": "10080", "x-codex-secondary-reset-after-seconds": "172800",
        }
    )  # fmt: skip
    assert [describe(each) for each in told] == ["5h: 88% left, resets in 10 min", "weekly: 20% left, resets in 2 d"]


@pytest.mark.parametrize("text", ["", "nan", "inf", "-1", "many"])
def test_what_is_no_number_tells_nothing(text: str) -> None:
    assert parse_quota({**NO_WINDOW, "x-ratelimit-remaining-requests": text}) == ()


def test_a_reply_without_counters_tells_nothing() -> None:
    assert parse_quota(NO_WINDOW) == ()


@pytest.mark.parametrize(
    "text",
    [
        "90", "1m30s", "90000ms", "1.5m", str(NOW_S + 90), f"{NOW_S + 90}000", "2026-11-21T07:01:30Z",
        "2026-11-21T08:01:30+01:00", "Sat, 21 Nov 2026 07:01:30 GMT",
    ],
)  # fmt: skip
@pytest.mark.parametrize("dated", [True, False], ids=["a dated reply", "this machine's clock"])
def test_a_reset_is_read_in_every_form(text: str, dated: bool) -> None:
    headers = {"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": text}
    moment = datetime.fromtimestamp(NOW_S, UTC)

    [told] = parse_quota(headers | DATE, moment.replace(year=2000)) if dated else parse_quota(headers, moment)

    assert told.resets_in_s == pytest.approx(90)


def test_a_remainder_of_an_unknown_whole_is_told_as_a_number() -> None:
    [told] = parse_quota({"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "5"})
    assert describe(told) == "requests: 7 left, resets in 5 s"
