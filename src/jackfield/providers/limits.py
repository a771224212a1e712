"""What a model's row rules out, in the words of the one table of features.

A row that says nothing rules nothing out: unknown is not no.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET

from jackfield.message import ChatRequest
from jackfield.model import Compat, Model
from jackfield.protocols.features import LEFT_OUT, Limits, find_losses
from jackfield.protocols.spare import spare

# What a model may read → the features it is spared otherwise. Files stay: who lacks them is rarely said.
READS = {
    "image": ("image", "image.url", "tool_result.image"),
    "audio": ("audio", "audio.url"),
    "video": ("video", "video.url"),
}
NO_TOOLS = ("tools", "tool_choice", "tool_choice.tool", "parallel_tools", "web_search", "web_fetch", "code_execution")
NO_THINKING = ("thinking.effort", "thinking.budget")


def spare_model(request: ChatRequest, model: Model, api: str) -> ChatRequest:
    """Return the request without what the model is known not to take; a file leaves a word in its place."""
    limits = find_limits(model)
    return spare(request, api, limits, Compat()) if limits else request


def find_model_losses(request: ChatRequest, model: Model, api: str) -> tuple[str, ...]:
    """Name what of a request the model is known not to take."""
    losses = find_losses(request, api, find_limits(model), Compat())
    is_off = request.thinking is not None and request.thinking.effort == "off"
    return tuple(loss for loss in losses if not (is_off and loss.startswith(NO_THINKING)))


def find_limits(model: Model) -> Limits:
    """Return the features a row rules out, each with its fate."""
    return dict(_limits(model))


def _limits(model: Model) -> Iterator[tuple[str, str]]:
    if model.tools is False:
        yield from ((name, f"{LEFT_OUT}: the model calls no tools") for name in NO_TOOLS)
    if model.reasoning is False:
        yield from ((name, f"{LEFT_OUT}: the model does not reason") for name in NO_THINKING)
    if model.input is not UNSET:
        for kind, names in READS.items():
            if kind not in model.input:
                yield from ((name, f"{LEFT_OUT}: the model reads no {kind}") for name in names)
