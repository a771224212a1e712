"""One line of `health`: a rest as cells and as JSON. Pure: the time is an argument. No secret, nor its mark."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from jackfield.auth.sources import unmarked
from jackfield.auth.usage import Usage
from jackfield.credential import Profile
from jackfield.health.record import Quota, Rest
from jackfield.message import JsonObject

State = Literal["resting", "half_open", "probing"]
WORDS = 60  # of a provider's own, in the table
STEPS_S = ((86_400, "d"), (3_600, "h"), (60, "min"))


class Row(Struct, frozen=True, kw_only=True):
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


def as_row(rest: Rest, now_ms: int) -> Row:
    """Return a rest of ours as a line."""
    state: State = "half_open"
    if rest.holds(now_ms):
        state = "probing" if rest.probe_until_ms > now_ms else "resting"
    return Row(
        provider=rest.place.provider,
        credential=name_credential(rest.place.credential),
        model=rest.place.model,
        cause=rest.kind,
        status=rest.status,
        state=state,
        until_ms=rest.until_ms,
        seconds_left=_seconds(rest.until_ms, now_ms) if state != "half_open" else 0,
        failures=rest.count,
        since_ms=rest.since_ms,
        says=rest.message,
    )


def as_stored_row(profile: Profile, usage: Usage, now_ms: int) -> Row:
    """Return a rest that another program wrote into the credential store as a line."""
    until_ms = usage.rests_until(now_ms)
    return Row(
        provider=profile.provider,
        credential=profile.id,
        cause=usage.reason or usage.kind,
        until_ms=until_ms,
        seconds_left=_seconds(until_ms, now_ms),
        says=f"{usage.kind} in the credential store",
        profile=profile.id,
    )


def name_credential(credential: str) -> str:
    """Return what people call a credential: a profile's id, else where it stands."""
    return unmarked(credential).removeprefix("profile:")


def matches(row: Row, place: str) -> bool:
    """Tell whether a line is at a place: a provider, provider/model, a profile's id or a credential's name."""
    names = {row.provider, row.credential}
    if row.model:
        names.add(f"{row.provider}/{row.model}")
    return place in names


def render_row(row: Row) -> JsonObject:
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


def render_cells(row: Row) -> tuple[str, ...]:
    """Return a line as a table's cells."""
    clock = datetime.fromtimestamp(row.until_ms / 1000).astimezone().strftime("%H:%M:%S")
    next_try = {"resting": f"in {say_span(row.seconds_left)}", "half_open": "next call", "probing": "under way"}
    says = row.says if len(row.says) <= WORDS else f"{row.says[: WORDS - 1]}…"
    return (
        row.provider,
        row.credential or "all",
        row.model or "all",
        f"{row.cause} ({row.status})" if row.status else row.cause,
        clock if row.state != "half_open" else "over",
        next_try[row.state],
        "?" if row.failures is None else str(row.failures),
        says,
    )


def say_used(quota: Quota, now_ms: int) -> str:
    """Return how much of a quota is used, as far as is known."""
    used = quota.used_at(now_ms)
    return "?" if used is None else f"{100 * used:.0f}%"


def say_until(at_ms: int | None, now_ms: int) -> str:
    """Return how far away a moment is."""
    if at_ms is None:
        return "?"
    return f"in {say_span(_seconds(at_ms, now_ms))}" if at_ms > now_ms else "over"


def say_span(seconds: int) -> str:
    """Return a time in its largest unit that counts two."""
    size, unit = next(((size, unit) for size, unit in STEPS_S if seconds >= 2 * size), (1, "s"))
    return f"{seconds // size} {unit}"


def _seconds(at_ms: int, now_ms: int) -> int:
    return max(0, -(-(at_ms - now_ms) // 1000))
