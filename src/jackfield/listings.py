"""Which providers are asked for their lists of models, with which credentials, and how many at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

from jackfield.auth.beside import Lookups
from jackfield.auth.resolve import resolve
from jackfield.auth.secret import forget_commands
from jackfield.auth.store import FileStore
from jackfield.catalog.load import Catalog
from jackfield.config.schema import Config
from jackfield.credential import NO_AUTH, RequestAuth
from jackfield.errors import AuthError, Error, ModelNotFound, TransportError
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
    lookups = Lookups(config, store)
    infos = tuple(_named(providers, catalog) if providers else _listed(catalog))
    auths = await asyncio.gather(*(_auth(info, config, store, lookups) for info in infos))
    asked = [
        # Some lists are public; whether one that is named is, its provider says.
        (info, auth or NO_AUTH)
        for info, auth in zip(infos, auths, strict=True)
        if providers or (auth and (auth.secret or info.local or info.id in config.providers))
    ]
    room = asyncio.Semaphore(AT_ONCE)

    async def ask(info: ProviderInfo, auth: RequestAuth) -> Refreshed:
        async with room:
            refreshed = await refresh_one(sender, info, auth, catalog.shelf, time.time(), freshen)
        if isinstance(refreshed.error, AuthError) and auth.secret:
            forget_commands(auth.secret)
        return refreshed

    done = await asyncio.gather(*(ask(info, auth) for info, auth in asked))
    catalog.reload_discovered()
    idle = {info.id for info, _ in asked if info.local and not providers and info.id not in config.providers}
    # Nobody answers there, or another program that listens on a model server's port.
    return tuple(each for each in done if not (each.provider in idle and isinstance(each.error, TransportError)))


def _named(names: Sequence[str], catalog: Catalog) -> Iterator[ProviderInfo]:
    for name in dict.fromkeys(map(catalog.normalise, names)):
        info = catalog.provider(name)
        if info is None:
            near = catalog.near(name)
            hint = f"did you mean {' or '.join(near)}?" if near else "see: jackfield models list --all"
            raise ModelNotFound(f"unknown provider {name!r}", hint=hint)
        yield info


def _listed(catalog: Catalog) -> Iterator[ProviderInfo]:
    return filter(None, map(catalog.provider, filter(catalog.has_list, catalog.provider_ids())))


async def _auth(info: ProviderInfo, config: Config, store: FileStore, lookups: Lookups) -> RequestAuth | None:
    try:
        return await lookups.find(info, lambda: resolve(info, config, store, int(time.time() * 1000)))
    except Error:
        return None
