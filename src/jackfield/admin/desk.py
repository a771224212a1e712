"""What views look at: the gateway that runs, its set-up, its database."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct, field

from jackfield.auth.store import FileStore
from jackfield.catalog.load import Catalog
from jackfield.client import AsyncClient
from jackfield.config.schema import Config
from jackfield.credential import Secret
from jackfield.errors import Overloaded
from jackfield.gateway.gateway import Gateway
from jackfield.gateway.parts import Parts
from jackfield.ledger.database import Database, open_database
from jackfield.ledger.place import find_url

Found = TypeVar("Found")


class Desk(Struct, frozen=True, kw_only=True):
    """One gateway, as whoever runs it sees it."""

    gateway: Gateway
    urls: tuple[str, ...]  # where it listens
    workers: int
    started_ms: int
    offline: bool = False
    supervisor: int = field(default_factory=os.getppid)  # of several workers
    state: dict[str, Any] = field(default_factory=dict)  # what views remember for as long as the process lives

    @property
    def parts(self) -> Parts:
        """The set-up that new requests get."""
        if self.gateway.parts is None:
            raise Overloaded("the gateway is starting or ending")
        return self.gateway.parts

    @property
    def client(self) -> AsyncClient:
        """The client that new requests get."""
        return self.parts.client

    @property
    def config(self) -> Config:
        """The config that holds."""
        return self.client.config

    @property
    def catalog(self) -> Catalog:
        """The providers and models that are known."""
        return self.client.catalog

    @property
    def store(self) -> FileStore:
        """The credential store."""
        return self.client.store

    @property
    def admin_token(self) -> Secret:
        """What the gateway is looked after with, as the set-up says it that new requests get."""
        token = self.parts.admin_token
        if token is None:
            raise Overloaded("the gateway has no admin token yet")
        return token

    def now_ms(self) -> int:
        """Return the time in Unix milliseconds."""
        return self.gateway.clock.now_ms()

    async def ask_ledger(self, question: Callable[[Database], Found]) -> Found:
        """Ask the database, on a thread of its own; raise `DatabaseDown`."""
        url = find_url(self.config)

        def ask() -> Found:
            database = open_database(url)
            try:
                return question(database)
            finally:
                database.close()

        return await asyncio.to_thread(ask)

    async def reload(self) -> bool:
        """Let new requests use what is on disk, in every worker; tell whether it could be read."""
        done = await self.gateway.try_reload()
        # The supervisor hands it on; where it has ended, our parent is somebody else.
        if self.workers > 1 and hasattr(signal, "SIGHUP") and os.getppid() == self.supervisor:
            os.kill(self.supervisor, signal.SIGHUP)
        return done
