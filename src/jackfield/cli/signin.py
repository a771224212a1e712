"""What all commands that take a credential share: find the provider, read the secret, keep the profile."""

from __future__ import annotations

import re
import sys

import click

from jackfield.cli import ask, ui
from jackfield.cli.context import Context
from jackfield.credential import Profile
from jackfield.errors import AuthError
from jackfield.health.store import open_health
from jackfield.model import AuthMethod, ProviderInfo
from jackfield.setup import profile as profiles

LONGEST_INPUT = 65_536  # bytes; no key is longer
LONGEST_MS = 100 * 365 * 86_400_000
UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
AGAIN = "copy the key again, or pipe it in: pbpaste | jackfield …"


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
    return profiles.check_secret(text, origin, AGAIN)


def warn_of(key: str, info: ProviderInfo, method: AuthMethod | None = None) -> None:
    """Say what looks wrong about a key; never refuses it."""
    for warning in profiles.find_oddities(key, info, method):
        ui.warn(warning)


def keep_profile(context: Context, info: ProviderInfo, profile: Profile) -> None:
    """Write a profile to the store, and warn where others may read it."""
    if warning := context.store.warning():
        ui.warn(warning)
    health = open_health(context.config, context.now_ms)
    profiles.keep_profile(context, info, profile, health)
    health.close()


def warn_if_unused(context: Context, info: ProviderInfo, profile: Profile) -> None:
    """Say so when what the config says keeps a stored profile from being used."""
    for what, advice in profiles.find_obstacles(context, info, profile):
        ui.warn(f"{what}; {advice}")
