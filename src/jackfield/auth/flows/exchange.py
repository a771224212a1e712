"""A lasting token changed into one for the next half hour, as GitHub Copilot wants it. No I/O."""

from __future__ import annotations

import re

from jackfield.auth.flows.token import SPARE_MS, Answer, as_text, check_answer, to_moment
from jackfield.credential import Lease, Secret
from jackfield.errors import AuthError, BadReply
from jackfield.model import Flow, ProviderInfo
from jackfield.transport.request import shown_url

DEFAULT_LIFE_S = 1500
HOST = re.compile(r"[a-z0-9.-]+(?::\d+)?", re.IGNORECASE)


def parse_lease(answer: Answer, flow: Flow, info: ProviderInfo, now_ms: int) -> Lease:
    """Return the short-lived token; raise `AuthError` when the lasting one is not, or no longer, good for one."""
    url = flow.exchange_url
    if answer.status in {401, 403, 404}:
        raise AuthError(
            f"{shown_url(url)} gives no token for this account (HTTP {answer.status})",
            hint=f"is {info.name or info.id} part of its plan? else run: jackfield models auth login --provider {info.id}",
            status=answer.status,
        )
    fields = check_answer(answer, url)
    token, end = as_text(fields.get("token")), fields.get("expires_at")
    if not token:
        raise BadReply(f"{shown_url(url)} answered without a token")
    lasts = end if isinstance(end, int | float) and not isinstance(end, bool) else DEFAULT_LIFE_S
    return Lease(secret=Secret(token), expires_ms=to_moment(lasts, now_ms) - SPARE_MS, base_url=find_base_url(token))


def find_base_url(token: str) -> str:
    """Return where a token says it is good: `proxy-ep=proxy.x` means `https://api.x`; empty: it does not say."""
    fields = dict(part.partition("=")[::2] for part in token.split(";"))
    host = fields.get("proxy-ep", "").strip().removeprefix("https://")
    if not HOST.fullmatch(host):
        return ""
    return f"https://{re.sub(r'^proxy[.]', 'api.', host)}"
