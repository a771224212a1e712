"""What failed lately and rests, what is left of quotas, as lines and as JSON; and how a rest is ended at once.

No line holds a secret, nor its mark. Times are Unix milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from jackfield.auth.sources import unmarked
from jackfield.auth.usage import Usage
from jackfield.credential import Profile
from jackfield.health.record import Quota, Rest
from jackfield.message import JsonObject
from jackfield.setup.installation import Installation

if TYPE_CHECKING:
    from jackfield.health.store import HealthStore

State = Literal["resting", "half_open", "probing"]


class RestRow(Struct, frozen=True, kw_only=True):
    """A failure and what follows from it; what is empty is all of them."""

    provider: str
    credential: str = ""
    model: str = ""
    cause: str
    status: int | None = None
    state: State = "resting"
    until_ms: int = 0
    seconds_left: int = 0
    failures: int | None = None
    since_ms: int | None = None
    says: str = ""
    profile: str = ""  # its id, where the rest stands in the credential store


def as_rest_row(rest: Rest, now_ms: int) -> RestRow:
    """Return a rest of ours as a line."""
    state: State = "half_open"
    if rest.holds(now_ms):
        state = "probing" if rest.probe_until_ms > now_ms else "resting"
    return RestRow(
        provider=rest.place.provider,
        credential=name_credential(rest.place.credential),
        model=rest.place.model,
        cause=rest.kind,
        status=rest.status,
        state=state,
        until_ms=rest.until_ms,
        seconds_left=count_seconds(rest.until_ms, now_ms) if state != "half_open" else 0,
        failures=rest.count,
        since_ms=rest.since_ms,
        says=rest.message,
    )


def as_stored_row(profile: Profile, usage: Usage, now_ms: int) -> RestRow:
    """Return a rest that another program wrote into the credential store as a line."""
    until_ms = usage.rests_until(now_ms)
    return RestRow(
        provider=profile.provider,
        credential=profile.id,
        cause=usage.reason or usage.kind,
        until_ms=until_ms,
        seconds_left=count_seconds(until_ms, now_ms),
        says=f"{usage.kind} in the credential store",
        profile=profile.id,
    )


def name_credential(credential: str) -> str:
    """Return what people call a credential: a profile's id, else where it stands."""
    return unmarked(credential).removeprefix("profile:")


def matches(row: RestRow, place: str) -> bool:
    """Tell whether a line is at a place: a provider, provider/model, a profile's id or a credential's name."""
    names = {row.provider, row.credential}
    if row.model:
        names.add(f"{row.provider}/{row.model}")
    return place in names


def render_rest(row: RestRow) -> JsonObject:
    """Return a line as JSON; times are Unix milliseconds."""
    return {
        "provider": row.provider,
        "credential": row.credential or None,
        "model": row.model or None,
        "cause": row.cause,
        "status": row.status,
        "state": row.state,
        "untilMs": row.until_ms,
        "secondsLeft": row.seconds_left,
        "failures": row.failures,
        "sinceMs": row.since_ms,
        "says": row.says or None,
    }


def list_rests(health: HealthStore, home: Installation) -> list[RestRow]:
    """Return what failed lately, as we noted it and as another program wrote it into the credential store."""
    now_ms = home.now_ms()
    rows = [*(as_rest_row(rest, now_ms) for rest in health.view().rests), *_stored(home)]
    return sorted(rows, key=lambda row: (row.provider, row.credential, row.model))


def end_rests(health: HealthStore, home: Installation, fits: Callable[[RestRow], bool] = lambda _: True) -> int:
    """End the rests that fit; return how many there were."""
    ended = sum(health.reset(rest.place) for rest in health.view().rests if fits(as_rest_row(rest, 0)))
    stored = [row for row in _stored(home) if fits(row)]
    if stored:
        home.store.end_rests([row.profile for row in stored])
    return ended + len(stored)


def render_quotas(quotas: Sequence[Quota], now_ms: int, spill_at: float | None) -> list[JsonObject]:
    """Return the windows as JSON; `nearlyUsed`: other profiles of the provider go first."""
    return [
        {
            "provider": each.provider,
            "credential": each.credential,
            "window": each.name,
            "used": None if (used := each.used_at(now_ms)) is None else round(used, 4),
            "resetsMs": each.resets_ms,
            "readMs": each.read_ms,
            "ageMs": max(0, now_ms - each.read_ms),
            "nearlyUsed": each.reaches(spill_at, now_ms),
        }
        for each in quotas
    ]


def count_seconds(at_ms: int, now_ms: int) -> int:
    """Return how many seconds a moment is away, begun ones whole."""
    return max(0, -(-(at_ms - now_ms) // 1000))


def _stored(home: Installation) -> list[RestRow]:
    now_ms = home.now_ms()
    rows = ((profile, home.store.usage(profile.id)) for profile in home.store.list())
    return [as_stored_row(profile, usage, now_ms) for profile, usage in rows if usage.rests_until(now_ms)]
