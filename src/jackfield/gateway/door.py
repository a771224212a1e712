"""Who may come in: the token, and the places requests may come from.

A web page in the user's own browser can reach a server on the loopback, also by a name that
it lets point there (DNS rebinding). A token is what it cannot know; where none is wanted, the
names in `Host` and `Origin` must be this machine's own.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from jackfield.credential import Secret
from jackfield.errors import AuthError
from jackfield.gateway.refusal import Forbidden

HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]{1,253})(:\d{1,5})?")
HEADERS = (b"authorization", b"x-api-key", b"x-goog-api-key")
REMEMBERED = 1000  # hosts that were found good; callers name few


class Caller(Struct, frozen=True):
    """Who asks. `key_id` names a key of the gateway's, never its secret."""

    key_id: str = ""
    name: str = ""
    is_trusted: bool = True  # may hear which models were tried and why they failed


class Access(Protocol):
    """Decides who comes in and what for. Keys, limits and budgets stand behind it."""

    def admit(self, secrets: Sequence[str]) -> Caller:
        """Return who presents one of these secrets; raise `AuthError` for none that is known.

        Called before the body is read, with every credential the request carries.
        """
        ...

    def allow(self, caller: Caller, model: str) -> None:
        """Return when a caller may ask this model now; raise `NotAllowed`, `RateLimit` or `Quota`."""
        ...


class OpenAccess:
    """Everybody may come in; for the loopback alone."""

    def admit(self, secrets: Sequence[str]) -> Caller:  # noqa: ARG002
        """Return a caller without a name."""
        return ANYBODY

    def allow(self, caller: Caller, model: str) -> None:
        """Allow everything."""


class TokenAccess:
    """One token opens everything."""

    def __init__(self, tokens: Sequence[Secret]) -> None:
        self._tokens = [token.reveal().encode() for token in tokens]

    def admit(self, secrets: Sequence[str]) -> Caller:
        """Return the owner; every comparison takes as long as any other."""
        known = False
        for secret in secrets:
            given = secret.encode("utf-8", "surrogateescape")
            for token in self._tokens:
                known |= hmac.compare_digest(given, token)
        if not known:
            raise AuthError(
                "the gateway does not know this token" if secrets else "no gateway token is given",
                hint="" if secrets else "send it as Authorization: Bearer, x-api-key or x-goog-api-key",
            )
        return OWNER

    def allow(self, caller: Caller, model: str) -> None:
        """Allow everything."""


ANYBODY = Caller()
OWNER = Caller(name="owner")


def find_secrets(headers: Mapping[bytes, bytes], query: bytes) -> list[str]:
    """Return every credential a request carries, in all the places where clients put one."""
    found = []
    for name in HEADERS:
        if value := headers.get(name):
            text = value.decode("latin-1").strip()
            found.append(text[7:].strip() if text[:7].lower() == "bearer " else text)
    if b"key=" in query:
        found += parse_qs(query.decode("latin-1")).get("key", [])
    return found


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
            name = urlsplit(origin.decode("latin-1")).hostname or ""
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


def is_loopback(host: str) -> bool:
    """Tell whether a name or an address is this machine's own."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
