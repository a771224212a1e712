"""What may be wrong with a set-up, looked for one thing at a time; calls nobody and changes nothing.

Each check takes the user's set-up and yields findings; `CHECKS` is their order on the screen.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from jackfield.auth.health import RENEWALS, judge
from jackfield.auth.secret import describe_ref, file_warning, find_file, is_dead
from jackfield.auth.sources import sources
from jackfield.cli.context import Context
from jackfield.cli.plain_keys import PlainKey, find_plain_keys
from jackfield.config.schema import Config
from jackfield.credential import Profile, SecretRef
from jackfield.errors import ConfigError, Error
from jackfield.model import ModelRef
from jackfield.providers.url import chat_url
from jackfield.routing.chain import resolve_ref
from jackfield.routing.policy import check_allowed
from jackfield.transport.request import shown_url

OTHERS = 0o077


class Close(Struct, frozen=True):
    """A file or folder to be closed to others."""

    path: Path


class Discard(Struct, frozen=True):
    """A cache file to be removed; it is made anew."""

    path: Path


class Finding(Struct, frozen=True, kw_only=True):
    """One thing found; a `note` is worth knowing and breaks nothing."""

    kind: str
    message: str
    hint: str = ""
    level: Literal["problem", "note"] = "problem"
    fix: PlainKey | Close | Discard | None = None  # what `--fix` would do


def find_all(context: Context) -> list[Finding]:
    """Return everything that is found, in the order of the checks."""
    return [finding for check in CHECKS for finding in check(context)]


# -- models and credentials in use -------------------------------------------------


def _models(context: Context) -> Iterator[Finding]:
    for text, ref in _used(context):
        if isinstance(ref, Error):
            yield Finding(kind="model", message=f"{text}: {ref.message}", hint=ref.hint)
            continue
        if context.catalog.find(ref.provider, ref.model) is None:
            message = f"{ref} is in no list known here; it is sent to {ref.provider} as it is"
            hint = f"see what there is: jackfield models refresh {ref.provider}"
            yield Finding(kind="model", level="note", message=message, hint=hint)
        try:
            check_allowed(ref, context.config, context.catalog)
        except Error as error:
            yield Finding(kind="allowlist", message=error.message, hint=error.hint)


def _credentials(context: Context) -> Iterator[Finding]:
    for info in filter(None, map(context.catalog.provider, providers_in_use(context))):
        found = tuple(sources(info, context.config, context.store, context.now_ms()))
        if all(source.reason for source in found):
            why = "; ".join(source.detail or f"{source.label}: {source.reason}" for source in found)
            message = f"there is no credential for {info.id}, which is in use{f' ({why})' if why else ''}"
            yield Finding(
                kind="auth", message=message, hint=f"run: jackfield onboard, or set one of {_named(info.env)}"
            )


def _variables(context: Context) -> Iterator[Finding]:
    used = providers_in_use(context)
    for entry in context.config.providers.values():
        for missing in entry.missing:
            level: Literal["problem", "note"] = "problem" if entry.id in used else "note"
            hint = f"set {missing.name}, or correct {missing.key}"
            yield Finding(kind="variable", level=level, message=str(missing), hint=hint)


def _profiles(context: Context) -> Iterator[Finding]:
    now_ms = context.now_ms()
    for profile in context.store.list():
        again = f"sign in again: jackfield models auth login --provider {profile.provider}"
        yield from _rest(profile, context)
        if profile.renewal in {"refused", "lost"}:
            yield Finding(kind="renewal", message=f"{profile.id}: {RENEWALS[profile.renewal]}", hint=again)
            continue
        match judge(profile, now_ms):
            case "expired":
                yield Finding(kind="expired", message=f"{profile.id} has expired", hint=again)
            case "expiring":
                yield Finding(kind="expired", level="note", message=f"{profile.id} ends within a day", hint=again)
            case "missing":
                yield Finding(kind="expired", message=f"{profile.id} holds no secret", hint=again)
        if profile.ref:
            yield from _reference(profile, profile.ref, context)


def _rest(profile: Profile, context: Context) -> Iterator[Finding]:
    use = context.store.usage(profile.id)
    if until_ms := use.rests_until(context.now_ms()):
        minutes = -(-(until_ms - context.now_ms()) // 60_000)
        why = f" ({use.reason})" if use.reason else ""
        message = f"{profile.id} is not used for the next {minutes} min{why}"
        hint = "an answer ends it; what it is for: jackfield models status"
        yield Finding(kind="rest", level="note", message=message, hint=hint)


def _plugins(context: Context) -> Iterator[Finding]:
    for plugin_id, problem in context.plugins.broken.items():
        hint = f"mend it, or: jackfield plugins disable {plugin_id}"
        yield Finding(kind="plugin", message=f"plugin {plugin_id} is broken: {problem}", hint=hint)
    for info in map(context.catalog.provider, providers_in_use(context)):
        ways = {method.plugin for method in info.auth} if info else set()
        # Who signs in by a plugin alone needs it; a key or a token goes without.
        if info and ways and "" not in ways and not any(context.config.plugins.get(name) for name in ways):
            name = min(ways)
            message = f"{info.id} is in use, and its plugin {name} is disabled"
            yield Finding(kind="plugin", level="note", message=message, hint=f"run: jackfield plugins enable {name}")


def _reference(profile: Profile, ref: SecretRef, context: Context) -> Iterator[Finding]:
    environ = context.config.environ
    if is_dead(ref, environ):
        message = f"{profile.id} refers to {describe_ref(ref)}, which leads nowhere"
        hint = f"put the secret there, or remove the profile: jackfield models auth logout {profile.id}"
        yield Finding(kind="reference", message=message, hint=hint)
    elif ref.source == "file" and (warning := file_warning(find_file(ref.id, environ)[0])):
        yield Finding(kind="mode", message=warning, fix=Close(find_file(ref.id, environ)[0]))


def _orders(context: Context) -> Iterator[Finding]:
    stored = {profile.id for profile in context.store.list()}
    for provider, ids in context.config.auth_order.items():
        for profile_id in (each for each in ids if each not in stored):
            hint = "store it, or take it out of the list"
            message = f"auth.order.{provider} names {profile_id}, which is not stored"
            yield Finding(kind="order", level="note", message=message, hint=hint)
    for profile_id in context.config.auth_profiles.keys() - stored:
        message = f"auth.profiles names {profile_id}, which is not stored"
        hint = f"remove it: jackfield config unset 'auth.profiles[\"{profile_id}\"]'"
        yield Finding(kind="order", level="note", message=message, hint=hint)


def _keyring(context: Context) -> Iterator[Finding]:
    if context.config.auth_store == "keyring":
        from jackfield.auth.keyring import check_keyring

        try:
            check_keyring()
        except ConfigError as error:
            yield Finding(kind="keyring", message=error.message, hint=error.hint)


# -- addresses and files -----------------------------------------------------------


def _addresses(context: Context) -> Iterator[Finding]:
    for name, entry in context.config.providers.items():
        info = context.catalog.provider(name)
        if info is None:
            hint = f"give models.providers.{name} a baseUrl, or correct the id"
            yield Finding(kind="provider", message=f'no provider "{name}" is known', hint=hint)
        elif entry.base_url or entry.endpoint:
            try:
                url = chat_url(info.base_url, info.api, endpoint=info.endpoint or None, model="MODEL")
            except Error as error:
                yield Finding(kind="address", message=f"{name}: {error.message}", hint=error.hint)
                continue
            hint = f"if that is wrong, set models.providers.{name}.endpoint to the whole URL"
            yield Finding(kind="address", level="note", message=f"{name}: requests go to {shown_url(url)}", hint=hint)


def _modes(context: Context) -> Iterator[Finding]:
    if os.name != "posix":
        return
    paths = context.paths
    private = (paths.home, paths.config, paths.config.with_name(f"{paths.config.name}.bak"), paths.dotenv, paths.auth)
    for path in dict.fromkeys(private):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError:
            continue
        if mode & OTHERS:
            message = f"{path} is open to others (mode {mode:03o})"
            hint = f"run: chmod {mode & ~OTHERS:03o} {path}"
            yield Finding(kind="mode", message=message, hint=hint, fix=Close(path))


def _caches(context: Context) -> Iterator[Finding]:
    for path in sorted(context.paths.cache.rglob("*.json")):
        try:
            for line in path.read_bytes().splitlines():
                msgspec.json.decode(line)
        except (OSError, msgspec.DecodeError):
            message = f"the cache {path} cannot be read"
            yield Finding(kind="cache", level="note", message=message, hint=f"remove it: rm {path}", fix=Discard(path))


def _plain_keys(context: Context) -> Iterator[Finding]:
    for key in find_plain_keys(context):
        message = f"a key stands as it is in {key.place}: {key.secret.masked()}"
        hint = "move it: jackfield doctor --fix" if key.target else key.advice
        yield Finding(kind="plain-key", message=message, hint=hint, fix=key if key.target else None)


CHECKS: tuple[Callable[[Context], Iterator[Finding]], ...] = (
    _plain_keys, _modes, _variables, _models, _credentials, _profiles, _plugins, _orders, _keyring, _addresses, _caches,
)  # fmt: skip


def providers_in_use(context: Context) -> tuple[str, ...]:
    """Return the providers of the models in use, each once."""
    return tuple(dict.fromkeys(ref.provider for _, ref in _used(context) if isinstance(ref, ModelRef)))


def _used(context: Context) -> Iterator[tuple[str, ModelRef | Error]]:
    """Yield every name of a model that is in use with what it means, or why it means nothing."""
    for text in dict.fromkeys(_chosen(context.config)):
        try:
            yield text, resolve_ref(text, context.config, context.catalog)[0]
        except Error as error:
            yield text, error


def _chosen(config: Config) -> Iterator[str]:
    routes = [name for route in config.routes.values() for name in (route.primary, *route.fallbacks)]
    names = (config.primary, *config.fallbacks, config.image_primary, *config.image_fallbacks, *routes)
    return (name for name in names if name)


def _named(variables: tuple[str, ...]) -> str:
    return ", ".join(variables) or "its variables"
