"""What a name of a model means: a reference, an alias, a route, or the config's default.

Knows only the config; whether the provider and the model exist is the plan's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from jackfield.config.schema import Config, StreamBreak
from jackfield.errors import ConfigError
from jackfield.model import Timeouts

DEFAULT = "default"  # the name of whatever the config's primary is


class Named(Struct, frozen=True, kw_only=True):
    """A model as somebody wrote it, with what they meant by it."""

    text: str
    reason: str
    profile_id: str | None = None
    explicit: bool = False  # named by the caller: the allowlist applies
    timeouts: Timeouts | None = None  # the route's
    on_break: StreamBreak = "error"  # the route's


def expand_names(text: str, config: Config) -> Iterator[Named]:
    """Yield the models a name means, first choice first: a reference and an alias give one, a route its chain."""
    text = text.strip()
    if text == DEFAULT and DEFAULT not in config.aliases and DEFAULT not in config.routes:
        if not config.primary:
            raise ConfigError(
                "no model is named and no default is set",
                hint='name one: jackfield chat --model provider/model "…"\nor set one: jackfield models set provider/model\n'
                "or set up a provider: jackfield onboard",
            )
        # Nobody typed it: the allowlist does not apply, and an alias needs no telling.
        primary = [replace(name, explicit=False) for name in _expand(config.primary, config, "the config's primary")]
        yield from primary
        if len(primary) == 1:
            yield from (Named(text=each, reason="the config's fallback") for each in config.fallbacks)
        return
    yield from _expand(text, config, "requested")


def _expand(text: str, config: Config, reason: str) -> Iterator[Named]:
    name, profile_id = split_profile(text, tuple(config.auth_profiles))
    meant = follow(name, config)
    if meant in config.routes:
        route = config.routes[meant]
        steps = [
            (route.primary, f"primary of route {meant}"),
            *((each, f"fallback of route {meant}") for each in route.fallbacks),
        ]
        for step, why in steps:
            model = follow(step, config)
            if model in config.routes:
                raise ConfigError(
                    f"route {meant!r} names the route {model!r}; a route leads to models",
                    hint=f"write the models of {model!r} into models.routes.{meant}",
                )
            yield Named(text=model, reason=why, timeouts=route.timeouts, on_break=route.on_stream_break)
        return
    via = f"{reason}, by alias {name}" if meant != name else reason
    yield Named(text=meant, reason=via, profile_id=profile_id, explicit=True)


def follow(text: str, config: Config) -> str:
    """Return what an alias leads to: a reference, or the name of a route; raise `ConfigError` for a circle."""
    # An alias may name another alias or a route; more steps than aliases is a circle.
    seen = text
    for _ in range(len(config.aliases) + 1):
        if seen in config.routes or seen.lower() not in config.aliases:
            return seen
        seen = config.aliases[seen.lower()]
    raise ConfigError(f"alias {text!r} leads back to itself", hint="see: jackfield models aliases list")


def trace(text: str, config: Config) -> tuple[str, ...]:
    """Return the steps from a name to the models it means, in words: `the default`, `alias fast`, `route chat`."""
    name, steps = split_profile(text.strip(), tuple(config.auth_profiles))[0], []
    if name == DEFAULT and DEFAULT not in config.aliases and DEFAULT not in config.routes:
        steps, name = ["the default"], config.primary or ""
    for _ in config.aliases:
        if name in config.routes or name.lower() not in config.aliases:
            break
        steps.append(f"alias {name}")
        name = config.aliases[name.lower()]
    return (*steps, f"route {name}" if name in config.routes else name)


def split_profile(text: str, known: Sequence[str]) -> tuple[str, str | None]:
    """Split `ref@profile`: at the last `@` after the first slash, and only if a profile follows.

    Model ids may hold an `@` of their own (`@cf/openai/…`), so the suffix must be a known
    profile id or look like `<provider>:<name>`.
    """
    slash = text.find("/")
    at = text.rfind("@")
    if slash < 0 or at <= slash + 1:
        return text, None
    suffix = text[at + 1 :]
    provider = text[:slash].strip().lower()
    if suffix in known or suffix.startswith(f"{provider}:"):
        return text[:at], suffix
    return text, None
