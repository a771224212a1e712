"""Model servers that run on this machine: which answer, and with which models.

Every local row of the catalog is asked at once, each at its own address, and the whole
takes at most `LIMIT_S`: nothing that listens but does not answer can hold a command up.
A server that turns out to be something else is left out; nothing here raises.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from jackfield.catalog.defaults import as_local
from jackfield.credential import Secret
from jackfield.errors import BadReply, ConfigError
from jackfield.model import ListFormat, Model, ProviderInfo
from jackfield.providers.listing import parse_listing
from jackfield.providers.listing.address import list_url, plain_url
from jackfield.transport.local import fetch_local

LIMIT_S = 0.3


class LocalServer(Struct, frozen=True):
    """A server that answered: which provider it is, where its list is, and what it offers."""

    provider: str
    url: str
    models: tuple[Model, ...]


def find_local(
    infos: Iterable[ProviderInfo], *, keys: Mapping[str, Secret] = {}, limit_s: float = LIMIT_S
) -> tuple[LocalServer, ...]:
    """Return the servers of local rows that answer, in the order of the rows; takes `limit_s` at most.

    Only addresses of this machine are asked; a provider gets the key that `keys` has under its id.
    """
    rows, until = tuple(infos), time.monotonic() + limit_s
    found: dict[str, LocalServer] = {}
    askers = [
        # A daemon: one that is still waiting when the time is up holds nobody.
        threading.Thread(target=_ask, args=(info, places, until, keys.get(info.id), found), daemon=True)
        for info, places in _addresses(rows)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(max(0.0, until - time.monotonic()))
    answered = dict(found)
    return tuple(answered[info.id] for info in rows if info.id in answered)


Places = tuple[tuple[str, ListFormat], ...]


def _addresses(infos: Iterable[ProviderInfo]) -> Iterator[tuple[ProviderInfo, Places]]:
    for info in infos:
        if not info.local:
            continue
        try:
            places: tuple[tuple[str | None, ListFormat], ...] = (
                (list_url(info), info.discovery_format),
                (plain_url(info), "openai"),
            )
        except ConfigError:
            continue
        if known := tuple((url, form) for url, form in places if url):
            yield info, known


def _ask(info: ProviderInfo, places: Places, until: float, key: Secret | None, found: dict[str, LocalServer]) -> None:
    headers = {"authorization": f"Bearer {key.reveal()}"} if key else {}
    for url, form in places:
        body = fetch_local(url, until - time.monotonic(), headers)
        if body is None:
            continue
        try:
            listing = parse_listing(body, form)
        except BadReply:
            continue
        found[info.id] = LocalServer(info.id, url, tuple(map(as_local, listing.models)))
        return
