"""How hard to think: each family's own fields for it, against our levels and budgets.

Converse passes them on unread (`additionalModelRequestFields`). Claude's form is the default;
a model's `thinkingFormat` names another: `nova`, `openai` or `none` (docs.aws.amazon.com/bedrock
and /nova, read 2026-11-21). With them comes what the model then refuses beside thinking.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from jackfield.message import Block, ChatRequest, Effort, JsonObject, Message, Thinking, ThinkingBlock, ToolCall
from jackfield.model import Compat
from jackfield.protocols.base import NATIVE, as_count, as_opaque, own_fields
from jackfield.protocols.bedrock_converse.blocks import render_block
from jackfield.protocols.bedrock_converse.wire import NAME
from jackfield.protocols.fields import as_object, as_text, said
from jackfield.protocols.levels import budget_effort, level_word

# What a level buys on a model that takes a budget.
BUDGETS: dict[Effort, int] = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 23808}
MIN_BUDGET = 1024  # Claude's
PLAIN = ("low", "medium", "high")  # the levels every model with levels knows
LEVELS: dict[str, Effort] = {
    "none": "off", "minimal": "minimal", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "xhigh",
}  # fmt: skip
CONFIGS = ("thinking", "reasoning_config", "reasoningConfig")
KEYS = (*CONFIGS, "reasoning_effort")
MIN_TOP_P = 0.95  # the lowest Claude takes beside thinking


class Mode(Struct, frozen=True):
    """How a request is to be thought about: `fields` for the model, `effort` for the service."""

    fields: JsonObject = {}
    effort: str | None = None

    @property
    def claude(self) -> str | None:
        """How Claude thinks, when it does: `enabled` (within a budget) or `adaptive`."""
        kind = next((as_object(self.fields[name]).get("type") for name in CONFIGS[:2] if name in self.fields), None)
        return kind if kind in ("enabled", "adaptive") else None


def parse_thinking(fields: JsonObject, effort: str | None) -> Thinking | None:
    """Read a model's fields and the service's effort; what our words would not bring back stays in `opaque`."""
    held = {name: value for name, value in fields.items() if name in KEYS}
    if not held and effort is None:
        return None
    config = next((as_object(held[name]) for name in CONFIGS if name in held), {})
    word = effort or as_text(config.get("maxReasoningEffort")) or as_text(held.get("reasoning_effort"))
    level = "off" if config.get("type") == "disabled" else LEVELS.get(word)
    plain = Thinking(level, as_count(config.get("budget_tokens")))
    if _mode(plain, None, NATIVE) == Mode(held, effort):
        return plain
    return replace(plain, opaque=as_opaque({"fields": held, "effort": effort}, NAME))


def pick_mode(request: ChatRequest, compat: Compat) -> Mode:
    """Return how the model is asked to think: not at all where it would refuse to."""
    mode = _mode(request.thinking, request.max_tokens, compat)
    return mode if may_think(request, mode) else Mode()


def _mode(thinking: Thinking | None, said: int | None, compat: Compat) -> Mode:
    if thinking is None or compat.thinking_format == "none":
        return Mode()
    if own := own_fields(thinking.opaque, NAME):
        return Mode(as_object(own.get("fields")), own.get("effort"))
    level = thinking.effort or budget_effort(thinking.budget_tokens) or "medium"
    match compat.thinking_format:
        case "openai":
            return Mode({"reasoning_effort": _word(level, compat)})
        case "nova" if level == "off":
            return Mode({"reasoningConfig": {"type": "disabled"}})
        case "nova":
            return Mode({"reasoningConfig": {"type": "enabled", "maxReasoningEffort": _word(level, compat)}})
        case _:
            return _claude_mode(thinking, said, compat)


def _claude_mode(thinking: Thinking, said: int | None, compat: Compat) -> Mode:
    level, budget = thinking.effort, thinking.budget_tokens
    if level == "off":
        return Mode({"thinking": {"type": "disabled"}})
    # `max` and adaptive thinking came with the same models; those before them take budgets alone.
    declared = compat.supports_reasoning_effort
    adaptive = "max" in (compat.supported_reasoning_efforts or ()) if declared is None else declared
    word = _word(level, compat) if level and adaptive else None
    if budget is None and word:
        return Mode({"thinking": {"type": "adaptive"}}, word)
    if budget is None and level:
        budget = BUDGETS[level] if said is None else min(BUDGETS[level], said // 2)
    if budget is None:
        return Mode()
    return Mode({"thinking": {"type": "enabled", "budget_tokens": max(MIN_BUDGET, budget)}}, word)


def _word(level: Effort, compat: Compat) -> str:
    known = compat.supported_reasoning_efforts or PLAIN
    return level_word(level, replace(compat, supported_reasoning_efforts=known)) or known[0]


# -- what thinking refuses beside it -----------------------------------------------


def may_think(request: ChatRequest, mode: Mode) -> bool:
    """Tell whether Claude may think here: no tool is forced, and a turn that calls began with a thought."""
    if not mode.claude:
        return True
    if request.tools and request.tool_choice and request.tool_choice.mode in ("required", "tool"):
        return False
    if mode.claude != "enabled":
        return True
    said = [block for block in _last_turn(request.messages) if render_block(block)]
    return not any(isinstance(block, ToolCall) for block in said) or isinstance(said[0], ThinkingBlock)


def _last_turn(messages: Sequence[Message]) -> list[Block]:
    blocks: list[Block] = []
    for message in reversed(messages):
        if message.role == "assistant":
            blocks[:0] = message.content
        elif blocks and any(render_block(block) for block in message.content):
            break
    return blocks


def render_inference(request: ChatRequest, mode: Mode, compat: Compat) -> JsonObject:
    """Return `maxTokens`, `temperature` and `topP` as far as they are taken beside this thinking."""
    if as_object(mode.fields.get("reasoningConfig")).get("maxReasoningEffort") == "high":
        return {}  # Nova then takes none of the three
    temperature, top_p = request.temperature, request.top_p
    if mode.claude:
        temperature = temperature if temperature == 1 else None
        top_p = top_p if top_p is not None and top_p >= MIN_TOP_P else None
    if temperature is not None and compat.supports_top_p_with_temperature is False:
        top_p = None
    limit = None if request.max_tokens is None else max(1, request.max_tokens)
    budget = as_count(as_object(mode.fields.get("thinking")).get("budget_tokens")) or 0
    if limit is not None and limit <= budget:  # what was said is the answer's room, behind the thoughts
        limit += budget
    temperature = temperature if temperature is None else min(1, temperature)
    return said({"maxTokens": limit, "temperature": temperature, "topP": top_p})


def render_top_k(request: ChatRequest, mode: Mode, compat: Compat) -> JsonObject:
    """Return the model's own field for `top_k`; Claude takes none while it thinks."""
    if request.top_k is None or mode.claude:
        return {}
    is_nova = compat.thinking_format == "nova"
    return {"inferenceConfig": {"topK": request.top_k}} if is_nova else {"top_k": request.top_k}
