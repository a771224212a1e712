"""The gateway that a home has running: what it notes of itself for as long as it runs, and opening its page from elsewhere."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from jackfield.cli import ui
from jackfield.cli.context import Context
from jackfield.config.disk import save_text
from jackfield.credential import Secret
from jackfield.errors import ConfigError, UsageError
from jackfield.transport.network import is_loopback

NOTE_FILE = "gateway.json"
ASK_S = 5.0
OPEN_S = 10.0  # for a browser that lets its caller wait


class Running(Struct, frozen=True):
    """Where a gateway listens, as addresses for people; empty: not known, or nowhere."""

    gateway: str = ""
    page: str = ""


def note_running(held: ExitStack, home: Path, running: Running) -> None:
    """Note where the gateway of a home listens until the stack ends; only who holds the home does."""
    file = home / NOTE_FILE
    save_text(file, msgspec.json.encode(running).decode())
    held.callback(file.unlink, missing_ok=True)


def open_running(context: Context, ports: tuple[int | None, int | None]) -> bool:
    """Open the page of the gateway that runs already; tell whether it is the one that a person meant by its ports, if any.

    Raises `UsageError` where it has no page, or was started with another admin token.
    """
    from jackfield.cli.open_page import open_page

    running, now_ms = _find(context.paths.home), time.time_ns() // 1_000_000
    if not _is_meant(running, ports):
        return False
    where = f" at {running.gateway}" if running.gateway else ""
    if not running.page:
        raise UsageError(
            f"a gateway runs already{where} with {context.paths.home}, and has no page",
            hint="end it and start it again, or start another: --port, --admin-port",
        )
    token = _find_token(context, running.page, now_ms)
    if token is None:
        raise UsageError(
            f"a gateway runs already{where}, and does not take the admin token that is set here",
            hint=f"open {running.page} and sign in with the token that it was started with",
        )
    ui.note(f"a gateway runs already{where}; opening its page")
    if opening := open_page(running.page, token, now_ms, context.environ, ui.note):
        opening.join(OPEN_S)
    return True


def _find(home: Path) -> Running:
    try:
        return msgspec.json.decode((home / NOTE_FILE).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return Running()  # it has only just begun, or is an older version


def _is_meant(running: Running, ports: tuple[int | None, int | None]) -> bool:
    named = zip(ports, (running.gateway, running.page), strict=True)
    return all(port is None or (address and urlsplit(address).port == port) for port, address in named)


def _find_token(context: Context, page: str, now_ms: int) -> Secret | None:
    """Return the admin token that is set here, if the running gateway takes it."""
    from jackfield.admin.session import make_session
    from jackfield.cli.serve import find_admin_token
    from jackfield.transport.local import fetch_local

    try:
        token = find_admin_token(context.config)[0]
    except (ConfigError, UsageError):
        return None
    if not is_loopback(urlsplit(page).hostname or ""):
        return token  # another address of this machine: the page itself says whether it is right
    # Asked with something that is good for a minute, never with the token.
    head = {"authorization": f"Bearer {make_session(token, now_ms)}"}
    return None if fetch_local(f"{page}/admin/api/status", ASK_S, head) is None else token
