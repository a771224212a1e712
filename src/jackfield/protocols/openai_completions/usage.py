"""Token counts: this wire's are inclusive (cached inside prompt), ours are disjoint."""

from __future__ import annotations

from jackfield.message import JsonObject, Usage
from jackfield.protocols.base import as_count
from jackfield.protocols.fields import as_object, rest

COUNTS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})  # all that many servers give
# Where servers put each count: (group, field), the first that is a number counts.
PROMPT, COMPLETION = "prompt_tokens_details", "completion_tokens_details"
CACHE_READ = (
    (PROMPT, "cached_tokens"), ("", "prompt_cache_hit_tokens"), ("", "cache_read_input_tokens"),
    ("", "cached_tokens"), ("", "num_cached_tokens"),
)  # fmt: skip
CACHE_WRITE = ((PROMPT, "cache_write_tokens"), ("", "cache_creation_input_tokens"), (PROMPT, "cache_creation_tokens"))
REASONING = ((COMPLETION, "reasoning_tokens"), ("", "reasoning_tokens"))
AUDIO_INPUT, AUDIO_OUTPUT = ((PROMPT, "audio_tokens"),), ((COMPLETION, "audio_tokens"),)


def find_usage(wire: JsonObject) -> JsonObject:
    """Return the raw counts of a reply or chunk, wherever they stand."""
    if usage := wire.get("usage"):
        return as_object(usage)
    if groq := wire.get("x_groq"):
        return as_object(as_object(groq).get("usage"))
    # Moonshot counts inside the choice.
    choices = wire.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return as_object(first.get("usage")) if isinstance(first, dict) else {}


def parse_usage(wire: JsonObject) -> Usage:
    """Read `usage`; a count nobody gave stays `None`."""
    prompt, output = as_count(wire.get("prompt_tokens")), as_count(wire.get("completion_tokens"))
    if wire.keys() <= COUNTS:
        return Usage(*_add_missing(wire, prompt, prompt, output))
    read, write, reasoning = _find(wire, CACHE_READ), _find(wire, CACHE_WRITE), _find(wire, REASONING)
    cached = (read or 0) + (write or 0)
    # Azure's Grok reports prompt tokens without the cached ones; only the sum can tell.
    fresh = prompt - cached if prompt is not None and cached <= prompt else prompt
    fresh, output = _add_missing(wire, prompt, fresh, output)
    heard, spoken = _find(wire, AUDIO_INPUT), _find(wire, AUDIO_OUTPUT)
    extras = _left(wire) or None
    return Usage(fresh, output, read, write, reasoning, extras, audio_input=heard, audio_output=spoken)


def _find(wire: JsonObject, places: tuple[tuple[str, str], ...]) -> int | None:
    found = (as_count((as_object(wire.get(group)) if group else wire).get(field)) for group, field in places)
    return next((count for count in found if count is not None), None)


def _add_missing(
    wire: JsonObject, prompt: int | None, fresh: int | None, output: int | None
) -> tuple[int | None, int | None]:
    """Add tokens that only `total_tokens` counts: sound in the prompt (Mistral), else thoughts (xAI, Google)."""
    total = as_count(wire.get("total_tokens"))
    if total is None or prompt is None or fresh is None or output is None or total <= prompt + output:
        return fresh, output
    missing = total - prompt - output
    if missing == as_object(wire.get(PROMPT)).get("audio_tokens"):
        return fresh + missing, output
    return fresh, output + missing


_PLACES = (*CACHE_READ, *CACHE_WRITE, *REASONING, *AUDIO_INPUT, *AUDIO_OUTPUT)
_READ = frozenset(field for group, field in _PLACES if not group)
_READ_IN = {group: frozenset(field for place, field in _PLACES if place == group) for group in (PROMPT, COMPLETION)}


def _left(wire: JsonObject) -> JsonObject:
    left = rest(wire, _READ | COUNTS | {PROMPT, COMPLETION})
    for group, read in _READ_IN.items():
        if inner := rest(as_object(wire.get(group)), read):
            left[group] = inner
    return left


def render_usage(usage: Usage) -> JsonObject:
    """Write `usage`; empty when nothing is known."""
    wire: JsonObject = dict(usage.extras or {})
    if usage.input is not None:
        wire["prompt_tokens"] = usage.input + (usage.cache_read or 0) + (usage.cache_write or 0)
    if usage.output is not None:
        wire["completion_tokens"] = usage.output
    if usage.input is not None and usage.output is not None:
        wire["total_tokens"] = wire["prompt_tokens"] + usage.output
    _put(wire, PROMPT, "cached_tokens", usage.cache_read)
    _put(wire, PROMPT, "cache_write_tokens", usage.cache_write)
    _put(wire, COMPLETION, "reasoning_tokens", usage.reasoning)
    _put(wire, PROMPT, "audio_tokens", usage.audio_input)
    _put(wire, COMPLETION, "audio_tokens", usage.audio_output)
    return wire


def _put(wire: JsonObject, group: str, field: str, count: int | None) -> None:
    if count is not None:
        wire[group] = {**as_object(wire.get(group)), field: count}
