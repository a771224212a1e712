"""What a gateway's process is made of: the user's set-up, put together in the process that serves."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from jackfield.app import App
from jackfield.config.disk import hold_lock, save_text
from jackfield.config.schema import Config
from jackfield.credential import Secret
from jackfield.errors import ConfigError, UsageError
from jackfield.gateway.access import Access, Stores
from jackfield.gateway.door import Places
from jackfield.gateway.gateway import Gateway
from jackfield.gateway.keys import Key, digest
from jackfield.gateway.parts import BODY_LIMIT, Clock, Parts, Settings
from jackfield.gateway.record import Log
from jackfield.gateway.rows import Rows
from jackfield.ledger.place import find_url
from jackfield.ledger.writer import Ledger

TOKEN_FILE, LOCK_FILE = "gateway-token", "gateway.lock"
VARIABLES = ("JACKFIELD_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD")
MODES = {"token": "token", "password": "token", "none": "none"}  # the config's word → ours


class Service(Struct, frozen=True, kw_only=True):
    """What a process must know to serve; no secret but those of its environment."""

    environ: Mapping[str, str]
    config_path: str | None
    offline: bool
    host: str
    is_open: bool  # no token is wanted


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
    path = config.paths.home / TOKEN_FILE
    if not path.exists() and not may_make:
        raise UsageError(
            "a gateway for other machines needs a token that you know",
            hint=f"set gateway.auth.token, or {VARIABLES[0]}, and start it again",
        )
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


def make_gateway(service: Service) -> Gateway:
    """Return the application of one process; it reads the config when the server starts, and at every reload."""

    async def build() -> Parts:
        app = App(service.environ, config_path=service.config_path, offline=service.offline)
        config = app.config
        rules = config.server
        access = await Access.open(find_stores(config, is_open=service.is_open), say=_say)
        settings = Settings(
            body_limit=rules.max_body_bytes or BODY_LIMIT,
            disabled=rules.disabled,
            is_open=service.is_open,
        )
        ledger = Ledger.open(find_url(config), say=_say)
        rows = Rows(ledger, lambda: secrets.token_hex(16))
        return Parts(client=app.open_client(), access=access, settings=settings, listeners=(Log(_write), rows))

    config = App(service.environ, config_path=service.config_path).config
    clock = Clock(lambda: time.time_ns() // 1_000_000, time.monotonic, lambda: f"req_{secrets.token_hex(12)}")
    return Gateway(build, Places(service.host, config.server.allowed_hosts, is_open=service.is_open), clock)


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


def _say(text: str) -> None:
    _write(f"{text}\n".encode())


def _write(data: bytes) -> None:
    # In one piece, so that the lines of several workers do not mix; a reader that has gone costs no answer.
    try:
        os.write(sys.stderr.fileno(), data)
    except (OSError, ValueError):
        return
