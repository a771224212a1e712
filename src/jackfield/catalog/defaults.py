"""What holds where a row says nothing.

Rows keep their silence (`UNSET`), so that a default is never mistaken for a limit; whoever
needs a number asks here.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import UNSET
from msgspec.structs import replace

from jackfield.catalog.index import Outline
from jackfield.model import DEFAULT_CONTEXT_WINDOW, DEFAULT_MAX_TOKENS, Api, Compat, Cost, Modality, Model, ProviderInfo

# Newer names of OpenClaw's for wires that are known by another.
OTHER_NAMES: dict[Api, Api] = {
    "openai-chatgpt-responses": "openai-codex-responses",
    "github-copilot": "openai-completions",
}
FREE = Cost(Decimal(0), Decimal(0), Decimal(0), Decimal(0))


def as_local(row: Model) -> Model:
    """Return the row of a model on this machine, free and private where it does not say otherwise."""
    return replace(row, cost=row.cost or FREE, privacy=row.privacy or "local")


def context_window(model: Model | Outline) -> int:
    """Return the most tokens that question and answer may have together."""
    window = model.context_window
    return DEFAULT_CONTEXT_WINDOW if window is UNSET or window <= 0 else window


def max_tokens(model: Model, info: ProviderInfo | None = None) -> int:
    """Return the most tokens of one answer; never more than the window."""
    said = model.max_tokens
    if said is UNSET or said <= 0:
        said = (info.max_tokens if info else None) or DEFAULT_MAX_TOKENS
        return min(said, context_window(model))
    return said


def name(model: Model) -> str:
    """Return the name to show."""
    return model.id if model.name is UNSET else model.name


def inputs(model: Model | Outline) -> tuple[Modality, ...]:
    """Return what the model reads."""
    return ("text",) if model.input is UNSET else model.input


def reasons(model: Model) -> bool:
    """Tell whether the model thinks before it answers."""
    return model.reasoning is True


def cost(model: Model) -> Cost | None:
    """Return the prices; `None` when nothing is known of them."""
    return None if model.cost is UNSET else model.cost


def wire_id(model: Model) -> str:
    """Return the id that the provider's server knows."""
    return model.id if model.upstream is UNSET else model.upstream


def api(model: Model, info: ProviderInfo) -> Api:
    """Return the protocol that a request to this model speaks."""
    said = info.api if model.api is UNSET else model.api
    return OTHER_NAMES.get(said, said)


def compat(model: Model, info: ProviderInfo) -> Compat:
    """Return what the provider deviates in, with what the model adds."""
    return info.compat if model.compat is UNSET else info.compat.merged(model.compat)
