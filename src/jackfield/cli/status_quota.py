"""What replies have told of each credential's quota, as it was kept: how much is used, until when, how long ago."""

from __future__ import annotations

from jackfield.cli.context import Context
from jackfield.health.record import Quota

STALE_MS = 7 * 86_400_000  # what was told so long ago without a reset says nothing any more


def list_quotas(context: Context) -> list[Quota]:
    """Return the windows that are not over, by provider and credential; makes no file."""
    # Only who has a memory of replies pays for its database.
    from jackfield.health.store import open_health
    from jackfield.state import NAME

    if not (context.paths.home / NAME).exists():
        return []
    health = open_health(context.config, context.now_ms)
    try:
        quotas = health.view().every_quota
    finally:
        health.close()
    now_ms = context.now_ms()
    running = [each for each in quotas if (each.resets_ms or each.read_ms + STALE_MS) > now_ms]
    return sorted(running, key=lambda each: (each.provider, each.credential, each.name))
