"""A plan as JSON that a person or a program can follow: who will be asked, who will not, why, and for how much.

Pure rendering. No secret is in it: of a credential it names the place.
"""

from __future__ import annotations

from decimal import Decimal

from jackfield.auth.sources import unmarked
from jackfield.catalog import defaults
from jackfield.catalog.price import cost_usd
from jackfield.config.schema import Config
from jackfield.message import ChatRequest, JsonObject, Usage
from jackfield.model import Model, ProviderInfo
from jackfield.protocols.estimate import estimate_input
from jackfield.routing.candidate import Candidate, Plan, Skipped
from jackfield.routing.names import trace
from jackfield.routing.needs import weigh, window_of
from jackfield.routing.policy import privacy_of
from jackfield.spend.estimate import longest_answer


def explain(made: Plan, request: ChatRequest, config: Config, now_ms: int) -> JsonObject:
    """Return a plan with its reasons; times are Unix milliseconds, money is in decimal strings."""
    needs = weigh(request)
    # Who is asked only to hear why not is told among those who are not asked.
    vain = filter(None, map(_find_vain, made.candidates))
    asked = [candidate for candidate in made.candidates if not _find_vain(candidate)]
    return {
        "requested": made.requested,
        "resolved": [*trace(made.requested, config)],
        "onStreamBreak": made.on_break,
        "needs": {
            "inputTokens": estimate_input(request),
            "outputTokens": request.max_tokens,
            "files": [*needs.files],
            "tools": needs.tools,
            "schema": needs.schema,
        },
        "candidates": [_candidate(candidate, request) for candidate in asked],
        "skipped": [_skipped(each, now_ms) for each in (*vain, *made.skipped)],
        "warnings": [*made.warnings],
    }


def _find_vain(candidate: Candidate) -> Skipped | None:
    if candidate.missing:
        return Skipped(str(candidate.ref), candidate.missing, cause="missing_credential")
    if candidate.unpaid:
        return Skipped(str(candidate.ref), candidate.unpaid, candidate.credential, cause="not_affordable")
    return None


def _candidate(candidate: Candidate, request: ChatRequest) -> JsonObject:
    info, model = candidate.info, candidate.model
    api = defaults.api(model, info)
    tokens = estimate_input(request, api)
    return {
        "model": str(candidate.ref),
        "api": api,
        "profile": candidate.profile_id,
        "credential": _place(candidate.credential),
        "credentialId": candidate.credential or None,
        "reason": candidate.reason,
        "doubts": [*candidate.doubts],
        "halfOpen": candidate.half_open,
        "lastResort": candidate.last_resort,
        "contextWindow": window_of(model),
        "privacy": privacy_of(info, model),
        "price": _price(info, model),
        "inputTokens": tokens,
        "costUsd": {
            "least": _usd(Usage(input=tokens, output=1), info, model),
            "most": _usd(Usage(input=tokens, output=longest_answer(request, info, model)), info, model),
        },
    }


def _skipped(skip: Skipped, now_ms: int) -> JsonObject:
    return {
        "model": skip.ref,
        "credential": _place(skip.credential),
        "cause": skip.cause,
        "reason": skip.reason,
        "untilMs": skip.until_ms,
        "secondsLeft": None if skip.until_ms is None else max(-(-(skip.until_ms - now_ms) // 1000), 0),
    }


def _place(credential: str) -> str | None:
    return unmarked(credential) or None


def _price(info: ProviderInfo, model: Model) -> JsonObject:
    """Return dollars per million tokens; `null` means unknown, "0" free."""
    cost = defaults.cost(model) or (defaults.FREE if info.local else None)
    return {"input": _text(cost.input if cost else None), "output": _text(cost.output if cost else None)}


def _usd(usage: Usage, info: ProviderInfo, model: Model) -> str | None:
    usd = cost_usd(usage, defaults.cost(model))
    return _text(Decimal(0) if usd is None and info.local else usd)


def _text(usd: Decimal | None) -> str | None:
    return None if usd is None else format(usd, "f")
