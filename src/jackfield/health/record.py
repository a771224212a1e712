"""What is remembered of failures and quotas, as values. Times are Unix milliseconds; no clock is read."""

from __future__ import annotations

from msgspec import Struct


class Place(Struct, frozen=True):
    """Where a failure holds; what is empty means all of them."""

    provider: str
    credential: str = ""  # as `auth.sources.credential_id` names it; never the secret
    model: str = ""

    def __str__(self) -> str:
        where = f"{self.provider}/{self.model}" if self.model else self.provider
        return f"{where} ({self.credential})" if self.credential else where


class Rest(Struct, frozen=True, kw_only=True):
    """Why a place is not used for now; past `until_ms` it is half-open: one caller at a time tries it again."""

    place: Place
    kind: str  # an error's type: rate_limit, billing, …
    until_ms: int
    count: int = 1  # failures in a row, since `since_ms`
    since_ms: int = 0
    last_ms: int = 0
    message: str = ""  # the provider's own words, shortened; no secret
    status: int | None = None
    probe_until_ms: int = 0  # somebody tries it now: the others stay away until then

    @property
    def ends_ms(self) -> int:
        """When another caller may use it: after its rest, and after the try that is under way."""
        return max(self.until_ms, self.probe_until_ms)


class Quota(Struct, frozen=True, kw_only=True):
    """One window of a credential's quota, as a reply told of it."""

    provider: str
    credential: str
    name: str  # `requests`, `5h`, `weekly`
    used: float | None = None  # 0..1
    resets_ms: int | None = None
    read_ms: int = 0
