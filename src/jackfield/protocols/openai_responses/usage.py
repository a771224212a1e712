"""Token counts: this wire's are inclusive (cached inside input, reasoning inside output), ours are disjoint."""

from __future__ import annotations

from jackfield.message import JsonObject, Usage
from jackfield.protocols.base import as_count
from jackfield.protocols.fields import as_object, rest

INPUT, OUTPUT = "input_tokens_details", "output_tokens_details"
# Our bucket → where it stands.
DETAILS = {"cache_read": (INPUT, "cached_tokens"), "cache_write": (INPUT, "cache_write_tokens"),
           "reasoning": (OUTPUT, "reasoning_tokens")}  # fmt: skip
EXPECTED = (DETAILS["cache_read"], DETAILS["reasoning"])


def parse_usage(wire: JsonObject) -> Usage:
    """Read `usage`; a count nobody gave stays `None`."""
    read, write, reasoning = (as_count(as_object(wire.get(group)).get(field)) for group, field in DETAILS.values())
    total, output = as_count(wire.get("input_tokens")), as_count(wire.get("output_tokens"))
    cached = (read or 0) + (write or 0)
    fresh = total - cached if total is not None and cached <= total else total
    left = rest(wire, ("input_tokens", "output_tokens", "total_tokens", INPUT, OUTPUT))
    for group in (INPUT, OUTPUT):
        if more := rest(as_object(wire.get(group)), [field for place, field in DETAILS.values() if place == group]):
            left[group] = more
    return Usage(fresh, output, read, write, reasoning, left or None)


def render_usage(usage: Usage) -> JsonObject:
    """Write `usage`; empty when nothing is known."""
    known = (usage.input, usage.output, *(getattr(usage, name) for name in DETAILS))
    wire: JsonObject = dict(usage.extras or {})
    if any(count is not None for count in known):
        if usage.input is not None:
            wire["input_tokens"] = usage.input + (usage.cache_read or 0) + (usage.cache_write or 0)
        if usage.output is not None:
            wire["output_tokens"] = usage.output
        if usage.input is not None and usage.output is not None:
            wire["total_tokens"] = wire["input_tokens"] + usage.output
        # OpenAI's client has these two always, and programs read them unasked.
        wire[INPUT], wire[OUTPUT] = ({field: 0, **as_object(wire.get(group))} for group, field in EXPECTED)
        for name, (group, field) in DETAILS.items():
            if (count := getattr(usage, name)) is not None:
                wire[group] = {**wire[group], field: count}
    return wire
