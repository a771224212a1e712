"""Where the ledger is: what the config says, else the state file of the user's home."""

from __future__ import annotations

from jackfield.config.schema import Config
from jackfield.ledger.database import sqlite_url
from jackfield.state import NAME


def find_url(config: Config) -> str:
    """Return the database's URL; it may hold a password."""
    held = config.callers.database
    return held.reveal() if held else sqlite_url(config.paths.home / NAME)
