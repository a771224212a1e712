"""Tokens from Google's application default credentials, made by Google's own library (extra `vertex`).

A token holds for an hour, so that it is fetched when a request leaves and kept until shortly
before its end. Google's library reads the file, signs and reckons, in a thread; what it asks
of a server goes the way every other request goes, with the same proxies, certificates and timers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from jackfield.credential import AdcFile, Secret
from jackfield.errors import AuthError, ConfigError, ServerError
from jackfield.model import Timeouts
from jackfield.transport.reply import HttpReply
from jackfield.transport.request import HttpRequest

Open = Callable[[HttpRequest], Awaitable[HttpReply]]
Ask = Callable[..., "Answer"]

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  an address
RENEW_BEFORE = timedelta(minutes=5)
PATIENCE = Timeouts(first_token=30, total=30)
ANSWER_LIMIT = 1024 * 1024
SHOWN = 300  # characters of a refusal
HINT = "run: gcloud auth application-default login, or name another file in GOOGLE_APPLICATION_CREDENTIALS"
# The kinds of file (its `type`) whose class can read one whole; gcloud's own kind is read in `_as_user`.
READERS = {
    "service_account": ("oauth2.service_account", "from_service_account_info"),
    "impersonated_service_account": ("auth.impersonated_credentials", "from_impersonated_service_account_info"),
    "external_account": ("auth.identity_pool", "from_info"),
    "external_account_authorized_user": ("auth.external_account_authorized_user", "from_info"),
}


class Answer(Struct, frozen=True):
    """A server's answer in the shape Google's library reads."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Tokens:
    """Puts tokens on what leaves; keeps each until five minutes before its end. Belongs to one event loop."""

    def __init__(self, open_: Open) -> None:
        self._open = open_
        self._held: dict[tuple[AdcFile, int], Any] = {}
        self._turn = asyncio.Lock()  # many requests at a time share one token

    async def authorize(self, request: HttpRequest, file: AdcFile) -> HttpRequest:
        """Return the request with a token; raise `AuthError` naming the file when Google gives none."""
        ask = _ask_over(self._open, request, asyncio.get_running_loop())
        async with self._turn:
            added = await asyncio.to_thread(self._headers, file, ask)
        return replace(request, headers={**request.headers, **added})

    def _headers(self, file: AdcFile, ask: Ask) -> dict[str, Secret]:
        failures = _library("auth.exceptions")
        try:
            held = self._load(file)
            if _is_due(held, datetime.now(UTC)):
                held.refresh(ask)
        except failures.GoogleAuthError as error:
            said = str(error.args[0] if error.args else error)[:SHOWN]
            if error.retryable:
                raise ServerError(f"Google gave no token for {file.path}: {said}") from error
            raise AuthError(f"Google gave no token for {file.path}: {said}", hint=HINT) from error
        except (OSError, ValueError) as error:
            raise AuthError(f"cannot use the Google credentials in {file.path}: {error}", hint=HINT) from error
        added: dict[str, str] = {}
        held.apply(added)
        return {name.lower(): Secret(text) for name, text in added.items()}

    def _load(self, file: AdcFile) -> Any:
        path = Path(file.path)
        # A new sign-in writes the file anew, and is meant to count at once.
        key = (file, path.stat().st_mtime_ns)
        if key not in self._held:
            self._held[key] = _read_credentials(json.loads(path.read_text(encoding="utf-8")))
        return self._held[key]


def _read_credentials(info: Any) -> Any:
    kind = info.get("type") if isinstance(info, dict) else None
    if kind == "authorized_user":
        return _as_user(info)
    if kind not in READERS:
        raise ValueError(f"its type is {kind!r}, not one of {', '.join(['authorized_user', *READERS])}")
    module, reader = READERS[kind]
    return getattr(_library(module).Credentials, reader)(info, scopes=SCOPES)


def _as_user(info: Mapping[str, Any]) -> Any:
    # The library's own reader would ask Google whatever address the file names.
    return _library("oauth2.credentials").Credentials(
        None,
        token_uri=info.get("token_uri") or TOKEN_URI,
        scopes=SCOPES,
        **{
            name: info.get(name)
            for name in ("refresh_token", "client_id", "client_secret", "quota_project_id", "rapt_token")
        },
    )


def _is_due(held: Any, now: datetime) -> bool:
    # The library's dates are in UTC and do not say so.
    return not held.token or (held.expiry is not None and now >= held.expiry.replace(tzinfo=UTC) - RENEW_BEFORE)


def _ask_over(open_: Open, request: HttpRequest, loop: asyncio.AbstractEventLoop) -> Ask:
    """Return what Google's library calls in its thread: one question, sent by the loop's own transport."""

    def ask(
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_options: object,
    ) -> Answer:
        asked = HttpRequest(
            method=method,
            url=url,
            headers={name: Secret(text) for name, text in (headers or {}).items()},
            body=body or b"",
            timeouts=PATIENCE,
            network=request.network,
            settings=request.settings,
        )
        return asyncio.run_coroutine_threadsafe(_exchange(open_, asked), loop).result()

    return ask


async def _exchange(open_: Open, asked: HttpRequest) -> Answer:
    reply = await open_(asked)
    try:
        return Answer(reply.status, reply.headers, await reply.read(ANSWER_LIMIT))
    finally:
        await reply.close()


def _library(module: str) -> Any:
    # Only who signs in this way pays for the library, and only who does needs it.
    try:
        return import_module(f"google.{module}")
    except ImportError as error:
        raise ConfigError(
            "Google's application default credentials need Google's library", hint="pip install 'jackfield[vertex]'"
        ) from error
