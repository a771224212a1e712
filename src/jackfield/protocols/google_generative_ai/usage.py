"""Token counts: what was cached is inside this wire's prompt, what its own tools read and what it thought is not."""

from __future__ import annotations

from jackfield.message import JsonObject, Usage
from jackfield.protocols.base import as_count
from jackfield.protocols.fields import as_list, as_object, rest, said

COUNTERS = (
    "promptTokenCount",
    "cachedContentTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "totalTokenCount",
)
FOR_TOOLS = "toolUsePromptTokenCount"  # stays among the extras too, to be told apart on the way back
WRITTEN = "cacheWriteTokenCount"  # other wires' count, which this API has no name for
# The extras this wire's readers know; those of others would make a strict one fail.
OWN = frozenset({
    FOR_TOOLS, WRITTEN, "promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails", "toolUsePromptTokensDetails",
    "trafficType", "serviceTier",
})  # fmt: skip


def parse_usage(wire: JsonObject) -> Usage:
    """Read `usageMetadata`; a count nobody gave stays `None`."""
    prompt, cached, words, thoughts, _ = (as_count(wire.get(name)) for name in COUNTERS)
    written, for_tools = as_count(wire.get(WRITTEN)), as_count(wire.get(FOR_TOOLS)) or 0
    fresh = None if prompt is None else max(prompt - (cached or 0) - (written or 0), 0) + for_tools
    output = None if words is None and thoughts is None else (words or 0) + (thoughts or 0)
    extras = rest(wire, (*COUNTERS, WRITTEN))
    return Usage(
        fresh,
        output,
        cached,
        written,
        thoughts,
        extras or None,
        audio_input=_sound(wire.get("promptTokensDetails")),
        audio_output=_sound(wire.get("candidatesTokensDetails")),
    )


def _sound(details: object) -> int | None:
    entries = map(as_object, as_list(details))
    return next((as_count(entry.get("tokenCount")) for entry in entries if entry.get("modality") == "AUDIO"), None)


def render_usage(usage: Usage) -> JsonObject:
    """Write `usageMetadata`; empty when nothing is known."""
    extras = {name: value for name, value in (usage.extras or {}).items() if name in OWN}
    for_tools = as_count(extras.get(FOR_TOOLS)) or 0
    cached = (usage.cache_read or 0) + (usage.cache_write or 0)
    prompt = None if usage.input is None else max(usage.input - for_tools, 0) + cached
    words = None if usage.output is None else max(usage.output - (usage.reasoning or 0), 0)
    counts = {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": usage.cache_read,
        WRITTEN: usage.cache_write,
        "candidatesTokenCount": words,
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": None if prompt is None or usage.output is None else prompt + for_tools + usage.output,
    }
    return {**extras, **said(counts)}
