"""How long a place rests: old rest + verdict + the time → new rest. Arithmetic only."""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec.structs import replace

from jackfield.health.classify import Verdict
from jackfield.health.record import LONGEST_MS, PROBE_MS, Key, Place, Rest

# Asked to wait for no time at all, we wait for this.
SHORTEST_S = 1.0


def place_of(verdict: Verdict, provider: str, credential: str, model: str) -> Place:
    """Return where a verdict on this candidate holds."""
    match verdict.scope:
        case "provider":
            return Place(provider)
        case "credential":
            return Place(provider, credential)
        case "model":
            return Place(provider, credential, model)


def climb(old: Rest | None, place: Place, verdict: Verdict, now_ms: int, window_ms: int) -> Rest:
    """Return a place's rest after one more failure; it never ends before the old one, nor later than `LONGEST_MS`.

    Failures while it rests are of one incident: they may prolong it, only a failure after it
    climbs. After `window_ms` without a failure the count starts anew.
    """
    is_over = old is None or now_ms - old.last_ms > window_ms
    step = 1 if is_over else _step(old, verdict, now_ms)
    until_ms = now_ms + _wait_ms(verdict, step)
    new = Rest(
        place=place,
        kind=verdict.kind,
        until_ms=until_ms,
        step=step,
        since_ms=now_ms,
        last_ms=now_ms,
        message=verdict.message,
        status=verdict.status,
    )
    if old is None:
        return new
    # What keeps it from use the longest is what people are told.
    kept = old if until_ms < old.until_ms <= now_ms + LONGEST_MS else new
    count, since_ms = (1, now_ms) if is_over else (old.count + 1, old.since_ms)
    return replace(kept, count=count, since_ms=since_ms, last_ms=now_ms)


def note(
    known: Iterable[Rest], verdict: Verdict | None, candidate: Key, now_ms: int, window_ms: int
) -> tuple[Rest | None, tuple[Rest, ...]]:
    """Return a failed candidate's new rest, if the verdict means one, and every rest of its that changes.

    A try that failed for another reason than the one it was to probe leaves its place to the next caller.
    """
    known = tuple(known)
    place = None if verdict is None else place_of(verdict, *candidate)
    freed = tuple(replace(rest, probe_until_ms=0) for rest in known if rest.probe_until_ms and rest.place != place)
    if verdict is None or place is None:
        return None, freed
    old = next((rest for rest in known if rest.place == place), None)
    new = climb(old, place, verdict, now_ms, window_ms)
    return new, (new, *freed)


def claim(known: Iterable[Rest], now_ms: int) -> tuple[Rest, ...] | None:
    """Return a candidate's rests as one caller tries it; `None` when one is not over, or somebody tries already."""
    known = tuple(known)
    if any(rest.holds(now_ms) for rest in known):
        return None
    return tuple(replace(rest, probe_until_ms=now_ms + PROBE_MS) for rest in known)


def merge(mine: Rest, theirs: Rest | None) -> Rest:
    """Return one rest of two that were noted apart: told by the one that ends later."""
    if theirs is None:
        return mine
    told = mine if mine.until_ms >= theirs.until_ms else theirs
    return replace(
        told,
        count=max(mine.count, theirs.count),
        since_ms=min(mine.since_ms, theirs.since_ms),
        last_ms=max(mine.last_ms, theirs.last_ms),
        probe_until_ms=max(mine.probe_until_ms, theirs.probe_until_ms),
    )


def is_stale(rest: Rest, now_ms: int, window_ms: int) -> bool:
    """Tell whether a failure is so long ago that nobody needs to know of it."""
    return now_ms - rest.last_ms > window_ms and not rest.holds(now_ms)


def _step(old: Rest | None, verdict: Verdict, now_ms: int) -> int:
    if old is None or old.kind != verdict.kind:
        return 1
    return old.step if now_ms < old.until_ms else old.step + 1


def _wait_ms(verdict: Verdict, step: int) -> int:
    steps_s = verdict.steps_s
    wait_s = steps_s[min(step, len(steps_s)) - 1] if verdict.hint_s is None else max(SHORTEST_S, verdict.hint_s)
    return min(LONGEST_MS, math.ceil(min(wait_s, 1e9) * 1000))
