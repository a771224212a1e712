"""The plan of a request: which models to try, in which order, each with its reason.

A pure function of the request, the config and the catalog. It opens nothing and knows no
clock, so that a live call, an explanation and a test run the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import UNSET, Struct
from msgspec.structs import replace

from jackfield.catalog.load import Catalog
from jackfield.config.schema import Config
from jackfield.errors import ConfigError, InvalidRequest, ModelNotFound, NotAllowed
from jackfield.message import ChatRequest, ImageBlock, ToolResult
from jackfield.model import Model, ModelRef, Privacy, ProviderInfo, Timeouts
from jackfield.transport.request import merge_timeouts

DEFAULT = "default"  # the name of whatever the config's primary is
# From the most private to the least; a policy admits its own level and those before it.
PRIVACY: tuple[Privacy, ...] = ("local", "private", "zdr", "anonymized", "standard")


class Candidate(Struct, frozen=True, kw_only=True):
    """One planned try."""

    ref: ModelRef
    info: ProviderInfo
    model: Model
    reason: str
    profile_id: str | None = None


class Skipped(Struct, frozen=True):
    """A model that will not be tried, and why."""

    ref: str
    reason: str


class Plan(Struct, frozen=True, kw_only=True):
    """What will be tried for a request, in order; never empty."""

    requested: str
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()


class Named(Struct, frozen=True, kw_only=True):
    """A model as somebody wrote it, with what they meant by it."""

    text: str
    reason: str
    profile_id: str | None = None
    explicit: bool = False  # named by the caller: the allowlist applies
    timeouts: Timeouts | None = None  # the route's


def plan(
    request: ChatRequest,
    config: Config,
    catalog: Catalog,
    *,
    fallbacks: Sequence[str] = (),
    profile_id: str | None = None,
) -> Plan:
    """Plan a request; raise when its model is unknown, not allowed or not configured.

    A `provider/model` stands alone unless the caller gives fallbacks; `default`, a route and
    an alias of a route bring their own.
    """
    names = list(_names(request.model or DEFAULT, config))
    names += [Named(text=text, reason="fallback given by the caller") for text in fallbacks]
    candidates = [_candidate(name, config, catalog, profile_id) for name in names]
    first = candidates[0]
    if names[0].explicit:
        check_allowed(first.ref, config, catalog)
    tried, skipped = _admit(_for_images(request, candidates, config, catalog), config)
    if not tried:
        raise NotAllowed(
            f"no candidate for {request.model or DEFAULT!r} is as private as models.policy.minPrivacy "
            f"({config.min_privacy}) asks",
            hint="\n".join(f"{skip.ref}: {skip.reason}" for skip in skipped),
        )
    return Plan(
        requested=request.model or DEFAULT,
        candidates=tuple(tried),
        skipped=tuple(skipped),
        warnings=tuple(_doubts(first, catalog)),
    )


def resolve_ref(text: str, config: Config, catalog: Catalog) -> tuple[ModelRef, str | None]:
    """Return the one model that a name means, and the profile pinned with `@`.

    `text` is a reference, an alias, a route (its primary) or `default`.
    """
    candidate = _candidate(next(_names(text, config)), config, catalog, None)
    return candidate.ref, candidate.profile_id


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
    patterns = [catalog.canonical(_follow(pattern, config)).lower() for pattern in config.allow.patterns]
    # Only a trailing `*` is a wildcard; ids hold brackets and question marks of their own.
    starts = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    exact = {pattern for pattern in patterns if not pattern.endswith("*")}

    def admits(ref: ModelRef) -> bool:
        name = catalog.canonical(str(ref)).lower()
        return name in exact or name.startswith(starts)

    return admits


# -- names -------------------------------------------------------------------------


def _names(text: str, config: Config) -> Iterator[Named]:
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
    meant = _follow(name, config)
    if meant in config.routes:
        route = config.routes[meant]
        steps = [
            (route.primary, f"primary of route {meant}"),
            *((each, f"fallback of route {meant}") for each in route.fallbacks),
        ]
        yield from (Named(text=_follow(text, config), reason=why, timeouts=route.timeouts) for text, why in steps)
        return
    via = f"{reason}, by alias {name}" if meant != name else reason
    yield Named(text=meant, reason=via, profile_id=profile_id, explicit=True)


def _follow(text: str, config: Config) -> str:
    # An alias may name another alias or a route; more steps than aliases is a circle.
    seen = text
    for _ in range(len(config.aliases) + 1):
        if seen in config.routes or seen.lower() not in config.aliases:
            return seen
        seen = config.aliases[seen.lower()]
    raise ConfigError(f"alias {text!r} leads back to itself", hint="see: jackfield models aliases list")


# -- candidates --------------------------------------------------------------------


def _candidate(name: Named, config: Config, catalog: Catalog, profile_id: str | None) -> Candidate:
    text, pinned = split_profile(_follow(name.text, config), tuple(config.auth_profiles))
    ref = ModelRef.parse(text) or _find_bare(text, config, catalog)
    info = catalog.provider(ref.provider)
    if info is None:
        raise ModelNotFound(f"unknown provider {ref.provider!r} in {text!r}", hint=_nearest(text, catalog))
    model = catalog.model(info.id, ref.model)
    ref = ModelRef(info.id, model.id)
    return Candidate(
        ref=ref,
        info=_with_defaults(info, config),
        model=_configured(model, str(ref), name, config),
        reason=name.reason,
        profile_id=profile_id or name.profile_id or pinned,
    )


def _with_defaults(info: ProviderInfo, config: Config) -> ProviderInfo:
    """Return the provider over what the config says of all models."""
    timeouts = merge_timeouts(Timeouts(total=config.timeout_s), info.timeouts)
    params = {**config.params.get("", {}), **info.params}
    return replace(info, params=params, timeouts=timeouts if timeouts != Timeouts() else None)


def _configured(model: Model, ref: str, name: Named, config: Config) -> Model:
    """Return the row with what the config says of this model, and of the route that leads to it."""
    params = {**(model.params or {}), **config.params.get(ref, {})}
    timeouts = merge_timeouts(model.timeouts or Timeouts(), name.timeouts)
    return replace(model, params=params or UNSET, timeouts=timeouts if timeouts != Timeouts() else UNSET)


def _find_bare(text: str, config: Config, catalog: Catalog) -> ModelRef:
    """Find the configured provider that alone has a model of this id."""
    owners = [
        provider
        for provider in (*config.providers, *_first_parts(config))
        if any(model.id == text for model in catalog.models(provider))
    ]
    if len(set(owners)) == 1:
        return ModelRef(owners[0], text)
    if owners:
        choices = ", ".join(f"{owner}/{text}" for owner in dict.fromkeys(owners))
        raise ModelNotFound(f"several providers have a model {text!r}", hint=f"name one: {choices}")
    raise ModelNotFound(f"unknown model {text!r}: neither provider/model nor an alias", hint=_nearest(text, catalog))


def _first_parts(config: Config) -> Iterator[str]:
    for text in (config.primary, *config.fallbacks, *config.configured):
        if text and (ref := ModelRef.parse(text)):
            yield ref.provider


def _nearest(text: str, catalog: Catalog) -> str:
    near = catalog.near(text)
    lines = [f"did you mean {', '.join(near)}?"] if near else []
    return "\n".join([*lines, "see: jackfield models list --all"])


def _doubts(candidate: Candidate, catalog: Catalog) -> Iterator[str]:
    # An id the catalog does not know is passed on (providers add models daily), but a typing
    # error should not cost a round trip to be noticed.
    known = catalog.models(candidate.info.id)
    if not known or any(model.id == candidate.model.id for model in known):
        return
    near = [ref for ref in catalog.near(str(candidate.ref)) if ref.startswith(f"{candidate.info.id}/")]
    if near and not candidate.info.local:
        yield f"{candidate.ref} is not in the catalog and is passed on as written; nearest: {', '.join(near)}"


def _for_images(request: ChatRequest, candidates: list[Candidate], config: Config, catalog: Catalog) -> list[Candidate]:
    """Put the image models in the place of candidates that are known to take no images."""
    if not has_images(request) or not _refuses_images(candidates[0]):
        return candidates
    names = [name for name in (config.image_primary, *config.image_fallbacks) if name]
    if not names:
        raise InvalidRequest(
            f"{candidates[0].ref} takes no images, and no image model is configured",
            hint="name a model that does, or set one: jackfield models set-image provider/model",
        )
    reason = f"the config's image model: {candidates[0].ref} takes no images"
    return [_candidate(Named(text=name, reason=reason), config, catalog, None) for name in names]


def has_images(request: ChatRequest) -> bool:
    """Tell whether any turn, or any tool's answer, holds a picture."""
    blocks = [block for message in request.messages for block in message.content]
    inner = [part for block in blocks if isinstance(block, ToolResult) for part in block.content]
    return any(isinstance(block, ImageBlock) for block in (*blocks, *inner))


def _refuses_images(candidate: Candidate) -> bool:
    # A model that says nothing about its input gets the benefit of the doubt.
    return candidate.model.input is not UNSET and "image" not in candidate.model.input


def _admit(candidates: list[Candidate], config: Config) -> tuple[list[Candidate], list[Skipped]]:
    admitted: dict[tuple[ModelRef, str | None], Candidate] = {}
    skipped = []
    for candidate in candidates:
        level = privacy_of(candidate.info, candidate.model)
        if config.min_privacy and PRIVACY.index(level) > PRIVACY.index(config.min_privacy):
            skipped.append(Skipped(str(candidate.ref), f"its privacy is {level}"))
        else:
            admitted.setdefault((candidate.ref, candidate.profile_id), candidate)
    return list(admitted.values()), skipped


def privacy_of(info: ProviderInfo, model: Model) -> Privacy:
    """Return what is promised about a request to this model; nothing said means standard."""
    if model.privacy is not UNSET:
        return model.privacy
    return info.privacy or ("local" if info.local else "standard")
