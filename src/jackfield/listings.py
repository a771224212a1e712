"""Which providers are asked for their lists of models, with which credentials, and how many at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from jackfield.auth.resolve import resolve
from jackfield.auth.store import FileStore
from jackfield.catalog.load import Catalog
from jackfield.config.schema import Config
from jackfield.credential import RequestAuth
from jackfield.errors import Error, ModelNotFound, TransportError
from jackfield.model import ProviderInfo
from jackfield.providers.refresh import Freshen, Refreshed, as_it_is, refresh_one
from jackfield.transport.reply import Sender

AT_ONCE = 8


async def refresh_listings(
    sender: Sender,
    config: Config,
    catalog: Catalog,
    store: FileStore,
    providers: Sequence[str] = (),
    freshen: Freshen = as_it_is,
) -> tuple[Refreshed, ...]:
    """Ask providers for their lists and keep them; return what came of each, in the order asked.

    Without names those are asked that have a list and a credential; of them a server of this
    machine that does not answer, and that the config does not speak of, is left out. `freshen`
    renews a credential that has expired. Raises `ModelNotFound` for a name that is no provider.
    """
    asked = tuple(_named(providers, config, catalog, store) if providers else _ready(config, catalog, store))
    room = asyncio.Semaphore(AT_ONCE)

    async def ask(info: ProviderInfo, auth: RequestAuth) -> Refreshed:
        async with room:
            return await refresh_one(sender, info, auth, catalog.shelf, time.time(), freshen)

    done = await asyncio.gather(*(ask(info, auth) for info, auth in asked))
    catalog.reload_discovered()
    idle = {info.id for info, _ in asked if info.local and not providers and info.id not in config.providers}
    # Nobody answers there, or another program that listens on a model server's port.
    return tuple(each for each in done if not (each.provider in idle and isinstance(each.error, TransportError)))


def _named(
    names: Sequence[str], config: Config, catalog: Catalog, store: FileStore
) -> Iterator[tuple[ProviderInfo, RequestAuth]]:
    for name in dict.fromkeys(map(catalog.normalise, names)):
        info = catalog.provider(name)
        if info is None:
            near = catalog.near(name)
            hint = f"did you mean {' or '.join(near)}?" if near else "see: jackfield models list --all"
            raise ModelNotFound(f"unknown provider {name!r}", hint=hint)
        # Some lists are public; whether this one is, its provider says.
        yield info, _auth(info, config, store) or RequestAuth(secret=None, source="none")


def _ready(config: Config, catalog: Catalog, store: FileStore) -> Iterator[tuple[ProviderInfo, RequestAuth]]:
    for name in catalog.provider_ids():
        info = catalog.provider(name) if catalog.has_list(name) else None
        auth = _auth(info, config, store) if info else None
        if info and auth and (auth.secret or info.local or name in config.providers):
            yield info, auth


def _auth(info: ProviderInfo, config: Config, store: FileStore) -> RequestAuth | None:
    try:
        return resolve(info, config, store, int(time.time() * 1000))
    except Error:
        return None
