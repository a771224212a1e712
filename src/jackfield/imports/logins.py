"""Sign-ins that other programs left on the machine: Codex, Qwen Code, Gemini CLI, GitHub Copilot's editors.

Taken over only on request: the refresh token is then shared with the program that made it. A
token's own claims say whose it is and when it ends; nothing is verified here, the server does that.
Where the files are and what they hold was read from the programs' sources, 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from jackfield.auth.record import LAST_MOMENT_MS
from jackfield.config.node import Node, Source
from jackfield.credential import Profile, Secret
from jackfield.imports.draft import Draft
from jackfield.imports.found import Imported, Known
from jackfield.protocols.claims import parse_claims

OPENAI_CLAIM = "https://api.openai.com/auth"


def parse_qwen(files: Sequence[Source], known: Known) -> Imported:
    """Return Qwen Code's sign-in (`oauth_creds.json`)."""
    draft = Draft("qwen", known)
    for root in filter(None, map(draft.open, files)):
        _add_oauth(draft, root, _blank("qwen-portal", "qwen-cli", {"resourceUrl": draft.text(root, "resource_url")}))
    return draft.finish()


def parse_gemini(files: Sequence[Source], known: Known) -> Imported:
    """Return Gemini CLI's sign-in (`oauth_creds.json`); its client's id, a public one, is named in the id token."""
    draft = Draft("gemini", known)
    for root in filter(None, map(draft.open, files)):
        claims = parse_claims(draft.text(root, "id_token"))
        details = {"clientId": _text(claims.get("azp")) or _text(claims.get("aud"))}
        _add_oauth(draft, root, _blank("google-gemini-cli", "gemini-cli", details, _text(claims.get("email"))))
    return draft.finish()


def parse_copilot(files: Sequence[Source], known: Known) -> Imported:
    """Return the GitHub tokens that Copilot's editor plugins keep (`apps.json`, older `hosts.json`)."""
    draft = Draft("copilot", known)
    for root in filter(None, map(draft.open, files)):
        for key, entry in draft.members(root).items():
            token = draft.text(entry, "oauth_token") if draft.at(entry, "object") else ""
            if token:
                host = key.partition(":")[0].lower()
                details = {} if host == "github.com" else {"enterpriseUrl": host}
                name = "github" if host == "github.com" else host
                draft.add(_token("github-copilot", name, token, details), entry)
    return draft.finish()


def add_codex_login(draft: Draft, root: Node) -> None:
    """Add the ChatGPT sign-in of Codex's `auth.json`, where there is one."""
    tokens = draft.at(root, "object", "tokens")
    if tokens is None:
        return
    access = draft.text(tokens, "access_token")
    claims, identity = parse_claims(access), parse_claims(draft.text(tokens, "id_token"))
    account = draft.text(tokens, "account_id") or _claim(claims, OPENAI_CLAIM, "chatgpt_account_id")
    details = {"accountId": account, "clientId": _text(claims.get("client_id"))}
    ends_s = claims.get("exp")
    email = _text(identity.get("email")) or _claim(claims, "https://api.openai.com/profile", "email")
    blank = _blank("openai-codex", "codex-cli", details, email)
    _add_oauth(draft, tokens, replace(blank, expires_ms=ends_s * 1000 if isinstance(ends_s, int) else None))


def _add_oauth(draft: Draft, node: Node, blank: Profile) -> None:
    """Add a sign-in: `blank` says whose it is, the node holds its tokens."""
    access, refresh = draft.text(node, "access_token"), draft.text(node, "refresh_token")
    if not access and not refresh:
        draft.leave(f"login of {blank.provider}", "the file holds no token", node)
        return
    ends_ms = blank.expires_ms or int(draft.count(node, "expiry_date") or 0)
    profile = replace(
        blank,
        id=f"{blank.provider}:{blank.email.lower()}" if blank.email else blank.id,
        email=blank.email or None,
        secret=Secret(access),
        refresh=Secret(refresh) if refresh else None,
        # An end nobody knows is long past: the token is refreshed before it is used.
        expires_ms=ends_ms if 0 < ends_ms <= LAST_MOMENT_MS else 1,
        details={key: value for key, value in blank.details.items() if value},
    )
    draft.add(profile, node)


def _blank(provider: str, name: str, details: Mapping[str, str], email: str = "") -> Profile:
    return Profile(
        id=f"{provider}:{name}", provider=provider, type="oauth", secret=Secret(""), email=email, details=details
    )


def _token(provider: str, name: str, token: str, details: Mapping[str, str]) -> Profile:
    return Profile(id=f"{provider}:{name}", provider=provider, type="token", secret=Secret(token), details=details)


def _claim(claims: Mapping[str, Any], group: str, name: str) -> str:
    inner = claims.get(group)
    return _text(inner.get(name)) if isinstance(inner, dict) else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
