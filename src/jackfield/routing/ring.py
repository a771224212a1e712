"""Which credentials a model may be tried with, in which order, and which rest. Pure: the time is an argument.

The order is that of `auth.sources`; here a session stays with its credential, and one whose quota
is nearly used up goes last. No reference to a secret is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from jackfield.auth.details import is_renewable
from jackfield.auth.sources import Reason, Source, credential_id, entry_of, key_variable, profile_source
from jackfield.config.schema import Config
from jackfield.health.record import Rest
from jackfield.health.view import NOTHING, View
from jackfield.model import ProviderInfo
from jackfield.routing.candidate import Candidate, Cause, cause_of

REFUSALS: dict[Reason, str] = {
    "expired": "it has expired",
    "excluded_by_auth_order": "the order of profiles leaves it out",
    "ineligible_profile": "it is of another kind than the config says",
    "missing_credential": "it is empty",
    "unresolved_ref": "its secret is not there",
}


class Moment(Struct, frozen=True, kw_only=True):
    """What holds as a plan is made, beside the request, the config and the catalog."""

    credentials: Callable[[ProviderInfo], Sequence[Source]] | None = None  # without it nobody asks for any
    health: View = NOTHING
    now_ms: int = 0
    sticky: Callable[[str], str | None] | None = None  # the credential a session stays with at a provider
    spill_at: float | None = None  # a credential whose quota is used so far goes last
    afford: Callable[[Candidate], str] | None = None  # says why a candidate may not be paid for


class Held(Struct, frozen=True):
    """A credential and the name health knows it by; without a source nobody has looked for one."""

    source: Source | None
    id: str


class Refused(Struct, frozen=True):
    """A credential that cannot be used, and why."""

    label: str
    words: str
    cause: Cause


class Ring(Struct, frozen=True):
    """The credentials of a provider: those to try in order, and the others; `missing` says why there is none."""

    held: tuple[Held, ...]
    refused: tuple[Refused, ...] = ()
    missing: str = ""
    cause: Cause = "missing_credential"


UNASKED = Ring((Held(None, ""),))


def find_ring(info: ProviderInfo, profile_id: str | None, config: Config, moment: Moment) -> Ring:
    """Return the credentials a provider's models may be tried with; `profile_id` names the only one."""
    if moment.credentials is None:
        return UNASKED
    entry = entry_of(info, config) if config.providers else None
    unfilled = [str(each) for each in entry.missing if not each.key.endswith(".apiKey")] if entry else []
    if unfilled:
        return Ring((), missing="; ".join(unfilled), cause="not_configured")
    listed = moment.credentials(info)
    if profile_id is not None:
        return _pinned(info, profile_id, listed, config, moment)
    held = tuple([Held(source, credential_id(source)) for source in listed if not source.reason])
    refused = tuple([_refusal(source) for source in listed if source.reason])
    return Ring(_in_turn(info, held, moment), refused, missing="" if held else _missing(info, refused))


def describe_rest(rest: Rest) -> str:
    """Return why a place rests, the word for it first."""
    status = f" {rest.status}" if rest.status else ""
    return f"{cause_of(rest)}: {rest.kind}{status}{f', {rest.message}' if rest.message else ''}"


def _pinned(info: ProviderInfo, profile_id: str, listed: Sequence[Source], config: Config, moment: Moment) -> Ring:
    found = next((source for source in listed if source.profile and source.profile.id == profile_id), None)
    if found is None or found.profile is None:
        return Ring((), missing=f"{info.id} has no profile {profile_id}")
    if found.reason:
        # Who names a profile wants it, also one that an order leaves out.
        renewable = is_renewable(info, found.profile)
        found = profile_source(found.profile, config, moment.now_ms, renewable=renewable)
    if found.reason:
        return Ring((), missing=f"{found.label}: {REFUSALS[found.reason]}")
    return Ring((Held(found, credential_id(found)),))


def _in_turn(info: ProviderInfo, held: tuple[Held, ...], moment: Moment) -> tuple[Held, ...]:
    if len(held) < 2:
        return held
    favourite = moment.sticky(info.id) if moment.sticky else None
    return tuple(sorted(held, key=lambda each: (_is_nearly_used(info, each, moment), each.id != favourite)))


def _is_nearly_used(info: ProviderInfo, held: Held, moment: Moment) -> bool:
    windows = moment.health.quotas(info.id, held.id)
    return any(each.reaches(moment.spill_at, moment.now_ms) for each in windows)


def _refusal(source: Source) -> Refused:
    cause: Cause = "excluded_credential" if source.reason == "excluded_by_auth_order" else "missing_credential"
    return Refused(source.label, source.detail or REFUSALS[source.reason], cause)


def _missing(info: ProviderInfo, refused: Sequence[Refused]) -> str:
    if refused:
        return "no credential: " + "; ".join(map(_tell, refused))
    variable = key_variable(info)
    return f"no credential: {variable} is not set" if variable else "no credential: nobody has signed in"


def _tell(each: Refused) -> str:
    # Words about an entry of the config begin with its place.
    place = each.label.partition(": ")[2]
    return each.words if place and each.words.startswith(place) else f"{each.label}: {each.words}"
