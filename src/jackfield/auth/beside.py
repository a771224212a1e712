"""Credentials that take their time: a command or a keyring is asked beside the event loop, never in it.

A variable, a file and a plain key are had at once, on the loop. Knows no order of sources:
what is looked up is an argument.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable, Iterable
from contextlib import suppress

from jackfield.auth.secret import is_remembered
from jackfield.auth.sources import entry_of, names
from jackfield.auth.store import FileStore
from jackfield.config.schema import Config
from jackfield.credential import RequestAuth, SecretRef
from jackfield.errors import Error
from jackfield.model import ProviderInfo

SLOW = frozenset({"exec", "keyring"})


class Lookups:
    """Look-ups under way; many requests for one credential share one of them. Belongs to one event loop."""

    def __init__(self, config: Config, store: FileStore) -> None:
        self._config = config
        self._store = store
        self._running: dict[Hashable, asyncio.Future[RequestAuth]] = {}

    async def find(
        self, info: ProviderInfo, ask: Callable[[], RequestAuth], *, profile_id: str | None = None, label: str = ""
    ) -> RequestAuth:
        """Return what `ask` returns and raise what it raises; it runs on a thread where it may have to wait.

        `profile_id` and `label` (of a source) tell apart what `ask` may return for a provider. Who is
        cancelled leaves; the look-up goes on for the others, under its own time limit.
        """
        if not self.may_wait(info):
            return ask()
        key = info.id, profile_id, label
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = start(ask)
            running.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(running)

    def may_wait(self, info: ProviderInfo) -> bool:
        """Tell whether a credential of the provider's stands where looking takes time; opens nothing."""
        environ = self._config.environ
        return any(ref.source in SLOW and not is_remembered(ref, environ) for ref in self._refs(info))

    def _refs(self, info: ProviderInfo) -> Iterable[SecretRef]:
        entry = entry_of(info, self._config)
        values = [*([entry.api_key] if entry.api_key else []), *entry.header_refs.values()] if entry else []
        yield from (value.ref for value in values if value.ref)
        known = names(info, self._config)
        yield from (each.ref for each in self._store.list() if each.ref and each.provider in known)


def start(ask: Callable[[], RequestAuth]) -> asyncio.Future[RequestAuth]:
    """Run a look-up on a thread of its own and return its future.

    Not on the loop's own threads: those are few, names are looked up on them, and leaving waits for them.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[RequestAuth] = loop.create_future()

    def settle(auth: RequestAuth | None, error: Error) -> None:
        if auth is None:
            future.set_exception(error)
        else:
            future.set_result(auth)

    def run() -> None:
        auth, failure = None, Error("the look-up of a credential broke off")
        try:
            auth = ask()
        except Error as error:
            failure = error
        finally:
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(settle, auth, failure)

    threading.Thread(target=run, daemon=True).start()
    return future
