"""Which credential a provider's request gets, and what to do when there is none.

Reads the list of sources and stops at the first that gives something. Sends nothing,
refreshes nothing, prints nothing; time is an argument. References to secrets are followed
here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from jackfield.auth.details import is_renewable, with_details
from jackfield.auth.secret import read_ref
from jackfield.auth.sources import Source, entry_of, key_variable, names, profile_source, sources
from jackfield.auth.store import FileStore
from jackfield.config.schema import Config
from jackfield.credential import RequestAuth, Secret
from jackfield.errors import ConfigError, Error, MissingKey
from jackfield.model import ProviderInfo

__all__ = ["Source", "each", "follow", "is_available", "open_source", "resolve", "resolve_all", "sources"]


def resolve(
    info: ProviderInfo, config: Config, store: FileStore, now_ms: int, profile_id: str | None = None
) -> RequestAuth:
    """Return the credential to use; `profile_id` names one and excludes every other place.

    Raises `MissingKey` naming the variable and the command that help, `ConfigError` when the
    provider's address or a header needs a variable that is not set, `AuthError` for a key that
    cannot be sent.
    """
    return next(each(info, config, store, now_ms, profile_id))


def resolve_all(
    info: ProviderInfo, config: Config, store: FileStore, now_ms: int, profile_id: str | None = None
) -> tuple[RequestAuth, ...]:
    """Return every credential that may be tried, best first; never empty, raises like `resolve`.

    A key that cannot be sent is an error in the first place only: there the user means it.
    """
    given = [*each(info, config, store, now_ms, profile_id)]
    return tuple(auth for at, auth in enumerate(given) if auth not in given[:at])


def each(
    info: ProviderInfo, config: Config, store: FileStore, now_ms: int, profile_id: str | None = None
) -> Iterator[RequestAuth]:
    """Yield every credential that may be tried, best first, at least one; raises like `resolve`.

    A reference to a secret is followed when its turn comes: whoever stops at the first asks no
    second command. One that leads nowhere is passed over.
    """
    _require_filled(info, config)
    headers = _headers(info, config)
    if profile_id is not None:
        source = follow(_pinned(info, config, store, now_ms, profile_id), config, store)
        yield _with(source, info, config, headers)
        return
    found = tuple(sources(info, config, store, now_ms))
    count, failed = 0, dict[str, Error]()
    for source in found:
        if source.reason:
            continue
        try:
            reached = follow(source, config, store)
        except (MissingKey, ConfigError) as error:
            failed[source.label] = error
            continue
        if count == 0 or reached.is_sendable():
            count += 1
            yield _with(reached, info, config, headers)
    if not count:
        raise _missing(info, found, config, store, failed)


def open_source(source: Source, info: ProviderInfo, config: Config, store: FileStore) -> RequestAuth:
    """Return what a request gets from one of `sources`, its reference followed; raises like `resolve`."""
    _require_filled(info, config)
    return _with(follow(source, config, store), info, config, _headers(info, config))


def follow(source: Source, config: Config, store: FileStore) -> Source:
    """Return a source with its secret, wherever it stands: the one place where a reference is followed.

    Raises `MissingKey` when the reference leads nowhere, `ConfigError` when there is no keyring.
    """
    if source.ref is None:
        return source
    profile = source.profile
    if profile and source.ref.source == "keyring":
        opened = store.read(profile.id)
        if opened is None or not opened.secret:
            raise MissingKey(
                f"the keyring has no entry {source.ref.id!r}", hint="sign in again, or paste the key again"
            )
        return replace(source, secret=opened.secret, profile=opened, ref=None)
    return replace(source, secret=read_ref(source.ref, config.environ), ref=None)


def is_available(info: ProviderInfo, config: Config, store: FileStore, now_ms: int) -> bool:
    """Tell whether a request could be sent; reads files, calls nobody."""
    return any(not source.reason for source in sources(info, config, store, now_ms))


def _require_filled(info: ProviderInfo, config: Config) -> None:
    entry = entry_of(info, config)
    for missing in entry.missing if entry else ():
        if not missing.key.endswith(".apiKey"):
            raise ConfigError(str(missing), hint=f"set {missing.name}, or correct {missing.key}")


def _headers(info: ProviderInfo, config: Config) -> dict[str, Secret]:
    """Return the headers whose values stand elsewhere; one that cannot be had is an error, as a missing variable is."""
    entry = entry_of(info, config)
    found = {}
    for name, value in entry.header_refs.items() if entry else ():
        if value.ref:
            try:
                found[name] = read_ref(value.ref, config.environ)
            except MissingKey as error:
                raise ConfigError(f"{value.origin}: {error.message}", hint=error.hint) from error
    return found


def _with(source: Source, info: ProviderInfo, config: Config, headers: Mapping[str, Secret]) -> RequestAuth:
    auth = with_details(source.to_auth(), info, source.profile, moved=is_moved(info, config))
    return replace(auth, headers={**auth.headers, **headers}) if headers else auth


def is_moved(info: ProviderInfo, config: Config) -> bool:
    """Tell whether the user gave the provider another address, which a token's own does not change."""
    entry = entry_of(info, config)
    return entry is not None and entry.base_url is not None


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
    source = profile_source(profile, config, now_ms, renewable=is_renewable(info, profile))
    if source.reason:
        raise MissingKey(f"auth profile {profile_id!r} cannot be used: {source.reason}", hint=_advice(info))
    return source


# -- what to say when there is none ------------------------------------------------


def _missing(
    info: ProviderInfo, found: tuple[Source, ...], config: Config, store: FileStore, failed: Mapping[str, Error]
) -> MissingKey:
    entry = entry_of(info, config)
    # The variable the user's own config waits for comes before those of the catalog.
    awaited = next((each.name for each in entry.missing if each.key.endswith(".apiKey")), None) if entry else None
    useless = [source.detail or f"{source.label} ({source.reason})" for source in found if source.reason]
    useless += [f"{label} (unresolved_ref): {error.message}" for label, error in failed.items()]
    hints = dict.fromkeys([*(error.hint for error in failed.values() if error.hint), _advice(info, awaited)])
    return MissingKey(
        f'no API key found for provider "{info.id}"{": " if useless else ""}{"; ".join(useless)}',
        hint="\n".join([*hints, f"credentials are kept in {store.path}"]),
    )


def _advice(info: ProviderInfo, awaited: str | None = None) -> str:
    sign_in = next((method.choice for method in info.auth if method.kind not in {"api-key", "token"}), None)
    variable = awaited or key_variable(info)
    if not variable and sign_in:
        return f"run: jackfield onboard --auth-choice {sign_in}"
    paste = f"jackfield models auth paste-api-key --provider {info.id}"
    return f"set {variable}, or run: {paste}" if variable else f"run: {paste}"
