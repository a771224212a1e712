"""How hard to think, in the dialects this wire has grown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jackfield.message import EFFORTS, Effort, JsonObject, Thinking
from jackfield.model import Compat
from jackfield.protocols.base import as_count
from jackfield.protocols.fields import as_object, as_text
from jackfield.protocols.openai_completions.fields import keep, own

# A budget in words, for servers that take no number: the first row whose limit it does not pass.
BUDGETS: tuple[tuple[int, Effort], ...] = ((1024, "minimal"), (4096, "low"), (12288, "medium"))
FIELDS = ("reasoning_effort", "reasoning")


def parse_thinking(body: JsonObject) -> Thinking | None:
    """Read `reasoning_effort` or OpenRouter's `reasoning`; both stay whole for this wire."""
    said = {name: body[name] for name in FIELDS if body.get(name) is not None}
    if not said:
        return None
    reasoning = as_object(said.get("reasoning"))
    word = as_text(said.get("reasoning_effort")) or as_text(reasoning.get("effort"))
    effort = "off" if word == "none" or reasoning.get("enabled") is False else word
    known = next((level for level in EFFORTS if level == effort), None)
    return Thinking(known, as_count(reasoning.get("max_tokens")), keep(said))


def render_thinking(thinking: Thinking, compat: Compat) -> JsonObject:
    """Write the level in the server's dialect; empty when it has no word for it."""
    plain = (compat.thinking_format, compat.reasoning_effort_map, compat.supported_reasoning_efforts) == (None,) * 3
    if plain and own(thinking.opaque) and compat.supports_reasoning_effort is not False:
        return dict(own(thinking.opaque))
    effort = thinking.effort or budget_effort(thinking.budget_tokens)
    if effort is None:
        return {}
    match compat.thinking_format:
        case None | "openai":
            return _render_effort(effort, compat)
        case "openrouter":
            return {"reasoning": _render_reasoning(effort, thinking.budget_tokens, compat)}
        case "none":
            return {}
        case dialect:
            # Most of these know on and off; a server that takes a level besides says so.
            level = _render_effort(effort, compat) if effort != "off" and compat.supports_reasoning_effort else {}
            return SWITCHES[dialect](effort != "off", thinking.budget_tokens) | level


def budget_effort(budget_tokens: int | None) -> Effort | None:
    """Return the level that stands for a budget."""
    if budget_tokens is None:
        return None
    return next((effort for limit, effort in BUDGETS if budget_tokens <= limit), "high")


def _render_effort(effort: Effort, compat: Compat) -> JsonObject:
    word = None if compat.supports_reasoning_effort is False else _word(effort, compat)
    return {"reasoning_effort": word} if word else {}


def _render_reasoning(effort: Effort, budget_tokens: int | None, compat: Compat) -> JsonObject:
    if effort == "off":
        return {"effort": "none"}
    return {"effort": _word(effort, compat) or effort} if budget_tokens is None else {"max_tokens": budget_tokens}


def _word(effort: Effort, compat: Compat) -> str | None:
    """Return the server's word for a level: mapped, else the nearest below that it supports."""
    words, known = compat.reasoning_effort_map or {}, compat.supported_reasoning_efforts
    if effort in words:
        return words[effort]
    if effort == "off":
        # Not every server can switch thinking off; one that can says so.
        return next((word for word in ("none", "off") if word in (known or ())), None)
    return effort if known is None else _nearest(effort, known)


def _nearest(effort: Effort, known: Sequence[str]) -> str | None:
    levels = EFFORTS[1:]
    at = levels.index(effort)
    return next((level for level in (*reversed(levels[: at + 1]), *levels[at + 1 :]) if level in known), None)


def _render_qwen(on: bool, budget_tokens: int | None) -> JsonObject:
    return {"enable_thinking": on} | ({} if budget_tokens is None or not on else {"thinking_budget": budget_tokens})


# Dialect → how it says whether to think, and for how many tokens.
SWITCHES: dict[str, Callable[[bool, int | None], JsonObject]] = {
    "zai": lambda on, _: {"thinking": {"type": "enabled" if on else "disabled"}},
    "qwen": _render_qwen,
    "qwen-chat-template": lambda on, _: {"chat_template_kwargs": {"enable_thinking": on}},
    "together": lambda on, _: {"reasoning": {"enabled": on}},
}
