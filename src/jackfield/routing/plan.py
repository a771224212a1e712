"""The plan of a request: which models to try with which credentials, in which order, each with its reason.

A pure function of the request, the config, the catalog, the credentials and what failed lately.
It opens nothing, follows no reference to a secret and knows no clock, so that a live call, an
explanation and a test run the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from jackfield.catalog.load import Catalog
from jackfield.config.schema import Config
from jackfield.errors import InvalidRequest, NotAllowed
from jackfield.health.record import Rest
from jackfield.message import ChatRequest
from jackfield.model import ModelRef
from jackfield.routing.candidate import Candidate, Cause, Plan, Skipped, cause_of
from jackfield.routing.chain import Chain, admit, find_chain, find_image_models
from jackfield.routing.names import DEFAULT
from jackfield.routing.needs import Needs, Veto, fit, refuses, weigh, window_of
from jackfield.routing.ring import Held, Moment, Ring, describe_rest, find_ring

__all__ = ["Moment", "Plan", "plan"]


UNKNOWN = Moment()
Unfit = tuple[Candidate, Veto]  # a draft and what speaks against it


class LeftOut(Struct, frozen=True):
    """A candidate that is not for now, and why."""

    candidate: Candidate
    skip: Skipped


class Sorted(Struct, frozen=True):
    """The candidates of a plan by what may be done with them; `left` is in the order they were met."""

    ready: list[Candidate]
    left: list[LeftOut]
    rests: list[tuple[Rest, LeftOut]]


def plan(
    request: ChatRequest,
    config: Config,
    catalog: Catalog,
    moment: Moment = UNKNOWN,
    *,
    fallbacks: Sequence[str] = (),
    profile_id: str | None = None,
) -> Plan:
    """Plan a request; raise when its model is unknown, not allowed or not configured.

    A `provider/model` stands alone unless the caller gives fallbacks; `default`, a route and
    an alias of a route bring their own. All credentials of a model come before the next model.
    Where nobody asks for credentials there is one candidate per model. What the request needs and
    nobody knows of a model is no reason to leave it out: it goes last.
    """
    requested = request.model or DEFAULT
    chain = find_chain(requested, fallbacks, profile_id, config, catalog)
    needs = weigh(request)
    drafts, outside = _drafts(chain, needs, config, catalog)
    if not drafts:
        raise _none_private(requested, outside, config)
    fitting, unfit = _fitting(drafts, needs)
    found = _sort_out(fitting or _least_bad(unfit, needs), config, moment)
    candidates, instead = _pick(found)
    left = [each.skip for each in found.left if each is not instead]
    if not fitting:
        candidates, unfit, left = _only_one(candidates, unfit, left)
    return Plan(
        requested=requested,
        primary=str(chain.first.ref),
        candidates=candidates,
        skipped=(*outside, *(_skip(draft, veto.words, veto.cause) for draft, veto in unfit), *left),
        warnings=chain.warnings,
        on_break=chain.on_break,
    )


# -- models --------------------------------------------------------------------------


def _drafts(chain: Chain, needs: Needs, config: Config, catalog: Catalog) -> tuple[Sequence[Candidate], list[Skipped]]:
    """Return the models that the user's rules admit, the image models before those of a chain that begins blind.

    Pictures of earlier turns do not choose the model: they are left out for one that takes none.
    """
    if "image" not in needs.files or not refuses(chain.first, "image"):
        return chain.drafts, [*chain.skipped]
    drafts, skipped = admit((*find_image_models(chain.first, config, catalog), *chain.drafts), config)
    return drafts, [*chain.skipped, *(skip for skip in skipped if skip not in chain.skipped)]


def _fitting(drafts: Sequence[Candidate], needs: Needs) -> tuple[list[Candidate], list[Unfit]]:
    """Return the drafts that may take the request, each with what is in doubt, and the others."""
    fitting, unfit = [], list[Unfit]()
    for draft in drafts:
        vetoes, doubts = fit(needs, draft.info, draft.model)
        if vetoes:
            unfit.append((draft, vetoes[0]))
        else:
            fitting.append(replace(draft, doubts=doubts) if doubts else draft)
    return fitting, unfit


def _least_bad(unfit: Sequence[Unfit], needs: Needs) -> list[Candidate]:
    """Return whom to ask when all are in vain by what is known of them, the roomiest first.

    An estimate is no count, and of what a model cannot take a wire says what becomes. But nobody
    answers about a picture he has not seen.
    """
    able = [pair for pair in unfit if not ("image" in needs.files and refuses(pair[0], "image"))]
    if not able:
        blind = ", ".join(str(draft.ref) for draft, _ in unfit)
        raise InvalidRequest(
            f"{blind} takes no images, and no image model is configured",
            hint="name a model that does, or set one: jackfield models set-image provider/model",
        )
    able.sort(key=lambda pair: -(window_of(pair[0].model) or 0))
    return [
        replace(draft, reason=f"{draft.reason}; nothing else is left, though {veto.words}", last_resort=True)
        for draft, veto in able
    ]


def _only_one(
    candidates: Sequence[Candidate], unfit: Sequence[Unfit], left: Sequence[Skipped]
) -> tuple[tuple[Candidate, ...], list[Unfit], list[Skipped]]:
    """Return the first model of those that do not fit, and the others as left out: asking one is enough to be told so."""
    chosen = candidates[0].ref
    return (
        tuple(each for each in candidates if each.ref == chosen),
        [(draft, veto) for draft, veto in unfit if draft.ref != chosen],
        [skip for skip in left if skip.ref == str(chosen)],
    )


# -- models × credentials ------------------------------------------------------------


def _sort_out(drafts: Sequence[Candidate], config: Config, moment: Moment) -> Sorted:
    found = Sorted([], [], [])
    rings = dict[tuple[str, str | None], Ring]()
    # Only a pinned profile can lead to the same model with the same credential twice.
    met = set[tuple[ModelRef, str]]() if any(draft.profile_id for draft in drafts) else None
    for draft in drafts:
        key = draft.info.id, draft.profile_id
        ring = rings.get(key)
        if ring is None:
            ring = rings[key] = find_ring(draft.info, draft.profile_id, config, moment)
        for held in ring.held:
            candidate = _with_credential(draft, held)
            if met is None or _is_new(candidate, met):
                _sort_in(candidate, found, moment)
        _leave_out(draft, ring, found)
    return found


def _is_new(candidate: Candidate, met: set[tuple[ModelRef, str]]) -> bool:
    identity = candidate.ref, candidate.credential or candidate.profile_id or ""
    is_new = identity not in met
    met.add(identity)
    return is_new


def _with_credential(draft: Candidate, held: Held) -> Candidate:
    source = held.source
    if source is None:
        return draft
    profile_id = source.profile.id if source.profile else None
    return replace(draft, source=source, credential=held.id, profile_id=profile_id)


def _sort_in(candidate: Candidate, found: Sorted, moment: Moment) -> None:
    rest, is_half_open = moment.health.look(*candidate.key, moment.now_ms)
    if rest:
        skip = _skip(candidate, describe_rest(rest), cause_of(rest), rest.until_ms)
        found.left.append(LeftOut(candidate, skip))
        found.rests.append((rest, found.left[-1]))
    elif moment.afford and (why := moment.afford(candidate)):
        found.left.append(LeftOut(replace(candidate, unpaid=why), _skip(candidate, why, "not_affordable")))
    else:
        found.ready.append(replace(candidate, half_open=True) if is_half_open else candidate)


def _leave_out(draft: Candidate, ring: Ring, found: Sorted) -> None:
    """Note what a model cannot be tried with; where it has nothing else, the model itself."""
    if ring.missing:
        missing = replace(draft, missing=ring.missing)
        found.left.append(LeftOut(missing, _skip(draft, ring.missing, ring.cause)))
        return
    for each in ring.refused:
        skip = Skipped(str(draft.ref), each.words, each.label, cause=each.cause)
        found.left.append(LeftOut(draft, skip))


def _skip(candidate: Candidate, words: str, cause: Cause, until_ms: int | None = None) -> Skipped:
    return Skipped(str(candidate.ref), words, candidate.credential, until_ms, cause)


def _pick(found: Sorted) -> tuple[tuple[Candidate, ...], LeftOut | None]:
    """Return who is tried, those in doubt last; without anybody the one that was left out for the least."""
    if found.ready:
        if any(candidate.doubts for candidate in found.ready):
            return tuple(sorted(found.ready, key=lambda candidate: bool(candidate.doubts))), None
        return tuple(found.ready), None
    if found.rests:
        rest, soonest = min(found.rests, key=lambda pair: pair[0].until_ms)
        reason = f"{soonest.candidate.reason}; all rest and it is back first, {describe_rest(rest)}"
        return (replace(soonest.candidate, reason=reason, last_resort=True),), soonest
    # To ask it only says which limit does not cover it, or what is missing, and what to do.
    unpaid = (each for each in found.left if each.skip.cause == "not_affordable")
    left = next(unpaid, None) or next(each for each in found.left if each.candidate.missing)
    return (left.candidate,), left


# -- refusals ------------------------------------------------------------------------


def _none_private(requested: str, skipped: Sequence[Skipped], config: Config) -> NotAllowed:
    return NotAllowed(
        f"no candidate for {requested!r} is as private as models.policy.minPrivacy ({config.min_privacy}) asks",
        hint=_told(skipped),
    )


def _told(skipped: Iterable[Skipped]) -> str:
    return "\n".join(f"{skip.ref}: {skip.reason}" for skip in skipped)
