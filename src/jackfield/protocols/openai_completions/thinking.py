"""How hard to think, in the dialects this wire has grown."""

from __future__ import annotations

from collections.abc import Callable

from jackfield.message import EFFORTS, Effort, JsonObject, Thinking
from jackfield.model import Compat
from jackfield.protocols.base import as_count
from jackfield.protocols.fields import as_object, as_text
from jackfield.protocols.levels import budget_effort, level_word
from jackfield.protocols.openai_completions.fields import keep, own

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


def _render_effort(effort: Effort, compat: Compat) -> JsonObject:
    word = None if compat.supports_reasoning_effort is False else level_word(effort, compat)
    return {"reasoning_effort": word} if word else {}


def _render_reasoning(effort: Effort, budget_tokens: int | None, compat: Compat) -> JsonObject:
    if effort == "off":
        return {"effort": "none"}
    return {"effort": level_word(effort, compat) or effort} if budget_tokens is None else {"max_tokens": budget_tokens}


def _render_qwen(on: bool, budget_tokens: int | None) -> JsonObject:
    return {"enable_thinking": on} | ({} if budget_tokens is None or not on else {"thinking_budget": budget_tokens})


# Dialect → how it says whether to think, and for how many tokens.
SWITCHES: dict[str, Callable[[bool, int | None], JsonObject]] = {
    "zai": lambda on, _: {"thinking": {"type": "enabled" if on else "disabled"}},
    "qwen": _render_qwen,
    "qwen-chat-template": lambda on, _: {"chat_template_kwargs": {"enable_thinking": on}},
    "together": lambda on, _: {"reasoning": {"enabled": on}},
}
