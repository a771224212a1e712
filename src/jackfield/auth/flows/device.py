"""Sign-in with a code typed on another device (RFC 8628), and MiniMax's variant that polls with that code. No I/O.

The engine is a machine: it says what to send and after how many seconds, and is fed the answers.
"""

from __future__ import annotations

from msgspec import Struct

from jackfield.auth.flows.client import Client
from jackfield.auth.flows.pkce import Random, as_base64url, challenge
from jackfield.auth.flows.token import Answer, as_text, check_answer, render_form, to_moment
from jackfield.errors import AuthError, BadReply
from jackfield.message import JsonObject
from jackfield.model import Flow
from jackfield.transport.request import HttpRequest, shown_url

GRANTS = {
    "device": "urn:ietf:params:oauth:grant-type:device_code",
    "user-code": "urn:ietf:params:oauth:grant-type:user_code",
}
DEFAULT_INTERVAL_S = 5.0  # RFC 8628, 3.2; also what slow_down adds (3.5)
SHORTEST_INTERVAL_S = 1.0
LONGEST_INTERVAL_S = 60.0
DEFAULT_LIFE_S = 900
PAGES = ("https://", "http://")  # all that is ever handed to a browser
# Some servers count the interval in milliseconds.
EARLIEST_MS = 500
ENDINGS = {
    "access_denied": "consent was refused",
    "expired_token": "the code has expired before it was entered",
    "invalid_grant": "the code is unknown or used up",
}


class Code(Struct, frozen=True, kw_only=True):
    """What the person types, and where."""

    user_code: str
    url: str  # to type it on
    whole_url: str  # with the code in it; else as `url`
    device_code: str
    ends_ms: int
    interval_s: float


class Waiting:
    """The wait for a person elsewhere: `request()`, after `interval_s`, then `feed()` with its answer."""

    def __init__(self, flow: Flow, client: Client, random: Random) -> None:
        self.interval_s = DEFAULT_INTERVAL_S
        self._flow = flow
        self._client = client
        self._verifier, self._state = as_base64url(random(32)), as_base64url(random(16))
        self._code: Code | None = None

    def start(self) -> HttpRequest:
        """Return the request for a code."""
        fields = {
            **self._client.fields(),
            **({"scope": " ".join(self._flow.scopes)} if self._flow.scopes else {}),
            "code_challenge": challenge(self._verifier),
            "code_challenge_method": "S256",
            **({"response_type": "code", "state": self._state} if self._flow.engine == "user-code" else {}),
            **self._flow.params,
        }
        return render_form(self._flow.device_url, fields, self._flow.headers)

    def begin(self, answer: Answer, now_ms: int) -> Code:
        """Read the answer to `start()`; raises `AuthError` for a refusal, `BadReply` for what is no code."""
        fields = check_answer(answer, self._flow.device_url)
        user_code, url = as_text(fields.get("user_code")), as_text(fields.get("verification_uri"))
        device_code = as_text(fields.get("device_code")) or (user_code if self._flow.engine == "user-code" else "")
        whole_url = as_text(fields.get("verification_uri_complete"))
        if not (user_code and url.startswith(PAGES) and device_code):
            raise BadReply(f"{shown_url(self._flow.device_url)} answered without a code")
        if self._flow.engine == "user-code" and fields.get("state") != self._state:
            raise BadReply(f"{shown_url(self._flow.device_url)} answered another sign-in (the state differs)")
        lasts = _number(fields.get("expires_in", fields.get("expired_in"))) or DEFAULT_LIFE_S
        self.interval_s = _interval(fields, DEFAULT_INTERVAL_S)
        self._code = Code(
            user_code=user_code,
            url=url,
            whole_url=whole_url if whole_url.startswith(PAGES) else url,
            device_code=device_code,
            ends_ms=to_moment(lasts, now_ms),
            interval_s=self.interval_s,
        )
        return self._code

    def request(self, now_ms: int) -> HttpRequest:
        """Return the next question; raises `AuthError` when the code has expired."""
        if self._code is None or now_ms >= self._code.ends_ms:
            raise _ended("expired_token")
        named = "user_code" if self._flow.engine == "user-code" else "device_code"
        fields = {
            "grant_type": GRANTS[self._flow.engine],
            named: self._code.device_code,
            "code_verifier": self._verifier,
            **self._client.fields(),
        }
        return render_form(self._flow.token_url, fields, self._flow.headers)

    def feed(self, answer: Answer) -> JsonObject | None:
        """Return the token reply, or `None`: not yet; raises `AuthError` at a bad end."""
        code = as_text(answer.fields.get("error"))
        status = as_text(answer.fields.get("status")) if self._flow.engine == "user-code" else ""
        if code == "slow_down" or answer.status == 429:
            self.interval_s = min(LONGEST_INTERVAL_S, max(self.interval_s + 5, _interval(answer.fields, 0)))
            return None
        if code == "authorization_pending" or status == "pending" or (answer.status >= 500 and not code):
            return None
        if code in ENDINGS or status == "error":
            raise _ended(code, as_text(answer.fields.get("notification_message")))
        return check_answer(answer, self._flow.token_url)


def _ended(code: str, said: str = "") -> AuthError:
    error = AuthError(
        f"the sign-in failed: {ENDINGS.get(code) or said or 'the server ended it'}", hint="start it again"
    )
    error.code = code or None
    return error


def _interval(fields: JsonObject, default: float) -> float:
    seconds = _number(fields.get("interval")) or default
    return max(SHORTEST_INTERVAL_S if default else 0, seconds / 1000 if seconds >= EARLIEST_MS else seconds)


def _number(value: object) -> float:
    if isinstance(value, str) and value.isdecimal():
        return float(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0
