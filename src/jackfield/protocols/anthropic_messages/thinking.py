"""How hard to think: this wire's budgets, its adaptive mode and its effort, against our levels.

And what the API refuses beside it (platform.claude.com/docs, extended thinking, read 2026-11-21): a
forced tool, a tool call made without a thought before it, and any sampling but its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from jackfield.message import Block, ChatRequest, Effort, JsonObject, Message, Thinking
from jackfield.model import DEFAULT_MAX_TOKENS, Compat
from jackfield.protocols.anthropic_messages.blocks import render_content
from jackfield.protocols.anthropic_messages.wire import NAME
from jackfield.protocols.base import NATIVE, as_count, as_opaque, own_fields
from jackfield.protocols.fields import said

# What a level buys on a model that takes a budget.
BUDGETS: dict[Effort, int] = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 23808}
MIN_BUDGET = 1024  # the API's
# The levels of `output_config.effort`, weakest first; `max` has no word of ours and comes back through `opaque`.
LEVELS: dict[str, Effort] = {"low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "xhigh"}
ADAPTIVE: JsonObject = {"type": "adaptive"}
THINKS = ("enabled", "adaptive")
MIN_TOP_P = 0.95  # the lowest the API takes beside thinking


def parse_thinking(wire: JsonObject | None, effort: str | None) -> Thinking | None:
    """Read `thinking` and `output_config.effort`; what our words would not bring back stays in `opaque`."""
    if not wire and effort is None:
        return None
    wire = wire or {}
    level = "off" if wire.get("type") == "disabled" else LEVELS.get(effort or "")
    plain = Thinking(level, as_count(wire.get("budget_tokens")))
    if render_thinking(plain, None, NATIVE)[:2] == (wire or None, effort):
        return plain
    return replace(plain, opaque=as_opaque({"thinking": wire or None, "effort": effort}, NAME))


def render_thinking(
    thinking: Thinking | None, said: int | None, compat: Compat
) -> tuple[JsonObject | None, str | None, int]:
    """Return `thinking`, the effort and `max_tokens`, which is the caller's unless a budget needs more.

    The API wants `max_tokens` above the budget: an answer keeps what the caller said (8192
    when nothing was), a budget made from a level takes at most half of it.
    """
    wire, effort = (None, None) if compat.thinking_format == "none" else _mode(thinking, said, compat)
    budget = wire.get("budget_tokens") if wire else None
    max_tokens = DEFAULT_MAX_TOKENS if said is None else said
    if isinstance(budget, int) and (said is None or said <= budget):
        max_tokens = max(1, max_tokens) + budget
    return wire, effort, max_tokens


def _mode(thinking: Thinking | None, said: int | None, compat: Compat) -> tuple[JsonObject | None, str | None]:
    if thinking is None:
        return None, None
    if own := own_fields(thinking.opaque, NAME):
        return own.get("thinking"), own.get("effort")
    level, budget = thinking.effort, thinking.budget_tokens
    if level == "off":
        return {"type": "disabled"}, None
    word = _effort(level, compat) if level and takes_effort(compat) else None
    if budget is None and word:
        return dict(ADAPTIVE), word
    if budget is not None:
        budget = max(MIN_BUDGET, budget)
    elif level:
        room = BUDGETS[level] if said is None else said // 2
        budget = max(MIN_BUDGET, min(BUDGETS[level], room))
    return None if budget is None else {"type": "enabled", "budget_tokens": budget}, word


def takes_effort(compat: Compat) -> bool:
    """Tell whether a model takes a level of thinking; one that does not takes a budget of tokens."""
    # `max` and adaptive thinking came with the same models; those before them take budgets alone.
    declared = compat.supports_reasoning_effort
    return "max" in (compat.supported_reasoning_efforts or ()) if declared is None else declared


def _effort(level: Effort, compat: Compat) -> str:
    """Return the server's word for a level: as mapped, else the strongest supported one not above it."""
    if word := (compat.reasoning_effort_map or {}).get(level):
        return word
    words = tuple(LEVELS)
    word = level if level in LEVELS else "low"
    supported = compat.supported_reasoning_efforts or words
    weaker = [name for name in words[: words.index(word) + 1] if name in supported]
    return weaker[-1] if weaker else supported[0]


def may_think(request: ChatRequest, mode: str | None) -> bool:
    """Tell whether the API lets the model think here in this mode of `thinking`."""
    if mode not in THINKS:
        return True
    if request.tools and request.tool_choice and request.tool_choice.mode in ("required", "tool"):
        return False
    if mode != "enabled":
        return True
    # With a budget, a turn that calls tools must begin with the thought that led to them.
    kinds = [wire.get("type") for wire in render_content(_last_turn(request.messages))]
    return "tool_use" not in kinds or kinds[0] in ("thinking", "redacted_thinking")


def _last_turn(messages: Sequence[Message]) -> list[Block]:
    """Return what the model said last; turns that follow each other are one."""
    blocks: list[Block] = []
    for message in reversed(messages):
        if message.role == "assistant":
            blocks[:0] = message.content
        elif blocks and render_content(message.content):
            break
    return blocks


def render_sampling(request: ChatRequest, mode: str | None, compat: Compat) -> JsonObject:
    """Return what of the sampling is taken; beside thinking the API takes little but its own."""
    temperature, top_p, top_k = request.temperature, request.top_p, request.top_k
    if mode in THINKS:
        temperature = temperature if temperature == 1 else None
        top_p, top_k = top_p if top_p is not None and top_p >= MIN_TOP_P else None, None
    if temperature is not None and compat.supports_top_p_with_temperature is False:
        top_p = None
    temperature = None if temperature is None else min(temperature, 1)
    return said({"temperature": temperature, "top_p": top_p, "top_k": top_k})
