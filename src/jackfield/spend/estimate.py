"""What a call may cost at worst, before it leaves. Pure; knows prices and the estimate of tokens, no wire.

The price at worst is that of more input than is estimated and of the longest answer the model
may write. Nine of ten estimates are within the margin; what a server adds unseen can still go
beyond it, and is then part of what the call is settled at.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from msgspec import Struct

from jackfield.catalog import defaults
from jackfield.catalog.price import MILLION, as_nanos, cost_usd
from jackfield.embedding import EmbedRequest
from jackfield.message import AudioBlock, ChatRequest, Usage
from jackfield.model import Cost, Model, ProviderInfo
from jackfield.protocols.estimate import estimate_input, estimate_text

MARGIN = 1.7  # times the estimate; see the figures in protocols/estimate.py
ROUNDED = 10  # billionths of a dollar that a sum may be rounded up by
SMALL = 64  # tokens: the shortest requests are estimated worst
# Fields for the server by which a caller may ask for more than the request's own `max_tokens` says.
LONGEST = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "num_predict")
ANSWERS = ("n", "candidateCount")


def worst_usd(request: ChatRequest, info: ProviderInfo, model: Model, estimate: int | None = None) -> Decimal | None:
    """Return what a request may cost at worst; `None` when a price that it needs is unknown.

    `request` is the one that is sent (`providers.provider.for_wire`): with the config's own fields.
    A server of this machine costs nothing unless its row has prices: it may be somebody's proxy.
    `estimate` is that of the request's tokens, for who has it.
    """
    size, longest = worst_tokens(request, info, model, estimate)
    usd = _price(size, longest, defaults.cost(model), has_sound=_has_sound(request))
    return Decimal(0) if usd is None and info.local else usd


def worst_tokens(
    request: ChatRequest, info: ProviderInfo, model: Model, estimate: int | None = None
) -> tuple[int, int]:
    """Return the most tokens a request may be, and the most its answers."""
    if estimate is None:
        estimate = estimate_input(request, defaults.api(model, info))
    size = round(estimate * MARGIN) + SMALL
    return size, longest_answer(request, info, model) * max([1, *_counts(request, ANSWERS)])


def longest_answer(request: ChatRequest, info: ProviderInfo, model: Model) -> int:
    """Return the most tokens one answer may have: what is asked for, else what the row or the contract says."""
    asked = [*([] if request.max_tokens is None else [request.max_tokens]), *_counts(request, LONGEST)]
    longest = max(asked) if asked else defaults.max_tokens(model, info)
    thinking = request.thinking.budget_tokens if request.thinking else None
    # A budget that is not below the limit of the answer is added to it.
    return longest + thinking if thinking and thinking >= longest else longest


class Rates(Struct, frozen=True):
    """What a model's tokens cost at worst, in billionths of a dollar, and the longest answer it gives unasked."""

    input_nanos: int
    output_nanos: int
    longest: int

    def worst_nanos(self, tokens: int, longest: int) -> int:
        """Return what so many tokens and an answer may cost at worst: never less than `worst_usd` does."""
        size = round(tokens * MARGIN) + SMALL
        return size * self.input_nanos + longest * self.output_nanos + ROUNDED


def find_rates(info: ProviderInfo, model: Model) -> Rates | None:
    """Return a model's rates; `None` where prices are unknown, or differ by a request's size."""
    cost = defaults.cost(model)
    if cost is None or cost.input is None or cost.output is None or cost.tiers:
        return None
    dearest = max(price for price in (cost.input, cost.cache_write, cost.cache_write_1h) if price is not None)
    return Rates(as_nanos(dearest / MILLION), as_nanos(cost.output / MILLION), defaults.max_tokens(model, info))


def fitting_tokens(request: ChatRequest, info: ProviderInfo, model: Model, left: Decimal) -> int:
    """Return the longest answer that a sum covers beside the input, at worst; 0 when there is none."""
    size, longest = worst_tokens(request, info, model)
    cost, sound = defaults.cost(model), _has_sound(request)
    whole, least = (_price(size, tokens, cost, has_sound=sound) for tokens in (longest, 0))
    if whole is None or least is None or whole <= least or left <= least:
        return 0
    # Which prices hold is the input's matter, so every token of the answer costs the same.
    share = (left - least) / (whole - least)
    return int(longest * min(share, Decimal(1))) // max([1, *_counts(request, ANSWERS)])


def pace_tokens(request: ChatRequest, info: ProviderInfo, model: Model) -> int:
    """Return how many tokens a request takes of a minute's: its input, and the answer where a limit is asked for."""
    return estimate_input(request, defaults.api(model, info)) + (request.max_tokens or 0)


def worst_embed_usd(request: EmbedRequest, info: ProviderInfo, model: Model) -> Decimal | None:
    """Return what vectors may cost at worst; `None` when their price is unknown."""
    tokens = sum(estimate_text(text) if isinstance(text, str) else len(text) for text in request.inputs)
    usd = _price(round(tokens * MARGIN) + SMALL, 0, defaults.cost(model), has_sound=False)
    return Decimal(0) if usd is None and info.local else usd


def _price(size: int, longest: int, cost: Cost | None, *, has_sound: bool) -> Decimal | None:
    plain = cost_usd(Usage(input=size, output=longest), cost)
    if plain is None:
        return None
    # What is written to the cache, and sound, may have dearer prices of their own; where they have none they are rare.
    dearer = [
        Usage(cache_write=size, output=longest),
        Usage(cache_write=size, cache_write_1h=size, output=longest),
        *([Usage(input=size, audio_input=size, output=longest)] if has_sound else []),
    ]
    return max(plain, *(cost_usd(usage, cost) or plain for usage in dearer))


def _has_sound(request: ChatRequest) -> bool:
    return any(isinstance(block, AudioBlock) for message in request.messages for block in message.content)


def _counts(request: ChatRequest, names: Iterable[str]) -> list[int]:
    said: dict[str, Any] = dict(request.extras)
    for fields in (request.opaque or {}).values():
        said |= fields if isinstance(fields, dict) else {}
    return [said[name] for name in names if isinstance(said.get(name), int) and not isinstance(said[name], bool)]
