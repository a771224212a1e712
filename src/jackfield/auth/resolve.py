"""Which credential a provider's request gets, and what to do when there is none.

Reads the list of sources and stops at the first that gives something. Sends nothing,
refreshes nothing, prints nothing; time is an argument.
"""

from __future__ import annotations

from jackfield.auth.sources import Source, entry_of, names, profile_source, sources, variables
from jackfield.auth.store import FileStore
from jackfield.config.schema import Config
from jackfield.credential import RequestAuth
from jackfield.errors import ConfigError, MissingKey
from jackfield.model import ProviderInfo

__all__ = ["Source", "is_available", "resolve", "resolve_all", "sources"]


def resolve(
    info: ProviderInfo, config: Config, store: FileStore, now_ms: int, profile_id: str | None = None
) -> RequestAuth:
    """Return the credential to use; `profile_id` names one and excludes every other place.

    Raises `MissingKey` naming the variable and the command that help, `ConfigError` when the
    provider's address or a header needs a variable that is not set, `AuthError` for a key that
    cannot be sent.
    """
    return resolve_all(info, config, store, now_ms, profile_id)[0]


def resolve_all(
    info: ProviderInfo, config: Config, store: FileStore, now_ms: int, profile_id: str | None = None
) -> tuple[RequestAuth, ...]:
    """Return every credential that may be tried, best first; never empty, raises like `resolve`.

    A key that cannot be sent is an error in the first place only: there the user means it.
    """
    _require_filled(info, config)
    if profile_id is not None:
        return (_pinned(info, config, store, now_ms, profile_id).to_auth(),)
    found = tuple(sources(info, config, store, now_ms))
    usable = [source for source in found if not source.reason]
    if usable:
        given = [usable[0].to_auth(), *(rest.to_auth() for rest in usable[1:] if rest.is_sendable())]
        return tuple(auth for at, auth in enumerate(given) if auth not in given[:at])
    raise _missing(info, found, config, store)


def is_available(info: ProviderInfo, config: Config, store: FileStore, now_ms: int) -> bool:
    """Tell whether a request could be sent; reads files, calls nobody."""
    return any(not source.reason for source in sources(info, config, store, now_ms))


def _require_filled(info: ProviderInfo, config: Config) -> None:
    entry = entry_of(info, config)
    for missing in entry.missing if entry else ():
        if not missing.key.endswith(".apiKey"):
            raise ConfigError(str(missing), hint=f"set {missing.name}, or correct {missing.key}")


def _pinned(info: ProviderInfo, config: Config, store: FileStore, now_ms: int, profile_id: str) -> Source:
    profile = store.read(profile_id)
    if profile is None:
        raise MissingKey(
            f"no credentials found for profile {profile_id!r}", hint=f'see "jackfield models auth list" ({store.path})'
        )
    if profile.provider not in names(info, config):
        raise MissingKey(
            f"auth profile {profile_id!r} is not configured for {info.id}", hint=f"it belongs to {profile.provider}"
        )
    source = profile_source(profile, config, now_ms)
    if source.reason:
        raise MissingKey(f"auth profile {profile_id!r} cannot be used: {source.reason}", hint=_advice(info))
    return source


# -- what to say when there is none ------------------------------------------------


def _missing(info: ProviderInfo, found: tuple[Source, ...], config: Config, store: FileStore) -> MissingKey:
    entry = entry_of(info, config)
    # The variable the user's own config waits for comes before those of the catalog.
    awaited = next((each.name for each in entry.missing if each.key.endswith(".apiKey")), None) if entry else None
    useless = "; ".join(source.detail or f"{source.label} ({source.reason})" for source in found if source.reason)
    return MissingKey(
        f'no API key found for provider "{info.id}"{useless and f": {useless}"}',
        hint=f"{_advice(info, awaited)}\ncredentials are kept in {store.path}",
    )


def _advice(info: ProviderInfo, awaited: str | None = None) -> str:
    sign_in = next((method.choice for method in info.auth if method.kind not in {"api-key", "token"}), None)
    named = variables(info)
    if not (named or awaited) and sign_in:
        return f"run: jackfield onboard --auth-choice {sign_in}"
    paste = f"jackfield models auth paste-api-key --provider {info.id}"
    variable = awaited or next((name for name in named if name.endswith("_API_KEY")), named[0] if named else None)
    return f"set {variable}, or run: {paste}" if variable else f"run: {paste}"
