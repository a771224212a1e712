"""`models status --probe`: the probes as a command runs and prints them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from jackfield.cli.context import Context
from jackfield.cli.status_json import KINDS
from jackfield.message import JsonObject
from jackfield.providers.quota import describe
from jackfield.setup import probe as probing
from jackfield.setup.probe import Limits, Probed, Way, list_targets
from jackfield.setup.state import ProviderState


def probe(context: Context, states: Sequence[ProviderState], limits: Limits) -> list[Probed]:
    """Ask every credential that may be asked; return all, in the order of the providers."""
    targets = [target for state in states for target in list_targets(context, state, limits)]
    way = Way(config=context.config, store=context.store, plugins=context.plugins, offline=context.offline)
    return asyncio.run(probing.probe(way, targets, limits))


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
