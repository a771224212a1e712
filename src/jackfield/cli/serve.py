"""What the command line must find before a gateway can start: where it listens, its tokens, who may call."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from msgspec import Struct

from jackfield.config.disk import hold_lock, save_text
from jackfield.config.schema import Config
from jackfield.credential import Secret
from jackfield.errors import ConfigError, UsageError
from jackfield.gateway.access import Stores
from jackfield.gateway.keys import Key, digest
from jackfield.ledger.place import find_url
from jackfield.transport.listen import open_listener

LOCK_FILE = "gateway.lock"
ADMIN_HOST = "127.0.0.1"
TOKEN_FILE, ADMIN_FILE = "gateway-token", "admin-token"
ADMIN_VARIABLE = "JACKFIELD_ADMIN_TOKEN"
VARIABLES = ("JACKFIELD_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD")
MODES = {"token": "token", "password": "token", "none": "none"}  # the config's word → ours


class Service(Struct, frozen=True, kw_only=True):
    """What a process must know to serve; no secret but those of its environment."""

    environ: Mapping[str, str]
    config_path: str | None
    offline: bool
    host: str
    is_open: bool  # no token is wanted
    drain_s: float = 60
    log_format: str = ""  # empty: the config's
    workers: int = 1
    board: str = ""  # the folder where several workers put their numbers
    urls: tuple[str, ...] = ()  # where it listens, for people


def pick_auth(said: str | None) -> str:
    """Return `token` or `none`; raise `ConfigError` for a mode that is neither."""
    if said is not None and said not in MODES:
        raise ConfigError(f"gateway.auth.mode is {said!r}", hint=f"it may be {', '.join(MODES)}")
    return MODES[said or "token"]


def find_token(config: Config, *, may_make: bool = False) -> tuple[Secret, str]:
    """Return the gateway's token and where it stands, in words; makes and keeps one where it may.

    Raises `UsageError` when there is none.
    """
    if config.server.token:
        return config.server.token, "gateway.auth.token of the config"
    for name in VARIABLES:
        if text := config.environ.get(name, "").strip():
            return Secret(text), name
    hint = f"set gateway.auth.token, or {VARIABLES[0]}, and start it again"
    return _keep_token(config.paths.home / TOKEN_FILE, hint, may_make=may_make)


def find_admin_token(config: Config, *, may_make: bool = False) -> tuple[Secret, str]:
    """Return what the gateway is looked after with, and where it stands; as `find_token`."""
    if config.server.admin.token:
        return config.server.admin.token, "gateway.admin.token of the config"
    if text := config.environ.get(ADMIN_VARIABLE, "").strip():
        return Secret(text), ADMIN_VARIABLE
    hint = f"set gateway.admin.token, or {ADMIN_VARIABLE}, and start it again"
    return _keep_token(config.paths.home / ADMIN_FILE, hint, may_make=may_make)


def _keep_token(path: Path, hint: str, *, may_make: bool) -> tuple[Secret, str]:
    if not path.exists() and not may_make:
        raise UsageError("a gateway for other machines needs a token that you know", hint=hint)
    with hold_lock(path.with_suffix(".lock")):
        if not path.exists():
            save_text(path, f"jf-{secrets.token_urlsafe(32)}\n")
    return Secret(_read(path)), str(path)


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if not text:
        raise ConfigError(f"{path} is empty", hint="remove it, and another token is made")
    return text


def hold_home(held: ExitStack, home: Path) -> bool:
    """Mark a home as served until the stack ends; tell whether nobody serves it already."""
    try:
        held.enter_context(hold_lock(home / LOCK_FILE, timeout_s=0))
    except ConfigError:
        return False
    return True


def open_admin(config: Config, said: int | None, usual: int, tell: Callable[[str], None]) -> Any:
    """Return a socket for whoever runs the gateway, `None` where it is switched off or its usual port is taken.

    Raises `ConfigError` when a port that somebody named is taken.
    """
    rules = config.server.admin
    if not rules.enabled and said is None:
        return None
    named = said if said is not None else rules.port
    try:
        return open_listener(rules.host or ADMIN_HOST, usual if named is None else named)
    except ConfigError as error:
        if named is not None:
            raise ConfigError(f"the admin's address: {error.message}", hint="choose another: --admin-port") from error
        tell(f"{error.message}: this gateway is looked after by its command line alone")
        return None


def find_stores(config: Config, *, is_open: bool) -> Stores:
    """Return where the gateway's callers are known from."""
    callers = config.callers
    given = [
        Key(id=f"config:{name}", name=name, digest=digest(key.secret.reveal()), limits=key.limits)
        for name, key in callers.keys.items()
    ]
    return Stores(
        token=None if is_open else find_token(config)[0],
        limits=callers.limits,
        keys=tuple(given),
        anyone=is_open,
        database=find_url(config),
        shared=callers.shared_state.reveal() if callers.shared_state else "",
    )
