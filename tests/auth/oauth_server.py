"""A token server that rotates: each refresh token is good once, a second use ends its whole family.

with rotating() as server:
    info = make_info(server.url)
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from jackfield.auth.store import FileStore
from jackfield.credential import Profile, Secret
from jackfield.model import AuthMethod, Flow, ProviderInfo
from tests.servers import Received, Step, json_reply, serve


@dataclass
class Rotation:
    """What the server knows, and what it heard."""

    url: str = ""
    good: str = "r0"
    spent: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    lasts_s: int = 3600  # of an access token
    before: Sequence[Step] = ()  # pauses before an answer
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, received: Received) -> list[Step]:
        """Change a refresh token into the next pair; a new sign-in, at `/login`, begins a new family."""
        token = form(received).get("refresh_token", "")
        with self.lock:
            if received.target == "/login":
                self.good = f"login{next(self.numbers)}"
                return json_reply({"refresh_token": self.good})
            if token != self.good:
                self.reused.append(token)
                if token in self.spent:
                    self.good = ""
                return json_reply({"error": "invalid_grant", "error_description": "no longer good"}, 400)
            number = next(self.numbers)
            self.spent.append(token)
            self.good = f"r{number}"
        fields = {"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": self.lasts_s}
        return [*self.before, *json_reply(fields)]


def form(received: Received) -> dict[str, str]:
    """Return the fields of a form that arrived."""
    return dict(parse_qsl(received.body.decode()))


@contextmanager
def rotating(**made: object) -> Iterator[Rotation]:
    """Run such a server until the block ends."""
    rotation = Rotation(**made)  # type: ignore[arg-type]  fields of the dataclass
    with serve(rotation.answer) as server:
        rotation.url = server.url
        yield rotation


def make_info(url: str, **flow: object) -> ProviderInfo:
    """Return a provider whose sign-in runs at `url`."""
    given = {"engine": "pkce", "token_url": f"{url}/token", "authorize_url": f"{url}/auth", "client_id": "cli", **flow}
    method = AuthMethod(choice="box", kind="oauth", flow=Flow(**given))  # type: ignore[arg-type]  checked by the tests
    return ProviderInfo(id="box", name="Box", base_url="https://box.example/v1", auth=(method,))


def keep(path: Path, *, expires_ms: int = 1, refresh: str = "r0") -> FileStore:
    """Return a store with one profile, expired unless said otherwise."""
    store = FileStore(path)
    profile = Profile(
        id="box:me", provider="box", type="oauth", secret=Secret("a0"), refresh=Secret(refresh), expires_ms=expires_ms
    )
    store.modify(profile.id, lambda _: profile)
    return store
