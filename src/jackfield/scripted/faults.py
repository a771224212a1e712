"""Sixteen ways in which providers fail, by name: what each puts before or into a script's reply.

After the scenarios of Failover Bench (2026). A row is a list of changes to the reply that
names it: each makes one reply, in this order; the empty change is the reply itself.
"""

from __future__ import annotations

from msgspec.structs import replace

from jackfield.message import JsonObject
from jackfield.scripted.reply import Reply, When

ALWAYS: JsonObject = {"repeat": True}
SCENARIOS: dict[str, tuple[JsonObject, ...]] = {
    "s01": ({"error": "rate_limit", "headers": {"retry-after": "2"}}, {}),
    "s02": ({"error": "rate_limit", **ALWAYS},),
    "s03": ({"error": "server_error", "status": 500}, {}),
    "s04": ({"error": "overloaded", "status": 503, **ALWAYS},),
    "s05": ({"reset": True}, {}),
    "s06": ({"silent_after": 0, "silence_s": 120, **ALWAYS},),
    "s07": ({"delay_s": 20},),
    "s08": ({"cut_after": 40},),
    "s09": ({"silent_after": 20, "silence_s": 30},),
    "s10": ({"malformed_after": 10},),
    "s11": ({"without_end": True},),
    "s12": ({"error": "context_overflow", "status": 400, **ALWAYS},),
    "s13": ({"error": "content_filter", "status": 400, **ALWAYS},),
    "s14": (
        {"when": When(prefill=True), "error": "invalid_request", "message": "invalid_prefill: the last message must be the user's", **ALWAYS},
        {"cut_after": 40},
    ),
    "s15": ({"error": "overloaded", "status": 503, "for_s": 60}, {}),
    "s16": ({"error": "overloaded", "status": 503, **ALWAYS},),
}  # fmt: skip


def expand(reply: Reply) -> tuple[Reply, ...]:
    """Return the replies that a reply with a named fault stands for; one without stands for itself."""
    plain = replace(reply, fault=None)
    if reply.fault is None:
        return (plain,)
    return tuple(
        replace(plain, **({"repeat": 1} if not change else {}), **_over(plain, change))
        for change in SCENARIOS[reply.fault]
    )


def _over(reply: Reply, change: JsonObject) -> JsonObject:
    # What the script says of whom a fault is for holds for all that the fault is made of.
    when = change.get("when")
    return {**change, "when": replace(reply.when, prefill=True)} if when else change
