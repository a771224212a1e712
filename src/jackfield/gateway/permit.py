"""Leave for a call: which of the planned models the caller's key may ask, and what is held for it before it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta, Raw
from msgspec.structs import replace

from jackfield.catalog import defaults
from jackfield.errors import NotAllowed
from jackfield.gateway.access import OWNER, Access, Grant
from jackfield.gateway.keys import Key
from jackfield.message import ChatRequest, Usage
from jackfield.protocols.estimate import bound_bytes, estimate_input
from jackfield.routing.candidate import Candidate, Plan, Skipped
from jackfield.spend.estimate import Rates, worst_usd

FREE = Decimal(0)
# Fields of a body that make nothing dearer than its size, its limits of an answer and its model do.
ANSWER_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
HARMLESS = frozenset({
    *ANSWER_LIMITS, "model", "messages", "system", "input", "instructions", "contents", "systemInstruction",
    "stream", "stream_options", "temperature", "top_p", "top_k", "seed", "stop", "stop_sequences",
    "presence_penalty", "frequency_penalty", "tools", "tool_choice", "parallel_tool_calls", "user", "metadata",
    "response_format", "reasoning_effort", "store", "prompt_cache_key",
})  # fmt: skip
LENGTH = msgspec.json.Decoder(Annotated[int, Meta(ge=0, lt=2**53)])
NOTHING = Usage()
TRUSTED = frozenset({"", OWNER})  # ids of keys that may hear which models were tried and why they failed


async def reserve(access: Access, key: Key, made: Plan, request: ChatRequest) -> tuple[Plan, Grant]:
    """Return the part of a plan that a key may follow, and leave for it; raise what keeps the call from being made."""
    allowed = [each for each in made.candidates if key.limits.allows(str(each.ref))]
    if not allowed:
        ref = str(made.candidates[0].ref)
        raise NotAllowed(f"the key {key.name} may not ask {ref}", hint=f"it may ask {', '.join(key.limits.models)}")
    tokens = 0
    usd: Decimal | None = FREE
    # Looked at is only what the key has a limit of: an estimate takes longer than all counting.
    sizes = _estimate(allowed, request) if key.rules.has_budget or key.rules.tokens else []
    if key.rules.tokens:
        tokens = max(sizes) + (request.max_tokens or 0)
    if key.rules.has_budget:
        allowed, usd = _within_prices(key, allowed, request, sizes)
    grant = await access.reserve(key, model=str(allowed[0].ref), est_tokens=tokens, est_usd=usd)
    return _narrowed(made, allowed), grant


def reserve_roughly(access: Access, key: Key, rates: Rates | None, body: Mapping[str, Raw], raw: bytes) -> Grant | None:
    """Return leave for a call to one model by the size of its body; `None` where it must be looked at closely."""
    if not body.keys() <= HARMLESS or (key.rules.has_budget and rates is None):
        return None
    try:
        asked = [LENGTH.decode(body[name]) for name in ANSWER_LIMITS if name in body]
    except msgspec.DecodeError:
        return None
    tokens, longest = bound_bytes(raw, has_tools="tools" in body), max(asked, default=0)
    nanos = rates.worst_nanos(tokens, longest if asked else rates.longest) if key.rules.has_budget and rates else 0
    return access.reserve_roughly(key, tokens + longest, nanos)


def _estimate(candidates: Sequence[Candidate], request: ChatRequest) -> list[int]:
    """Return how many tokens a request is for each candidate; those of one wire share an estimate."""
    apis = [defaults.api(each.model, each.info) for each in candidates]
    sizes = {api: estimate_input(request, api) for api in set(apis)}
    return [sizes[api] for api in apis]


def _within_prices(
    key: Key, candidates: Sequence[Candidate], request: ChatRequest, sizes: Sequence[int]
) -> tuple[list[Candidate], Decimal | None]:
    """Return the candidates whose price is known, where money is limited, and what the dearest may cost."""
    prices = {at: worst_usd(request, each.info, each.model, sizes[at]) for at, each in enumerate(candidates)}
    known = {at: usd for at, usd in prices.items() if usd is not None}
    if not known:
        return list(candidates), None
    if not key.rules.has_budget or key.limits.allow_unpriced:
        return list(candidates), max(known.values())
    return [candidates[at] for at in known], max(known.values())


def _narrowed(made: Plan, allowed: Sequence[Candidate]) -> Plan:
    if len(allowed) == len(made.candidates):
        return made
    left = [each for each in made.candidates if each not in allowed]
    skipped = [Skipped(str(each.ref), "the caller's key may not ask it") for each in left]
    return replace(made, candidates=tuple(allowed), skipped=(*made.skipped, *skipped))


def settle(grant: Grant | None, usage: Usage, usd: Decimal | None) -> None:
    """End the leave: what was used counts; of a call that used nothing, nothing does."""
    if grant is None:
        return
    if usage != NOTHING:
        grant.settle(usage, usd)
    grant.release()
