"""What this set-up has for each provider: places of credentials, which of them counts, how good each is.

Looks at files and variables; sends nothing, prints nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from jackfield.auth.health import Health, judge, roll_up
from jackfield.auth.sources import Source, sources
from jackfield.auth.usage import Usage
from jackfield.credential import Profile
from jackfield.errors import Error
from jackfield.model import ProviderInfo
from jackfield.providers.url import chat_url
from jackfield.routing.chain import resolve_ref
from jackfield.setup.installation import Installation


class ProviderState(Struct, frozen=True, kw_only=True):
    """One provider as this set-up reaches it."""

    info: ProviderInfo
    found: tuple[Source, ...]
    in_use: bool

    @property
    def chosen(self) -> Source | None:
        """The credential that would be sent: the first place that gives something."""
        return next((source for source in self.found if not source.reason), None)

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The stored profiles, those that are not used too."""
        return tuple(source.profile for source in self.found if source.profile)

    @property
    def url(self) -> str | None:
        """Where a chat request goes; `None` when this version cannot call the provider."""
        try:
            return chat_url(self.info.base_url, self.info.api, endpoint=self.info.endpoint or None, model="MODEL")
        except Error:
            return None

    def health(self, now_ms: int) -> Health:
        """Return how good the stored profiles are."""
        return roll_up(judge(profile, now_ms) for profile in self.profiles)


def list_states(home: Installation) -> list[ProviderState]:
    """Return the providers that are in use or have something to show, sorted."""
    used, known = _used(home), home.config.providers
    infos = filter(None, map(home.catalog.provider, home.catalog.provider_ids()))
    states = (_state(home, info, info.id in used) for info in infos)
    return [
        each for each in states if each.in_use or each.info.id in known or any(at.kind != "none" for at in each.found)
    ]


def state_of(home: Installation, info: ProviderInfo) -> ProviderState:
    """Return what there is for one provider."""
    return _state(home, info, info.id in _used(home))


def _state(home: Installation, info: ProviderInfo, in_use: bool) -> ProviderState:
    return ProviderState(info=info, found=tuple(sources(info, home.config, home.store, home.now_ms())), in_use=in_use)


def _used(home: Installation) -> set[str]:
    return {ref.partition("/")[0] for ref in (name_model(home, text) for text in chosen_names(home)) if ref}


def chosen_names(home: Installation) -> list[str]:
    """Return the models in use as the config names them: default, fallbacks, the same for images."""
    config = home.config
    names = (config.primary, *config.fallbacks, config.image_primary, *config.image_fallbacks)
    return [name for name in names if name]


def name_model(home: Installation, text: str | None) -> str | None:
    """Return the `provider/model` that a name means; one that leads nowhere stays as it is."""
    if not text:
        return None
    try:
        return str(resolve_ref(text, home.config, home.catalog)[0])
    except Error:
        return text


def list_resting(home: Installation, states: Sequence[ProviderState]) -> list[tuple[Profile, Usage]]:
    """Return the profiles that rest, the one that is back first before the others."""
    now_ms = home.now_ms()
    found = [(profile, home.store.usage(profile.id)) for state in states for profile in state.profiles]
    resting = [(profile, usage) for profile, usage in found if usage.rests_until(now_ms)]
    return sorted(resting, key=lambda pair: pair[1].rests_until(now_ms))


def verdict(home: Installation, states: Sequence[ProviderState]) -> int:
    """Return the exit code of a check: 1 something is missing or expired, 2 something soon is, 0 all is well."""
    now_ms = home.now_ms()
    health = {judge(profile, now_ms) for profile in home.store.list() if profile.type != "api_key"}
    known = {state.info.id for state in states}
    lost = [name for name in chosen_names(home) if (name_model(home, name) or "").partition("/")[0] not in known]
    if lost or health & {"expired", "missing"} or any(state.in_use and state.chosen is None for state in states):
        return 1
    return 2 if "expiring" in health else 0
