"""What the steps of a set-up look at: one user's config, catalog and credentials. A command has them, and so has the page."""

from __future__ import annotations

from typing import Protocol

from jackfield.auth.store import FileStore
from jackfield.catalog.load import Catalog
from jackfield.config.schema import Config


class Installation(Protocol):
    """One user's set-up on one machine, as it is now."""

    @property
    def config(self) -> Config:
        """The config that holds."""

    @property
    def catalog(self) -> Catalog:
        """The providers and models that are known."""

    @property
    def store(self) -> FileStore:
        """The credential store."""

    def now_ms(self) -> int:
        """Return the time in Unix milliseconds."""
