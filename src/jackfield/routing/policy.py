"""Which models the user's own rules admit: the allowlist, and the least privacy."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import UNSET

from jackfield.catalog.index import Outline
from jackfield.catalog.load import Catalog
from jackfield.config.schema import Config
from jackfield.errors import NotAllowed
from jackfield.model import Model, ModelRef, Privacy, ProviderInfo
from jackfield.routing.names import follow

# From the most private to the least; a policy admits its own level and those before it.
PRIVACY: tuple[Privacy, ...] = ("local", "private", "zdr", "anonymized", "standard")


def check_allowed(ref: ModelRef, config: Config, catalog: Catalog) -> None:
    """Raise `NotAllowed` when an allowlist stands and does not hold this model."""
    allow = config.allow
    if allow is None or admission(config, catalog)(ref):
        return
    raise NotAllowed(
        f"model {str(ref)!r} is not allowed by {allow.origin}",
        hint=f"allowed: {', '.join(allow.patterns)}\nadd it there, or ask for one of these",
    )


def admission(config: Config, catalog: Catalog) -> Callable[[ModelRef], bool]:
    """Return the allowlist as a test, made once for many refs; without a list everything passes.

    Both sides count under their own ids: `z.ai/glm-4.7` in the list admits `zai/glm-4.7`.
    """
    if config.allow is None:
        return lambda _: True
    patterns = [catalog.canonical(follow(pattern, config)).lower() for pattern in config.allow.patterns]
    # Only a trailing `*` is a wildcard; ids hold brackets and question marks of their own.
    starts = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    exact = {pattern for pattern in patterns if not pattern.endswith("*")}

    def admits(ref: ModelRef) -> bool:
        name = catalog.canonical(str(ref)).lower()
        return name in exact or name.startswith(starts)

    return admits


def privacy_of(info: ProviderInfo, model: Model | Outline) -> Privacy:
    """Return what is promised about a request to this model; nothing said means standard."""
    if model.privacy is not UNSET:
        return model.privacy
    return info.privacy or ("local" if info.local else "standard")
