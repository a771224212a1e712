"""Which failures put what to rest, and for how long: tables over our errors, providers' codes and their words.

Knows no provider by name. What the request itself caused puts nothing to rest: the next one may be sound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from jackfield import errors
from jackfield.errors import Error

Scope = Literal["model", "credential", "provider"]
MESSAGE_LENGTH = 200

# Seconds of the first rest, the second, …; the last one stays.
QUICK = (5.0, 10.0, 15.0)  # what mends itself
MINUTE = (60.0,)
SLOW = (60.0, 300.0, 900.0)  # what somebody has to mend
PAID = (300.0, 900.0)


class Verdict(Struct, frozen=True, kw_only=True):
    """What a failure means for its place."""

    kind: str  # the error's type
    scope: Scope
    steps_s: tuple[float, ...]
    hint_s: float | None = None  # how long the provider itself asks to wait
    message: str = ""
    status: int | None = None


# The nearest class counts. What is not here puts nothing to rest.
RULES: Mapping[type[Error], tuple[Scope, tuple[float, ...]] | None] = {
    errors.RateLimit: ("model", MINUTE),
    errors.Quota: ("credential", PAID),
    errors.ProviderError: ("model", QUICK),
    errors.AuthError: ("credential", SLOW),
    errors.PermissionDenied: ("model", SLOW),
    errors.MissingKey: None,
    errors.ModelNotFound: ("model", SLOW),
    errors.TransportError: ("model", QUICK),
    errors.ConnectError: ("provider", QUICK),
    errors.Offline: None,  # it says nothing of the provider
    errors.ConnectionLost: ("model", QUICK),  # the server is there: it listened, and perhaps to this model alone
}
# Words by which a refusal that is one model's by its class is the whole account's. Most providers count
# requests per model, so nothing else than these makes it so.
ACCOUNT_WORDS: Mapping[str, tuple[str, ...]] = {
    "rate_limit": (
        "usage_limit", "usage limit", "usage_not_included", "weekly limit", "weekly rate limit", "weekly/monthly limit",
        "user_weekly_rate_limited", "user_global_rate_limited", "monthly limit", "daily limit", "hour limit",
        "session limit", "plan limit", "limit for your plan", "account's rate limit", "account rate limit",
        "spend limit", "spending limit", "quota_exceeded", "free allocated quota",
    ),
    "permission": ("has been disabled", "suspended", "deactivated", "terminated", "unsupported_country"),
}  # fmt: skip


def classify(error: Error) -> Verdict | None:
    """Return what a failure puts to rest, and how; `None`: nothing, it says nothing of the next request."""
    rule = next((RULES[kind] for kind in type(error).__mro__ if kind in RULES), None)
    if rule is None:
        return None
    scope, steps_s = rule
    if scope == "provider" and error.status is not None:
        scope = "model"  # somebody answered: this address is wrong, others of the provider's may be right
    said = f"{error.code or ''} {error.message}".lower()
    if any(word in said for word in ACCOUNT_WORDS.get(error.type, ())):
        scope = "credential"
    return Verdict(
        kind=error.type,
        scope=scope,
        steps_s=steps_s,
        hint_s=_sound(error.retry_after_s),
        message=_shorten(error.message),
        status=error.status,
    )


def _sound(wait_s: float | None) -> float | None:
    return wait_s if wait_s is not None and math.isfinite(wait_s) and wait_s >= 0 else None


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MESSAGE_LENGTH else f"{line[: MESSAGE_LENGTH - 1]}…"
