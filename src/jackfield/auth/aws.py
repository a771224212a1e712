"""Where keys that sign requests to AWS come from: variables, a profile, the machine itself.

The order is that of AWS's own tools. Looks whether files are there, opens none and calls
nobody: a profile's keys are looked up when a request leaves (`transport.sign`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from jackfield.config.paths import find_home, said
from jackfield.credential import AwsKeys, Secret

DEFAULT_REGION = "us-east-1"
# Set where a container or a cluster hands out keys.
MACHINE = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE",
)  # fmt: skip


def find_keys(environ: Mapping[str, str]) -> Iterator[tuple[str, AwsKeys]]:
    """Yield what the variables name, best first, each with its place in words."""
    access_key, secret_key = said(environ, "AWS_ACCESS_KEY_ID"), said(environ, "AWS_SECRET_ACCESS_KEY")
    if access_key and secret_key:
        token = said(environ, "AWS_SESSION_TOKEN")
        yield (
            "env: AWS_ACCESS_KEY_ID",
            AwsKeys(
                access_key=access_key,
                secret_key=Secret(secret_key),
                session_token=Secret(token) if token else None,
                region=pick_region(environ),
            ),
        )
    if profile := said(environ, "AWS_PROFILE"):
        yield "env: AWS_PROFILE", chain(environ, profile)


def chain(environ: Mapping[str, str], profile: str = "") -> AwsKeys:
    """Return what stands for the keys of a profile, or of AWS's own chain when none is named."""
    return AwsKeys(
        profile=profile,
        region=pick_region(environ),
        credentials_file=said(environ, "AWS_SHARED_CREDENTIALS_FILE"),
        config_file=said(environ, "AWS_CONFIG_FILE"),
    )


def has_chain(environ: Mapping[str, str]) -> bool:
    """Tell whether AWS's own chain can be expected to find keys: its files, or a cluster's variables."""
    if any(said(environ, name) for name in MACHINE):
        return True
    home = find_home(environ)
    places = [said(environ, "AWS_SHARED_CREDENTIALS_FILE"), said(environ, "AWS_CONFIG_FILE")]
    places += [str(Path(home) / ".aws" / name) for name in ("credentials", "config")] if home else []
    return any(Path(place).is_file() for place in places if place)


def pick_region(environ: Mapping[str, str]) -> str:
    """Return the region the variables name, as the provider's address does."""
    return said(environ, "AWS_REGION") or said(environ, "AWS_DEFAULT_REGION") or DEFAULT_REGION
