"""What a person can do where the sign-in they asked for is not possible."""

from __future__ import annotations

from jackfield.cli.context import Context
from jackfield.model import ProviderInfo


def alternative(context: Context, info: ProviderInfo) -> str:
    """Return the command for a provider of the same house that takes a key, or how to find another."""
    infos = map(context.catalog.provider, context.catalog.provider_ids())
    for other in filter(None, infos):
        key = next((method.choice for method in other.auth if method.kind == "api-key"), None)
        if other.group == info.group and other.group and key:
            return f"jackfield onboard --auth-choice {key}"
    return "a provider with an API key: jackfield onboard"
