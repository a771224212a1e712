"""The plan of a request: which models to try, in which order, each with its reason.

A pure function of the request, the config and the catalog. It opens nothing and knows no
clock, so that a live call, an explanation and a test run the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile

from msgspec import UNSET
from msgspec.structs import replace

from jackfield.auth.sources import Source
from jackfield.catalog.load import Catalog
from jackfield.config.schema import Config
from jackfield.errors import ConfigError, InvalidRequest, ModelNotFound, NotAllowed
from jackfield.health.view import NOTHING, View
from jackfield.message import ChatRequest, ImageBlock, ToolResult
from jackfield.model import Model, ModelRef, ProviderInfo, Timeouts
from jackfield.routing.candidate import Candidate, Plan, Skipped
from jackfield.routing.names import DEFAULT, Named, expand_names, follow, split_profile
from jackfield.routing.needs import larger
from jackfield.routing.policy import PRIVACY, check_allowed, privacy_of
from jackfield.transport.request import merge_timeouts

__all__ = ["Candidate", "Plan", "Skipped", "has_images", "larger", "plan", "resolve_ref"]


def plan(  # noqa: PLR0913  what it depends on is all it may know
    request: ChatRequest,
    config: Config,
    catalog: Catalog,
    *,
    fallbacks: Sequence[str] = (),
    profile_id: str | None = None,
    credentials: Callable[[ProviderInfo], Sequence[Source]] | None = None,  # noqa: ARG001  not yet weighed
    health: View = NOTHING,  # noqa: ARG001
    now_ms: int = 0,  # noqa: ARG001
    sticky: Callable[[str], str | None] | None = None,  # noqa: ARG001
    spill_at: float | None = None,  # noqa: ARG001
    afford: Callable[[Candidate], str] | None = None,  # noqa: ARG001
) -> Plan:
    """Plan a request; raise when its model is unknown, not allowed or not configured.

    A `provider/model` stands alone unless the caller gives fallbacks; `default`, a route and
    an alias of a route bring their own.
    """
    names = list(expand_names(request.model or DEFAULT, config))
    names += [Named(text=text, reason="fallback given by the caller", explicit=True) for text in fallbacks]
    candidates, lost = _candidates(names, config, catalog, profile_id)
    first = candidates[0]
    tried, skipped = _admit(_for_images(request, candidates, config, catalog), config)
    skipped = lost + skipped
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
        warnings=(*_doubts(first, catalog), *(f"{skip.ref} is skipped: {skip.reason}" for skip in lost)),
    )


def resolve_ref(text: str, config: Config, catalog: Catalog) -> tuple[ModelRef, str | None]:
    """Return the one model that a name means, and the profile pinned with `@`.

    `text` is a reference, an alias, a route (its primary) or `default`.
    """
    candidate = _candidate(next(expand_names(text, config)), config, catalog, None)
    return candidate.ref, candidate.profile_id


# -- candidates --------------------------------------------------------------------


def _candidates(
    names: Sequence[Named], config: Config, catalog: Catalog, profile_id: str | None
) -> tuple[list[Candidate], list[Skipped]]:
    """Return the candidates, and the names that lead nowhere.

    A wrong name is an error where somebody asks for it; one far down in the config must not
    cost the answer of those before it.
    """
    found: list[Candidate] = []
    lost = []
    for name in names:
        try:
            candidate = _candidate(name, config, catalog, profile_id)
        except (ConfigError, ModelNotFound) as error:
            if name.explicit or not found:
                raise
            lost.append(Skipped(name.text, error.message))
            continue
        if name.explicit:
            check_allowed(candidate.ref, config, catalog)
        found.append(candidate)
    return found, lost


def _candidate(name: Named, config: Config, catalog: Catalog, profile_id: str | None) -> Candidate:
    text, pinned = split_profile(follow(name.text, config), tuple(config.auth_profiles))
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
    if info := catalog.provider(text.strip("/")):
        such = f", such as {info.id}/{info.default_model}" if info.default_model else ""
        return f"{info.id} is a provider; name a model of it{such}\nsee: jackfield models list --provider {info.id}"
    near = catalog.near(text)
    lines = [f"did you mean {', '.join(near)}?"] if near else []
    return "\n".join([*lines, "see: jackfield models list --all"])


def _doubts(candidate: Candidate, catalog: Catalog) -> Iterator[str]:
    # An id the catalog does not know is passed on (providers add models daily), but a typing
    # error should not cost a round trip to be noticed.
    known = (*catalog.models(candidate.info.id), *candidate.info.embeddings)
    if not known or any(model.id == candidate.model.id for model in known) or candidate.model.effort:
        return
    near = [ref for ref in catalog.near(str(candidate.ref)) if ref.startswith(f"{candidate.info.id}/")]
    if near and not candidate.info.local:
        yield f"{candidate.ref} is not in the catalog and is passed on as written; nearest: {', '.join(near)}"


def _for_images(request: ChatRequest, candidates: list[Candidate], config: Config, catalog: Catalog) -> list[Candidate]:
    """Put the image models in the place of candidates that are known to take no images.

    Pictures of earlier turns do not choose the model: they are left out for one that takes none.
    """
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
    """Tell whether what the model is to answer now, words or tools' results, holds a picture."""
    latest = takewhile(lambda message: message.role == "user", reversed(request.messages))
    blocks = [block for message in latest for block in message.content]
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
