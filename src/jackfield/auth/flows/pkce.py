"""Sign-in on a page that sends the browser back (RFC 6749 with PKCE, RFC 7636): values in, values out. No I/O."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from msgspec import Struct

from jackfield.auth.flows.client import Client
from jackfield.auth.flows.token import render_form
from jackfield.errors import AuthError
from jackfield.model import Flow
from jackfield.transport.request import HttpRequest

Random = Callable[[int], bytes]
REFUSED = frozenset({"access_denied", "consent_required", "interaction_required"})


class Attempt(Struct, frozen=True):
    """One sign-in under way: what was asked, and what must come back."""

    url: str  # for the browser
    redirect: str
    state: str
    verifier: str


def begin(flow: Flow, client: Client, redirect: str, random: Random) -> Attempt:
    """Return a new attempt; `random` gives so many bytes nobody can guess."""
    verifier, state = as_base64url(random(32)), as_base64url(random(32))
    query = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": redirect,
        **({"scope": " ".join(flow.scopes)} if flow.scopes else {}),
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        **flow.params,
    }
    return Attempt(
        f"{flow.authorize_url}{'&' if '?' in flow.authorize_url else '?'}{urlencode(query)}", redirect, state, verifier
    )


def find_problem(query: str, attempt: Attempt) -> str:
    """Say why the query of a redirect is not the end of this attempt; empty when it is."""
    fields = _first_of(query)
    if not hmac.compare_digest(fields.get("state", "").encode(), attempt.state.encode()):
        return "it answers another sign-in than this one (the state differs)"
    if code := fields.get("error"):
        said = fields.get("error_description", "")
        word = "consent was refused" if code in REFUSED else code
        return f"{word}: {said[:300]}" if said and said != word else word
    return "" if fields.get("code") else "it holds no code"


def parse_landing(query: str, attempt: Attempt) -> str:
    """Return the code that a redirect brought; raise `AuthError` with the reason when it brought none."""
    if problem := find_problem(query, attempt):
        raise AuthError(f"the sign-in failed: {problem}", hint="start it again, and use only the newest page")
    return _first_of(query)["code"]


def parse_paste(text: str, attempt: Attempt) -> str:
    """Return the code in what a person pasted: the whole address landed on, `code#state`, or the bare code."""
    text = "".join(text.split()).strip("\"'")
    if "://" in text or text.startswith("?") or "code=" in text or "error=" in text:
        return parse_landing(urlsplit(text).query or text.lstrip("?"), attempt)
    code, mark, state = text.partition("#")
    if mark:
        return parse_landing(urlencode({"code": code, "state": state}), attempt)
    if not code:
        raise AuthError("nothing was pasted")
    return code


def render_exchange(flow: Flow, client: Client, attempt: Attempt, code: str) -> HttpRequest:
    """Return the request that changes the code into tokens."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": attempt.redirect,
        "code_verifier": attempt.verifier,
        **client.fields(),
    }
    return render_form(flow.token_url, fields, flow.headers)


def challenge(verifier: str) -> str:
    """Return what is shown of a verifier before it is needed."""
    return as_base64url(hashlib.sha256(verifier.encode()).digest())


def as_base64url(data: bytes) -> str:
    """Return bytes as a URL may hold them, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _first_of(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
