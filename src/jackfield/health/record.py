"""What is remembered of failures and quotas, as values. Times are Unix milliseconds; no clock is read."""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec
from msgspec import Struct

# No rest is longer, whatever a provider says: who pays up or waits out an outage is back without doing anything.
LONGEST_MS = 15 * 60_000
# A try that has not ended by then no longer keeps the others away.
PROBE_MS = 30_000

Key = tuple[str, str, str]  # a `Place`, field by field: a look-up makes no object


class Place(Struct, frozen=True, order=True):
    """Where a failure holds; what is empty means all of them."""

    provider: str
    credential: str = ""  # as `auth.sources.credential_id` names it; never the secret
    model: str = ""

    @property
    def key(self) -> Key:
        """Its fields, in their order."""
        return self.provider, self.credential, self.model

    def covers(self, place: Place) -> bool:
        """Tell whether another place is this one or a part of it."""
        return all(mine in {"", theirs} for mine, theirs in zip(self.key, place.key, strict=True))


class Rest(Struct, frozen=True, kw_only=True):
    """Why a place is not used for now; past `until_ms` it is half-open: one caller at a time tries it again."""

    place: Place
    kind: str  # an error's type: rate_limit, billing, …
    until_ms: int
    count: int = 1  # failures since `since_ms`, without a success in between
    step: int = 1  # how far up its ladder; failures during one rest climb once
    since_ms: int = 0
    last_ms: int = 0
    message: str = ""  # the provider's own words, shortened; no secret
    status: int | None = None
    probe_until_ms: int = 0  # somebody tries it now: the others stay away until then

    @property
    def ends_ms(self) -> int:
        """When another caller may use it: after its rest, and after the try that is under way."""
        return max(self.until_ms, self.probe_until_ms)

    def holds(self, now_ms: int) -> bool:
        """Tell whether it keeps callers away now; an end further away than any rest is a clock that went wrong."""
        return 0 < self.ends_ms - now_ms <= LONGEST_MS


class Quota(Struct, frozen=True, kw_only=True):
    """One window of a credential's quota, as a reply told of it."""

    provider: str
    credential: str
    name: str  # `requests`, `5h`, `weekly`
    used: float | None = None  # 0..1
    resets_ms: int | None = None
    read_ms: int = 0

    def used_at(self, now_ms: int) -> float | None:
        """Return the share that is used; `None` when nobody said, or the window has begun anew since."""
        return None if self.resets_ms is not None and self.resets_ms <= now_ms else self.used

    def reaches(self, share: float | None, now_ms: int) -> bool:
        """Tell whether so much is used; of no share, and where nobody said, it is not."""
        used = self.used_at(now_ms)
        return share is not None and used is not None and used >= share


class QuotaWindow(Protocol):
    """A window as a reply's headers tell of it: `providers.quota.Window`."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def left_percent(self) -> float | None:
        """How much of it is left, 0..100."""

    @property
    def resets_in_s(self) -> float | None:
        """When it is full again, counted from the reply."""


def as_quota(provider: str, credential: str, window: QuotaWindow, now_ms: int) -> Quota:
    """Return what a reply that came at this moment told of one window."""
    left, resets_s = window.left_percent, window.resets_in_s
    return Quota(
        provider=provider,
        credential=credential,
        name=window.name,
        used=None if left is None else min(1.0, max(0.0, 1 - left / 100)),
        resets_ms=None if resets_s is None else now_ms + int(resets_s * 1000),
        read_ms=now_ms,
    )


R = TypeVar("R", Rest, Quota)


def render_record(record: Rest | Quota) -> str:
    """Return a record as stores keep it."""
    return msgspec.json.encode(record).decode()


def parse_record(text: str | bytes, kind: type[R]) -> R | None:
    """Read a record; `None` for what is none: it is not worth a stop."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
