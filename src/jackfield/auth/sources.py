"""The places a provider's credential may come from, in the order they are tried.

Profiles of the store, variables, the config, none. Each place that gives nothing is listed
too, with the reason. Refreshes nothing and sends nothing; time is an argument.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from jackfield.auth import adc, aws
from jackfield.auth.details import is_renewable
from jackfield.auth.paste import check_key, key_problem
from jackfield.auth.plain import PLACEHOLDERS
from jackfield.auth.secret import describe_ref, is_dead, read_ref
from jackfield.auth.store import FileStore
from jackfield.auth.usage import Usage
from jackfield.config.schema import Config, ProviderConfig
from jackfield.credential import AdcFile, AwsKeys, Profile, ProfileType, RequestAuth, Secret, SecretRef
from jackfield.model import ProviderInfo

# Why a place gives nothing; the words are OpenClaw's reason codes.
Reason = Literal["", "expired", "excluded_by_auth_order", "ineligible_profile", "missing_credential", "unresolved_ref"]
RANK: dict[ProfileType, int] = {"oauth": 0, "token": 1, "api_key": 2}
# No secret: it makes our marks of keys other than anybody else's.
MARK = b"jackfield credential"
MARKED = re.compile(r"#[0-9a-f]{8}$")
CONFIG_TYPES: dict[str, ProfileType] = {"oauth": "oauth", "token": "token"}


class Source(Struct, frozen=True, kw_only=True):
    """One place a credential may come from; `reason` says why it gives none, empty when it does."""

    kind: Literal["profile", "env", "config", "none"]
    label: str  # as in `RequestAuth.source`
    secret: Secret | None = None
    type: ProfileType = "api_key"
    profile: Profile | None = None
    reason: Reason = ""
    detail: str = ""  # the variable that is missing, with key and line
    ref: SecretRef | None = None  # where the secret stands, when it is looked up as a request leaves
    aws: AwsKeys | None = None
    adc: AdcFile | None = None

    def is_sendable(self) -> bool:
        """Tell whether the key, if there is one, can travel in a header."""
        return self.secret is None or not key_problem(self.secret.reveal())

    def to_auth(self) -> RequestAuth:
        """Return what a request gets; raises `AuthError` when the key cannot travel in a header."""
        secret = None if self.secret is None else check_key(self.secret.reveal(), self.label)
        profile_id = self.profile.id if self.profile else None
        return RequestAuth(
            secret=secret, source=self.label, profile_id=profile_id, type=self.type, aws=self.aws, adc=self.adc
        )


def credential_id(source: Source) -> str:
    """Return the name by which health and quotas know a credential: its place, and a short mark of a key at hand.

    Another key in the same place is another credential. What a sign-in renews, and what is looked
    up as a request leaves, keeps the name of its place. The mark does not lead back to the key.
    """
    key = source.secret.reveal() if source.secret and source.type != "oauth" else ""
    key = key or (source.aws.access_key if source.aws else "")
    return f"{source.label}#{_mark(key)}" if key else source.label


def unmarked(credential: str) -> str:
    """Return the name of a credential's place, out of the one by which health knows it."""
    return MARKED.sub("", credential)


@lru_cache(maxsize=256)
def _mark(key: str) -> str:
    from hashlib import blake2b  # noqa: PLC0415  a tenth of a listing's start; only who asks pays for it

    return blake2b(key.encode(), digest_size=4, key=MARK).hexdigest()


def sources(info: ProviderInfo, config: Config, store: FileStore, now_ms: int) -> Iterator[Source]:
    """Yield every place in the order they are tried, the useless ones with their reason."""
    keyed = unfilled = False
    places = (
        _profiles(info, config, store, now_ms),
        _variables(info, config.environ),
        _configured(info, config),
        _adc(info, config),
    )
    for source in chain(*(() if signs(info, config) else places), _aws(info, config)):
        keyed = keyed or not source.reason
        unfilled = unfilled or bool(source.detail)
        yield source
    # Who names a variable for the key wants it sent, even to a server that would take none.
    if not keyed and not unfilled and needs_no_key(info):
        yield Source(kind="none", label="none")


def signs(info: ProviderInfo, config: Config) -> bool:
    """Tell whether the user wants requests signed with AWS's keys, whatever other credential there is."""
    entry = entry_of(info, config)
    return entry is not None and entry.auth == "aws-sdk"


def needs_no_key(info: ProviderInfo) -> bool:
    """Tell whether the provider answers without a key: declared so, or a server in this house."""
    return info.key_optional or info.local or _is_near(info.endpoint or info.base_url)


def variables(info: ProviderInfo) -> tuple[str, ...]:
    """Return the variables that may hold a key, as the catalog orders them; one is implied for a custom provider."""
    if info.env or info.auth:
        return info.env
    return (f"{_shout(info.id)}_API_KEY",)


def key_variable(info: ProviderInfo) -> str | None:
    """Return the variable that people are told to set; `None` when a key is no way in."""
    named = variables(info)
    return next((name for name in named if name.endswith("_API_KEY")), named[0] if named else None)


# -- profiles ----------------------------------------------------------------------


def names(info: ProviderInfo, config: Config) -> frozenset[str]:
    """Return the ids that mean this provider; an alias that is a provider of its own is not one of them."""
    own = entry_of(info, config)
    return frozenset({info.id, *(alias for alias in info.aliases if config.providers.get(alias) in (None, own))})


def entry_of(info: ProviderInfo, config: Config) -> ProviderConfig | None:
    """Return what the config says of the provider, under its id or under an alias that means the same address."""
    if info.id in config.providers:
        return config.providers[info.id]
    spelt = [config.providers[alias] for alias in info.aliases if alias in config.providers]
    return next((entry for entry in spelt if entry.base_url in (None, info.base_url)), None)


def _profiles(info: ProviderInfo, config: Config, store: FileStore, now_ms: int) -> Iterator[Source]:
    known = names(info, config)
    stored = {profile.id: profile for profile in store.list() if profile.provider in known}
    order = explicit_order(info, config, store)
    use = {name: store.usage(name) for name in stored}
    listed = order if order is not None else _default_order(stored, use, config, now_ms)
    rests = {name: use[name].rests_until(now_ms) for name in stored}
    # Who rests is tried when nobody else is left, the one that is back first before the others.
    for profile_id in sorted(dict.fromkeys(listed), key=lambda name: rests.get(name, 0)):
        if profile_id in stored:
            profile = stored[profile_id]
            yield profile_source(profile, config, now_ms, renewable=is_renewable(info, profile))
    for profile_id, profile in stored.items():
        if profile_id not in listed:
            yield _refused(profile, "excluded_by_auth_order")


def explicit_order(info: ProviderInfo, config: Config, store: FileStore) -> tuple[str, ...] | None:
    """Return the order the user gave, which also excludes what it does not list; the store's beats the config's."""
    ids = (info.id, *sorted(names(info, config) - {info.id}))
    orders = (order for order in (*map(store.order, ids), *map(config.auth_order.get, ids)) if order is not None)
    return next(orders, None)


def _default_order(stored: Mapping[str, Profile], use: Mapping[str, Usage], config: Config, now_ms: int) -> list[str]:
    """Return the profiles in turn: by type, then the one that has waited longest."""

    def turn(name: str) -> tuple[bool, int, bool, int]:
        profile = stored[name]
        is_stale = profile.expires_ms is not None and now_ms >= profile.expires_ms
        # Profiles the config names come first; the others follow, so that a new sign-in needs no config entry.
        return name not in config.auth_profiles, RANK[profile.type], is_stale, use[name].last_used_ms

    return sorted(stored, key=turn)


def profile_source(profile: Profile, config: Config, now_ms: int, *, renewable: bool = False) -> Source:
    """Return what one profile gives at this moment; `renewable`: it can be renewed as the request leaves."""
    meta = config.auth_profiles.get(profile.id)
    if meta and not (meta.mode == profile.type or (meta.mode == "oauth" and profile.type == "token")):
        return _refused(profile, "ineligible_profile")
    if profile.expires_ms is not None and now_ms >= profile.expires_ms and not renewable:
        return _refused(profile, "expired")
    if profile.ref is not None:
        return _referred(profile, profile.ref, config)
    if not profile.secret:
        return _refused(profile, "missing_credential")
    label = f"profile:{profile.id}"
    return Source(kind="profile", label=label, secret=profile.secret, type=profile.type, profile=profile)


def _referred(profile: Profile, ref: SecretRef, config: Config) -> Source:
    # A sign-in's tokens are renewed where they stand: only the keyring can hold them.
    if is_dead(ref, config.environ) or (profile.type == "oauth" and ref.source != "keyring"):
        return _refused(profile, "unresolved_ref")
    found = Source(kind="profile", label=f"profile:{profile.id}", type=profile.type, profile=profile)
    if ref.source == "env":
        return replace(found, secret=read_ref(ref, config.environ))
    return replace(found, ref=ref)


def _refused(profile: Profile, reason: Reason) -> Source:
    return Source(kind="profile", label=f"profile:{profile.id}", type=profile.type, profile=profile, reason=reason)


# -- variables and config ----------------------------------------------------------


def _variables(info: ProviderInfo, environ: Mapping[str, str]) -> Iterator[Source]:
    seen: set[str] = set()
    for name, text in _keys_in(info, environ):
        if text and text not in seen:
            seen.add(text)
            yield Source(
                kind="env",
                label=f"env: {name}",
                secret=Secret(text),
                type="oauth" if "OAUTH_TOKEN" in name else "api_key",
            )


def _keys_in(info: ProviderInfo, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    named = variables(info)
    stems = dict.fromkeys(name.removesuffix("_API_KEY") for name in named if name.endswith("_API_KEY"))
    for stem in stems:
        yield f"OPENCLAW_LIVE_{stem}_KEY", environ.get(f"OPENCLAW_LIVE_{stem}_KEY", "").strip()
    for stem in stems:
        for text in environ.get(f"{stem}_API_KEYS", "").replace(",", " ").replace(";", " ").split():
            yield f"{stem}_API_KEYS", text
    for name in named:
        yield name, environ.get(name, "").strip()
    for stem in stems:
        # Only numbers: OPENAI_API_KEY_FILE and the like hold no key.
        first = f"{stem}_API_KEY_"
        numbered = sorted(name for name in environ if name.startswith(first) and name.removeprefix(first).isdecimal())
        yield from ((name, environ[name].strip()) for name in numbered)


def _aws(info: ProviderInfo, config: Config) -> Iterator[Source]:
    """Yield the keys of AWS, for a provider that takes signed requests."""
    if not (signs(info, config) or any(method.kind == "aws" for method in info.auth)):
        return
    for label, keys in aws.find_keys(config.environ):
        yield Source(kind="env", label=label, aws=keys)
    if signs(info, config) or aws.has_chain(config.environ):
        yield Source(kind="env", label="AWS's own chain", aws=aws.chain(config.environ))


def _adc(info: ProviderInfo, config: Config) -> Iterator[Source]:
    """Yield Google's application default credentials, for a provider that takes them."""
    if any(method.kind == "adc" for method in info.auth) and (file := adc.find(config.environ)):
        yield Source(kind="env", label=adc.SOURCE, adc=file)


def _configured(info: ProviderInfo, config: Config) -> Iterator[Source]:
    entry = entry_of(info, config)
    if entry is None:
        return
    for missing in entry.missing:
        if missing.key.endswith(".apiKey"):
            yield Source(kind="config", label=f"config: {missing.key}", reason="unresolved_ref", detail=str(missing))
    if entry.api_key is None:
        return
    kind = CONFIG_TYPES.get(entry.auth or "", "api_key")
    if ref := entry.api_key.ref:
        dead = is_dead(ref, config.environ)
        detail = f"{entry.api_key.origin}: {describe_ref(ref)} leads nowhere" if dead else ""
        reason: Reason = "unresolved_ref" if dead else ""
        yield Source(kind="config", label=entry.api_key.origin, type=kind, ref=ref, reason=reason, detail=detail)
        return
    written = entry.api_key.secret.reveal().strip()
    # The string is the name of a variable when such a variable is set, else the key itself.
    text = config.environ.get(written, "").strip() or written
    if text and text not in PLACEHOLDERS:
        yield Source(kind="config", label=entry.api_key.origin, secret=Secret(text), type=kind)


def _is_near(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or host.endswith((".localhost", ".local")) or ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _shout(provider_id: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", provider_id.upper()).strip("_")
