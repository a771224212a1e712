"""What all commands that take a credential share: find the provider, read the secret, keep the profile."""

from __future__ import annotations

import re
import sys
from typing import Any

import click
from msgspec.structs import replace

from jackfield.auth.health import judge
from jackfield.auth.paste import clean_key, key_problem, key_warnings
from jackfield.auth.record import render_ref
from jackfield.auth.secret import describe_ref
from jackfield.auth.sources import explicit_order, names
from jackfield.cli import ask, ui
from jackfield.cli.context import Context
from jackfield.credential import Profile, ProfileType, Secret
from jackfield.errors import AuthError, UsageError
from jackfield.health.record import Place
from jackfield.health.store import open_health
from jackfield.model import AuthMethod, ProviderInfo

LONGEST_INPUT = 65_536  # bytes; no key is longer
LONGEST_MS = 100 * 365 * 86_400_000
UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
METHOD_KINDS: dict[ProfileType, str] = {"api_key": "api-key", "token": "token"}


provider_option = click.option("--provider", metavar="ID", required=True, help="The provider it is for.")
profile_option = click.option("--profile-id", metavar="ID", help="Keep it under this name, such as venice:work.")


class Duration(click.ParamType[int]):
    """`365d`, `12h`, `30m`, or a bare number of days; milliseconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return milliseconds."""
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([mhdw]?)\s*", str(value).lower())
        if not match or not float(match[1]):
            self.fail(f"{value!r} is no duration; write it like 365d, 12h or 30m", param, ctx)
        lasts_ms = int(float(match[1]) * UNITS_MS[match[2] or "d"])
        if lasts_ms > LONGEST_MS:
            self.fail(f"{value!r} is longer than a hundred years; leave it out", param, ctx)
        return lasts_ms


def end_of(context: Context, lasts_ms: int | None) -> int | None:
    """Return when a credential that lasts so long from now ends, in Unix milliseconds; `None` is never."""
    return None if lasts_ms is None else context.now_ms() + lasts_ms


def find_provider(context: Context, text: str) -> ProviderInfo:
    """Return the provider a user names; the error offers the nearest ones."""
    info = context.catalog.provider(text)
    if info is None:
        near = context.catalog.near(text)
        nearest = f"; did you mean {' or '.join(near)}?" if near else ""
        raise click.ClickException(
            f"unknown provider {text!r}{nearest}\na server of your own: jackfield onboard --auth-choice custom-api-key"
        )
    return info


def find_method(info: ProviderInfo, kind: ProfileType) -> AuthMethod | None:
    """Return the provider's sign-in of a kind, if it has one."""
    return next((method for method in info.auth if method.kind == METHOD_KINDS.get(kind)), None)


def read_secret(label: str) -> str:
    """Return what stands on standard input, or what a person types unseen; cleaned, never empty."""
    if sys.stdin.isatty():
        text = ask.secret(label)
    else:
        data = sys.stdin.buffer.read(LONGEST_INPUT + 1)
        if len(data) > LONGEST_INPUT:
            raise AuthError(f"standard input holds over {LONGEST_INPUT} bytes; no key is that long")
        text = data.decode("utf-8", "replace")
    return check_secret(text, "standard input")


def check_secret(text: str, origin: str) -> str:
    """Return the key inside pasted text; raise without showing it when it cannot be one."""
    key = clean_key(text)
    if problem := key_problem(key):
        raise AuthError(
            f"the key from {origin} {problem}", hint="copy the key again, or pipe it in: pbpaste | jackfield …"
        )
    return key


def warn_of(key: str, info: ProviderInfo, method: AuthMethod | None = None) -> None:
    """Say what looks wrong about a key; never refuses it."""
    prefix = method.secret_prefix if method and method.secret_prefix else info.key_prefix
    for warning in key_warnings(key, prefix):
        ui.warn(warning)
    if method and len(key) < method.secret_min_length:
        ui.warn(f"a token of this kind has at least {method.secret_min_length} characters; this one has {len(key)}")


def name_profile(info: ProviderInfo, text: str | None, default: str) -> str:
    """Return a profile id: `work` becomes `<provider>:work`; an id of another provider is refused."""
    provider, colon, name = (text or f"{info.id}:{default}").rpartition(":")
    if colon and provider.lower() not in {info.id, *info.aliases}:
        raise UsageError(f"profile {text!r} does not belong to {info.id}", hint=f"write it like {info.id}:work")
    return f"{provider or info.id}:{_slug(name)}"


def make_profile(info: ProviderInfo, profile_id: str, kind: ProfileType, key: str) -> Profile:
    """Return a credential without an end."""
    return Profile(id=profile_id, provider=info.id, type=kind, secret=Secret(key))


def keep_profile(context: Context, info: ProviderInfo, profile: Profile) -> None:
    """Write a profile to the store; where the user has an order for the provider, it goes first there."""
    if warning := context.store.warning():
        ui.warn(warning)
    # The address is the user's note on the account; a new key does not change whose it is.
    context.store.modify(profile.id, lambda old: replace(profile, email=profile.email or (old and old.email)))
    # What failed with the old one says nothing of the new.
    health = open_health(context.config, context.now_ms)
    health.reset(Place(info.id, f"profile:{profile.id}"))
    health.close()
    for provider in sorted(names(info, context.config)):
        order = context.store.order(provider)
        if order is not None and profile.id not in order:
            context.store.set_order(provider, (profile.id, *order))


def warn_if_unused(context: Context, info: ProviderInfo, profile: Profile) -> None:
    """Say so when what the config says keeps a stored profile from being used."""
    order = explicit_order(info, context.config, context.store)
    if order is not None and profile.id not in order:
        ids = " ".join((profile.id, *order))
        ui.warn(
            f"auth.order in the config leaves {profile.id} out; run: jackfield models auth order set --provider {info.id} {ids}"
        )
    meta = context.config.auth_profiles.get(profile.id)
    if meta and meta.mode != profile.type and not (meta.mode == "oauth" and profile.type == "token"):
        ui.warn(f"the config expects {profile.id} to be {meta.mode}; correct auth.profiles or the profile is not used")


def shown_key(profile: Profile) -> str:
    """Return a profile's key as it may be seen: masked, or the place where it stands."""
    return describe_ref(profile.ref) if profile.ref else profile.secret.masked()


def as_row(profile: Profile, now_ms: int) -> dict[str, Any]:
    """Return a profile as JSON shows it: without its secret."""
    return {
        "id": profile.id,
        "provider": profile.provider,
        "type": profile.type,
        "email": profile.email,
        "expires": profile.expires_ms,
        "status": judge(profile, now_ms),
        "env": profile.ref.id if profile.ref and profile.ref.source == "env" else None,
        "ref": render_ref(profile.ref) if profile.ref else None,
    }


def _slug(name: str) -> str:
    # An e-mail address is a usual name; everything else odd becomes a dash.
    return re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9._@+-]", "-", name.strip().lower())).strip("-") or "default"
