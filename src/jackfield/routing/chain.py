"""The models a name leads to, in the user's order: candidates that have no credential yet.

Pure: it depends on the name, the config and the catalog alone, and is worked out once for as long
as these stay what they are. Knows nothing of the request, of failures and of credentials.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from weakref import WeakKeyDictionary

from msgspec import UNSET, Struct
from msgspec.structs import replace

from jackfield.catalog.discovered import Shelf
from jackfield.catalog.load import Catalog
from jackfield.config.schema import Config, StreamBreak
from jackfield.errors import ConfigError, ModelNotFound
from jackfield.model import Model, ModelRef, ProviderInfo, Timeouts
from jackfield.routing.candidate import Candidate, Skipped
from jackfield.routing.names import Named, expand_names, follow, split_profile
from jackfield.routing.policy import PRIVACY, check_allowed, privacy_of
from jackfield.transport.request import merge_timeouts

KEPT = 256  # chains: more names than any config has, fewer than strangers can think of


class Chain(Struct, frozen=True, kw_only=True):
    """What a name leads to."""

    first: Candidate  # what was asked for, whether it is admitted or not
    drafts: tuple[Candidate, ...]  # without a credential; empty when none is private enough
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    on_break: StreamBreak = "error"


Asked = tuple[str, tuple[str, ...], str | None]  # a name, the fallbacks, the pinned profile
_kept: WeakKeyDictionary[Catalog, tuple[Config, Shelf, dict[Asked, Chain]]] = WeakKeyDictionary()


def find_chain(name: str, fallbacks: Sequence[str], profile_id: str | None, config: Config, catalog: Catalog) -> Chain:
    """Return what a name and the caller's fallbacks lead to; raise when it is unknown, not allowed or not configured."""
    known = _kept.get(catalog)
    if known is None or known[0] is not config or known[1] is not catalog.shelf:
        known = _kept[catalog] = config, catalog.shelf, {}
    chains, asked = known[2], (name, tuple(fallbacks), profile_id)
    if asked not in chains:
        chain = _make_chain(asked, config, catalog)
        if len(chains) >= KEPT:
            chains.clear()
        chains[asked] = chain
    return chains[asked]


def find_image_models(first: Candidate, config: Config, catalog: Catalog) -> tuple[Candidate, ...]:
    """Return the config's models for pictures, which stand in where the first choice takes none."""
    names = [name for name in (config.image_primary, *config.image_fallbacks) if name]
    reason = f"the config's image model: {first.ref} takes no images"
    return tuple(_candidate(Named(text=name, reason=reason), config, catalog, None) for name in names)


def resolve_ref(text: str, config: Config, catalog: Catalog) -> tuple[ModelRef, str | None]:
    """Return the one model that a name means, and the profile pinned with `@`.

    `text` is a reference, an alias, a route (its primary) or `default`.
    """
    candidate = _candidate(next(expand_names(text, config)), config, catalog, None)
    return candidate.ref, candidate.profile_id


def admit(candidates: Iterable[Candidate], config: Config) -> tuple[tuple[Candidate, ...], tuple[Skipped, ...]]:
    """Return the candidates that are private enough, each once, and the others."""
    admitted: dict[tuple[ModelRef, str | None], Candidate] = {}
    skipped = []
    for candidate in candidates:
        level = privacy_of(candidate.info, candidate.model)
        if config.min_privacy and PRIVACY.index(level) > PRIVACY.index(config.min_privacy):
            skipped.append(Skipped(str(candidate.ref), f"its privacy is {level}", cause="privacy"))
        else:
            admitted.setdefault((candidate.ref, candidate.profile_id), candidate)
    return tuple(admitted.values()), tuple(skipped)


# -- candidates --------------------------------------------------------------------


def _make_chain(asked: Asked, config: Config, catalog: Catalog) -> Chain:
    name, fallbacks, profile_id = asked
    names = list(expand_names(name, config))
    given = [Named(text=text, reason="fallback given by the caller", explicit=True) for text in fallbacks]
    candidates, lost = _candidates([*names, *given], config, catalog, profile_id)
    drafts, skipped = admit(candidates, config)
    return Chain(
        first=candidates[0],
        drafts=drafts,
        skipped=(*lost, *skipped),
        warnings=(*_warnings(candidates[0], catalog), *(f"{skip.ref} is skipped: {skip.reason}" for skip in lost)),
        on_break=names[0].on_break,
    )


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
            lost.append(Skipped(name.text, error.message, cause="unknown_model"))
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


def _warnings(candidate: Candidate, catalog: Catalog) -> Iterator[str]:
    # An id the catalog does not know is passed on (providers add models daily), but a typing
    # error should not cost a round trip to be noticed.
    known = (*catalog.models(candidate.info.id), *candidate.info.embeddings)
    if not known or any(model.id == candidate.model.id for model in known) or candidate.model.effort:
        return
    near = [ref for ref in catalog.near(str(candidate.ref)) if ref.startswith(f"{candidate.info.id}/")]
    if near and not candidate.info.local:
        yield f"{candidate.ref} is not in the catalog and is passed on as written; nearest: {', '.join(near)}"
