"""The composition root: the one place that puts concrete parts together.

Each part is made when first asked for and then kept, so that a command pays only for what
it uses: `models set` never opens a socket, `--help` reads no file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from jackfield.auth.store import FileStore, open_store
from jackfield.catalog.load import Catalog
from jackfield.config.load import load_config
from jackfield.config.paths import Paths, locate
from jackfield.config.schema import Config
from jackfield.errors import ConfigError
from jackfield.plugins.load import Plugins

if TYPE_CHECKING:
    from decimal import Decimal

    from jackfield.client import AsyncClient
    from jackfield.ledger.journal import Asker
    from jackfield.routing.walk import Pulse


class App:
    """One user's set-up on one machine: files, config, catalog, credentials."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        cwd: Path | None = None,
        config_path: str | None = None,
        offline: bool = False,
    ) -> None:
        self.environ = dict(os.environ if environ is None else environ)
        self.cwd = cwd or _here()
        self.config_path = config_path
        self.offline = offline
        self.record: str | None = None  # folders of recorded exchanges (see `AsyncClient`)
        self.replay: str | None = None
        self.shared_state = ""  # URL of Redis or Valkey: failures are noted there, for many machines
        self.max_cost_usd: Decimal | None = None  # all that this command's requests may cost

    @cached_property
    def paths(self) -> Paths:
        """Where this user's files are; nothing is created."""
        return locate(self.environ, config=self.config_path)

    @cached_property
    def config(self) -> Config:
        """The effective config; raises `ConfigError` with every issue at once."""
        return load_config(self.paths, self.environ, cwd=self.cwd)

    @cached_property
    def catalog(self) -> Catalog:
        """Providers and models: built in, of enabled plugins, and configured."""
        return Catalog(self.config, self.plugins.providers)

    @cached_property
    def plugins(self) -> Plugins:
        """The enabled plugins; code of no other is run."""
        return Plugins(self.config)

    @cached_property
    def store(self) -> FileStore:
        """The credential store."""
        return open_store(self.config)

    def now_ms(self) -> int:
        """Return the time as the credential store counts it: Unix milliseconds."""
        return int(time.time() * 1000)

    def open_client(self, pulse: Pulse | None = None, ledger: Asker | None = None) -> AsyncClient:
        """Return a client over these parts, on another clock where one is given; use it as an async context manager.

        Its tries go into the ledger under the word that is given, else nowhere.
        """
        # Only a command that talks to a model pays for the HTTP library.
        from jackfield.client import AsyncClient  # noqa: PLC0415
        from jackfield.health.store import open_health  # noqa: PLC0415

        config = self.config
        if self.max_cost_usd is not None:
            config = replace(config, budget=replace(config.budget, per_command=self.max_cost_usd))
        clock, url = pulse.now_ms if pulse else self.now_ms, self.shared_state
        return AsyncClient(
            config,
            catalog=self.catalog,
            plugins=self.plugins,
            store=self.store,
            offline=self.offline,
            record=self.record,
            replay=self.replay,
            health=open_health(config, clock, shared_url=url) if url else None,
            pulse=pulse,
            ledger=ledger,
        )


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise ConfigError("the current directory no longer exists", hint="change to one that does: cd ~") from error
