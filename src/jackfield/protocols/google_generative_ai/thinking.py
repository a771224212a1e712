"""How hard to think: this API's levels and budgets, against ours.

Gemini 3 and later take a level, 2.5 a budget in tokens, 0 for none (ai.google.dev/gemini-api/docs/thinking,
read 2026-11-21). A level cannot be switched off, nor can 2.5 Pro, whose row says so (`gemini-always`).
"""

from __future__ import annotations

from jackfield.message import EFFORTS, Effort, JsonObject, Thinking
from jackfield.model import Compat
from jackfield.protocols.base import as_count, as_opaque, own_fields
from jackfield.protocols.fields import as_text
from jackfield.protocols.google_generative_ai.wire import NAME, takes_levels

# What a level buys on a model that takes a budget; all of them fit each model of 2.5.
BUDGETS: dict[Effort, int] = {"off": 0, "minimal": 512, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 24576}
# A budget in words: the first level whose limit it does not pass.
LIMITS: tuple[tuple[int, Effort], ...] = ((0, "off"), (1024, "minimal"), (4096, "low"), (12288, "medium"))
LEAST = 128  # of a model that does not let its thinking be switched off
LEVELS: tuple[Effort, ...] = ("minimal", "low", "medium", "high")


def parse_thinking(wire: JsonObject) -> Thinking | None:
    """Read a `thinkingConfig`, which stays whole for this wire: its models take a budget or a level, some both."""
    if not wire:
        return None
    budget, level = as_count(wire.get("thinkingBudget")), as_text(wire.get("thinkingLevel")).lower()
    effort = "off" if budget == 0 else next((known for known in LEVELS if known == level), None)
    return Thinking(effort, budget if budget and budget > 0 else None, as_opaque(wire, NAME))


def render_thinking(thinking: Thinking | None, max_tokens: int | None, compat: Compat) -> JsonObject:
    """Return the `thinkingConfig`; a budget made from a level takes at most half of the caller's `max_tokens`."""
    if thinking is None or compat.thinking_format == "none":
        return {}
    if own := own_fields(thinking.opaque, NAME):
        return dict(own)
    effort, budget = thinking.effort, thinking.budget_tokens
    if effort is None and budget is None:
        return {}
    said = (compat.reasoning_effort_map or {}).get(effort or "", "")
    if said.isdecimal():
        return _shown({"thinkingBudget": int(said)})
    if takes_levels(compat):
        return _shown({"thinkingLevel": said or nearest_level(effort or budget_effort(budget or 0), compat)})
    if budget is None and effort is not None:
        budget = BUDGETS[effort] if max_tokens is None else min(BUDGETS[effort], max_tokens // 2)
    least = LEAST if compat.thinking_format == "gemini-always" else 0
    return _shown({"thinkingBudget": max(budget or 0, least)})


def _shown(config: JsonObject) -> JsonObject:
    # Without it the model thinks and shows nothing of it.
    return {**config, "includeThoughts": True} if config.get("thinkingBudget") != 0 else config


def budget_effort(budget: int) -> Effort:
    """Return the level that stands for a budget."""
    return next((effort for limit, effort in LIMITS if budget <= limit), "high")


def nearest_level(effort: Effort, compat: Compat) -> str:
    """Return the model's level that is nearest below, else the lowest it has."""
    known = [level for level in EFFORTS if level in (compat.supported_reasoning_efforts or LEVELS)]
    below = [level for level in known if EFFORTS.index(level) <= EFFORTS.index(effort)]
    return below[-1] if below else (known or LEVELS)[0]
