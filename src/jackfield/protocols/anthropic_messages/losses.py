"""What this wire does not carry of a request: the table, and the rules that a table cannot say."""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.message import ChatRequest, ToolResult
from jackfield.model import Compat
from jackfield.protocols import features
from jackfield.protocols.anthropic_messages.thinking import may_think, render_sampling, render_thinking, takes_effort
from jackfield.protocols.anthropic_messages.wire import NAME
from jackfield.protocols.base import NATIVE
from jackfield.protocols.features import LEFT_OUT, SAID_AS
from jackfield.protocols.opening import BEHIND_OPENING
from jackfield.protocols.spare import spare
from jackfield.protocols.structured import AS_INSTRUCTION

MAX_MARKS = 4  # cache marks in one request
SERVICE_TIERS = ("auto", "standard_only")
LIMITS: dict[str, str] = {
    "model first": BEHIND_OPENING,
    "presence_penalty": LEFT_OUT,
    "frequency_penalty": LEFT_OUT,
    "seed": LEFT_OUT,
    "logprobs": LEFT_OUT,
    "cache_key": LEFT_OUT,
    "thinking.effort": f"{SAID_AS}a budget of tokens, where the model takes no level",
    "response_format.json": AS_INSTRUCTION,
    "audio": LEFT_OUT,
    "audio.url": LEFT_OUT,
    "video": LEFT_OUT,
    "video.url": LEFT_OUT,
    "refusal": "as text",
    "citations": f"{LEFT_OUT}: only what this wire cited is known to it",
    "thoughts": "only with their signature",
}


def find_limits(compat: Compat) -> features.Limits:
    """Return the table as it holds for a server."""
    limits = dict(LIMITS)
    if takes_effort(compat):
        del limits["thinking.effort"]
    if compat.thinking_format == "none":
        limits |= {"thinking.effort": LEFT_OUT, "thinking.budget": LEFT_OUT}
    if compat.supports_response_format is False:
        limits["response_format.schema"] = AS_INSTRUCTION
    return limits


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name every field that is dropped or approximated; empty when the wire carries all."""
    losses = features.find_losses(request, NAME, find_limits(compat), compat)
    spared = spare(request, NAME, find_limits(compat), compat)
    return tuple(dict.fromkeys([*losses, *_rules(spared, compat), *_marks(spared)]))


def _rules(request: ChatRequest, compat: Compat) -> Iterator[str]:
    thinking = render_thinking(request.thinking, request.max_tokens, compat)[0] or {}
    may = may_think(request, thinking.get("type"))
    sampling = render_sampling(request, thinking.get("type") if may else None, compat)
    said = {name for name in ("temperature", "top_p", "top_k") if getattr(request, name) is not None}
    dropped = {
        "stop: white space alone is left out": any(not text.strip() for text in request.stop),
        "temperature: above 1 becomes 1": (request.temperature or 0) > 1,
        **{f"{name}: not beside thinking or another sampling": name not in sampling for name in sorted(said)},
        "thinking: not with a forced tool, nor behind a tool call made without it": not may,
        "tool_choice: there are no tools": request.tool_choice is not None and not request.tools,
        "service_tier: this wire's words are auto and standard_only": request.service_tier
        not in (None, *SERVICE_TIERS),
    }
    yield from (name for name, is_lost in dropped.items() if is_lost)


def _marks(request: ChatRequest) -> Iterator[str]:
    blocks = [block for message in request.messages for block in message.content]
    blocks += [inner for block in blocks if isinstance(block, ToolResult) for inner in block.content]
    marks = sum(bool(getattr(value, "cache_control", None)) for value in (*request.tools, *request.system, *blocks))
    if marks > MAX_MARKS:
        yield f"cache_control: the first {marks - MAX_MARKS} of {marks} are left out"
