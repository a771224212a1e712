"""What this wire cannot carry of a request, in words for the user."""

from __future__ import annotations

from collections.abc import Iterator

from jackfield.message import ChatRequest
from jackfield.model import Compat
from jackfield.protocols import features
from jackfield.protocols.base import NATIVE, own_fields
from jackfield.protocols.google_generative_ai.request import MAX_STOPS, is_json_refused
from jackfield.protocols.google_generative_ai.thinking import LEAST, budget_effort, nearest_level
from jackfield.protocols.google_generative_ai.wire import LIMITS, NAME, takes_levels
from jackfield.protocols.structured import AS_INSTRUCTION


def find_losses(request: ChatRequest, compat: Compat = NATIVE) -> tuple[str, ...]:
    """Name every field that is dropped or approximated; empty when the wire carries all."""
    limits = {name: fate for name, fate in LIMITS.items() if not (takes_levels(compat) and name in INSIDE)}
    return (*features.find_losses(request, NAME, limits, compat), *_fields(request, compat))


INSIDE = ("tool_result.image", "tool_result.document")  # a model that takes levels looks at these where they stand


def _fields(request: ChatRequest, compat: Compat) -> Iterator[str]:
    if len(request.stop) > MAX_STOPS:
        yield f"stop: only the first {MAX_STOPS}"
    if is_json_refused(request, compat):
        yield f"response_format: beside tools {AS_INSTRUCTION}"
    if request.tool_choice and not any(tool.parameters is not None for tool in request.tools):
        yield "tool_choice: there is no function to choose"
    thinking = request.thinking
    if thinking is None or own_fields(thinking.opaque, NAME):
        return
    if compat.thinking_format == "none":
        yield "thinking: left out"
    elif compat.thinking_format == "gemini-always" and thinking.effort == "off":
        yield f"thinking: off becomes {LEAST} tokens"
    elif takes_levels(compat) and not compat.reasoning_effort_map:
        wanted = thinking.effort or budget_effort(thinking.budget_tokens or 0)
        if (level := nearest_level(wanted, compat)) != wanted:
            yield f"thinking: {wanted} becomes {level}"
        if thinking.budget_tokens is not None:
            yield f"thinking.budget: as the level {level}"
