"""Who looks after the gateway: whoever has the admin token, or a session that was begun with it.

A session and the code that opens a browser are signed with the token, so nothing need be kept: they hold
over a restart of the gateway and end when the token is another. They are sent as `Authorization: Bearer` alone. There
are no cookies, so a foreign page has nothing that a browser would send along for it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

from jackfield.credential import Secret
from jackfield.errors import AuthError
from jackfield.gateway.keys import digest
from jackfield.message import JsonObject

CODE_MS = 60_000  # a browser is open by then
SESSION_MS = 12 * 3_600_000
CODE, SESSION = "code", "session"
USED = 1000  # codes that are remembered; each lives a minute


class SignedOut(AuthError):
    """It is the page's caller that nobody knows, and no credential of a provider."""


def make_code(token: Secret, now_ms: int) -> str:
    """Return what begins one session within a minute, instead of the token."""
    return _sign(token, CODE, now_ms + CODE_MS)


def make_session(token: Secret, now_ms: int) -> str:
    """Return a session of a minute, to ask something with instead of the token."""
    return _sign(token, SESSION, now_ms + CODE_MS)


class Sessions:
    """Lets in who may come in."""

    def __init__(self, token: Callable[[], Secret], now_ms: Callable[[], int]) -> None:
        self._token = token  # asked each time: a reload may bring another
        self._now_ms = now_ms
        self._used: dict[str, None] = {}

    def begin(self, *, code: str = "", token: str = "") -> JsonObject:
        """Begin a session, by a code or by the token; raise `SignedOut`."""
        if code:
            self._use(code)
        elif not self._is_token(token):
            raise SignedOut("this is not the admin token", hint="the gateway said at its start where it stands")
        until_ms = self._now_ms() + SESSION_MS
        return {"token": _sign(self._token(), SESSION, until_ms), "expiresMs": until_ms}

    def check(self, given: str) -> None:
        """Return when the bearer of this may come in; raise `SignedOut`."""
        if not self._is_token(given) and not self._holds(given, SESSION):
            is_over = given.startswith(f"{SESSION}.")
            raise SignedOut(
                "the session has ended" if is_over else "the admin token is missing or wrong",
                hint="sign in again" if is_over else "send it as Authorization: Bearer",
            )

    def _use(self, code: str) -> None:
        if not self._holds(code, CODE) or code in self._used:
            raise SignedOut("this link was used already, or is too old", hint="sign in with the admin token")
        if len(self._used) >= USED:
            self._used.pop(next(iter(self._used)))
        self._used[code] = None

    def _is_token(self, given: str) -> bool:
        # Digests have one length: the comparison tells nothing of the token.
        return hmac.compare_digest(digest(given), digest(self._token().reveal()))

    def _holds(self, given: str, kind: str) -> bool:
        words = given.split(".")
        if len(words) != 4 or words[0] != kind or not words[1].isdecimal():
            return False
        is_ours = hmac.compare_digest(digest(given), digest(_mark(self._token(), ".".join(words[:3]))))
        return is_ours and self._now_ms() < int(words[1])


def _sign(token: Secret, kind: str, until_ms: int) -> str:
    return _mark(token, f"{kind}.{until_ms}.{secrets.token_urlsafe(16)}")


def _mark(token: Secret, words: str) -> str:
    return f"{words}.{hmac.digest(token.reveal().encode(), words.encode(), 'sha256').hex()}"
