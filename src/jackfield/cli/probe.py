"""Asking each credential one tiny real question, to see that it works.

A probe leaves no trace: no profile is put to rest or counted as used, no server's refusal is
remembered. What is not asked is reported with its reason.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from jackfield.auth.sources import Source
from jackfield.cli.context import Context
from jackfield.cli.models_rows import HIDDEN
from jackfield.cli.status_json import KINDS
from jackfield.cli.status_state import ProviderState, chosen_names, name_model
from jackfield.client import AsyncClient
from jackfield.errors import Error
from jackfield.message import ChatRequest, JsonObject, Message, Thinking
from jackfield.providers.quota import Window, describe

PROMPT = "Reply with OK. Do not use tools."
# type of error → the word for it; every other is `unknown`
STATUSES = {
    "auth": "auth", "missing_key": "auth", "permission": "auth", "billing": "billing", "rate_limit": "rate_limit",
    "overloaded": "rate_limit", "timeout": "timeout", "invalid_request": "format", "model_not_found": "format",
}  # fmt: skip
EXCLUDED = "Excluded by auth.order for this provider."
UNUSABLE = "Auth profile credentials are missing or expired."


class Limits(Struct, frozen=True, kw_only=True):
    """How far the probes may go; no provider and no profile named means all."""

    providers: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    timeout_ms: int = 8_000
    at_once: int = 2
    max_tokens: int = 8


class Probed(Struct, frozen=True, kw_only=True):
    """One credential and how it did; `status` is empty until it was asked."""

    provider: str
    source: Source
    model: str | None
    status: str = ""
    error: str = ""
    reason: str = ""  # code of why it was not asked
    ms: int | None = None
    quota: tuple[Window, ...] = ()


def probe(context: Context, states: Sequence[ProviderState], limits: Limits) -> list[Probed]:
    """Ask every credential that may be asked; return all, in the order of the providers."""
    targets = [target for state in states for target in list_targets(context, state, limits)]
    return asyncio.run(_probe_all(context, targets, limits))


def list_targets(context: Context, state: ProviderState, limits: Limits) -> Iterator[Probed]:
    """Yield a provider's stored profiles; without any, the first other place that has a key."""
    provider = state.info.id
    if limits.providers and provider not in limits.providers:
        return
    model = _pick_model(context, state)
    stored = [source for source in state.found if source.profile]
    others = [source for source in state.found if not source.profile and not source.reason][:1]
    for source in stored or ([] if limits.profiles else others):
        if limits.profiles and source.profile and source.profile.id not in limits.profiles:
            continue
        target = Probed(provider=provider, source=source, model=model)
        if source.reason == "excluded_by_auth_order":
            yield replace(target, status="unknown", reason=source.reason, error=EXCLUDED)
        elif source.reason:
            reason = f"{UNUSABLE}\n↳ Auth reason [{source.reason}]{': ' if source.detail else ''}{source.detail}"
            yield replace(target, status="unknown", reason=source.reason, error=reason)
        elif model is None:
            yield replace(target, status="no_model", reason="no_model", error="No model available for probe.")
        else:
            yield target


def render_probes(probed: Sequence[Probed], limits: Limits, took_ms: int) -> JsonObject:
    """Return the probes as JSON."""
    return {
        "durationMs": took_ms,
        "totalTargets": len(probed),
        "options": {
            "provider": sorted(limits.providers), "profileIds": sorted(limits.profiles), "timeoutMs": limits.timeout_ms,
            "concurrency": limits.at_once, "maxTokens": limits.max_tokens,
        },
        "results": [_render(each) for each in probed],
    }  # fmt: skip


def _render(each: Probed) -> JsonObject:
    profile = each.source.profile
    row = {
        "provider": each.provider,
        "model": each.model,
        "profileId": profile.id if profile else None,
        "label": profile.id if profile else each.source.label,
        "source": "profile" if profile else KINDS[each.source.kind],
        "mode": each.source.type,
        "status": each.status,
        "error": each.error or None,
        "reasonCode": each.reason or None,
        "latencyMs": each.ms,
        "quota": [
            {"window": window.name, "leftPercent": window.left_percent, "remaining": window.remaining,
             "limit": window.limit, "resetsInS": window.resets_in_s, "text": describe(window)}
            for window in each.quota
        ] or None,
    }  # fmt: skip
    return {name: value for name, value in row.items() if value is not None}


def _pick_model(context: Context, state: ProviderState) -> str | None:
    """Return the first model in use of the provider, else the one it starts with, else its first row."""
    provider = state.info.id
    for ref in (name_model(context, text) for text in chosen_names(context)):
        if ref and ref.partition("/")[0] == provider:
            return ref
    rows = [row.id for row in context.catalog.models(provider) if row.status != HIDDEN]
    model = state.info.default_model if state.info.default_model in rows else next(iter(rows), None)
    return f"{provider}/{model}" if model else None


# -- asking ------------------------------------------------------------------------


async def _probe_all(context: Context, targets: Sequence[Probed], limits: Limits) -> list[Probed]:
    room = asyncio.Semaphore(limits.at_once)
    # Whoever tests a credential is not held to the models allowed by now.
    config = replace(context.config, allow=None)
    async with AsyncClient(config, store=context.store, plugins=context.plugins, offline=context.offline) as client:

        async def ask(target: Probed) -> Probed:
            async with room:
                return target if target.status else await _ask(client, target, limits)

        return await asyncio.gather(*map(ask, targets))


async def _ask(client: AsyncClient, target: Probed, limits: Limits) -> Probed:
    start, status, told = time.monotonic(), "ok", ""
    try:
        async with asyncio.timeout(limits.timeout_ms / 1000):
            await _listen(client, target, limits)
    except TimeoutError:
        status, told = "timeout", f"no answer within {limits.timeout_ms} ms"
    except Error as error:
        status, told = STATUSES.get(error.type, "unknown"), error.message
    ms = round((time.monotonic() - start) * 1000)
    return replace(target, status=status, error=told, ms=ms, quota=client.quota(target.provider, target.source.label))


async def _listen(client: AsyncClient, target: Probed, limits: Limits) -> None:
    profile = target.source.profile
    request = ChatRequest(
        model=target.model or "",
        messages=[Message.user(PROMPT)],
        max_tokens=limits.max_tokens,
        thinking=Thinking("off"),
        stream=False,
    )
    [candidate, *_] = client.plan(request, profile_id=profile.id if profile else None).candidates
    candidate = client.direct.taught(candidate)
    # Without `tell` nothing is learned, and nothing is asked twice.
    async for _ in client.direct.attempt(candidate, request, client.direct.resolve(candidate)):
        pass
