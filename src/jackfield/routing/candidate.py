"""What a plan is made of, as values: who will be tried, who will not, and why. Times are Unix milliseconds."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from jackfield.auth.sources import Source
from jackfield.config.schema import StreamBreak
from jackfield.health.record import Rest
from jackfield.model import Model, ModelRef, ProviderInfo

# Why somebody is not tried, in one word that programs may rely on.
Cause = Literal[
    "unknown_model", "privacy", "context_window", "no_images", "no_audio", "no_video", "no_tools", "no_schema",
    "not_configured", "missing_credential", "excluded_credential", "cooling", "credential_exhausted", "not_affordable", "not_kept",
]  # fmt: skip


class Candidate(Struct, frozen=True, kw_only=True):
    """One planned try: a model with a credential."""

    ref: ModelRef
    info: ProviderInfo
    model: Model
    reason: str
    profile_id: str | None = None
    source: Source | None = None  # the credential as listed, its reference not yet followed
    credential: str = ""  # the credential's id, as health knows it
    doubts: tuple[str, ...] = ()  # what the request needs and nobody knows of this model
    half_open: bool = False  # it failed, its rest is over: one at a time may try it
    last_resort: bool = False  # nothing is left but what was skipped; this is the least bad of it
    missing: str = ""  # why it has no credential: the try only says so, with what to do
    unpaid: str = ""  # why no limit of money covers it: the same

    @property
    def key(self) -> tuple[str, str, str]:
        """Provider, credential and model: by these health and pace know it."""
        return self.info.id, self.credential, self.model.id


class Skipped(Struct, frozen=True):
    """A model, or one credential of it, that will not be tried, and why."""

    ref: str
    reason: str
    credential: str = ""  # empty: none of them
    until_ms: int | None = None  # when it may be tried again, where that is known
    cause: Cause | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """What will be tried for a request, in order; never empty."""

    requested: str
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    primary: str = ""  # the model that was asked for, whether it is tried or not
    on_break: StreamBreak = "error"  # the route's word on a stream that breaks after its first content


def cause_of(rest: Rest) -> Cause:
    """Return in one word why a place rests: its credential is used up for every model, or it has failed."""
    is_spent = rest.place.credential and not rest.place.model and rest.kind in {"rate_limit", "billing"}
    return "credential_exhausted" if is_spent else "cooling"
