"""What a request says of who asks and from where: its credentials, and the names in its head.

A web page in the user's own browser can reach a server on the loopback, also by a name that
it lets point there (DNS rebinding). A token is what it cannot know; where none is wanted, the
names in `Host` and `Origin` must be this machine's own.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlsplit

from jackfield.gateway.refusal import Forbidden

HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(:\d{1,5})?")
HEADERS = (b"authorization", b"x-api-key", b"x-goog-api-key")
REMEMBERED = 1000  # hosts that were found good; callers name few


def find_secrets(headers: Mapping[bytes, bytes], query: bytes) -> list[str]:
    """Return every credential a request carries, in all the places where clients put one."""
    found = []
    for name in HEADERS:
        if value := headers.get(name):
            text = value.decode("latin-1").strip()
            found.append(text[7:].strip() if text[:7].lower() == "bearer " else text)
    if b"key=" in query:
        found += parse_qs(query.decode("latin-1")).get("key", [])
    return [secret for secret in found if secret]


class Places:
    """The names requests may call us by, and the pages they may come from."""

    def __init__(self, host: str, allowed: Sequence[str], *, is_open: bool) -> None:
        self._allowed = frozenset(name.lower() for name in allowed) | {host.lower()}
        self._any_host = not is_loopback(host)  # a listener for others has names that we do not know
        self._is_open = is_open
        self._good: set[bytes] = set()

    def check(self, headers: Mapping[bytes, bytes]) -> None:
        """Return when a request may come from where it says; raise `Forbidden`."""
        host = headers.get(b"host", b"")
        if host not in self._good:
            self._check_host(host.decode("latin-1"))
            if len(self._good) < REMEMBERED:
                self._good.add(host)
        # Who presents the token may be a page: it cannot have read it here.
        if self._is_open and (origin := headers.get(b"origin")):
            name = _host_of(origin.decode("latin-1"))
            if not (is_loopback(name) or name in self._allowed):
                raise Forbidden(
                    f"a page of {name or 'an unknown place'} may not ask the gateway",
                    hint="start it with --auth token, or add the name to gateway.allowedHosts",
                )

    def _check_host(self, host: str) -> None:
        match = HOST.fullmatch(host)
        if match is None:
            raise Forbidden("the Host header names no host")
        name = match["name"].strip("[]").lower()
        if not (self._any_host or is_loopback(name) or name in self._allowed):
            raise Forbidden(
                f"the gateway is not called {name!r}", hint="call it 127.0.0.1, or add the name to gateway.allowedHosts"
            )


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Tell whether a name or an address is this machine's own."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
