"""How long a stored credential is good for."""

from __future__ import annotations

import pytest

from jackfield.auth.health import judge, roll_up
from jackfield.credential import Profile, Secret, SecretRef

NOW = 1_700_000_000_000
DAY = 86_400_000


@pytest.mark.parametrize(
    ("secret", "expires_ms", "health"),
    [
        ("k", None, "static"),
        ("k", NOW + DAY, "ok"),
        ("k", NOW + DAY - 1, "expiring"),
        ("k", NOW + 1, "expiring"),
        ("k", NOW, "expired"),
        ("k", 0, "expired"),
        ("", None, "missing"),
    ],
)
def test_a_profile_is_judged_by_its_end(secret, expires_ms, health):
    profile = Profile(id="a:b", provider="a", type="token", secret=Secret(secret), expires_ms=expires_ms)
    assert judge(profile, NOW) == health


def test_a_reference_is_not_missing_before_it_is_read():
    assert (
        judge(Profile(id="a:b", provider="a", type="api_key", secret=Secret(""), ref=SecretRef("env", "X")), NOW)
        == "static"
    )


@pytest.mark.parametrize(
    ("renewal", "health"), [("", "ok"), ("begun", "ok"), ("lost", "expired"), ("refused", "expired")]
)
def test_what_renews_itself_is_good_until_its_issuer_refuses(renewal, health):
    profile = Profile(
        id="a:b", provider="a", type="oauth", secret=Secret("k"), refresh=Secret("r"), expires_ms=NOW - DAY, renewal=renewal
    )  # fmt: skip
    assert judge(profile, NOW) == health


@pytest.mark.parametrize(
    ("states", "health"),
    [
        (["ok", "expired", "static"], "expired"),
        (["expiring", "missing"], "missing"),
        (["static", "ok", "expiring"], "expiring"),
        (["static", "ok"], "ok"),
        (["static"], "static"),
        ([], "missing"),
    ],
)
def test_a_provider_is_as_good_as_its_worst_dated_profile(states, health):
    assert roll_up(states) == health
