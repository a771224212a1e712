"""How long a stored credential is good for. Pure; whether a provider accepts it is not known here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from jackfield.credential import Profile, Renewal

Health = Literal["ok", "expiring", "expired", "missing", "static"]
WARN_AFTER_MS = 86_400_000
# How the last renewal of a sign-in ended, where it ended badly.
RENEWALS: dict[Renewal, str] = {
    "begun": "a refresh was cut off before its answer was stored, so that the refresh token may be spent",
    "lost": "the answer to a refresh never arrived, so that the refresh token may be spent",
    "refused": "the provider takes the refresh token no more",
}
# The worst first: what one of a provider's profiles is, the provider is.
GRAVITY: tuple[Health, ...] = ("expired", "missing", "expiring", "ok", "static")


def judge(profile: Profile, now_ms: int) -> Health:
    """Return a profile's state; `static` has no date, `expiring` has less than a day left.

    What renews itself is `ok` whatever its date says, until its issuer refuses the renewal, or
    its one refresh token may be spent.
    """
    if profile.refresh is not None and profile.renewal not in {"refused", "lost"}:
        return "ok"
    if not profile.secret and profile.ref is None:
        return "missing"
    if profile.expires_ms is None:
        return "static"
    if now_ms >= profile.expires_ms:
        return "expired"
    return "expiring" if profile.expires_ms - now_ms < WARN_AFTER_MS else "ok"


def roll_up(states: Iterable[Health]) -> Health:
    """Return one provider's state from those of its profiles; without any it is `missing`."""
    return min(states, key=GRAVITY.index, default="missing")
