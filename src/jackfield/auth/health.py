"""How long a stored credential is good for. Pure; whether a provider accepts it is not known here."""

from __future__ import annotations

from typing import Literal

from jackfield.credential import Profile

Health = Literal["ok", "expiring", "expired", "missing", "static"]
WARN_AFTER_MS = 86_400_000


def judge(profile: Profile, now_ms: int) -> Health:
    """Return a profile's state; `static` has no date, `expiring` has less than a day left."""
    if not profile.secret and profile.secret_env is None:
        return "missing"
    if profile.expires_ms is None:
        return "static"
    if now_ms >= profile.expires_ms:
        return "expired"
    return "expiring" if profile.expires_ms - now_ms < WARN_AFTER_MS else "ok"
