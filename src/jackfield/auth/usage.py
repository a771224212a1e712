"""What the store remembers of a profile's use: JSON object ↔ `Usage`. Pure; the time is an argument.

Whoever rests is honoured; nobody is put to rest here. Fields of other programs stay untouched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from msgspec import Struct

from jackfield.message import JsonObject

# What a success takes back.
FAILURES = ("cooldownUntil", "cooldownModel", "cooldownReason", "disabledUntil", "disabledReason", "failureCounts")


class Usage(Struct, frozen=True, kw_only=True):
    """One profile's use; all times are Unix milliseconds, 0 is never."""

    last_used_ms: int = 0
    cooldown_until_ms: int = 0
    disabled_until_ms: int = 0
    reason: str = ""  # in its writer's word: `billing`, `rate_limit`

    @property
    def kind(self) -> Literal["cooldown", "disabled"]:
        """What keeps it from use the longest."""
        return "disabled" if self.disabled_until_ms >= self.cooldown_until_ms else "cooldown"

    def rests_until(self, now_ms: int) -> int:
        """Return when it may be used again; 0: now."""
        until = max(self.cooldown_until_ms, self.disabled_until_ms)
        return until if until > now_ms else 0


def parse_usage(record: object) -> Usage:
    """Read one entry of `usageStats`; what is not there or no number is never."""
    if not isinstance(record, dict):
        return Usage()
    reason = record.get("disabledReason") or record.get("cooldownReason")
    return Usage(
        last_used_ms=_moment(record.get("lastUsed")),
        cooldown_until_ms=_moment(record.get("cooldownUntil")),
        disabled_until_ms=_moment(record.get("disabledUntil")),
        reason=reason if isinstance(reason, str) else "",
    )


def note_successes(root: JsonObject, used_ms: Mapping[str, int]) -> None:
    """Write into a store's object when profiles answered last; one it does not hold is passed over."""
    for profile_id, at_ms in used_ms.items():
        profile = root["profiles"].get(profile_id)
        if not isinstance(profile, dict):
            continue
        stats = _section(root, "usageStats")
        old = stats.get(profile_id)
        kept = {name: value for name, value in (old if isinstance(old, dict) else {}).items() if name not in FAILURES}
        stats[profile_id] = {**kept, "lastUsed": max(at_ms, _moment(kept.get("lastUsed"))), "errorCount": 0}
        _section(root, "lastGood")[str(profile.get("provider"))] = profile_id


def end_rests(root: JsonObject, profile_ids: Collection[str]) -> None:
    """Take these profiles' rests out of a store's object; when they were used stays."""
    stats = _section(root, "usageStats")
    for profile_id in profile_ids:
        if isinstance(old := stats.get(profile_id), dict):
            kept = {name: value for name, value in old.items() if name not in FAILURES}
            stats[profile_id] = {**kept, "errorCount": 0}


def _section(root: JsonObject, name: str) -> dict[str, Any]:
    if not isinstance(root.get(name), dict):
        root[name] = {}
    section: dict[str, Any] = root[name]
    return section


def _moment(value: object) -> int:
    # Comparisons are false for NaN, so that it is never, too.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 < value < 1e16 else 0  # type: ignore[operator, call-overload]  # narrowed above
