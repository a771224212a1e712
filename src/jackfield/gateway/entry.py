"""Whom the head of a request lets in, and what it asks for: found once for all that begin alike.

Callers keep their connections and say the same in every head. What depends on nothing else is
looked up by those words, as long as the keys are what they were; whoever is refused is looked at each time.
"""

from __future__ import annotations

from msgspec import Struct, field

from jackfield.errors import AuthError
from jackfield.gateway.access import ANYONE, Access
from jackfield.gateway.door import Places, find_secrets
from jackfield.gateway.exchange import Exchange
from jackfield.gateway.keys import Key
from jackfield.gateway.refusal import NoRoute
from jackfield.gateway.routes import Route, find_client, find_route
from jackfield.gateway.target import Lane

# Every header that is asked for here, by the road that it shows, and by nobody else.
ASKED = (
    b"host", b"origin", b"authorization", b"x-api-key", b"x-goog-api-key",
    b"anthropic-version", b"x-goog-api-client", b"x-openclaw-model",
)  # fmt: skip
MOST, LONGEST = 1000, 2000  # heads that are remembered, and bytes of one
OPEN_TO_ALL = frozenset({"health", "ready", "about"})  # they tell nothing that anybody may not know


class Entry(Struct, frozen=True):
    """What a head has said."""

    route: Route
    key: Key
    is_limited: bool
    keys_version: int  # of the keys that were known then
    lanes: dict[tuple[bytes, bool], Lane] = field(default_factory=dict)  # by a model as a body names it


class Entries:
    """The heads that were let in of late. Belongs to one set-up."""

    def __init__(self, access: Access, places: Places, disabled: frozenset[str], *, is_open: bool) -> None:
        self._access = access
        self._places = places
        self._disabled = disabled
        self._is_open = is_open
        self._known: dict[tuple[bytes | str | None, ...], Entry] = {}

    def find(self, exchange: Exchange) -> Entry:
        """Return what a head says; raise an error for whoever is not let in."""
        # The words hold a secret. They are compared by a hash that nobody knows beforehand, and only then letter by letter.
        said = (exchange.method, exchange.path, exchange.query, *map(exchange.headers.get, ASKED))
        entry = self._known.get(said)
        if entry is None or not self._access.is_in_force(entry.key, entry.keys_version):
            entry = self._let_in(exchange)
            if len(self._known) >= MOST:
                self._known.clear()
            if sum(map(len, filter(None, said))) <= LONGEST:
                self._known[said] = entry
        return entry

    def _let_in(self, exchange: Exchange) -> Entry:
        self._places.check(exchange.headers)
        route = find_route(exchange.method, exchange.path, find_client(exchange.headers))
        if route.endpoint in self._disabled:
            raise NoRoute(f"{exchange.path} is switched off", hint=f"see gateway.http.endpoints.{route.endpoint}")
        version = self._access.keys_version
        key = ANYONE if route.kind in OPEN_TO_ALL else self._identify(exchange)
        return Entry(route, key, not key.rules.is_empty, version)

    def _identify(self, exchange: Exchange) -> Key:
        try:
            return self._access.identify(find_secrets(exchange.headers, exchange.query))
        except AuthError:
            if not self._is_open:
                raise
            # Clients send a key whether one is wanted or not.
            return self._access.identify([])
