"""Questions to an authorisation server and what its answers mean: HTTP requests, JSON, profiles. No I/O."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from jackfield import __version__
from jackfield.auth.flows.client import Client
from jackfield.credential import Profile, Secret
from jackfield.errors import AuthError, BadReply, Error, ServerError
from jackfield.message import JsonObject
from jackfield.model import Flow, Timeouts
from jackfield.protocols.claims import parse_claims
from jackfield.transport.request import HttpRequest, shown_url

SPARE_MS = 300_000  # a token is renewed this long before its end
TIMEOUTS = Timeouts(connect=10, first_token=20, idle=10, total=30)
# Some servers write a moment where others write how long from now.
EARLIEST_S, EARLIEST_MS = 1_000_000_000, 1_000_000_000_000


class Answer(Struct, frozen=True):
    """What a server said: an empty object where it was no JSON object."""

    status: int
    fields: JsonObject


Ask = Callable[[HttpRequest], Awaitable[Answer]]


def parse_answer(status: int, body: bytes) -> Answer:
    """Read a reply's body."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        value = None
    return Answer(status, value if isinstance(value, dict) else {})


def render_form(url: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> HttpRequest:
    """Return the POST of a form; it says truthfully who asks."""
    return HttpRequest(
        url=url,
        headers={
            "accept": "application/json",
            "content-type": "application/x-www-form-urlencoded",
            "user-agent": f"jackfield/{__version__}",
            **(headers or {}),
        },
        body=urlencode(fields).encode(),
        timeouts=TIMEOUTS,
    )


def render_question(url: str, token: Secret, body: JsonObject | None = None) -> HttpRequest:
    """Return a question asked in the name of a token: a GET, or a POST where there is a body."""
    headers: dict[str, str | Secret] = {
        "accept": "application/json",
        "user-agent": f"jackfield/{__version__}",
        "authorization": Secret(f"Bearer {token.reveal()}"),
    }
    if body is None:
        return HttpRequest(method="GET", url=url, headers=headers, timeouts=TIMEOUTS)
    headers["content-type"] = "application/json"
    return HttpRequest(url=url, headers=headers, body=msgspec.json.encode(body), timeouts=TIMEOUTS)


def render_refresh(flow: Flow, client: Client, refresh: Secret) -> HttpRequest:
    """Return the request that changes a refresh token into an access token."""
    fields = {"grant_type": "refresh_token", "refresh_token": refresh.reveal(), **client.fields()}
    return render_form(flow.token_url, fields, flow.headers)


def check_answer(answer: Answer, url: str) -> JsonObject:
    """Return what was said; raise our error for a refusal, with the server's own word as its `code`."""
    code, said = find_refusal(answer.fields)
    if answer.status < 400 and not code:
        return answer.fields
    said = said or code or "no reason given"
    kind: type[Error] = ServerError if answer.status >= 500 and not code else AuthError
    error = kind(f"{shown_url(url)}: {said[:300]} (HTTP {answer.status})", status=answer.status)
    error.code = code or None
    raise error


def find_refusal(fields: JsonObject) -> tuple[str, str]:
    """Return a refusal's code and words, as RFC 6749 (5.2) or an API's error object writes them; empty: there is none."""
    inner = fields.get("error")
    if isinstance(inner, dict):
        return as_text(inner.get("code")) or as_text(inner.get("type")) or "error", as_text(inner.get("message"))
    return as_text(inner), as_text(fields.get("error_description"))


def to_profile(fields: JsonObject, flow: Flow, old: Profile, now_ms: int) -> Profile:
    """Return the profile with a token reply's content; raises `BadReply` for one without a token or an account."""
    access = as_text(fields.get("access_token"))
    if not access:
        raise BadReply(f"{shown_url(flow.token_url)} answered without an access token")
    refresh = as_text(fields.get("refresh_token"))
    details = {
        **old.details,
        **{name: text for field, name in flow.details.items() if (text := as_text(fields.get(field)))},
    }
    if flow.account_claim:
        details["accountId"] = _account(access, flow) or old.details.get("accountId", "")
    return replace(
        old,
        secret=Secret(access),
        refresh=Secret(refresh) if refresh else old.refresh,
        expires_ms=parse_end(fields, now_ms),
        email=old.email or find_email(fields),
        details=details,
        renewal="",
    )


def parse_end(fields: JsonObject, now_ms: int) -> int | None:
    """Return when a token ends, five minutes early; `None` where the server does not say."""
    lasts = fields.get("expires_in", fields.get("expired_in"))
    if isinstance(lasts, str) and lasts.isdecimal():
        lasts = int(lasts)
    if isinstance(lasts, bool) or not isinstance(lasts, int | float) or lasts <= 0:
        return None
    return to_moment(lasts, now_ms) - SPARE_MS


def to_moment(value: float, now_ms: int) -> int:
    """Return Unix milliseconds for seconds from now, Unix seconds or Unix milliseconds."""
    if value < EARLIEST_S:
        return now_ms + int(value * 1000)
    return int(value) if value >= EARLIEST_MS else int(value * 1000)


def find_email(fields: JsonObject) -> str | None:
    """Return the address that a reply's tokens claim."""
    for name in ("id_token", "access_token"):
        if email := as_text(parse_claims(as_text(fields.get(name))).get("email")):
            return email
    return None


def as_text(value: object) -> str:
    """Return a JSON string, or an empty one for anything else."""
    return value if isinstance(value, str) else ""


def _account(access: str, flow: Flow) -> str:
    value: object = parse_claims(access)
    for step in flow.account_claim:
        value = value.get(step) if isinstance(value, dict) else None
    if not as_text(value):
        raise BadReply(
            f"the token of {shown_url(flow.token_url)} names no account", hint="sign in with another account"
        )
    return as_text(value)
